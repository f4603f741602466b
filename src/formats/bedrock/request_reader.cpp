// Converse request -> normalised call.
// Source: the service model of bedrock-runtime, ConverseRequest.
#include <algorithm>
#include <iterator>
#include <new>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/message_reader.hpp"
#include "formats/bedrock/tables.hpp"
#include "formats/body_reader.hpp"
#include "formats/tool_name.hpp"

namespace llm::bedrock {

namespace {

using fields::Path;
using fields::quoted;

class RequestReader : fields::BodyReader {
public:
    using BodyReader::BodyReader;

    Result<chat::Request> read() {
        if (!read_body()) {
            return std::move(error_);
        }
        return std::move(request_);
    }

private:
    using Row = fields::MemberRow<RequestReader>;
    static const Row member_rows[];

    bool read_body();

    bool object(json::Value value, const Path &path) {
        return expect(value, json::Kind::object, path);
    }

    // A member that no field stands for, whole; it is written again where the
    // call stays in this format.
    void keep(std::string_view name, json::Value value) {
        request_.extra.push_back({name, value, {}});
    }

    bool read_inference(json::Value value, const Path &path) {
        if (!object(value, path)) {
            return false;
        }
        json::Value tokens = value["maxTokens"];
        if (!tokens.is_null()) {
            request_.max_tokens = tokens.integer();
            if (!request_.max_tokens || *request_.max_tokens < 1) {
                return fail(Path(path, "maxTokens"),
                            "must be a positive integer");
            }
        }
        if (!number(value["temperature"], Path(path, "temperature"), 0, 1,
                    request_.temperature)
            || !number(value["topP"], Path(path, "topP"), 0, 1,
                       request_.top_p)) {
            return false;
        }
        Path stops(path, "stopSequences");
        json::Value stop = value["stopSequences"];
        if (!stop.is_null()
            && !(stop.is_array() ? texts(stop, stops, request_.stop)
                                 : fail(stops, "must be an array of strings")))
        {
            return false;
        }
        for (json::Member member : value.members()) {
            if (member.name != "maxTokens" && member.name != "temperature"
                && member.name != "topP" && member.name != "stopSequences") {
                keep("inferenceConfig", value);
                break;
            }
        }
        return true;
    }

    // Tools

    bool read_tool_config(json::Value value, const Path &path) {
        if (!object(value, path)) {
            return false;
        }
        Path at(path, "tools");
        json::Value tools = value["tools"];
        if (!tools.is_array()) {
            return fail(at, tools ? "must be an array" : "is required");
        }
        return each(tools, at,
                    [this](json::Value tool, const Path &where) {
                        return read_tool(tool, where);
                    })
               && read_tool_choice(value["toolChoice"],
                                   Path(path, "toolChoice"));
    }

    bool read_tool(json::Value value, const Path &path) {
        if (!object(value, path)) {
            return false;
        }
        if (json::Value point = value["cachePoint"]; !point.is_null()) {
            if (!request_.tools.empty()) {
                request_.tools.back().cache_control = cache_mark(point);
            }
            return true;
        }

        chat::Tool tool;
        tool.source = value;
        json::Value spec = value["toolSpec"];
        if (!spec.is_object()) {
            // A tool that Bedrock itself defines.
            tool.type = chat::Tool::Type::native;
            tool.name = value["systemTool"]["name"].string();
            request_.tools.push_back(tool);
            return true;
        }

        Path at(path, "toolSpec");
        if (!required_string(spec, at, "name", tool.name)
            || !optional_text(spec, at, "description", tool.description)
            || !optional_boolean(spec, at, "strict", tool.strict)) {
            return false;
        }
        tool.parameters = spec["inputSchema"]["json"];
        if (!tool.parameters.is_object()) {
            return fail(Path(at, "inputSchema"), "must have an object, json");
        }
        // As other APIs would have it, where that says all of it.
        std::size_t known = 2 + spec["description"].is_string()
                            + spec["strict"].is_bool();
        if (value.size() == 1 && spec.size() == known
            && spec["inputSchema"].size() == 1
            && decode_tool_name(tool.name).name == tool.name) {
            tool.source = {};
        }
        request_.tools.push_back(tool);
        return true;
    }

    bool read_tool_choice(json::Value value, const Path &path) {
        using Mode = chat::ToolChoice::Mode;
        static constexpr struct {
            std::string_view name;
            Mode mode;
        } modes[] = {
            {"auto", Mode::automatic},
            {"any", Mode::required},
            {"tool", Mode::named},
        };

        if (value.is_null()) {
            return true;
        }
        for (const auto &row : modes) {
            json::Value chosen = value[row.name];
            if (!chosen.is_object()) {
                continue;
            }
            chat::ToolChoice choice;
            choice.mode = row.mode;
            if (choice.mode == Mode::named
                && !required_string(chosen, Path(path, "tool"), "name",
                                    choice.name)) {
                return false;
            }
            request_.tool_choice = choice;
            return true;
        }
        return fail(path, "must have an object auto, any or tool");
    }

    // Thinking and output

    // The model's own members: those that other APIs have as well.
    bool read_additional(json::Value value, const Path &path) {
        keep("additionalModelRequestFields", value);
        if (!value.is_object()) {
            return true;
        }
        chat::Reasoning &reasoning = request_.reasoning;
        for (std::string_view name : {"top_k", "k"}) {
            if (value[name].integer().value_or(-1) >= 0) {
                request_.top_k = value[name];
            }
        }
        json::Value nova = value["inferenceConfig"]["topK"];
        if (nova.integer().value_or(-1) >= 0) {
            request_.top_k = nova;
        }
        for (json::Value effort :
             {value["reasoning_effort"],
              value["reasoningConfig"]["maxReasoningEffort"],
              value["output_config"]["effort"]}) {
            if (effort.is_string()) {
                reasoning.effort = effort.string();
            }
        }
        return read_thinking(value["thinking"], Path(path, "thinking"));
    }

    bool read_thinking(json::Value value, const Path &path) {
        using Mode = chat::Reasoning::Mode;
        static constexpr struct {
            std::string_view type;
            Mode mode;
        } modes[] = {
            {"disabled", Mode::disabled},
            {"adaptive", Mode::adaptive},
            {"enabled", Mode::budget},
        };

        chat::Reasoning &reasoning = request_.reasoning;
        for (const auto &row : modes) {
            if (value["type"].string() == row.type) {
                reasoning.mode = row.mode;
                reasoning.source = value;
            }
        }
        if (reasoning.mode != Mode::budget) {
            return true;
        }
        auto budget = value["budget_tokens"].integer();
        if (!budget || *budget < 1) {
            return fail(Path(path, "budget_tokens"),
                        "must be a positive integer");
        }
        reasoning.budget_tokens = *budget;
        return true;
    }

    bool read_output(json::Value value, const Path &path) {
        if (!object(value, path)
            || !optional_text(value, path, "effort",
                              request_.reasoning.effort)) {
            return false;
        }
        json::Value text = value["textFormat"];
        json::Value definition = text["structure"]["jsonSchema"];
        // All but a schema with its name is written as it came.
        std::size_t known = 2 + definition["description"].is_string();
        if (value.size() != 1 || !text || text.size() != 2
            || text["structure"].size() != 1 || definition.size() != known
            || !definition["name"].is_string()) {
            keep("outputConfig", value);
        }
        if (text.is_null()) {
            return true;
        }
        Path at(path, "textFormat");
        if (text["type"].string() != "json_schema") {
            return fail(Path(at, "type"), "must be \"json_schema\"");
        }

        Path place(at, "structure");
        json::Value source = text["structure"]["jsonSchema"];
        chat::ResponseFormat format;
        format.type = chat::ResponseFormat::Type::json_schema;
        format.name = "structured_output";
        if (!optional_text(source, place, "name", format.name)
            || !optional_text(source, place, "description",
                              format.description)) {
            return false;
        }
        // A text of JSON, not JSON. Lives as long as the memory does.
        auto *schema = new (memory_->allocate(sizeof(json::Document),
                                              alignof(json::Document)))
            json::Document(memory_);
        if (!schema->parse(source["schema"].string())
            || !schema->root().is_object()) {
            return fail(Path(place, "jsonSchema.schema"),
                        "must be a string that holds a JSON schema");
        }
        format.schema = schema->root();
        format.strict = anthropic::is_strict_schema(format.schema);
        request_.response_format = format;
        return true;
    }

    bool read_metadata(json::Value value, const Path &path) {
        request_.metadata = value;
        return object(value, path);
    }

    bool read_service_tier(json::Value value, const Path &path) {
        std::string_view tier;
        if (!object(value, path)
            || !required_string(value, path, "type", tier)) {
            return false;
        }
        request_.service_tier = openai_tier(tier);
        if (request_.service_tier.empty() || value.size() != 1) {
            keep("serviceTier", value);
        }
        return true;
    }

    // To leave them out would be an answer that nobody checked, or one to
    // another question.
    void keep_essential(std::string_view name, json::Value value) {
        request_.essential.push_back(name);
        keep(name, value);
    }

    bool read_guardrail(json::Value value, const Path &) {
        keep_essential("guardrailConfig", value);
        return true;
    }

    bool read_prompt_variables(json::Value value, const Path &) {
        keep_essential("promptVariables", value);
        return true;
    }
};

const RequestReader::Row RequestReader::member_rows[] = {
    // Read before all others.
    {"messages", nullptr},
    {"system", nullptr},
    {"inferenceConfig", &RequestReader::read_inference},
    {"toolConfig", &RequestReader::read_tool_config},
    {"additionalModelRequestFields", &RequestReader::read_additional},
    {"outputConfig", &RequestReader::read_output},
    {"requestMetadata", &RequestReader::read_metadata},
    {"serviceTier", &RequestReader::read_service_tier},
    {"guardrailConfig", &RequestReader::read_guardrail},
    {"promptVariables", &RequestReader::read_prompt_variables},
};

bool RequestReader::read_body() {
    if (!root_.is_object()) {
        return fail(Path(), "must be a JSON object");
    }
    if (auto outcome = read_messages(root_, request_, memory_); !outcome) {
        error_ = std::move(outcome.error());
        return false;
    }

    for (json::Member member : root_.members()) {
        const Row *row = fields::find_row(member_rows, member.name);
        if (!row) {
            request_.extra.push_back(member);
        } else if (row->read && !member.value.is_null()
                   && !(this->*row->read)(member.value, Path(row->name))) {
            return false;
        }
    }
    return true;
}

}  // namespace

Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory) {
    return RequestReader(document.root(), memory).read();
}

Result<RequestHead> parse_head(const json::Document &document,
                               const RouteMatch &route) {
    json::Value root = document.root();
    if (!root.is_object()) {
        return invalid_request("the request must be a JSON object");
    }
    RequestHead head;
    head.model = route.model;
    if (head.model.empty()) {
        return invalid_request("the path names no model", "modelId");
    }

    // A prompt of Bedrock's prompt management, named by its ARN, has messages
    // of its own.
    json::Value messages = root["messages"];
    bool prompt = head.model.starts_with("arn:")
                  && head.model.find(":prompt/") != head.model.npos;
    if (!prompt || !messages.is_null()) {
        if (!messages.is_array() || messages.size() == 0) {
            return invalid_request(
                messages ? "messages must be an array that is not empty"
                         : "messages is required",
                "messages");
        }
    }

    head.stream = route.stream;
    head.include_usage = head.stream;
    json::Value tokens = root["inferenceConfig"]["maxTokens"];
    if (!tokens.is_null()) {
        head.max_tokens = tokens.integer();
        if (!head.max_tokens || *head.max_tokens < 1) {
            return invalid_request(
                "inferenceConfig.maxTokens must be a positive integer",
                "inferenceConfig.maxTokens");
        }
    }
    return head;
}

}  // namespace llm::bedrock
