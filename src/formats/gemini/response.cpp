// One-shot answers.
// Source: Gemini API reference, GenerateContentResponse.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/gemini/answer.hpp"
#include "formats/gemini/gemini.hpp"
#include "formats/gemini/tables.hpp"
#include "llm/arena.hpp"

namespace llm::gemini {

namespace {

using chat::FinishReason;
using chat::Message;
using chat::Part;
using chat::PartType;
using json::Value;

class ResponseReader {
public:
    explicit ResponseReader(std::pmr::memory_resource *memory)
        : memory_(memory), response_(memory) {}

    Result<chat::Response> read(Value root) {
        // A stream that was not asked for as events, as a whole.
        if (root.is_array()) {
            for (Value chunk : root.elements()) {
                read_chunk(chunk);
            }
        } else {
            read_chunk(root);
        }
        finish();
        if (failed_) {
            return std::move(error_);
        }
        return std::move(response_);
    }

private:
    void fail(Error error) {
        if (!failed_) {
            failed_ = true;
            error_ = std::move(error);
        }
    }

    void read_chunk(Value root) {
        if (Value error = root["error"]; !error.is_null()) {
            fail(read_error(error, 0));
            return;
        }
        auto text = [&](std::string_view name, std::string_view &out) {
            if (auto word = root[name].string(); !word.empty()) {
                out = word;
            }
        };
        text("responseId", response_.id);
        text("modelVersion", response_.model);
        if (auto time = read_time(root["createTime"].string())) {
            response_.created = time;
        }
        if (chat::Usage usage = parse_usage(root["usageMetadata"]);
            usage.known) {
            response_.usage = usage;
        }
        if (auto reason = block_reason(root); !reason.empty()) {
            block(reason, root["promptFeedback"]);
        }
        std::int64_t position = 0;
        for (Value candidate : root["candidates"].elements()) {
            read_candidate(candidate, position++);
        }
    }

    chat::Choice &choice_of(std::int64_t index) {
        for (chat::Choice &choice : response_.choices) {
            if (choice.index == index) {
                return choice;
            }
        }
        chat::Choice &choice = response_.choices.emplace_back(memory_);
        choice.index = index;
        choice.message.role = chat::Role::assistant;
        return choice;
    }

    void block(std::string_view reason, Value feedback) {
        chat::Choice &choice = choice_of(0);
        choice.finish_reason = FinishReason::content_filter;
        choice.native_finish_reason = reason;
        Part part;
        part.type = PartType::refusal;
        part.text = feedback["blockReasonMessage"].string();
        if (!part.text.empty()) {
            choice.message.parts.push_back(part);
        }
    }

    void read_candidate(Value source, std::int64_t position) {
        chat::Choice &choice =
            choice_of(source["index"].integer().value_or(position));
        for (Value part : source["content"]["parts"].elements()) {
            read_part(part, choice.message);
        }
        if (auto word = source["finishReason"].string(); !word.empty()) {
            choice.native_finish_reason = word;
            choice.finish_reason = finish_reason(word);
            finish_message_ = source["finishMessage"].string();
        }
        if (Value result = source["logprobsResult"]; result.is_object()) {
            std::string text;
            json::Writer writer(text);
            write_openai_logprobs(writer, result);
            choice.logprobs = arena_json(memory_, text);
        }
    }

    void read_part(Value source, Message &message) {
        Part part;
        std::string_view signature = source["thoughtSignature"].string();
        if (Value call = source["functionCall"]; call.is_object()) {
            read_call(call, part, message);
            part.signature = signature;
        } else if (source["text"].is_string()) {
            part.text = source["text"].string();
            if (source["thought"].boolean()) {
                part.type = PartType::reasoning;
                signature = {};
            }
            // The proof of a text may come after it.
            if (part.text.empty()) {
                sign(signature, message);
                return;
            }
            part.signature = signature;
        } else if (Value data = source["inlineData"]; data.is_object()) {
            part.media_type = data["mimeType"].string();
            part.data = data["data"].string();
            part.type = part.media_type.starts_with("image/")
                            ? PartType::image
                        : part.media_type.starts_with("audio/")
                            ? PartType::audio
                            : PartType::file;
        } else {
            part.type = PartType::native;
            part.source = source;
        }
        message.parts.push_back(part);
    }

    static void sign(std::string_view signature, Message &message) {
        if (signature.empty()) {
            return;
        }
        if (!message.parts.empty()
            && message.parts.back().type == PartType::text
            && message.parts.back().signature.empty()) {
            message.parts.back().signature = signature;
            return;
        }
        Part part;
        part.signature = signature;
        message.parts.push_back(part);
    }

    void read_call(Value call, Part &part, const Message &message) {
        part.type = PartType::tool_call;
        part.name = plain_name(call["name"].string(), part.custom);
        part.id = call["id"].string();
        if (part.id.empty()) {
            auto calls = std::count_if(
                message.parts.begin(), message.parts.end(),
                [](const Part &one) {
                    return one.type == PartType::tool_call;
                });
            part.id = arena_copy(
                memory_, made_call_id(response_.id, call,
                                      static_cast<std::size_t>(calls)));
        }
        Value args = call["args"];
        part.arguments = args.is_object() ? args.raw() : "{}";
        if (part.custom && args[custom_input].is_string()) {
            part.arguments = args[custom_input].string();
        }
    }

    static bool has(const Message &message, PartType type) {
        return std::any_of(
            message.parts.begin(), message.parts.end(),
            [type](const Part &part) { return part.type == type; });
    }

    static bool says_something(const Message &message) {
        return std::any_of(message.parts.begin(), message.parts.end(),
                           [](const Part &part) {
                               return part.type != PartType::reasoning
                                      && part.type != PartType::native;
                           });
    }

    void finish() {
        if (response_.choices.empty()) {
            Error error;
            error.kind = ErrorKind::bad_gateway;
            error.message = "the provider's answer has no candidates";
            fail(std::move(error));
        }
        for (chat::Choice &choice : response_.choices) {
            bool calls = has(choice.message, PartType::tool_call);
            bool answered = says_something(choice.message);
            FinishReason &reason = choice.finish_reason;
            if (reason == FinishReason::error && !answered) {
                fail(failed_answer(choice.native_finish_reason,
                                   finish_message_));
            } else if (reason == FinishReason::none && !answered) {
                Error error;
                error.kind = ErrorKind::bad_gateway;
                error.message = "the provider's answer has a candidate "
                                "without finishReason";
                fail(std::move(error));
            }
            if (reason == FinishReason::error
                || reason == FinishReason::none) {
                reason = FinishReason::stop;
            }
            if (reason == FinishReason::stop && calls) {
                reason = FinishReason::tool_calls;
            }
        }
    }

    std::pmr::memory_resource *memory_;
    chat::Response response_;
    std::string_view finish_message_;
    bool failed_ = false;
    Error error_;
};

void write_part(json::Writer &w, const Part &part) {
    switch (part.type) {
    case PartType::text:
    case PartType::refusal:
        w.begin_object().member("text", part.text);
        if (!part.signature.empty()) {
            w.member("thoughtSignature", part.signature);
        }
        w.end_object();
        break;
    case PartType::reasoning:
        write_thought(w, part.text, part.signature);
        break;
    case PartType::redacted_reasoning:
        write_redacted(w, part.data);
        break;
    case PartType::tool_call:
        write_call(w, part);
        break;
    case PartType::image:
    case PartType::audio:
    case PartType::file:
        if (!part.data.empty()) {
            write_inline_data(w, part.media_type, part.data);
        }
        break;
    case PartType::native:
        break;      // what only another API knows
    }
}

}  // namespace

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory) {
    return ResponseReader(memory).read(document.root());
}

void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out) {
    json::Writer w(out);
    w.begin_object().key("candidates").begin_array();
    for (const chat::Choice &choice : response.choices) {
        w.begin_object().key("content").begin_object()
            .key("parts").begin_array();
        std::size_t before = out.size();
        for (const Part &part : choice.message.parts) {
            write_part(w, part);
        }
        // Clients look at the first part.
        if (out.size() == before) {
            w.begin_object().member("text", "").end_object();
        }
        w.end_array().member("role", "model").end_object();

        FinishReason reason = choice.finish_reason;
        bool refused = std::any_of(
            choice.message.parts.begin(), choice.message.parts.end(),
            [](const Part &part) { return part.type == PartType::refusal; });
        if (refused) {
            reason = FinishReason::content_filter;
        }
        w.member("finishReason",
                 finish_word(reason, choice.native_finish_reason))
            .member("index", choice.index);
        if (choice.logprobs["content"].is_array()) {
            write_logprobs(w.key("logprobsResult"), choice.logprobs);
        }
        w.end_object();
    }
    w.end_array();

    if (response.usage.known || response.usage.estimated) {
        gemini::write_usage(w.key("usageMetadata"), response.usage);
    }
    w.member("modelVersion", response.model.empty() ? context.request_model
                                                    : response.model);
    w.member("responseId", response.id.empty() ? context.unique
                                               : response.id);
    w.end_object();
}

}  // namespace llm::gemini
