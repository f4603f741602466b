#include "formats/member_names.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace llm {

namespace {

using json::Value;

// A member of OpenAI's API, and where clients of another one have it. Of a
// name's rows the first counts whose path is in the body, else the first.
// What is not listed has OpenAI's name, or there is nothing that a client
// could have sent.
struct Name {
    std::string_view param;
    std::string_view path;
};

constexpr Name anthropic_names[] = {
    {"stop", "stop_sequences"},
    {"response_format", "output_config.format"},
    {"response_format", "output_format"},       // while it was a beta
    {"parallel_tool_calls", "tool_choice.disable_parallel_tool_use"},
    {"reasoning_effort", "output_config.effort"},
    {"reasoning_effort", "thinking"},
    {"tool_call_id", "tool_use_id"},
};

// Bodies may have the names of Google's protocol buffers, too.
constexpr Name gemini_names[] = {
    {"messages", "contents"},
    {"n", "generationConfig.candidateCount"},
    {"n", "generation_config.candidate_count"},
    {"stop", "generationConfig.stopSequences"},
    {"stop", "generation_config.stop_sequences"},
    {"logprobs", "generationConfig.responseLogprobs"},
    {"logprobs", "generation_config.response_logprobs"},
    {"modalities", "generationConfig.responseModalities"},
    {"modalities", "generation_config.response_modalities"},
    {"response_format", "generationConfig.responseSchema"},
    {"response_format", "generationConfig.responseJsonSchema"},
    {"response_format", "generationConfig._responseJsonSchema"},
    {"response_format", "generationConfig.responseMimeType"},
    {"response_format", "generation_config.response_schema"},
    {"response_format", "generation_config.response_json_schema"},
    {"response_format", "generation_config.response_mime_type"},
    {"responseMimeType", "generationConfig.responseMimeType"},
    {"responseMimeType", "generation_config.response_mime_type"},
    {"tool_choice", "toolConfig.functionCallingConfig"},
    {"tool_choice", "tool_config.function_calling_config"},
    {"tool_call_id", "id"},
    // Of embeddings.
    {"input", "content"},
    {"input", "requests"},
    {"dimensions", "outputDimensionality"},
    {"dimensions", "output_dimensionality"},
};

constexpr Name bedrock_names[] = {
    {"stop", "inferenceConfig.stopSequences"},
    {"response_format", "outputConfig.textFormat"},
    {"tools", "toolConfig.tools"},
    {"tool_choice", "toolConfig.toolChoice"},
    {"tool_call_id", "toolUseId"},
};

constexpr Name responses_names[] = {
    {"messages", "input"},
    {"response_format", "text.format"},
    {"logprobs", "top_logprobs"},
    {"logprobs", "include"},
    {"tool_call_id", "call_id"},
};

constexpr Name completions_names[] = {
    {"messages", "prompt"},
};

constexpr Name cohere_names[] = {
    {"stop", "stop_sequences"},
    // Of embeddings.
    {"input", "texts"},
    {"input", "inputs"},
    {"dimensions", "output_dimension"},
};

constexpr Name ollama_names[] = {
    {"stop", "options.stop"},
    {"response_format", "format"},
    {"tool_call_id", "tool_call_id"},
    {"tool_call_id", "tool_name"},
    // Of embeddings.
    {"input", "input"},
    {"input", "prompt"},
};

constexpr Name ollama_generate_names[] = {
    {"messages", "prompt"},
    {"stop", "options.stop"},
    {"response_format", "format"},
};

struct Front {
    const Format &(*format)() noexcept;
    std::span<const Name> names;
};

constexpr Front fronts[] = {
    {&anthropic_format, anthropic_names},
    {&gemini_format, gemini_names},
    {&bedrock_format, bedrock_names},
    {&responses_format, responses_names},
    {&completions_format, completions_names},
    {&cohere_format, cohere_names},
    {&ollama_format, ollama_names},
    {&ollama_generate_format, ollama_generate_names},
};

std::span<const Name> names_of(const Format &client) {
    for (const Front &front : fronts) {
        if (&front.format() == &client) {
            return front.names;
        }
    }
    return {};
}

// "a.b" of an object; absent where there is no such member.
Value member_at(Value value, std::string_view path) {
    while (!path.empty()) {
        std::size_t dot = std::min(path.find('.'), path.size());
        value = value[path.substr(0, dot)];
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return value;
}

// Appends to `path` the way from `value` down to the value in it that was
// parsed from the bytes of `part`. False, and nothing is appended: those are
// no bytes of it, since the value was made.
bool append_way(std::string &path, Value value, std::string_view part) {
    auto holds = [part](Value one) {
        std::string_view raw = one.raw();
        std::less_equal<const char *> at_most;      // of any two pointers
        return at_most(raw.data(), part.data())
               && at_most(part.data() + part.size(),
                          raw.data() + raw.size());
    };
    if (!holds(value)) {
        return false;
    }
    while (value.raw().data() != part.data()
           || value.raw().size() != part.size()) {
        Value next;
        for (const json::Member &member : value.members()) {
            if (holds(member.value)) {
                path.append(path.empty() ? "" : ".").append(member.name);
                next = member.value;
            }
        }
        std::size_t index = 0;
        for (Value element : value.elements()) {
            if (holds(element)) {
                path.append("[" + std::to_string(index) + "]");
                next = element;
            }
            ++index;
        }
        value = next;
    }
    return true;
}

// "messages[2].content[0].name"
struct Param {
    std::string_view name;              // "messages"
    std::optional<std::size_t> index;   // 2
    std::string_view rest;              // "content[0].name"
};

// Takes "[N]" from the start of the text.
std::optional<std::size_t> take_index(std::string_view &text) {
    std::size_t index = 0;
    std::size_t end = text.find(']');
    if (!text.starts_with('[') || end == text.npos
        || std::from_chars(text.data() + 1, text.data() + end, index).ptr
               != text.data() + end) {
        return std::nullopt;
    }
    text.remove_prefix(end + 1);
    return index;
}

void skip_dot(std::string_view &text) {
    if (text.starts_with('.')) {
        text.remove_prefix(1);
    }
}

Param parse(std::string_view text) {
    Param param;
    param.name = text.substr(0, text.find_first_of(".["));
    text.remove_prefix(param.name.size());
    param.index = take_index(text);
    skip_dot(text);
    param.rest = text;
    return param;
}

class Translation {
public:
    Translation(std::span<const Name> names, const chat::Request *request,
                Value body)
        : names_(names), request_(request), body_(body) {}

    // Empty: the client has the same name for it.
    std::string path(Param param) const {
        std::string path;
        if (Value source = take_source(param)) {
            if (append_way(path, body_, source.raw())) {
                append_rest(path, source, param.rest);
                return path;
            }
        }
        std::string_view name = find(param.name, body_);
        // The index is none of the client's list.
        if (name.empty() && param.index && !names_.empty()) {
            name = param.name;
        }
        return std::string(name);
    }

private:
    // What the client has sent as this message, part of one, or tool; absent:
    // it cannot be told.
    Value take_source(Param &param) const {
        if (!request_ || !param.index) {
            return {};
        }
        if (param.name == "tools" && *param.index < request_->tools.size()) {
            return request_->tools[*param.index].source;
        }
        if (param.name != "messages"
            || *param.index >= request_->messages.size()) {
            return {};
        }

        const chat::Message &message = request_->messages[*param.index];
        constexpr std::string_view content = "content";
        if (param.rest.starts_with(content)) {
            param.rest.remove_prefix(content.size());
            auto index = take_index(param.rest);
            skip_dot(param.rest);
            if (index && *index < message.parts.size()
                && message.parts[*index].source) {
                return message.parts[*index].source;
            }
            param.rest = {};
        }
        return message.source;
    }

    // The client's name of a member; empty: it has no other.
    std::string_view find(std::string_view param, Value parent) const {
        std::string_view first;
        for (const Name &row : names_) {
            if (row.param != param) {
                continue;
            }
            if (member_at(parent, row.path)) {
                return row.path;
            }
            first = first.empty() ? row.path : first;
        }
        return first;
    }

    // Appends what is left of a path, if it is in the source or, where an API
    // wraps it ("function":{"name":...}), in a member of it.
    void append_rest(std::string &path, Value source,
                     std::string_view rest) const {
        auto append_if_there = [&](Value parent, std::string_view wrapper) {
            std::string_view name = find(rest, parent);
            name = name.empty() ? rest : name;
            if (!member_at(parent, name)) {
                return false;
            }
            if (!wrapper.empty()) {
                path.append(".").append(wrapper);
            }
            path.append(".").append(name);
            return true;
        };
        if (rest.empty() || append_if_there(source, {})) {
            return;
        }
        for (const json::Member &member : source.members()) {
            if (append_if_there(member.value, member.name)) {
                return;
            }
        }
    }

    std::span<const Name> names_;
    const chat::Request *request_;
    Value body_;
};

}  // namespace

Error in_clients_words(Error error, const Format &client,
                       const chat::Request *request, Value body) {
    std::string path = Translation(names_of(client), request, body)
                           .path(parse(error.param));
    if (path.empty()) {
        return error;
    }
    if (error.message.starts_with(error.param)) {
        error.message.replace(0, error.param.size(), path);
    }
    error.param = std::move(path);
    return error;
}

}  // namespace llm
