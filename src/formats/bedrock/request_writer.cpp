// Normalised call -> Converse request.
// Source: the service model of bedrock-runtime, ConverseRequest; Bedrock User
// Guide, inference request parameters of each vendor's models.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/request_plan.hpp"
#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/block_writer.hpp"
#include "formats/bedrock/request_plan.hpp"

namespace llm::bedrock {

namespace {

using chat::Message;
using chat::Part;
using chat::Request;
using chat::Role;

constexpr std::string_view json_instruction =
    "Answer with one JSON object and nothing else: no explanation, no code "
    "fence.";

constexpr std::string_view answer_tool_description =
    "Gives the answer. Call it once, with the whole answer as its input.";

constexpr std::string_view idle_tool =
    R"({"toolSpec":{"name":"llm_no_tool","description":)"
    R"("Does nothing. Never call it.","inputSchema":{"json":)"
    R"({"type":"object","properties":{}}}}})";

// requestMetadata: up to 16 names and values of up to 256 such characters.
constexpr std::size_t most_metadata = 16;
constexpr std::size_t longest_metadata = 256;

bool is_metadata(std::string_view text) {
    constexpr std::string_view others = " \t\r\n:_@$#=/+,-.";
    return text.size() <= longest_metadata
           && std::all_of(text.begin(), text.end(), [&](char c) {
                  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                         || (c >= '0' && c <= '9')
                         || others.find(c) != others.npos;
              });
}

class RequestWriter {
public:
    RequestWriter(const Request &request, const WriteOptions &options,
                  const Plan &plan, std::string &out)
        : request_(request), plan_(plan), writer_(out),
          blocks_(options, plan, writer_) {}

    Result<void> write() {
        writer_.begin_object();
        if (auto outcome = write_messages(); !outcome) {
            return outcome;
        }
        write_system();
        write_inference();
        if (auto outcome = write_tools(); !outcome) {
            return outcome;
        }
        if (plan_.ours) {
            write_extra();
        } else {
            write_additional();
        }
        write_output();
        write_service_tier();
        write_metadata();
        writer_.end_object();
        return {};
    }

private:
    // Messages

    bool is_written(const Part &part) const {
        return (plan_.ours && part.source.is_object())
               || !anthropic::is_blank(part.text);
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
                if (!is_written(part)) {
                    continue;
                }
                begin();
                if (plan_.ours && part.source.is_object()) {
                    writer_.raw(part.source.raw());
                } else {
                    blocks_.write_text(part.text);
                }
                blocks_.write_cache_point(part.cache_control);
            }
        }
        if (plan_.json_instruction) {
            begin();
            blocks_.write_text(json_instruction);
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
            blocks_.begin_turn();
            blocks_.end_turn();
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
        writer_.begin_object().member("role", chat::to_string(turn.role));
        writer_.key("content").begin_array();
        blocks_.begin_turn();
        for (std::string_view id : turn.missing_results) {
            blocks_.write_missing_result(id);
        }
        bool last = &turn == &plan_.turns.back();
        for (std::size_t i : turn.messages) {
            const Message &message = request_.messages[i];
            auto outcome = message.role == Role::tool
                               ? blocks_.write_result(message, i)
                               : blocks_.write_parts(message, i, last);
            if (!outcome) {
                return outcome;
            }
        }
        blocks_.end_turn();
        writer_.end_array();
        for (std::size_t i : turn.messages) {
            const Message &message = request_.messages[i];
            if (message.role != Role::tool) {
                blocks_.write_unknown(message.source, {"role", "content"});
                break;
            }
        }
        writer_.end_object();
        return {};
    }

    // Sampling

    void write_inference() {
        bool claude = plan_.claude != nullptr;
        bool sampling =
            plan_.ours
            || ((!claude || plan_.claude->sampling)
                && plan_.thinking != "enabled" && plan_.thinking != "adaptive");
        bool temperature = sampling && request_.temperature.is_number();
        // Newer ones of Claude refuse both together.
        bool top_p = sampling && request_.top_p.is_number()
                     && (!temperature || !claude || plan_.ours);
        bool stop = std::any_of(
            request_.stop.begin(), request_.stop.end(),
            [](std::string_view one) { return !anthropic::is_blank(one); });
        json::Value came = extra("inferenceConfig");
        if (!plan_.max_tokens && !temperature && !top_p && !stop && !came) {
            return;
        }

        writer_.key("inferenceConfig").begin_object();
        if (plan_.max_tokens) {
            writer_.member("maxTokens", *plan_.max_tokens);
        }
        if (temperature) {
            // OpenAI's goes up to 2.
            writer_.key("temperature");
            if (request_.temperature.number().value_or(0) > 1) {
                writer_.integer(1);
            } else {
                writer_.raw(request_.temperature.raw());
            }
        }
        if (top_p) {
            writer_.member("topP", request_.top_p);
        }
        if (stop) {
            writer_.key("stopSequences").begin_array();
            for (std::string_view one : request_.stop) {
                if (!anthropic::is_blank(one)) {
                    writer_.string(one);
                }
            }
            writer_.end_array();
        }
        blocks_.write_unknown(came, {"maxTokens", "temperature", "topP",
                                     "stopSequences"});
        writer_.end_object();
    }

    // What the call had of this format's own members.
    json::Value extra(std::string_view name) const {
        for (const json::Member &member : request_.extra) {
            if (plan_.ours && member.name == name) {
                return member.value;
            }
        }
        return {};
    }

    // Tools

    Result<void> write_tools() {
        if (plan_.tools.empty() && !plan_.answer_tool && !plan_.idle_tool) {
            return {};
        }
        writer_.key("toolConfig").begin_object().key("tools").begin_array();
        for (std::size_t i : plan_.tools) {
            if (auto outcome = write_tool(i); !outcome) {
                return outcome;
            }
            blocks_.write_cache_point(request_.tools[i].cache_control);
        }
        if (plan_.answer_tool) {
            const chat::ResponseFormat &format = *request_.response_format;
            begin_tool();
            writer_.string(anthropic::answer_tool);
            end_tool(format.description.empty() ? answer_tool_description
                                                : format.description,
                     format.schema, {});
        }
        if (plan_.idle_tool) {
            writer_.raw(idle_tool);
        }
        writer_.end_array();
        auto outcome = write_choice();
        writer_.end_object();
        return outcome;
    }

    void begin_tool() {
        writer_.begin_object().key("toolSpec").begin_object().key("name");
    }

    void end_tool(std::string_view description, json::Value schema,
                  std::optional<bool> strict) {
        if (!description.empty()) {
            writer_.member("description", description);
        }
        writer_.key("inputSchema").begin_object().key("json");
        if (plan_.ours) {
            writer_.raw(schema.raw());
        } else if (strict.value_or(false)) {
            anthropic::write_strict_schema(writer_, schema);
        } else {
            anthropic::write_input_schema(writer_, schema);
        }
        writer_.end_object();
        if (strict) {
            writer_.member("strict", *strict);
        }
        writer_.end_object().end_object();
    }

    Result<void> write_tool(std::size_t i) {
        const chat::Tool &tool = request_.tools[i];
        if (plan_.ours && tool.source.is_object()) {
            writer_.raw(tool.source.raw());
            return {};
        }

        bool custom = tool.type == chat::Tool::Type::custom;
        begin_tool();
        auto outcome = blocks_.write_tool_name(
            tool.name, custom, "tools[" + std::to_string(i) + "].name");
        if (!outcome) {
            return outcome;
        }
        if (custom) {
            if (!tool.description.empty()) {
                writer_.member("description", tool.description);
            }
            writer_.key("inputSchema").begin_object().key("json");
            writer_.raw(R"({"type":"object","properties":{"input":)"
                        R"({"type":"string"}},"required":["input"]})");
            writer_.end_object().end_object().end_object();
            return {};
        }
        // Models that cannot be held to a schema refuse the member.
        bool strict = tool.strict.value_or(false)
                      && tool.parameters.is_object()
                      && plan_.traits->schema == Schema::format
                      && (!plan_.claude || plan_.claude->schema);
        end_tool(tool.description, tool.parameters,
                 strict || plan_.ours ? tool.strict : std::nullopt);
        return {};
    }

    Result<void> write_choice() {
        if (plan_.choice.empty()) {
            return {};
        }
        writer_.key("toolChoice").begin_object();
        writer_.key(plan_.choice).begin_object();
        Result<void> outcome;
        if (plan_.choice == "tool") {
            bool custom = std::any_of(
                request_.tools.begin(), request_.tools.end(),
                [this](const chat::Tool &tool) {
                    return tool.type == chat::Tool::Type::custom
                           && tool.name == plan_.choice_name;
                });
            writer_.key("name");
            outcome = blocks_.write_tool_name(plan_.choice_name, custom,
                                              "tool_choice");
        }
        writer_.end_object().end_object();
        return outcome;
    }

    // The model's own members

    void write_additional() {
        bool top_k = request_.top_k.is_number()
                     && !plan_.traits->top_k.empty()
                     && (!plan_.claude || plan_.claude->sampling)
                     && plan_.thinking != "enabled"
                     && plan_.thinking != "adaptive";
        bool effort = !plan_.effort.empty()
                      && plan_.traits->thinking != Thinking::claude;
        if (top_k || effort || !plan_.thinking.empty()) {
            writer_.key("additionalModelRequestFields").begin_object();
            if (top_k) {
                write_top_k();
            }
            write_thinking();
            if (effort) {
                write_effort();
            }
            writer_.end_object();
        }

        // Which one stopped it, clients of Anthropic's API are told.
        if (plan_.claude && !request_.stop.empty()) {
            writer_.key("additionalModelResponseFieldPaths").begin_array();
            writer_.string("/stop_sequence").end_array();
        }
    }

    void write_top_k() {
        std::string_view name = plan_.traits->top_k;
        std::size_t dot = name.find('.');
        if (dot == name.npos) {
            writer_.member(name, request_.top_k);
            return;
        }
        writer_.key(name.substr(0, dot)).begin_object();
        writer_.member(name.substr(dot + 1), request_.top_k).end_object();
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

    void write_effort() {
        if (plan_.traits->thinking == Thinking::effort) {
            writer_.member("reasoning_effort", plan_.effort);
            return;
        }
        writer_.key("reasoningConfig")
            .begin_object()
            .member("type", "enabled")
            .member("maxReasoningEffort", plan_.effort)
            .end_object();
    }

    void write_output() {
        // What came with more than a schema is written with the rest of it.
        if (extra("outputConfig")) {
            return;
        }
        bool effort = !plan_.ours && !plan_.effort.empty() && plan_.claude;
        if (!effort && !plan_.text_format) {
            return;
        }
        writer_.key("outputConfig").begin_object();
        if (plan_.text_format) {
            const chat::ResponseFormat &format = *request_.response_format;
            std::string schema;
            json::Writer inner(schema);
            if (plan_.ours) {
                inner.raw(format.schema.raw());
            } else {
                anthropic::write_strict_schema(inner, format.schema);
            }

            writer_.key("textFormat").begin_object();
            writer_.member("type", "json_schema");
            writer_.key("structure").begin_object();
            writer_.key("jsonSchema").begin_object();
            writer_.member("schema", schema);
            if (!format.name.empty()) {
                writer_.member("name", format.name);
            }
            if (!format.description.empty()) {
                writer_.member("description", format.description);
            }
            writer_.end_object().end_object().end_object();
        }
        if (effort) {
            writer_.member("effort", plan_.effort);
        }
        writer_.end_object();
    }

    void write_service_tier() {
        auto tier = bedrock_tier(request_.service_tier);
        if (!tier.empty() && !extra("serviceTier")) {
            writer_.key("serviceTier")
                .begin_object()
                .member("type", tier)
                .end_object();
        }
    }

    void write_metadata() {
        json::Value metadata = request_.metadata;
        if (plan_.ours && metadata) {
            writer_.member("requestMetadata", metadata);
            return;
        }
        auto members = metadata.members();
        // A hint for the provider's logs: where it does not fit, it is left
        // out.
        bool fits = metadata.size() != 0 && metadata.size() <= most_metadata
                    && std::all_of(members.begin(), members.end(),
                                   [](const json::Member &member) {
                                       return !member.name.empty()
                                              && is_metadata(member.name)
                                              && member.value.is_string()
                                              && is_metadata(
                                                  member.value.string());
                                   });
        if (fits) {
            writer_.member("requestMetadata", metadata);
        }
    }

    void write_extra() {
        for (const json::Member &member : request_.extra) {
            if (member.name != "inferenceConfig") {
                writer_.member(member.name, member.value);
            }
        }
    }

    const Request &request_;
    const Plan &plan_;
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

}  // namespace llm::bedrock
