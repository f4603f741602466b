#include "formats/ollama/answer.hpp"

#include <algorithm>

#include "formats/functions.hpp"
#include "formats/openai/answer.hpp"
#include "text/hash.hpp"
#include "text/rfc3339.hpp"

namespace llm::ollama {

namespace {

// Sums of a few counts must not overflow, whatever a provider sends.
constexpr std::int64_t most_tokens = std::int64_t{1} << 53;

std::int64_t count(json::Value value) {
    return std::clamp<std::int64_t>(value.integer().value_or(0), 0,
                                    most_tokens);
}

}  // namespace

std::string call_id(json::Value call, json::Value answer,
                    std::size_t number) {
    if (auto id = call["id"].string(); !id.empty()) {
        return std::string(id);
    }
    std::string seed(answer["created_at"].string());
    if (seed.empty()) {
        append_hex(seed, fnv1a(answer.raw()));
    }
    return openai::made_call_id(seed, number);
}

std::string_view arguments_of(json::Value call) {
    return openai::text_of(call["function"]["arguments"]);
}

chat::Usage read_usage(json::Value root) {
    chat::Usage usage;
    usage.prompt_tokens = count(root["prompt_eval_count"]);
    usage.completion_tokens = count(root["eval_count"]);
    usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
    // A prompt that was in the cache as a whole has no count.
    usage.known = root["eval_count"].is_number()
                  || root["prompt_eval_count"].is_number();
    return usage;
}

void write_usage(json::Writer &w, const chat::Usage &usage) {
    if (usage.known || usage.estimated) {
        w.member("prompt_eval_count", usage.prompt_tokens)
            .member("eval_count", usage.completion_tokens);
    }
}

std::string logprobs_object(json::Value root) {
    json::Value list = root["logprobs"];
    if (!list.is_array() || list.size() == 0) {
        return {};
    }
    std::string text = "{\"content\":";
    functions::append_line(text, list.raw());
    text.push_back('}');
    return text;
}

MessageWriter::MessageWriter(Api api, std::string_view model,
                             std::int64_t created)
    : api_(api) {
    std::string at;
    rfc3339::append(at, created);
    json::Writer(head_).begin_object()
        .member("model", model)
        .member("created_at", at);
    head_.append(api == Api::chat
                     ? R"(,"message":{"role":"assistant","content":)"
                     : R"(,"response":)");
}

void MessageWriter::begin(std::string &out, std::string_view text,
                          std::string_view thinking, std::string_view calls,
                          std::string_view image) const {
    out.append(head_);
    json::append_string(out, text);
    if (!thinking.empty()) {
        out.append(",\"thinking\":");
        json::append_string(out, thinking);
    }
    if (!image.empty()) {
        out.append(api_ == Api::chat ? ",\"images\":[" : ",\"image\":");
        json::append_string(out, image);
        out.append(api_ == Api::chat ? "]" : "");
    }
    if (!calls.empty()) {
        out.append(",\"tool_calls\":").append(calls);
    }
    if (api_ == Api::chat) {
        out.push_back('}');
    }
}

}  // namespace llm::ollama
