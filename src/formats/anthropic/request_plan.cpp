// Source: Anthropic API reference, Create a Message; its docs on tool use,
// extended thinking and structured outputs.
#include "formats/anthropic/request_plan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "formats/tool_plan.hpp"
#include "formats/unsupported.hpp"

namespace llm::anthropic {

namespace {

using chat::Part;
using chat::PartType;
using chat::Request;
using chat::ToolChoice;

constexpr std::string_view white_space = " \t\r\n\f\v";

constexpr Unsupported unsupported_rows[] = {
    {"n", wants_several_answers},
    {"logprobs", wants_logprobs},
    {"modalities", wants_more_than_text},
    {"web_search_options", wants_web_search},
    {"cachedContent", has_cached_content},
    {"responseMimeType", has_response_type},
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
        TurnRules rules = {plan_.ours, false, &anthropic::is_written};
        auto turns = plan_turns(request_, rules);
        if (!turns) {
            return std::move(turns.error());
        }
        plan_.system = std::move(turns->system);
        plan_.turns = std::move(turns->turns);
        plan_thinking(rules);
        plan_max_tokens();
        return std::move(plan_);
    }

private:
    Result<void> check() {
        std::string_view param = first_unsupported(unsupported_rows, request_);
        if (param.empty()) {
            return {};
        }
        return refuse(options_, std::string(param),
                      "is not supported by this model's provider");
    }

    Result<void> plan_tools() {
        auto tools = llm::plan_tools(request_, options_, plan_.ours);
        if (!tools) {
            return std::move(tools.error());
        }
        plan_.tools = std::move(*tools);
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

    void plan_thinking(const TurnRules &rules) {
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
        if (plan_.thinking == "enabled" && !plan_.ours
            && !begins_with_thought(request_, plan_.turns, rules)) {
            plan_.thinking = {};
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
        return ours ? !part.signature.empty() : is_proved(part);
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

Result<Plan> plan_request(const Request &request,
                          const WriteOptions &options) {
    return Planner(request, options).plan();
}

}  // namespace llm::anthropic
