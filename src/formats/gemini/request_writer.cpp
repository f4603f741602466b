// Normalised call -> generateContent's request.
// Source: Gemini API reference, generateContent, GenerationConfig, Tool;
// Vertex AI reference where it differs.
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "formats/gemini/gemini.hpp"
#include "formats/gemini/part_writer.hpp"
#include "formats/gemini/request_plan.hpp"
#include "formats/gemini/schema.hpp"
#include "formats/gemini/tables.hpp"

namespace llm::gemini {

namespace {

using chat::Part;
using chat::Request;

// A number that is passed on as it is written.
struct NumberRow {
    std::string_view name;
    json::Value Request::*field;
};

constexpr NumberRow number_rows[] = {
    {"temperature", &Request::temperature},
    {"topP", &Request::top_p},
    {"topK", &Request::top_k},
    {"presencePenalty", &Request::presence_penalty},
    {"frequencyPenalty", &Request::frequency_penalty},
};

// Members of generationConfig that the call has members for. What is left of
// a client's own object is written as it came.
constexpr std::string_view config_members[] = {
    "temperature",      "topP",           "topK",
    "presencePenalty",  "frequencyPenalty", "seed",
    "maxOutputTokens",  "candidateCount", "stopSequences",
    "responseLogprobs", "logprobs",       "responseModalities",
    "thinkingConfig",
};

// Extra members of the root that are written elsewhere.
constexpr std::string_view written_extras[] = {
    "generationConfig", "toolConfig", "responseMimeType",
};

template <std::size_t N>
bool is_any(std::string_view name, const std::string_view (&camel)[N]) {
    return std::any_of(
        std::begin(camel), std::end(camel),
        [name](std::string_view one) { return is_named(name, one); });
}

class RequestWriter {
public:
    RequestWriter(const Request &request, const WriteOptions &options,
                  const Plan &plan, std::string &out)
        : request_(request), options_(options), plan_(plan), w_(out),
          contents_(request, options, plan, w_) {}

    Result<void> write() {
        w_.begin_object();
        if (has_system()) {
            w_.key("systemInstruction");
            contents_.write_system();
        }
        w_.key("contents");
        if (auto outcome = contents_.write_contents(); !outcome) {
            return outcome;
        }
        write_tools();
        write_tool_config();
        write_generation_config();
        if (auto tier = google_tier(request_.service_tier);
            !tier.empty()
            && (plan_.ours
                || options_.quirks.hosting != Hosting::vertex)) {
            w_.member("serviceTier", tier);
        }
        if (plan_.ours) {
            for (const json::Member &member : request_.extra) {
                if (!is_any(member.name, written_extras)) {
                    w_.raw(member.raw);
                }
            }
        }
        w_.end_object();
        return {};
    }

private:
    bool has_system() const {
        for (std::size_t i : plan_.system) {
            const auto &parts = request_.messages[i].parts;
            if (std::any_of(parts.begin(), parts.end(), [](const Part &part) {
                    return !part.text.empty();
                })) {
                return true;
            }
        }
        return false;
    }

    json::Value extra(std::string_view name) const {
        if (plan_.ours) {
            for (const json::Member &member : request_.extra) {
                if (is_named(member.name, name)) {
                    return member.value;
                }
            }
        }
        return {};
    }

    // Tools

    // All functions are in one tool, each of Google's own tools is another.
    void write_tools() {
        if (plan_.tools.empty() && !plan_.search) {
            return;
        }
        w_.key("tools").begin_array();
        bool open = false;
        for (std::size_t i : plan_.tools) {
            const chat::Tool &tool = request_.tools[i];
            if (tool.type == chat::Tool::Type::native) {
                continue;
            }
            if (!open) {
                w_.begin_object().key("functionDeclarations").begin_array();
                open = true;
            }
            write_declaration(tool);
        }
        if (open) {
            w_.end_array().end_object();
        }
        for (std::size_t i : plan_.tools) {
            const chat::Tool &tool = request_.tools[i];
            if (tool.type == chat::Tool::Type::native) {
                w_.begin_object().member(tool.name, tool.source)
                    .end_object();
            }
        }
        if (plan_.search) {
            w_.begin_object().key("googleSearch").begin_object().end_object()
                .end_object();
        }
        w_.end_array();
    }

    void write_declaration(const chat::Tool &tool) {
        if (plan_.ours && tool.source) {
            w_.raw(tool.source.raw());
            return;
        }
        bool custom = tool.type == chat::Tool::Type::custom;
        w_.begin_object().member(
            "name", std::string_view(function_name(tool.name, custom)));
        // The API demands one.
        w_.member("description",
                  tool.description.empty() ? tool.name : tool.description);
        if (custom) {
            w_.key("parameters").raw(custom_parameters);
        } else if (tool.parameters.is_object()
                   && !is_empty_object(tool.parameters)) {
            if (plan_.traits->json_schema) {
                w_.member("parametersJsonSchema", tool.parameters);
            } else {
                write_schema(w_.key("parameters"), tool.parameters);
            }
        }
        w_.end_object();
    }

    void write_tool_config() {
        // Ours can say more than the call has members for.
        if (json::Value came = extra("toolConfig")) {
            w_.member("toolConfig", came);
            return;
        }
        if (plan_.mode.empty()) {
            return;
        }
        w_.key("toolConfig").begin_object()
            .key("functionCallingConfig").begin_object()
            .member("mode", plan_.mode);
        if (!plan_.function.empty()) {
            w_.key("allowedFunctionNames").begin_array()
                .string(function_name(plan_.function, plan_.function_custom))
                .end_array();
        }
        w_.end_object().end_object();
    }

    // Generation

    // The object is begun with its first member.
    json::Writer &config() {
        if (!config_open_) {
            config_open_ = true;
            w_.key("generationConfig").begin_object();
        }
        return w_;
    }

    void write_generation_config() {
        json::Value came = extra("generationConfig");
        for (const NumberRow &row : number_rows) {
            if (json::Value value = request_.*row.field;
                value.is_number()) {
                config().member(row.name, value);
            }
        }
        write_seed();
        if (request_.max_tokens) {
            // Anthropic's 0, which only warms a cache, is refused here.
            config().member("maxOutputTokens",
                            std::max<std::int64_t>(*request_.max_tokens, 1));
        }
        if (request_.n && (plan_.ours || *request_.n > 1)) {
            config().member("candidateCount", *request_.n);
        }
        write_stops();
        write_logprobs_wish();
        write_modalities();
        write_response_format(came);
        write_thinking();
        for (json::Member member : came.members()) {
            if (!is_any(member.name, config_members)
                && !is_format_member(member.name)) {
                config().raw(member.raw);
            }
        }
        if (config_open_) {
            w_.end_object();
        }
    }

    // An int32; of others' it is but a hint.
    void write_seed() {
        if (!request_.seed.is_number()) {
            return;
        }
        auto seed = request_.seed.integer();
        if (plan_.ours
            || (seed && *seed >= INT32_MIN && *seed <= INT32_MAX)) {
            config().member("seed", request_.seed);
        }
    }

    void write_stops() {
        std::size_t count = request_.stop.size();
        if (!plan_.ours) {
            count = std::min(count, most_stops);
        }
        if (count == 0) {
            return;
        }
        config().key("stopSequences").begin_array();
        for (std::size_t i = 0; i < count; ++i) {
            w_.string(request_.stop[i]);
        }
        w_.end_array();
    }

    void write_logprobs_wish() {
        if (request_.logprobs && (plan_.ours || *request_.logprobs)) {
            config().member("responseLogprobs", *request_.logprobs);
        }
        bool wanted = plan_.ours || request_.logprobs.value_or(false);
        if (request_.top_logprobs && wanted
            && (plan_.ours || *request_.top_logprobs > 0)) {
            config().member("logprobs", *request_.top_logprobs);
        }
    }

    void write_modalities() {
        bool others = false;
        for (json::Value one : request_.modalities.elements()) {
            others |= one.string() == "image" || one.string() == "audio";
        }
        if (!others) {
            return;
        }
        config().key("responseModalities").begin_array();
        for (json::Value one : request_.modalities.elements()) {
            auto word = google_modality(one.string());
            // Sound that nobody could be given is left out by now.
            if (!word.empty() && (plan_.ours || word != "AUDIO")) {
                w_.string(word);
            }
        }
        w_.end_array();
    }

    static bool is_format_member(std::string_view name) {
        constexpr std::string_view names[] = {
            "responseMimeType", "responseSchema", "responseJsonSchema",
            "_responseJsonSchema",
        };
        return is_any(name, names);
    }

    void write_response_format(json::Value came) {
        bool own_schema = field(came, "responseSchema")
                          || extra("responseMimeType");
        if (own_schema) {
            for (json::Member member : came.members()) {
                if (is_format_member(member.name)) {
                    config().raw(member.raw);
                }
            }
            return;
        }
        if (!request_.response_format
            || request_.response_format->type
                   == chat::ResponseFormat::Type::text) {
            return;
        }
        const chat::ResponseFormat &format = *request_.response_format;
        config().member("responseMimeType", "application/json");
        if (!format.schema.is_object()) {
            return;
        }
        if (plan_.ours || plan_.traits->json_schema) {
            w_.member("responseJsonSchema", format.schema);
        } else {
            write_schema(w_.key("responseSchema"), format.schema);
        }
    }

    void write_thinking() {
        using Mode = chat::Reasoning::Mode;

        const chat::Reasoning &reasoning = request_.reasoning;
        if (plan_.ours) {
            if (reasoning.source) {
                config().member("thinkingConfig", reasoning.source);
            }
            return;
        }
        bool off = reasoning.mode == Mode::disabled
                   || reasoning.effort == "none";
        bool asked = reasoning.mode != Mode::unset
                     || !reasoning.effort.empty();
        if (!asked || plan_.traits->thinking == Thinking::none) {
            return;
        }

        config().key("thinkingConfig").begin_object();
        if (plan_.traits->thinking == Thinking::level) {
            write_level(off);
        } else {
            write_budget(off);
        }
        if (!off) {
            w_.member("includeThoughts", true);
        }
        w_.end_object();
    }

    void write_level(bool off) {
        using Mode = chat::Reasoning::Mode;

        const chat::Reasoning &reasoning = request_.reasoning;
        std::string_view effort = reasoning.effort;
        if (off) {
            effort = "none";
        } else if (effort.empty() && reasoning.mode == Mode::budget) {
            effort = effort_of_budget(reasoning.budget_tokens);
        }
        // As much as it likes: the model's own level.
        if (!effort.empty()) {
            w_.member("thinkingLevel",
                      thinking_level(effort, *plan_.traits));
        }
    }

    void write_budget(bool off) {
        using Mode = chat::Reasoning::Mode;
        constexpr std::int64_t as_it_likes = -1;

        const chat::Reasoning &reasoning = request_.reasoning;
        std::int64_t budget = as_it_likes;
        if (off) {
            budget = plan_.traits->least_budget;
        } else if (reasoning.mode == Mode::budget
                   || !reasoning.effort.empty()) {
            budget = std::clamp(reasoning.mode == Mode::budget
                                    ? reasoning.budget_tokens
                                    : thinking_budget(reasoning.effort),
                                plan_.traits->least_budget,
                                plan_.traits->most_budget);
        }
        w_.member("thinkingBudget", budget);
    }

    const Request &request_;
    const WriteOptions &options_;
    const Plan &plan_;
    json::Writer w_;
    ContentWriter contents_;
    bool config_open_ = false;
};

}  // namespace

Result<void> write_request(const Request &request, const WriteOptions &options,
                           std::string &out) {
    auto plan = plan_request(request, options);
    if (!plan) {
        return std::move(plan.error());
    }

    std::size_t start = out.size();
    auto outcome = RequestWriter(request, options, *plan, out).write();
    if (!outcome) {
        out.resize(start);
    }
    return outcome;
}

}  // namespace llm::gemini
