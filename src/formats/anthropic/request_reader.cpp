// Anthropic Messages request -> normalised call.
// Source: Anthropic API reference, Create a Message; the request types of the
// official Python SDK.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/message_reader.hpp"
#include "formats/anthropic/tables.hpp"
#include "formats/body_reader.hpp"

namespace llm::anthropic {

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

    bool read_temperature(json::Value value, const Path &path) {
        return number(value, path, 0, 1, request_.temperature);
    }

    bool read_top_p(json::Value value, const Path &path) {
        return number(value, path, 0, 1, request_.top_p);
    }

    bool read_top_k(json::Value value, const Path &path) {
        if (value.integer().value_or(-1) < 0) {
            return fail(path, "must be an integer of at least 0");
        }
        request_.top_k = value;
        return true;
    }

    bool read_stop_sequences(json::Value value, const Path &path) {
        return value.is_array() ? texts(value, path, request_.stop)
                                : fail(path, "must be an array of strings");
    }

    bool read_stream(json::Value value, const Path &path) {
        // Usage is a part of every stream of this API.
        request_.include_usage = value.boolean();
        return flag<&chat::Request::stream>(value, path);
    }

    bool read_metadata(json::Value value, const Path &path) {
        return expect(value, json::Kind::object, path)
               && optional_text(value, path, "user_id", request_.user);
    }

    bool read_service_tier(json::Value value, const Path &path) {
        request_.service_tier = openai_tier(value.string());
        return expect(value, json::Kind::string, path);
    }

    // Thinking and output

    bool read_thinking(json::Value value, const Path &path) {
        std::string_view type;
        if (!expect(value, json::Kind::object, path)
            || !required_string(value, path, "type", type)) {
            return false;
        }

        chat::Reasoning &reasoning = request_.reasoning;
        reasoning.source = value;
        if (type == "disabled") {
            reasoning.mode = chat::Reasoning::Mode::disabled;
            return true;
        }
        if (type == "adaptive") {
            reasoning.mode = chat::Reasoning::Mode::adaptive;
            return true;
        }
        if (type != "enabled") {
            return fail(Path(path, "type"),
                        "has an unknown value " + quoted(type));
        }

        auto budget = value["budget_tokens"].integer();
        if (!budget || *budget < 1) {
            return fail(Path(path, "budget_tokens"),
                        "must be a positive integer");
        }
        reasoning.mode = chat::Reasoning::Mode::budget;
        reasoning.budget_tokens = *budget;
        return true;
    }

    bool read_output_config(json::Value value, const Path &path) {
        if (!expect(value, json::Kind::object, path)
            || !optional_text(value, path, "effort",
                              request_.reasoning.effort)) {
            return false;
        }
        json::Value format = value["format"];
        if (!format.is_null()
            && !read_output_format(format, Path(path, "format"))) {
            return false;
        }
        // What else it says is for a provider of this format.
        for (json::Member member : value.members()) {
            if (member.name != "effort" && member.name != "format") {
                request_.extra.push_back({"output_config", value, {}});
                break;
            }
        }
        return true;
    }

    bool read_output_format(json::Value value, const Path &path) {
        std::string_view type;
        if (!expect(value, json::Kind::object, path)
            || !required_string(value, path, "type", type)) {
            return false;
        }
        if (type != "json_schema") {
            return fail(Path(path, "type"),
                        "has an unknown value " + quoted(type));
        }
        if (!expect(value["schema"], json::Kind::object,
                    Path(path, "schema"))) {
            return false;
        }

        chat::ResponseFormat format;
        format.type = chat::ResponseFormat::Type::json_schema;
        format.name = "structured_output";
        format.schema = value["schema"];
        // This API always holds the model to the schema; OpenAI does where
        // the schema is one that its strict mode takes.
        format.strict = is_strict_schema(format.schema);
        request_.response_format = format;
        return true;
    }

    // Tools

    bool read_tools(json::Value value, const Path &path) {
        return each(value, path, [this](json::Value tool, const Path &where) {
            return read_tool(tool, where, request_.tools.emplace_back());
        });
    }

    bool read_tool(json::Value value, const Path &path, chat::Tool &tool) {
        std::string_view type = "custom";
        tool.source = value;
        if (!expect(value, json::Kind::object, path)
            || !optional_text(value, path, "type", type)
            || !optional_object(value, path, "cache_control",
                                tool.cache_control)) {
            return false;
        }

        if (type != "custom") {
            // A tool that Anthropic itself defines, web_search_20250305 say.
            tool.type = chat::Tool::Type::native;
            return optional_text(value, path, "name", tool.name);
        }
        tool.parameters = value["input_schema"];
        return required_string(value, path, "name", tool.name)
               && optional_text(value, path, "description", tool.description)
               && optional_boolean(value, path, "strict", tool.strict)
               && (tool.parameters.is_object()
                   || fail(Path(path, "input_schema"),
                           tool.parameters ? "must be an object"
                                           : "is required"));
    }

    bool read_tool_choice(json::Value value, const Path &path) {
        using Mode = chat::ToolChoice::Mode;
        static constexpr struct {
            std::string_view type;
            Mode mode;
        } modes[] = {
            {"auto", Mode::automatic},
            {"any", Mode::required},
            {"tool", Mode::named},
            {"none", Mode::none},
        };

        std::string_view type;
        if (!expect(value, json::Kind::object, path)
            || !required_string(value, path, "type", type)) {
            return false;
        }
        auto row = std::find_if(std::begin(modes), std::end(modes),
                                [&](auto &row) { return row.type == type; });
        if (row == std::end(modes)) {
            return fail(Path(path, "type"),
                        "has an unknown value " + quoted(type));
        }

        chat::ToolChoice choice;
        choice.mode = row->mode;
        if (choice.mode == Mode::named
            && !required_string(value, path, "name", choice.name)) {
            return false;
        }
        request_.tool_choice = choice;

        std::optional<bool> disabled;
        if (!optional_boolean(value, path, "disable_parallel_tool_use",
                              disabled)) {
            return false;
        }
        if (disabled) {
            request_.parallel_tool_calls = !*disabled;
        }
        return true;
    }
};

const RequestReader::Row RequestReader::member_rows[] = {
    // Read before all others.
    {"model", nullptr},
    {"max_tokens", nullptr},
    {"messages", nullptr},
    {"system", nullptr},
    {"stop_sequences", &RequestReader::read_stop_sequences},
    {"stream", &RequestReader::read_stream},
    {"temperature", &RequestReader::read_temperature},
    {"top_p", &RequestReader::read_top_p},
    {"top_k", &RequestReader::read_top_k},
    {"tools", &RequestReader::read_tools},
    {"tool_choice", &RequestReader::read_tool_choice},
    {"thinking", &RequestReader::read_thinking},
    {"output_config", &RequestReader::read_output_config},
    // The beta name of output_config.format.
    {"output_format", &RequestReader::read_output_format},
    {"metadata", &RequestReader::read_metadata},
    {"service_tier", &RequestReader::read_service_tier},
};

bool RequestReader::read_body() {
    if (!root_.is_object()) {
        return fail(Path(), "must be a JSON object");
    }
    if (!required_string(root_, Path(), "model", request_.model)) {
        return false;
    }
    if (request_.model.empty()) {
        return fail(Path("model"), "must not be empty");
    }
    // 0 is legal: it fills the prompt cache.
    json::Value most = root_["max_tokens"];
    if (!most) {
        return fail(Path("max_tokens"), "is required");
    }
    if (!integer(most, Path("max_tokens"), 0, request_.max_tokens)) {
        return false;
    }
    // The order of the members is the client's, that of the messages not.
    if (auto outcome = read_messages(root_, request_, memory_); !outcome) {
        error_ = std::move(outcome.error());
        return false;
    }

    for (json::Member member : root_.members()) {
        if (const Row *row = fields::find_row(member_rows, member.name)) {
            if (row->read && !member.value.is_null()
                && !(this->*row->read)(member.value, Path(row->name))) {
                return false;
            }
            continue;
        }
        // Tools of servers that Anthropic calls itself.
        if (member.name == "mcp_servers" && !member.value.is_null()) {
            request_.essential.push_back(member.name);
        }
        request_.extra.push_back(member);
    }
    return true;
}

}  // namespace

Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory) {
    auto request = RequestReader(document.root(), memory).read();
    if (request) {
        request->origin = &anthropic_format();
    }
    return request;
}

Result<RequestHead> parse_head(const json::Document &document) {
    json::Value root = document.root();
    if (!root.is_object()) {
        return invalid_request("the request must be a JSON object");
    }

    auto required = [](std::string_view name, std::string_view what) {
        std::string param(name);
        return invalid_request(param + " " + std::string(what), param);
    };

    RequestHead head;
    json::Value model = root["model"];
    if (!model.is_string() || model.string().empty()) {
        return required("model", model ? "must be a string that is not empty"
                                       : "is required");
    }
    head.model = model.string();

    json::Value messages = root["messages"];
    if (!messages.is_array() || messages.size() == 0) {
        return required("messages", messages
                                        ? "must be an array that is not empty"
                                        : "is required");
    }

    json::Value stream = root["stream"];
    if (!stream.is_null() && !stream.is_bool()) {
        return required("stream", "must be true or false");
    }
    head.stream = stream.boolean();
    head.include_usage = head.stream;

    json::Value max_tokens = root["max_tokens"];
    if (!max_tokens.is_null()) {
        head.max_tokens = max_tokens.integer();
        if (!head.max_tokens || *head.max_tokens < 0) {
            return required("max_tokens", "must be an integer of at least 0");
        }
    }
    return head;
}

}  // namespace llm::anthropic
