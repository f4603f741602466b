#include "formats/completions/completions.hpp"
#include "formats/openai/answer.hpp"
#include "formats/openai/openai.hpp"

namespace llm::completions {

namespace {

using chat::FinishReason;
using chat::Part;
using chat::PartType;
using json::Value;

}  // namespace

std::string_view finish_word(FinishReason reason) noexcept {
    switch (reason) {
    case FinishReason::length:
    case FinishReason::content_filter:
        return chat::to_string(reason);
    default:
        return chat::to_string(FinishReason::stop);
    }
}

Result<chat::Response> parse_response(const json::Document &document,
                                      std::pmr::memory_resource *memory) {
    Value root = document.root();
    if (auto error = openai::find_error(200, root)) {
        return std::move(*error);
    }
    if (!root["choices"].is_array()) {
        return Error{ErrorKind::bad_gateway,
                     "the provider's answer has no choices", {}, {}, 0, {}};
    }

    chat::Response response(memory);
    response.id = root["id"].string();
    response.model = root["model"].string();
    response.created = openai::read_created(root["created"]);
    response.system_fingerprint = root["system_fingerprint"].string();
    response.usage = openai::parse_usage(openai::find_usage(root));

    std::int64_t position = 0;
    for (Value source : root["choices"].elements()) {
        chat::Choice &choice = response.choices.emplace_back(memory);
        choice.index = source["index"].integer().value_or(position);
        ++position;
        choice.message.role = chat::Role::assistant;
        if (auto text = source["text"].string(); !text.empty()) {
            choice.message.parts.emplace_back().text = text;
        }

        choice.native_finish_reason = source["finish_reason"].string();
        choice.finish_reason =
            openai::finish_reason(choice.native_finish_reason, false);
        if (choice.finish_reason == FinishReason::none) {
            choice.finish_reason = FinishReason::stop;
        }
        if (choice.finish_reason == FinishReason::error) {
            return openai::incomplete_answer();
        }
        // vLLM's member; a number there is a token's id.
        choice.stop_sequence = source["stop_reason"].string();
    }
    return response;
}

void write_response(const chat::Response &response,
                    const AnswerContext &context, std::string &out) {
    json::Writer w(out);
    w.begin_object().key("id");
    if (response.id.empty()) {
        w.string("cmpl-" + std::string(context.unique));
    } else {
        w.string(response.id);
    }
    w.member("object", "text_completion")
        .member("created", response.created ? response.created : context.now)
        .member("model", response.model.empty() ? context.request_model
                                                : response.model);

    w.key("choices").begin_array();
    for (const chat::Choice &choice : response.choices) {
        // Thoughts and calls have no place here.
        std::string text;
        for (const Part &part : choice.message.parts) {
            if (part.type == PartType::text
                || part.type == PartType::refusal) {
                text.append(part.text);
            }
        }
        w.begin_object()
            .member("index", choice.index)
            .member("text", std::string_view(text))
            .key("logprobs").null()
            .member("finish_reason", finish_word(choice.finish_reason))
            .end_object();
    }
    w.end_array();

    if (response.usage.known || response.usage.estimated) {
        w.key("usage");
        openai::write_usage(w, response.usage);
    }
    if (!response.system_fingerprint.empty()) {
        w.member("system_fingerprint", response.system_fingerprint);
    }
    w.end_object();
}

}  // namespace llm::completions
