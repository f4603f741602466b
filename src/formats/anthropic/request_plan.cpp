// Source: Anthropic API reference, Create a Message; its docs on tool use,
// extended thinking and structured outputs.
#include "formats/anthropic/request_plan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace llm::anthropic {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using chat::ToolChoice;

constexpr std::string_view white_space = " \t\r\n\f\v";

// What OpenAI can ask for and this API has no way to say, where leaving it out
// would make the answer another one. Mere hints (seed, logit_bias, penalties,
// verbosity and the like) are left out without a word.
struct Unsupported {
    std::string_view param;
    bool (*asked)(const Request &);
};

bool has_extra(const Request &request, std::string_view name) {
    return std::any_of(
        request.extra.begin(), request.extra.end(),
        [name](const json::Member &member) { return member.name == name; });
}

constexpr Unsupported unsupported_rows[] = {
    {"n", [](const Request &request) { return request.n.value_or(1) > 1; }},
    {"logprobs",
     [](const Request &request) { return request.logprobs.value_or(false); }},
    {"modalities",
     [](const Request &request) {
         for (json::Value one : request.modalities.elements()) {
             if (one.string() != "text") {
                 return true;
             }
         }
         return false;
     }},
    {"web_search_options",
     [](const Request &request) {
         return request.web_search_options.is_object();
     }},
    // Google's: a part of the prompt, a kind of answer.
    {"cachedContent",
     [](const Request &request) {
         return has_extra(request, "cachedContent")
                || has_extra(request, "cached_content");
     }},
    {"responseMimeType",
     [](const Request &request) {
         return has_extra(request, "responseMimeType");
     }},
};

class Planner {
public:
    Planner(const Request &request, const WriteOptions &options)
        : request_(request), options_(options) {
        plan_.traits = &model_traits(options.model);
        plan_.ours = request.origin == &anthropic_format();
        plan_.output_config = options.quirks.output_config || plan_.ours;
    }

    Result<Plan> plan() {
        if (auto outcome = check(); !outcome) {
            return std::move(outcome.error());
        }
        if (auto outcome = plan_tools(); !outcome) {
            return std::move(outcome.error());
        }
        plan_answer();
        plan_thinking();
        plan_max_tokens();
        plan_turns();
        if (!plan_.ours) {
            if (auto outcome = check_results(); !outcome) {
                return std::move(outcome.error());
            }
        }
        plan_missing_results();
        return std::move(plan_);
    }

private:
    Result<void> check() {
        for (const Unsupported &row : unsupported_rows) {
            if (!row.asked(request_)) {
                continue;
            }
            auto outcome = refuse(options_, std::string(row.param),
                                  "is not supported by this model's provider");
            if (!outcome) {
                return outcome;
            }
        }
        return {};
    }

    Result<void> plan_tools() {
        bool all = !request_.tool_choice
                   || request_.tool_choice->mode != ToolChoice::Mode::allowed;
        Names names =
            all ? Names() : chat::allowed_tools(*request_.tool_choice);
        for (std::size_t i = 0; i < request_.tools.size(); ++i) {
            const chat::Tool &tool = request_.tools[i];
            if (!all
                && !std::binary_search(names.begin(), names.end(),
                                       tool.name)) {
                continue;
            }
            std::string param = "tools[" + std::to_string(i) + "]";
            if (tool.type == chat::Tool::Type::native && !plan_.ours) {
                auto outcome = refuse(options_, param + ".type",
                                      "is not supported by this model's "
                                      "provider");
                if (!outcome) {
                    return outcome;
                }
                continue;
            }
            if (tool.type == chat::Tool::Type::custom
                && chat::custom_format(tool)["type"].string() == "grammar") {
                auto outcome =
                    refuse(options_, param + ".custom.format",
                           "must be text for this model's provider");
                if (!outcome) {
                    return outcome;
                }
            }
            plan_.tools.push_back(i);
        }

        if (plan_.tools.empty()) {
            return {};
        }
        ToolChoice choice = request_.tool_choice.value_or(ToolChoice{});
        switch (choice.mode) {
        case ToolChoice::Mode::none:
            plan_.choice = "none";
            break;
        case ToolChoice::Mode::required:
            plan_.choice = "any";
            break;
        case ToolChoice::Mode::named:
            plan_.choice = "tool";
            plan_.choice_name = choice.name;
            break;
        case ToolChoice::Mode::allowed:
            plan_.choice =
                chat::demands_call(*request_.tool_choice) ? "any" : "auto";
            break;
        case ToolChoice::Mode::automatic:
            // Only said where there is something to say.
            if (request_.tool_choice || request_.parallel_tool_calls) {
                plan_.choice = "auto";
            }
            break;
        }
        return {};
    }

    // How the model is held to the response format.
    void plan_answer() {
        if (!request_.response_format) {
            return;
        }
        const chat::ResponseFormat &format = *request_.response_format;
        if (format.type == chat::ResponseFormat::Type::text) {
            return;
        }
        if (format.type == chat::ResponseFormat::Type::json_object
            || !format.schema.is_object()) {
            plan_.json_instruction = true;
            return;
        }
        if (plan_.output_config && plan_.traits->schema) {
            plan_.output_format = true;
            return;
        }

        // Where the model must call a tool of the client's anyway, it does
        // not answer yet.
        bool must_call = plan_.choice == "any" || plan_.choice == "tool";
        if (must_call) {
            return;
        }
        plan_.answer_tool = true;
        bool may_call = !plan_.tools.empty() && plan_.choice != "none";
        plan_.choice = may_call ? "any" : "tool";
        plan_.choice_name = answer_tool;
    }

    void plan_thinking() {
        using Mode = chat::Reasoning::Mode;
        const chat::Reasoning &reasoning = request_.reasoning;
        if (plan_.traits->thinking == Thinking::none) {
            return;
        }

        Mode mode = reasoning.mode;
        if (reasoning.effort == "none") {
            mode = Mode::disabled;
        } else if (mode == Mode::unset && !reasoning.effort.empty()
                   && !plan_.ours) {
            // OpenAI's effort is the whole of what can be said there.
            mode = Mode::adaptive;
        }

        bool adaptive = plan_.traits->thinking == Thinking::adaptive
                        || (plan_.traits->thinking == Thinking::both
                            && plan_.output_config);
        switch (mode) {
        case Mode::unset:
            break;
        case Mode::disabled:
            plan_.thinking = "disabled";
            break;
        case Mode::adaptive:
            plan_.thinking = adaptive ? "adaptive" : "enabled";
            plan_.budget = thinking_budget(reasoning.effort);
            break;
        case Mode::budget:
            plan_.thinking = plan_.traits->thinking == Thinking::adaptive
                                 ? "adaptive"
                                 : "enabled";
            plan_.budget =
                std::max(reasoning.budget_tokens, min_thinking_budget);
            break;
        }

        // A model that is made to call a tool cannot think before it.
        bool forced = plan_.choice == "any" || plan_.choice == "tool";
        if (forced && (plan_.answer_tool || !plan_.ours)) {
            bool by_default = plan_.traits->thinking == Thinking::adaptive;
            plan_.thinking = by_default ? "disabled" : "";
        }
        plan_.thinking_as_came = plan_.ours && reasoning.source.is_object()
                                 && reasoning.source["type"].string()
                                        == plan_.thinking;

        if (plan_.output_config && plan_.traits->effort != Effort::none) {
            plan_.effort = effort();
        }
    }

    // The model's word for the effort asked for, or the next one that it has.
    std::string_view effort() const {
        std::string_view word = request_.reasoning.effort;
        if (word.empty() || word == "none") {
            return {};
        }
        if (word == "minimal") {
            return "low";
        }
        bool highest = word == "max" || word == "xhigh";
        if (highest && plan_.thinking == "disabled") {
            return "high";
        }
        if (word == "max" && plan_.traits->effort < Effort::max) {
            return "high";
        }
        if (word == "xhigh" && plan_.traits->effort < Effort::xhigh) {
            return plan_.traits->effort == Effort::max ? "max" : "high";
        }
        return word;
    }

    void plan_max_tokens() {
        bool budget = plan_.thinking == "enabled";
        std::int64_t most = request_.max_tokens.value_or(
            options_.default_max_tokens + (budget ? plan_.budget : 0));
        if (plan_.traits->max_tokens != 0) {
            most = std::min(most, plan_.traits->max_tokens);
        }
        plan_.max_tokens = most;

        // The budget is a part of max_tokens. Half of it at most, since an
        // answer that has no room left is none.
        if (!budget || plan_.thinking_as_came) {
            return;
        }
        if (most <= min_thinking_budget) {
            plan_.thinking = {};
            return;
        }
        plan_.budget = std::max(std::min(plan_.budget, most / 2),
                                min_thinking_budget);
    }

    // Turns

    // Those of OpenAI may be anywhere and become the one system prompt; one
    // in the middle of a call of this API stays there.
    bool is_hoisted(const Message &message) const {
        if (message.role != Role::system && message.role != Role::developer) {
            return false;
        }
        return !plan_.ours || !message.source;
    }

    // Whose message it becomes: user's, assistant's or system's.
    static Role role_in_turns(const Message &message) {
        switch (message.role) {
        case Role::system:
        case Role::developer:
            return Role::system;
        case Role::assistant:
            return Role::assistant;
        case Role::user:
        case Role::tool:
            break;
        }
        return Role::user;
    }

    bool is_written(const Message &message) const {
        return message.role == Role::tool
               || std::any_of(
                   message.parts.begin(), message.parts.end(),
                   [this](const Part &part) {
                       return anthropic::is_written(part, plan_.ours);
                   });
    }

    void plan_turns() {
        for (std::size_t i = 0; i < request_.messages.size(); ++i) {
            const Message &message = request_.messages[i];
            if (is_hoisted(message)) {
                plan_.system.push_back(i);
                continue;
            }
            if (!is_written(message)) {
                continue;
            }
            Role role = role_in_turns(message);
            if (plan_.turns.empty() || plan_.turns.back().role != role
                || role == Role::system) {
                plan_.turns.push_back({role, {}, {}});
            }
            plan_.turns.back().messages.push_back(i);
        }

        // Results come before anything else in the user's message.
        for (Turn &turn : plan_.turns) {
            std::stable_partition(
                turn.messages.begin(), turn.messages.end(),
                [this](std::size_t i) {
                    return request_.messages[i].role == Role::tool;
                });
        }
    }

    // The calls of an assistant's turn that the user's after it leaves without
    // a result.
    void plan_missing_results() {
        for (std::size_t t = 1; t < plan_.turns.size(); ++t) {
            const Turn &calls = plan_.turns[t - 1];
            Turn &results = plan_.turns[t];
            if (calls.role != Role::assistant || results.role != Role::user) {
                continue;
            }
            Names answered = results_of(results);
            std::sort(answered.begin(), answered.end());
            for (std::string_view id : calls_of(calls)) {
                if (!std::binary_search(answered.begin(), answered.end(),
                                        id)) {
                    results.missing_results.push_back(id);
                }
            }
        }
    }

    // The ids of a turn's calls, to which the next one must have the results.
    Names calls_of(const Turn &turn) const {
        Names ids;
        for (std::size_t i : turn.messages) {
            for (const Part &part : request_.messages[i].parts) {
                if (part.type == PartType::tool_call) {
                    ids.push_back(part.id);
                }
            }
        }
        return ids;
    }

    // The ids of the calls that a turn answers.
    Names results_of(const Turn &turn) const {
        Names ids;
        for (std::size_t i : turn.messages) {
            if (request_.messages[i].role == Role::tool) {
                ids.push_back(request_.messages[i].tool_call_id);
            }
        }
        return ids;
    }

    // A result without its call is refused by the API in words that do not
    // help the client, whose messages have other numbers.
    Result<void> check_results() const {
        for (std::size_t t = 0; t < plan_.turns.size(); ++t) {
            const Turn &turn = plan_.turns[t];
            if (turn.role == Role::assistant) {
                continue;
            }
            Names calls;
            if (t != 0 && plan_.turns[t - 1].role == Role::assistant) {
                calls = calls_of(plan_.turns[t - 1]);
                std::sort(calls.begin(), calls.end());
            }
            for (std::size_t i : turn.messages) {
                const Message &message = request_.messages[i];
                if (message.role != Role::tool) {
                    break;
                }
                if (!std::binary_search(calls.begin(), calls.end(),
                                        message.tool_call_id)) {
                    std::string param =
                        "messages[" + std::to_string(i) + "].tool_call_id";
                    return invalid_request(
                        param + " answers no tool call of the assistant "
                                "message before it",
                        param);
                }
            }
        }
        return {};
    }

    const Request &request_;
    const WriteOptions &options_;
    Plan plan_;
};

}  // namespace

bool is_blank(std::string_view text) {
    return text.find_first_not_of(white_space) == std::string_view::npos;
}

std::string_view without_trailing_space(std::string_view text) {
    return text.substr(0, text.find_last_not_of(white_space) + 1);
}

bool is_written(const Part &part, bool ours) {
    switch (part.type) {
    case PartType::text:
    case PartType::refusal:
        return !is_blank(part.text);
    // The API takes its own thinking back, which is signed.
    case PartType::reasoning:
        return !part.signature.empty();
    case PartType::redacted_reasoning:
        return !part.data.empty();
    case PartType::native:
        return ours && part.source.is_object();
    case PartType::audio:
    case PartType::image:
    case PartType::file:
    case PartType::tool_call:
        break;
    }
    return true;
}

Result<void> refuse(const WriteOptions &options, const std::string &param,
                    std::string_view what) {
    if (options.drop_unsupported) {
        return {};
    }
    return unsupported(param + " " + std::string(what), param);
}

Result<Plan> plan_request(const Request &request,
                          const WriteOptions &options) {
    return Planner(request, options).plan();
}

}  // namespace llm::anthropic
