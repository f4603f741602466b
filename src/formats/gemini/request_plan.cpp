// Source: Gemini API docs, Function calling.
#include "formats/gemini/request_plan.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "formats/tool_plan.hpp"
#include "formats/unsupported.hpp"

namespace llm::gemini {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using chat::ToolChoice;

constexpr std::string_view not_supported =
    "is not supported by this model's provider";

bool wants(const Request &request, bool (*word)(std::string_view)) {
    for (json::Value one : request.modalities.elements()) {
        if (word(one.string())) {
            return true;
        }
    }
    return false;
}

// What others can ask for and this API has no way to say.
constexpr Unsupported foreign_rows[] = {
    // A spoken answer is another kind of sound here, and has no transcript.
    {"modalities",
     [](const Request &request) {
         return wants(request, [](std::string_view word) {
             return word == "audio" || google_modality(word).empty();
         });
     }},
    {"mcp_servers", has_mcp_servers},
};

class Planner {
public:
    Planner(const Request &request, const WriteOptions &options)
        : request_(request), options_(options) {
        plan_.traits = &model_traits(options.model);
        plan_.ours = request.origin == &gemini_format();
        // Vertex refused them for long.
        plan_.ids = options.quirks.hosting != Hosting::vertex;
    }

    Result<Plan> plan() {
        for (auto step : {&Planner::check, &Planner::plan_tools,
                          &Planner::check_mixture}) {
            if (auto outcome = (this->*step)(); !outcome) {
                return std::move(outcome.error());
            }
        }
        plan_choice();
        plan_turns();
        if (!plan_.ours) {
            if (auto outcome = plan_results(); !outcome) {
                return std::move(outcome.error());
            }
        }
        return std::move(plan_);
    }

private:
    Result<void> check() {
        if (plan_.ours) {
            return {};
        }
        std::string_view param = first_unsupported(foreign_rows, request_);
        if (!param.empty()) {
            auto outcome = refuse(options_, std::string(param), not_supported);
            if (!outcome) {
                return outcome;
            }
        }
        if (request_.stop.size() > most_stops) {
            return refuse(options_, "stop",
                          "must have 5 sequences at most for this model's "
                          "provider");
        }
        return {};
    }

    // Tools

    Result<void> plan_tools() {
        auto tools = llm::plan_tools(request_, options_, plan_.ours);
        if (!tools) {
            return std::move(tools.error());
        }
        plan_.tools = std::move(*tools);
        plan_.search = request_.web_search_options.is_object();
        return {};
    }

    // Older models take functions, or a schema, or a search.
    Result<void> check_mixture() {
        bool functions =
            !plan_.tools.empty()
            && (!request_.tool_choice
                || request_.tool_choice->mode != ToolChoice::Mode::none);
        if (plan_.ours || plan_.traits->mixes || !functions) {
            return {};
        }
        if (plan_.search) {
            plan_.search = false;
            auto outcome = refuse(options_, "web_search_options",
                                  "is not supported together with tools by "
                                  "this model");
            if (!outcome) {
                return outcome;
            }
        }
        const auto &format = request_.response_format;
        if (format && format->type != chat::ResponseFormat::Type::text) {
            return refuse(options_, "response_format",
                          "is not supported together with tools by this "
                          "model");
        }
        return {};
    }

    void plan_choice() {
        using Mode = ToolChoice::Mode;

        if (plan_.tools.empty() || !request_.tool_choice) {
            return;
        }
        const ToolChoice &choice = *request_.tool_choice;
        switch (choice.mode) {
        case Mode::automatic:
            plan_.mode = "AUTO";
            break;
        case Mode::none:
            plan_.mode = "NONE";
            break;
        case Mode::required:
            plan_.mode = "ANY";
            break;
        case Mode::named:
            plan_.mode = "ANY";
            plan_.function = choice.name;
            plan_.function_custom = std::any_of(
                request_.tools.begin(), request_.tools.end(),
                [&](const chat::Tool &tool) {
                    return tool.type == chat::Tool::Type::custom
                           && tool.name == choice.name;
                });
            break;
        case Mode::allowed:
            plan_.mode = chat::demands_call(choice) ? "ANY" : "AUTO";
            break;
        }
    }

    // Turns

    static Turn::Type type_of(const Message &message) {
        switch (message.role) {
        case Role::assistant:
            return Turn::Type::model;
        case Role::tool:
            return Turn::Type::results;
        default:
            return Turn::Type::user;
        }
    }

    bool has_content(const Message &message) const {
        return message.role == Role::tool
               || std::any_of(message.parts.begin(), message.parts.end(),
                              [this](const Part &part) {
                                  return is_written(part, plan_.ours);
                              });
    }

    // Neighbours of one role are one content; of ours, what was one.
    bool continues(const Turn &turn, const Message &message) const {
        const Message &last = request_.messages[turn.messages.back()];
        if (plan_.ours && (last.source || message.source)) {
            return last.source && message.source
                   && last.source.raw().data() == message.source.raw().data();
        }
        return turn.type == type_of(message);
    }

    void plan_turns() {
        for (std::size_t i = 0; i < request_.messages.size(); ++i) {
            const Message &message = request_.messages[i];
            if (message.role == Role::system
                || message.role == Role::developer) {
                plan_.system.push_back(i);
                continue;
            }
            if (!has_content(message)) {
                continue;
            }
            if (plan_.turns.empty()
                || !continues(plan_.turns.back(), message)) {
                plan_.turns.push_back({type_of(message), {}, {}});
            }
            plan_.turns.back().messages.push_back(i);
        }
    }

    std::vector<Call> calls_of(const Turn &turn) const {
        std::vector<Call> calls;
        for (std::size_t i : turn.messages) {
            for (const Part &part : request_.messages[i].parts) {
                if (part.type == PartType::tool_call) {
                    calls.push_back({part.id, part.name, part.custom});
                }
            }
        }
        return calls;
    }

    // Each content with calls is followed by one with as many results, in the
    // same order; those that the client does not have are made up.
    Result<void> plan_results() {
        std::vector<Turn> turns;
        for (std::size_t t = 0; t < plan_.turns.size(); ++t) {
            Turn &turn = plan_.turns[t];
            if (turn.type == Turn::Type::results) {
                std::vector<Call> calls;
                if (t != 0) {
                    calls = calls_of(plan_.turns[t - 1]);
                }
                if (auto outcome = order_results(turn, std::move(calls));
                    !outcome) {
                    return outcome;
                }
            }
            turns.push_back(turn);

            bool goes_on = t + 1 < plan_.turns.size();
            bool answered = goes_on
                            && plan_.turns[t + 1].type == Turn::Type::results;
            if (turn.type == Turn::Type::model && goes_on && !answered) {
                auto calls = calls_of(turn);
                if (!calls.empty()) {
                    std::vector<std::size_t> none(calls.size(),
                                                  Turn::missing);
                    turns.push_back({Turn::Type::results, std::move(none),
                                     std::move(calls)});
                }
            }
        }
        plan_.turns = std::move(turns);
        return {};
    }

    Result<void> order_results(Turn &turn, std::vector<Call> calls) const {
        std::vector<std::size_t> ordered(calls.size(), Turn::missing);
        // The calls of an id, in their order; those before `next` are
        // answered.
        struct Queue {
            std::vector<std::size_t> calls;
            std::size_t next = 0;
        };
        std::unordered_map<std::string_view, Queue> by_id;
        for (std::size_t c = 0; c < calls.size(); ++c) {
            by_id[calls[c].id].calls.push_back(c);
        }

        for (std::size_t i : turn.messages) {
            auto known = by_id.find(request_.messages[i].tool_call_id);
            if (known == by_id.end()
                || known->second.next == known->second.calls.size()) {
                std::string param =
                    "messages[" + std::to_string(i) + "].tool_call_id";
                return invalid_request(
                    param + " answers no tool call of the assistant message "
                            "before it",
                    param);
            }
            Queue &queue = known->second;
            ordered[queue.calls[queue.next++]] = i;
        }
        turn.messages = std::move(ordered);
        turn.calls = std::move(calls);
        return {};
    }

    const Request &request_;
    const WriteOptions &options_;
    Plan plan_;
};

}  // namespace

bool is_written(const Part &part, bool ours) {
    if (ours && part.source) {
        return true;
    }
    switch (part.type) {
    case PartType::text:
    case PartType::refusal:
        return !part.text.empty() || !part.signature.empty();
    // Nobody takes another's thoughts, and of its own it needs none.
    case PartType::reasoning:
    case PartType::redacted_reasoning:
    case PartType::native:
        return false;
    case PartType::image:
    case PartType::audio:
    case PartType::file:
    case PartType::tool_call:
        break;
    }
    return true;
}

std::string function_name(std::string_view name, bool custom) {
    if (custom) {
        return std::string(custom_prefix).append(name);
    }
    char first = name.empty() ? '_' : name.front();
    bool legal = (first >= 'a' && first <= 'z')
                 || (first >= 'A' && first <= 'Z') || first == '_';
    return legal ? std::string(name)
                 : std::string(name_prefix).append(name);
}

Result<Plan> plan_request(const Request &request,
                          const WriteOptions &options) {
    return Planner(request, options).plan();
}

}  // namespace llm::gemini
