#include "matrix_meaning.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

#include "llm/json.hpp"

namespace llm::testing {

namespace {

using chat::PartType;
using chat::Role;

void append_compact(json::Value value, std::string &out) {
    if (value.is_object()) {
        // Sorted, and without what strict schemas add.
        std::map<std::string, json::Value> members;
        for (auto member : value.members()) {
            if (member.name != "additionalProperties") {
                members.emplace(member.name, member.value);
            }
        }
        out += '{';
        for (const char *separator = ""; auto &[name, member] : members) {
            out += separator;
            json::append_string(out, name);
            out += ':';
            append_compact(member, out);
            separator = ",";
        }
        out += '}';
    } else if (value.is_array()) {
        out += '[';
        for (const char *separator = ""; auto element : value.elements()) {
            out += separator;
            append_compact(element, out);
            separator = ",";
        }
        out += ']';
    } else {
        out += value.raw();
    }
}

std::string compact(json::Value value) {
    std::string out;
    append_compact(value, out);
    return out;
}

// "" stands for no arguments.
std::string compact(std::string_view text) {
    json::Document document;
    if (text.empty()) {
        return "{}";
    }
    if (!document.parse(text)) {
        return "no JSON: " + std::string(text);
    }
    return compact(document.root());
}

std::string text_of(const chat::Message &message) {
    std::string text;
    for (const auto &part : message.parts) {
        text += part.text;
    }
    return text;
}

// A line for each line of the texts: where an API has room for one system text
// only, several are its lines.
void append_lines(const chat::Message &message, std::string &out) {
    for (const auto &part : message.parts) {
        std::istringstream lines{std::string(part.text)};
        for (std::string line; std::getline(lines, line);) {
            if (!line.empty()) {
                out += "system: " + line + '\n';
            }
        }
    }
}

std::string words(const chat::Part &part) {
    switch (part.type) {
    case PartType::text:
    case PartType::refusal:
        return "text " + std::string(part.text);
    case PartType::image:
        return part.url.empty()
                   ? "image " + std::string(part.media_type) + ' '
                         + std::string(part.data)
                   : "image " + std::string(part.url);
    case PartType::tool_call:
        return "call " + std::string(part.name) + ' '
               + compact(part.arguments);
    case PartType::reasoning:
        return "reasoning " + std::string(part.text);
    case PartType::audio:
        return "audio " + std::string(part.media_type) + ' '
               + std::string(part.data);
    case PartType::file:
        return "file " + std::string(part.media_type) + ' '
               + std::string(part.data);
    default:
        return "part";
    }
}

// Where an API has functions only, a custom tool is one of this prefix, which
// takes a text.
std::string words(const chat::Tool &tool) {
    constexpr std::string_view prefix = "llm_custom_";
    bool custom = tool.type == chat::Tool::Type::custom
                  || tool.name.starts_with(prefix);
    auto name = tool.name;
    if (name.starts_with(prefix)) {
        name.remove_prefix(prefix.size());
    }
    return "tool: " + std::string(name) + " ("
           + std::string(tool.description) + ") "
           + (custom ? "free text" : compact(tool.parameters));
}

// Whether the model may call it: an API that cannot limit the choice is not
// given the others.
bool is_offered(const chat::Tool &tool,
                const std::optional<chat::ToolChoice> &choice) {
    using Mode = chat::ToolChoice::Mode;
    if (!choice) {
        return true;
    }
    if (choice->mode == Mode::named) {
        return tool.name == choice->name;
    }
    auto names = choice->mode == Mode::allowed ? chat::allowed_tools(*choice)
                                               : std::vector{tool.name};
    return std::find(names.begin(), names.end(), tool.name) != names.end();
}

std::string words(const chat::ToolChoice &choice) {
    using Mode = chat::ToolChoice::Mode;
    switch (choice.mode) {
    case Mode::none:
        return "choice: none";
    // Of one tool that is the same.
    case Mode::required:
    case Mode::named:
        return "choice: required";
    case Mode::allowed:
        return chat::demands_call(choice) ? "choice: required" : "";
    case Mode::automatic:
        break;
    }
    // What is not said is automatic.
    return "";
}

}  // namespace

std::string meaning(const chat::Request &request) {
    std::string systems;
    std::vector<std::string> lines;
    std::map<std::string_view, std::string_view> names;
    std::string_view last_role;

    auto role_is = [&](std::string_view role) {
        if (role != last_role) {
            lines.push_back(std::string(role) + ':');
            last_role = role;
        }
    };

    for (const auto &message : request.messages) {
        if (message.role == Role::system || message.role == Role::developer) {
            append_lines(message, systems);
            continue;
        }
        if (message.role == Role::tool) {
            role_is("tool");
            auto found = names.find(message.tool_call_id);
            auto name = found != names.end() ? found->second : message.name;
            lines.push_back("  result of " + std::string(name) + ": "
                            + text_of(message)
                            + (message.tool_error ? " (failed)" : ""));
            continue;
        }
        role_is(message.role == Role::user ? "user" : "assistant");
        for (const auto &part : message.parts) {
            if (part.type == PartType::tool_call) {
                names[part.id] = part.name;
            }
            // Without a proof it is no provider's own, and goes.
            if (part.type != PartType::reasoning
                && part.type != PartType::redacted_reasoning
                && !(part.type == PartType::text && part.text.empty())) {
                lines.push_back("  " + words(part));
            }
        }
    }

    for (const auto &tool : request.tools) {
        if (is_offered(tool, request.tool_choice)) {
            lines.push_back(words(tool));
        }
    }
    if (request.tool_choice) {
        if (auto choice = words(*request.tool_choice); !choice.empty()) {
            lines.push_back(choice);
        }
    }
    if (request.response_format
        && request.response_format->type
               == chat::ResponseFormat::Type::json_schema) {
        lines.push_back("schema: " + compact(request.response_format->schema));
    }
    if (request.max_tokens) {
        lines.push_back("max_tokens: " + std::to_string(*request.max_tokens));
    }
    if (request.temperature) {
        lines.push_back("temperature: "
                        + std::string(request.temperature.raw()));
    }
    for (auto stop : request.stop) {
        lines.push_back("stop: " + std::string(stop));
    }

    for (const auto &line : lines) {
        systems += line + '\n';
    }
    return systems;
}

std::string meaning(const chat::Response &response, const Carries &carries) {
    std::string text;
    std::string reasoning;
    std::string rest;
    std::string finish;
    for (const auto &choice : response.choices) {
        for (const auto &part : choice.message.parts) {
            switch (part.type) {
            case PartType::text:
            case PartType::refusal:
                text += part.text;
                break;
            case PartType::reasoning:
                reasoning += part.text;
                break;
            case PartType::image:
                if (carries.images) {
                    rest += words(part) + '\n';
                }
                break;
            case PartType::tool_call:
                if (carries.calls) {
                    rest += words(part) + '\n';
                }
                break;
            default:
                break;
            }
        }
        auto reason = choice.finish_reason;
        if (reason == chat::FinishReason::tool_calls && !carries.calls) {
            reason = chat::FinishReason::stop;
        }
        if (reason == chat::FinishReason::content_filter
            && !carries.content_filter) {
            reason = chat::FinishReason::stop;
        }
        finish += chat::to_string(reason);
    }

    std::string all = "text: " + text + '\n';
    if (carries.reasoning && !reasoning.empty()) {
        all += "reasoning: " + reasoning + '\n';
    }
    all += rest + "finish: " + finish + '\n';

    const auto &usage = response.usage;
    if (!carries.usage) {
        return all;
    }
    all += "usage: " + std::to_string(usage.prompt_tokens) + '+'
           + std::to_string(usage.completion_tokens) + '='
           + std::to_string(usage.total_tokens);
    auto add = [&](bool carried, const char *name, std::int64_t tokens) {
        if (carried && tokens != 0) {
            all += std::string(" ") + name + ' ' + std::to_string(tokens);
        }
    };
    add(carries.cached_tokens, "cached", usage.cached_tokens);
    add(carries.cache_write_tokens, "written", usage.cache_write_tokens);
    add(carries.reasoning_tokens, "reasoning", usage.reasoning_tokens);
    return all + '\n';
}

}  // namespace llm::testing
