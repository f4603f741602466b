// Normalised call -> Anthropic Messages request.
// Source: Anthropic API reference, Create a Message; its docs on tool use,
// extended thinking and structured outputs.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/block_writer.hpp"
#include "formats/anthropic/request_plan.hpp"
#include "formats/anthropic/tables.hpp"

namespace llm::anthropic {

namespace {

using chat::Message;
using chat::Part;
using chat::Request;
using chat::Role;

// What is written where the API demands a user's message and there is none.
constexpr std::string_view filler = ".";

constexpr std::string_view json_instruction =
    "Answer with one JSON object and nothing else: no explanation, no code "
    "fence.";

constexpr std::string_view answer_tool_description =
    "Gives the answer. Call it once, with the whole answer as its input.";

class RequestWriter {
public:
    RequestWriter(const Request &request, const WriteOptions &options,
                  const Plan &plan, std::string &out)
        : request_(request), options_(options), plan_(plan), out_(out),
          writer_(out), blocks_(options, plan.ours, writer_) {}

    Result<void> write() {
        writer_.begin_object();
        if (auto version = body_version(options_.quirks.hosting);
            version.empty()) {
            writer_.member("model", options_.model);
        } else {
            writer_.member("anthropic_version", version);
        }
        write_betas();
        writer_.member("max_tokens", plan_.max_tokens);
        if (request_.stream && !is_bedrock()) {
            writer_.member("stream", true);
        }
        write_system();
        if (auto outcome = write_messages(); !outcome) {
            return outcome;
        }
        write_tools();
        write_tool_choice();
        write_sampling();
        write_stop();
        write_thinking();
        write_output_config();
        write_identity();
        if (plan_.ours) {
            write_extra();
        }
        writer_.end_object();
        return {};
    }

private:
    // Where the path says whether to stream, and the body what a header says
    // elsewhere.
    bool is_bedrock() const noexcept {
        return options_.quirks.hosting == Hosting::bedrock;
    }

    void write_betas() {
        if (!is_bedrock()) {
            return;
        }
        json::Value came;
        for (const json::Member &member : request_.extra) {
            if (plan_.ours && member.name == "anthropic_beta") {
                came = member.value;
            }
        }
        if (std::string betas = beta_features(options_.betas, came);
            !betas.empty()) {
            writer_.key("anthropic_beta").raw(betas);
        }
    }

    void write_system() {
        bool open = false;
        auto begin = [&] {
            if (!open) {
                writer_.key("system").begin_array();
                open = true;
            }
        };

        for (std::size_t i : plan_.system) {
            for (const Part &part : request_.messages[i].parts) {
                if (!is_blank(part.text)) {
                    begin();
                    blocks_.write_text(part);
                }
            }
        }
        if (plan_.json_instruction) {
            begin();
            blocks_.write_text_block(json_instruction);
        }
        if (open) {
            writer_.end_array();
        }
    }

    Result<void> write_messages() {
        writer_.key("messages").begin_array();
        // The conversation starts with the user.
        if (plan_.turns.empty()
            || plan_.turns.front().role == Role::assistant) {
            writer_.begin_object().member("role", "user");
            writer_.key("content").begin_array();
            blocks_.write_text_block(filler);
            writer_.end_array().end_object();
        }
        for (const Turn &turn : plan_.turns) {
            if (auto outcome = write_turn(turn); !outcome) {
                return outcome;
            }
        }
        writer_.end_array();
        return {};
    }

    Result<void> write_turn(const Turn &turn) {
        if (turn.role == Role::system) {
            write_system_turn(request_.messages[turn.messages.front()]);
            return {};
        }

        bool last = &turn == &plan_.turns.back();
        writer_.begin_object().member("role", turn.role == Role::assistant
                                                  ? "assistant"
                                                  : "user");
        writer_.key("content").begin_array();
        std::size_t before = out_.size();
        for (std::string_view id : turn.missing_results) {
            blocks_.write_missing_result(id);
        }
        for (std::size_t i : turn.messages) {
            const Message &message = request_.messages[i];
            auto outcome = message.role == Role::tool
                               ? blocks_.write_result(message, i)
                               : blocks_.write_parts(message, i, last);
            if (!outcome) {
                return outcome;
            }
        }
        // All of it may have been left out as unsupported.
        if (out_.size() == before) {
            blocks_.write_text_block(filler);
        }
        writer_.end_array().end_object();
        return {};
    }

    void write_system_turn(const Message &message) {
        bool block = message.source["type"].string() == "mid_conv_system";
        writer_.begin_object().member("role", block ? "user" : "system");
        writer_.key("content").begin_array();
        if (block) {
            writer_.begin_object().member("type", "mid_conv_system");
            writer_.key("content").begin_array();
        }
        for (const Part &part : message.parts) {
            if (is_written(part, plan_.ours)) {
                blocks_.write_text(part);
            }
        }
        if (block) {
            writer_.end_array().end_object();
        }
        writer_.end_array().end_object();
    }

    void write_tools() {
        if (plan_.tools.empty() && !plan_.answer_tool) {
            return;
        }
        writer_.key("tools").begin_array();
        for (std::size_t i : plan_.tools) {
            write_tool(request_.tools[i]);
        }
        if (plan_.answer_tool) {
            const chat::ResponseFormat &format = *request_.response_format;
            writer_.begin_object()
                .member("name", answer_tool)
                .member("description", format.description.empty()
                                           ? answer_tool_description
                                           : format.description);
            writer_.key("input_schema");
            write_input_schema(writer_, format.schema);
            writer_.end_object();
        }
        writer_.end_array();
    }

    void write_tool(const chat::Tool &tool) {
        if (tool.type == chat::Tool::Type::native) {
            writer_.raw(tool.source.raw());
            return;
        }

        bool custom = tool.type == chat::Tool::Type::custom;
        bool strict = !custom && tool.strict.value_or(false)
                      && plan_.output_config && plan_.traits->schema;
        writer_.begin_object().key("name");
        blocks_.write_tool_name(tool.name, custom);
        if (!tool.description.empty()) {
            writer_.member("description", tool.description);
        }
        writer_.key("input_schema");
        if (custom) {
            writer_.raw(custom_parameters);
        } else if (strict && !plan_.ours && tool.parameters.is_object()) {
            write_strict_schema(writer_, tool.parameters);
        } else {
            write_input_schema(writer_, tool.parameters);
        }
        if (strict) {
            writer_.member("strict", true);
        }
        blocks_.write_cache_control(tool.cache_control);
        blocks_.write_unknown(tool.source,
                              {"name", "description", "input_schema", "strict",
                               "cache_control"});
        writer_.end_object();
    }

    void write_tool_choice() {
        if (plan_.choice.empty()) {
            return;
        }
        writer_.key("tool_choice").begin_object();
        writer_.member("type", plan_.choice);
        if (plan_.choice == "tool") {
            bool custom = std::any_of(
                request_.tools.begin(), request_.tools.end(),
                [this](const chat::Tool &tool) {
                    return tool.type == chat::Tool::Type::custom
                           && tool.name == plan_.choice_name;
                });
            writer_.key("name");
            blocks_.write_tool_name(plan_.choice_name, custom);
        }
        if (plan_.choice != "none" && request_.parallel_tool_calls) {
            writer_.member("disable_parallel_tool_use",
                           !*request_.parallel_tool_calls);
        }
        writer_.end_object();
    }

    void write_sampling() {
        bool thinks =
            plan_.thinking == "enabled" || plan_.thinking == "adaptive";
        if (!plan_.traits->sampling || (thinks && !plan_.ours)) {
            return;
        }
        bool temperature = request_.temperature.is_number();
        if (temperature) {
            // OpenAI's goes up to 2.
            writer_.key("temperature");
            if (request_.temperature.number().value_or(0) > 1) {
                writer_.integer(1);
            } else {
                writer_.raw(request_.temperature.raw());
            }
        }
        // Newer models refuse both together.
        if (request_.top_p.is_number() && (!temperature || plan_.ours)) {
            writer_.member("top_p", request_.top_p);
        }
        if (request_.top_k.is_number()) {
            writer_.member("top_k", request_.top_k);
        }
    }

    void write_stop() {
        bool open = false;
        for (std::string_view stop : request_.stop) {
            if (is_blank(stop)) {
                continue;
            }
            if (!open) {
                writer_.key("stop_sequences").begin_array();
                open = true;
            }
            writer_.string(stop);
        }
        if (open) {
            writer_.end_array();
        }
    }

    void write_thinking() {
        if (plan_.thinking.empty()) {
            return;
        }
        if (plan_.thinking_as_came) {
            writer_.member("thinking", request_.reasoning.source);
            return;
        }
        writer_.key("thinking").begin_object();
        writer_.member("type", plan_.thinking);
        if (plan_.thinking == "enabled") {
            writer_.member("budget_tokens", plan_.budget);
        }
        writer_.end_object();
    }

    json::Value extra(std::string_view name) const {
        for (const json::Member &member : request_.extra) {
            if (member.name == name) {
                return member.value;
            }
        }
        return {};
    }

    void write_output_config() {
        json::Value came = plan_.ours ? extra("output_config") : json::Value();
        if (plan_.effort.empty() && !plan_.output_format && !came) {
            return;
        }
        writer_.key("output_config").begin_object();
        if (!plan_.effort.empty()) {
            writer_.member("effort", plan_.effort);
        }
        if (plan_.output_format) {
            writer_.key("format").begin_object().member("type", "json_schema");
            writer_.key("schema");
            if (plan_.ours) {
                writer_.raw(request_.response_format->schema.raw());
            } else {
                write_strict_schema(writer_,
                                    request_.response_format->schema);
            }
            writer_.end_object();
        }
        blocks_.write_unknown(came, {"effort", "format"});
        writer_.end_object();
    }

    void write_identity() {
        if (!request_.user.empty()) {
            writer_.key("metadata")
                .begin_object()
                .member("user_id", request_.user)
                .end_object();
        }
        if (auto tier = request_tier(request_.service_tier); !tier.empty()) {
            writer_.member("service_tier", tier);
        }
    }

    void write_extra() {
        bool hosted = !body_version(options_.quirks.hosting).empty();
        for (const json::Member &member : request_.extra) {
            bool written = member.name == "output_config"
                           || (hosted && member.name == "anthropic_version")
                           || (is_bedrock() && member.name == "anthropic_beta");
            if (!written) {
                writer_.raw(member.raw);
            }
        }
    }

    const Request &request_;
    const WriteOptions &options_;
    const Plan &plan_;
    std::string &out_;
    json::Writer writer_;
    BlockWriter blocks_;
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

}  // namespace llm::anthropic
