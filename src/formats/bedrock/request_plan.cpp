// Source: Bedrock API reference, Converse; Bedrock User Guide, tool use and
// structured output; Anthropic's docs on extended thinking.
#include "formats/bedrock/request_plan.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "formats/anthropic/request_plan.hpp"
#include "formats/tool_plan.hpp"
#include "formats/unsupported.hpp"

namespace llm::bedrock {

namespace {

using anthropic::is_blank;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::ToolChoice;

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
        if (plan_.traits->thinking == Thinking::claude) {
            plan_.claude = &anthropic::model_traits(options.model);
        }
        plan_.ours = request.origin == &bedrock_format();
    }

    Result<Plan> plan() {
        if (auto outcome = check(); !outcome) {
            return std::move(outcome.error());
        }
        if (auto outcome = plan_tools(); !outcome) {
            return std::move(outcome.error());
        }
        plan_choice();
        if (auto outcome = plan_answer(); !outcome) {
            return std::move(outcome.error());
        }
        anthropic::TurnRules rules = {plan_.ours, true, &bedrock::is_written};
        auto turns = anthropic::plan_turns(request_, rules);
        if (!turns) {
            return std::move(turns.error());
        }
        plan_.system = std::move(turns->system);
        plan_.turns = std::move(turns->turns);
        plan_thinking(rules);
        plan_max_tokens();
        plan_idle_tool();
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

    // Tools

    Result<void> plan_tools() {
        if (mode() == ToolChoice::Mode::none) {
            // The API has no way to keep the model from calling them.
            return {};
        }
        auto tools = llm::plan_tools(request_, options_, plan_.ours);
        if (!tools) {
            return std::move(tools.error());
        }
        plan_.tools = std::move(*tools);
        return {};
    }

    ToolChoice::Mode mode() const {
        return request_.tool_choice ? request_.tool_choice->mode
                                    : ToolChoice::Mode::automatic;
    }

    void plan_choice() {
        if (plan_.tools.empty()) {
            return;
        }
        switch (mode()) {
        case ToolChoice::Mode::required:
            plan_.choice = "any";
            break;
        case ToolChoice::Mode::named:
            plan_.choice = "tool";
            plan_.choice_name = request_.tool_choice->name;
            break;
        case ToolChoice::Mode::allowed:
            plan_.choice =
                chat::demands_call(*request_.tool_choice) ? "any" : "";
            break;
        case ToolChoice::Mode::automatic:
            if (plan_.ours && request_.tool_choice) {
                plan_.choice = "auto";
            }
            break;
        case ToolChoice::Mode::none:
            break;
        }
    }

    // How the model is held to the response format.
    Result<void> plan_answer() {
        using Type = chat::ResponseFormat::Type;
        if (!request_.response_format
            || request_.response_format->type == Type::text) {
            return {};
        }
        const chat::ResponseFormat &format = *request_.response_format;
        if (format.type == Type::json_object || !format.schema.is_object()) {
            plan_.json_instruction = true;
            return {};
        }

        Schema schema = plan_.traits->schema;
        if (plan_.claude && !plan_.claude->schema) {
            schema = Schema::tool;
        }
        if (schema == Schema::format || plan_.ours) {
            plan_.text_format = true;
            return {};
        }
        if (schema == Schema::none) {
            return refuse(options_, "response_format",
                          "with a JSON schema is not supported by this model");
        }
        // Where the model must call a tool of the client's anyway, it does
        // not answer yet.
        if (plan_.choice == "any" || plan_.choice == "tool") {
            return {};
        }
        plan_.answer_tool = true;
        plan_.choice = plan_.tools.empty() ? "tool" : "any";
        plan_.choice_name = anthropic::answer_tool;
        return {};
    }

    // Thinking

    void plan_thinking(const anthropic::TurnRules &rules) {
        const chat::Reasoning &reasoning = request_.reasoning;
        switch (plan_.traits->thinking) {
        case Thinking::none:
            break;
        case Thinking::claude:
            plan_claude(rules);
            break;
        case Thinking::nova:
        case Thinking::effort:
            plan_.effort = common_effort(reasoning.effort);
            if (plan_.effort.empty()
                && reasoning.mode == chat::Reasoning::Mode::budget) {
                plan_.effort = "medium";
            }
            break;
        }
    }

    // The words that models other than Claude know.
    static std::string_view common_effort(std::string_view word) {
        if (word == "minimal") {
            return "low";
        }
        if (word == "xhigh" || word == "max") {
            return "high";
        }
        return word == "none" ? "" : word;
    }

    void plan_claude(const anthropic::TurnRules &rules) {
        using anthropic::Effort;
        using Mode = chat::Reasoning::Mode;
        using Thinks = anthropic::Thinking;
        const chat::Reasoning &reasoning = request_.reasoning;
        const anthropic::ModelTraits &claude = *plan_.claude;
        if (claude.thinking == Thinks::none) {
            return;
        }

        Mode mode = reasoning.mode;
        if (reasoning.effort == "none") {
            mode = Mode::disabled;
        } else if (mode == Mode::unset && !reasoning.effort.empty()) {
            mode = Mode::adaptive;
        }
        bool adaptive = claude.thinking != Thinks::budget;
        switch (mode) {
        case Mode::unset:
            break;
        case Mode::disabled:
            plan_.thinking = "disabled";
            break;
        case Mode::adaptive:
            plan_.thinking = adaptive ? "adaptive" : "enabled";
            plan_.budget = anthropic::thinking_budget(reasoning.effort);
            break;
        case Mode::budget:
            plan_.thinking = claude.thinking == Thinks::adaptive ? "adaptive"
                                                                 : "enabled";
            plan_.budget = std::max(reasoning.budget_tokens,
                                    anthropic::min_thinking_budget);
            break;
        }

        // A model that is made to call a tool cannot think before it.
        if (plan_.choice == "any" || plan_.choice == "tool") {
            plan_.thinking =
                claude.thinking == Thinks::adaptive ? "disabled" : "";
        }
        if (plan_.thinking == "enabled" && !plan_.ours
            && !anthropic::begins_with_thought(request_, plan_.turns,
                                               rules)) {
            plan_.thinking = {};
        }
        plan_.thinking_as_came =
            reasoning.source["type"].string() == plan_.thinking
            && !plan_.thinking.empty();

        std::string_view word = reasoning.effort;
        if (claude.effort == Effort::none || word.empty() || word == "none") {
            return;
        }
        bool highest = word == "xhigh" || word == "max";
        plan_.effort = word == "minimal"                      ? "low"
                       : highest && claude.effort < Effort::max ? "high"
                       : word == "xhigh" && claude.effort < Effort::xhigh
                           ? "max"
                           : word;
    }

    // Unlike Anthropic's own API this one needs none: the model's own bound
    // is the default.
    void plan_max_tokens() {
        plan_.max_tokens = request_.max_tokens;
        if (plan_.max_tokens) {
            plan_.max_tokens = std::max<std::int64_t>(*plan_.max_tokens, 1);
        }
        if (plan_.claude && plan_.claude->max_tokens != 0
            && plan_.max_tokens) {
            plan_.max_tokens =
                std::min(*plan_.max_tokens, plan_.claude->max_tokens);
        }

        // The budget is a part of them. Half at most, since an answer that
        // has no room left is none.
        if (plan_.thinking != "enabled" || plan_.thinking_as_came
            || !plan_.max_tokens) {
            return;
        }
        if (*plan_.max_tokens <= anthropic::min_thinking_budget) {
            plan_.thinking = {};
            return;
        }
        plan_.budget = std::max(std::min(plan_.budget, *plan_.max_tokens / 2),
                                anthropic::min_thinking_budget);
    }

    void plan_idle_tool() {
        if (!plan_.tools.empty() || plan_.answer_tool) {
            return;
        }
        plan_.idle_tool = std::any_of(
            plan_.turns.begin(), plan_.turns.end(), [this](const Turn &turn) {
                return !anthropic::calls_of(request_, turn).empty();
            });
    }

    const Request &request_;
    const WriteOptions &options_;
    Plan plan_;
};

}  // namespace

bool is_written(const Part &part, bool ours) {
    switch (part.type) {
    case PartType::text:
    case PartType::refusal:
        return !is_blank(part.text);
    // Claude takes its own thinking back, which is signed.
    case PartType::reasoning:
        return ours || anthropic::is_proved(part);
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

}  // namespace llm::bedrock
