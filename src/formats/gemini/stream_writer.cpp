// Events -> streamed answer for a client: server-sent events where its query
// says "alt=sse", else one JSON array.
// Source: Gemini API reference, streamGenerateContent; what google-genai's
// reader relies on: nothing but "data: " lines, an error begins with its
// member.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gemini/gemini.hpp"
#include "formats/gemini/tables.hpp"

namespace llm::gemini {

namespace {

using chat::Event;
using chat::FinishReason;
using Type = chat::Event::Type;

class Writer final : public StreamWriter {
public:
    explicit Writer(const AnswerContext &context)
        : events_(wants_events(context.query)), model_(context.request_model),
          id_(context.unique) {}

    void write(const Event &event, std::string &out) override {
        if (over_) {
            return;
        }
        switch (event.type) {
        case Type::start:
            if (!event.id.empty()) {
                id_ = event.id;
            }
            if (!event.model.empty()) {
                model_ = event.model;
            }
            break;
        case Type::text:
        case Type::refusal:
            write_text(event, out);
            break;
        case Type::image:
        case Type::reasoning:
        case Type::reasoning_signature:
        case Type::redacted_reasoning:
            write_part(event, out);
            break;
        case Type::tool_call:
            add_call(event);
            break;
        case Type::tool_arguments:
            add_arguments(event);
            break;
        case Type::logprobs:
            write_logprobs_chunk(event, out);
            break;
        case Type::finish: {
            Choice &choice = choice_of(event);
            choice.reason = event.finish_reason;
            choice.native = event.native;
            break;
        }
        case Type::usage:
            usage_ = event.usage;
            break;
        case Type::ping:
            // SDKs take a comment for a part of an error.
            break;
        case Type::error:
            over_ = true;
            begin(out);
            write_error(*event.error, out);
            end(out);
            close(out);
            break;
        case Type::done:
            over_ = true;
            write_end(out);
            close(out);
            break;
        }
    }

private:
    // The API has no fragments of calls: one is held until it is whole.
    struct Call {
        std::size_t call = 0;
        std::string id;
        std::string name;
        std::string signature;
        std::string arguments;
        bool custom = false;
    };

    struct Choice {
        std::int64_t index = 0;
        std::vector<Call> calls;
        FinishReason reason = FinishReason::none;
        std::string native;
        bool refused = false;
    };

    Choice &choice_of(const Event &event) {
        for (Choice &choice : choices_) {
            if (choice.index == event.choice) {
                return choice;
            }
        }
        choices_.emplace_back().index = event.choice;
        return choices_.back();
    }

    // A chunk's frame: an event, or an element of the array.

    void begin(std::string &out) {
        if (events_) {
            out.append("data: ");
        } else {
            out.append(begun_ ? ",\r\n" : "[");
        }
        begun_ = true;
    }

    void end(std::string &out) {
        if (events_) {
            // As Google ends its lines.
            out.append("\r\n\r\n");
        }
    }

    void close(std::string &out) {
        if (!events_) {
            out.append("]");
        }
    }

    void write_identity(json::Writer &w) {
        w.member("modelVersion", std::string_view(model_))
            .member("responseId", std::string_view(id_));
    }

    template <typename Part>
    void write_chunk(const Event &event, std::string &out, Part part) {
        choice_of(event);
        begin(out);
        json::Writer w(out);
        w.begin_object().key("candidates").begin_array().begin_object()
            .key("content").begin_object().key("parts").begin_array();
        part(w);
        w.end_array().member("role", "model").end_object()
            .member("index", event.choice)
            .end_object().end_array();
        write_identity(w);
        w.end_object();
        end(out);
    }

    void write_text(const Event &event, std::string &out) {
        if (event.text.empty() && event.signature.empty()) {
            return;
        }
        choice_of(event).refused |= event.type == Type::refusal;
        write_chunk(event, out, [&](json::Writer &w) {
            w.begin_object().member("text", event.text);
            if (!event.signature.empty()) {
                w.member("thoughtSignature", event.signature);
            }
            w.end_object();
        });
    }

    void write_part(const Event &event, std::string &out) {
        if (event.text.empty()) {
            return;
        }
        write_chunk(event, out, [&](json::Writer &w) {
            switch (event.type) {
            case Type::image:
                write_inline_data(w, event.media_type, event.text);
                break;
            case Type::reasoning:
                write_thought(w, event.text, {});
                break;
            case Type::reasoning_signature:
                write_thought(w, {}, event.text);
                break;
            default:
                write_redacted(w, event.text);
                break;
            }
        });
    }

    void write_logprobs_chunk(const Event &event, std::string &out) {
        if (!event.value["content"].is_array()) {
            return;
        }
        choice_of(event);
        begin(out);
        json::Writer w(out);
        // Chats of google-genai forget an answer with a chunk without content.
        w.begin_object().key("candidates").begin_array().begin_object()
            .key("content").begin_object().key("parts").begin_array()
            .begin_object().member("text", "").end_object().end_array()
            .member("role", "model").end_object()
            .member("index", event.choice);
        write_logprobs(w.key("logprobsResult"), event.value);
        w.end_object().end_array();
        write_identity(w);
        w.end_object();
        end(out);
    }

    void add_call(const Event &event) {
        Call &call = choice_of(event).calls.emplace_back();
        call.call = event.call;
        call.id = event.id;
        call.name = event.name;
        call.signature = event.signature;
        call.custom = event.custom;
    }

    void add_arguments(const Event &event) {
        auto &calls = choice_of(event).calls;
        for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
            if (call->call == event.call) {
                call->arguments.append(event.text);
                return;
            }
        }
    }

    static void write_calls(const Choice &choice, json::Writer &w) {
        for (const Call &call : choice.calls) {
            chat::Part part;
            part.id = call.id;
            part.name = call.name;
            part.signature = call.signature;
            part.arguments = call.arguments;
            part.custom = call.custom;
            write_call(w, part);
        }
        if (choice.calls.empty()) {
            w.begin_object().member("text", "").end_object();
        }
    }

    // The last chunk: calls, reasons and usage.
    void write_end(std::string &out) {
        if (choices_.empty()) {
            choices_.emplace_back();
        }
        begin(out);
        json::Writer w(out);
        w.begin_object().key("candidates").begin_array();
        for (const Choice &choice : choices_) {
            w.begin_object().key("content").begin_object()
                .key("parts").begin_array();
            write_calls(choice, w);
            w.end_array().member("role", "model").end_object()
                .member("finishReason",
                        finish_word(choice.refused
                                        ? FinishReason::content_filter
                                        : choice.reason,
                                    choice.native))
                .member("index", choice.index)
                .end_object();
        }
        w.end_array();
        if (usage_.known || usage_.estimated) {
            gemini::write_usage(w.key("usageMetadata"), usage_);
        }
        write_identity(w);
        w.end_object();
        end(out);
    }

    bool events_;
    bool begun_ = false;
    bool over_ = false;
    std::string model_;
    std::string id_;
    std::vector<Choice> choices_;
    chat::Usage usage_;
};

}  // namespace

bool wants_events(std::string_view query) noexcept {
    while (!query.empty()) {
        auto argument = query.substr(0, query.find('&'));
        if (argument == "alt=sse" || argument == "$alt=sse") {
            return true;
        }
        query.remove_prefix(std::min(argument.size() + 1, query.size()));
    }
    return false;
}

std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context) {
    return std::make_unique<Writer>(context);
}

}  // namespace llm::gemini
