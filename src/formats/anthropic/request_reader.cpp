// Anthropic Messages request -> normalised call.
// Source: Anthropic API reference, Create a Message; the request types of the
// official Python SDK.
#include <algorithm>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "llm/arena.hpp"

namespace llm::anthropic {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Role;

// Where in the body a value is; becomes text only when there is an error.
class Path {
public:
    Path() = default;
    Path(const Path &parent, std::string_view name)
        : parent_(&parent), name_(name) {}
    Path(const Path &parent, std::size_t index)
        : parent_(&parent), index_(index) {}

    std::string text() const {
        std::string out;
        append(out);
        return out;
    }

private:
    void append(std::string &out) const {
        if (!parent_) {
            return;
        }
        parent_->append(out);
        if (name_.empty()) {
            out.append("[" + std::to_string(index_) + "]");
            return;
        }
        if (!out.empty()) {
            out.push_back('.');
        }
        out.append(name_);
    }

    const Path *parent_ = nullptr;
    std::string_view name_;
    std::size_t index_ = 0;
};

// For a message to a person: short, whatever the client sent.
std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 64;
    std::string out;
    json::append_string(out, text.substr(0, longest));
    return out;
}

class RequestReader {
public:
    RequestReader(const json::Document &document,
                  std::pmr::memory_resource *memory)
        : root_(document.root()), memory_(memory), request_(memory) {}

    Result<chat::Request> read() {
        if (!read_body()) {
            return std::move(error_);
        }
        return std::move(request_);
    }

private:
    using MemberReader = bool (RequestReader::*)(json::Value, const Path &);
    using BlockReader = bool (RequestReader::*)(json::Value, const Path &,
                                                Message &);

    struct MemberRow {
        std::string_view name;
        MemberReader read;
    };

    // Where a content block may be.
    enum Place : unsigned {
        in_system = 1,
        in_user = 2,
        in_assistant = 4,
        in_result = 8,
    };

    struct BlockRow {
        std::string_view type;
        unsigned places;
        BlockReader read;
    };

    static const MemberRow member_rows[];
    static const BlockRow block_rows[];

    bool fail(const Path &path, std::string_view what) {
        std::string param = path.text();
        error_ = invalid_request(
            (param.empty() ? "the request" : param) + " " + std::string(what),
            param);
        return false;
    }

    // Readers of a member that must have one type. Optional ones may be null,
    // since some clients write what they leave out as null.

    bool required_string(json::Value object, std::string_view name,
                         const Path &parent, std::string_view &out) {
        json::Value value = object[name];
        if (!value.is_string()) {
            return fail(Path(parent, name), value ? "must be a string"
                                                  : "is required");
        }
        out = value.string();
        return true;
    }

    bool optional_string(json::Value object, std::string_view name,
                         const Path &parent, std::string_view &out) {
        return object[name].is_null()
               || required_string(object, name, parent, out);
    }

    bool optional_boolean(json::Value object, std::string_view name,
                          const Path &parent, std::optional<bool> &out) {
        json::Value value = object[name];
        if (value.is_null()) {
            return true;
        }
        if (!value.is_bool()) {
            return fail(Path(parent, name), "must be true or false");
        }
        out = value.boolean();
        return true;
    }

    bool optional_object(json::Value object, std::string_view name,
                         const Path &parent, json::Value &out) {
        json::Value value = object[name];
        if (value.is_null()) {
            return true;
        }
        if (!value.is_object()) {
            return fail(Path(parent, name), "must be an object");
        }
        out = value;
        return true;
    }

    bool number(json::Value value, const Path &path, double least, double most,
                json::Value &out) {
        if (value.is_null()) {
            return true;
        }
        auto real = value.number();
        if (!real) {
            return fail(path, "must be a number");
        }
        if (*real < least || *real > most) {
            return fail(path, "is out of range");
        }
        out = value;
        return true;
    }

    bool cache_control(json::Value block, const Path &path, json::Value &out) {
        return optional_object(block, "cache_control", path, out);
    }

    // The body

    bool read_body() {
        if (!root_.is_object()) {
            return fail(Path(), "must be a JSON object");
        }

        Path top;
        if (!required_string(root_, "model", top, request_.model)) {
            return false;
        }
        if (request_.model.empty()) {
            return fail(Path(top, "model"), "must not be empty");
        }
        if (!root_["max_tokens"]) {
            return fail(Path(top, "max_tokens"), "is required");
        }
        // The order of the members is the client's, that of the messages not.
        if (!read_system(root_["system"], Path(top, "system"))
            || !read_messages(root_["messages"], Path(top, "messages"))) {
            return false;
        }

        for (json::Member member : root_.members()) {
            auto row = std::find_if(
                member_rows, end_of_member_rows(),
                [&](const MemberRow &row) { return row.name == member.name; });
            if (row == end_of_member_rows()) {
                request_.extra.push_back(member);
                continue;
            }
            if (row->read
                && !(this->*row->read)(member.value, Path(top, row->name))) {
                return false;
            }
        }
        return true;
    }

    static const MemberRow *end_of_member_rows();
    static const BlockRow *end_of_block_rows();

    bool read_max_tokens(json::Value value, const Path &path) {
        auto tokens = value.integer();
        // 0 is legal: it fills the prompt cache.
        if (!tokens || *tokens < 0) {
            return fail(path, "must be an integer of at least 0");
        }
        request_.max_tokens = tokens;
        return true;
    }

    bool read_temperature(json::Value value, const Path &path) {
        return number(value, path, 0, 1, request_.temperature);
    }

    bool read_top_p(json::Value value, const Path &path) {
        return number(value, path, 0, 1, request_.top_p);
    }

    bool read_top_k(json::Value value, const Path &path) {
        if (value.is_null()) {
            return true;
        }
        if (value.integer().value_or(-1) < 0) {
            return fail(path, "must be an integer of at least 0");
        }
        request_.top_k = value;
        return true;
    }

    bool read_stop_sequences(json::Value value, const Path &path) {
        if (value.is_null()) {
            return true;
        }
        if (!value.is_array()) {
            return fail(path, "must be an array of strings");
        }
        std::size_t i = 0;
        for (json::Value one : value.elements()) {
            if (!one.is_string()) {
                return fail(Path(path, i), "must be a string");
            }
            request_.stop.push_back(one.string());
            ++i;
        }
        return true;
    }

    bool read_stream(json::Value value, const Path &path) {
        if (!value.is_null() && !value.is_bool()) {
            return fail(path, "must be true or false");
        }
        request_.stream = value.boolean();
        // Usage is a part of every stream of this API.
        request_.include_usage = request_.stream;
        return true;
    }

    bool read_metadata(json::Value value, const Path &path) {
        if (!value.is_null() && !value.is_object()) {
            return fail(path, "must be an object");
        }
        return optional_string(value, "user_id", path, request_.user);
    }

    bool read_service_tier(json::Value value, const Path &path) {
        if (!value.is_null() && !value.is_string()) {
            return fail(path, "must be a string");
        }
        request_.service_tier = openai_tier(value.string());
        return true;
    }

    // Thinking and output

    bool read_thinking(json::Value value, const Path &path) {
        if (value.is_null()) {
            return true;
        }
        if (!value.is_object()) {
            return fail(path, "must be an object");
        }
        std::string_view type;
        if (!required_string(value, "type", path, type)) {
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
        if (value.is_null()) {
            return true;
        }
        if (!value.is_object()) {
            return fail(path, "must be an object");
        }
        if (!optional_string(value, "effort", path,
                             request_.reasoning.effort)
            || !read_output_format(value["format"], Path(path, "format"))) {
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
        if (value.is_null()) {
            return true;
        }
        if (!value.is_object()) {
            return fail(path, "must be an object");
        }
        std::string_view type;
        if (!required_string(value, "type", path, type)) {
            return false;
        }
        if (type != "json_schema") {
            return fail(Path(path, "type"),
                        "has an unknown value " + quoted(type));
        }
        if (!value["schema"].is_object()) {
            return fail(Path(path, "schema"), "must be an object");
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
        if (value.is_null()) {
            return true;
        }
        if (!value.is_array()) {
            return fail(path, "must be an array");
        }
        std::size_t i = 0;
        for (json::Value tool : value.elements()) {
            if (!read_tool(tool, Path(path, i++))) {
                return false;
            }
        }
        return true;
    }

    bool read_tool(json::Value value, const Path &path) {
        if (!value.is_object()) {
            return fail(path, "must be an object");
        }
        std::string_view type = "custom";
        chat::Tool tool;
        tool.source = value;
        if (!optional_string(value, "type", path, type)
            || !cache_control(value, path, tool.cache_control)) {
            return false;
        }

        if (type != "custom") {
            // A tool that Anthropic itself defines, web_search_20250305 say.
            tool.type = chat::Tool::Type::native;
            if (!optional_string(value, "name", path, tool.name)) {
                return false;
            }
            request_.tools.push_back(tool);
            return true;
        }

        if (!required_string(value, "name", path, tool.name)
            || !optional_string(value, "description", path, tool.description)
            || !optional_boolean(value, "strict", path, tool.strict)) {
            return false;
        }
        if (!value["input_schema"].is_object()) {
            return fail(Path(path, "input_schema"),
                        value["input_schema"] ? "must be an object"
                                              : "is required");
        }
        tool.parameters = value["input_schema"];
        request_.tools.push_back(tool);
        return true;
    }

    bool read_tool_choice(json::Value value, const Path &path) {
        if (value.is_null()) {
            return true;
        }
        if (!value.is_object()) {
            return fail(path, "must be an object");
        }

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
        if (!required_string(value, "type", path, type)) {
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
            && !required_string(value, "name", path, choice.name)) {
            return false;
        }
        request_.tool_choice = choice;

        std::optional<bool> disabled;
        if (!optional_boolean(value, "disable_parallel_tool_use", path,
                              disabled)) {
            return false;
        }
        if (disabled) {
            request_.parallel_tool_calls = !*disabled;
        }
        return true;
    }

    // Messages

    bool read_system(json::Value value, const Path &path) {
        if (value.is_null()) {
            return true;
        }
        Message message(memory_);
        message.role = Role::system;
        if (!read_content(value, path, in_system, message)) {
            return false;
        }
        push_unless_empty(message);
        return true;
    }

    bool read_messages(json::Value value, const Path &path) {
        if (!value.is_array()) {
            return fail(path, value ? "must be an array" : "is required");
        }
        if (value.size() == 0) {
            return fail(path, "must not be empty");
        }
        request_.messages.reserve(value.size() + 1);
        std::size_t i = 0;
        for (json::Value message : value.elements()) {
            if (!read_message(message, Path(path, i++))) {
                return false;
            }
        }
        return true;
    }

    bool read_message(json::Value value, const Path &path) {
        static constexpr struct {
            std::string_view word;
            Role role;
            Place place;
        } roles[] = {
            {"user", Role::user, in_user},
            {"assistant", Role::assistant, in_assistant},
            {"system", Role::system, in_system},
        };

        if (!value.is_object()) {
            return fail(path, "must be an object");
        }
        std::string_view word;
        if (!required_string(value, "role", path, word)) {
            return false;
        }
        auto row = std::find_if(std::begin(roles), std::end(roles),
                                [&](auto &row) { return row.word == word; });
        if (row == std::end(roles)) {
            return fail(Path(path, "role"),
                        "has an unknown value " + quoted(word));
        }

        std::size_t before = request_.messages.size();
        Message message(memory_);
        message.role = row->role;
        message.source = value;
        json::Value content = value["content"];
        if (!content) {
            return fail(Path(path, "content"), "is required");
        }
        if (!read_content(content, Path(path, "content"), row->place,
                          message)) {
            return false;
        }
        // A message of tool results only has become others.
        if (!message.parts.empty() || request_.messages.size() == before) {
            request_.messages.push_back(std::move(message));
        }
        return true;
    }

    void push_unless_empty(Message &message) {
        if (!message.parts.empty()) {
            request_.messages.push_back(std::move(message));
        }
    }

    // A string, or an array of blocks.
    bool read_content(json::Value content, const Path &path, Place place,
                      Message &message) {
        if (content.is_string()) {
            Part part;
            part.text = content.string();
            message.parts.push_back(part);
            return true;
        }
        if (!content.is_array()) {
            return fail(path, "must be a string or an array");
        }
        message.parts.reserve(content.size());
        std::size_t i = 0;
        for (json::Value block : content.elements()) {
            if (!read_block(block, Path(path, i++), place, message)) {
                return false;
            }
        }
        return true;
    }

    bool read_block(json::Value block, const Path &path, Place place,
                    Message &message) {
        if (!block.is_object()) {
            return fail(path, "must be an object");
        }
        std::string_view type;
        if (!required_string(block, "type", path, type)) {
            return false;
        }

        auto row = std::find_if(
            block_rows, end_of_block_rows(),
            [&](const BlockRow &row) { return row.type == type; });
        if (row == end_of_block_rows()) {
            // Results of tools that Anthropic runs, one type for each tool.
            if (place == in_assistant && type.ends_with("_tool_result")) {
                return read_native(block, path, message);
            }
            return fail(Path(path, "type"),
                        "has an unknown value " + quoted(type));
        }
        if ((row->places & place) == 0) {
            return fail(Path(path, "type"), "cannot be " + quoted(type)
                                                + " in this place");
        }
        return (this->*row->read)(block, path, message);
    }

    // Content blocks

    static Part made_of(json::Value block, PartType type) {
        Part part;
        part.type = type;
        part.source = block;
        return part;
    }

    bool read_text(json::Value block, const Path &path, Message &message) {
        Part part = made_of(block, PartType::text);
        if (!required_string(block, "text", path, part.text)
            || !cache_control(block, path, part.cache_control)) {
            return false;
        }
        message.parts.push_back(part);
        return true;
    }

    bool read_image(json::Value block, const Path &path, Message &message) {
        Part part = made_of(block, PartType::image);
        if (!cache_control(block, path, part.cache_control)
            || !read_source(block["source"], Path(path, "source"), part)) {
            return false;
        }
        message.parts.push_back(part);
        return true;
    }

    // A source that images and documents have in common.
    bool read_source(json::Value source, const Path &path, Part &part) {
        std::string_view type;
        if (!source.is_object()) {
            return fail(path, source ? "must be an object" : "is required");
        }
        if (!required_string(source, "type", path, type)) {
            return false;
        }
        if (type == "base64") {
            return required_string(source, "media_type", path,
                                   part.media_type)
                   && required_string(source, "data", path, part.data);
        }
        if (type == "url") {
            return required_string(source, "url", path, part.url);
        }
        if (type == "file") {
            return required_string(source, "file_id", path, part.file_id);
        }
        return fail(Path(path, "type"), "has an unknown value " + quoted(type));
    }

    bool read_document(json::Value block, const Path &path,
                       Message &message) {
        Path at(path, "source");
        json::Value source = block["source"];
        Part part = made_of(block, PartType::file);
        if (!cache_control(block, path, part.cache_control)
            || !optional_string(block, "title", path, part.filename)) {
            return false;
        }

        std::string_view text;
        if (source["type"].string() == "text") {
            if (!required_string(source, "data", at, text)) {
                return false;
            }
        } else if (source["type"].string() == "content") {
            return read_content_document(block, at, part, message);
        } else {
            if (!read_source(source, at, part)) {
                return false;
            }
            message.parts.push_back(part);
            return true;
        }

        part.type = PartType::text;
        part.text = titled(part.filename, {}, text);
        part.filename = {};
        message.parts.push_back(part);
        return true;
    }

    // A document in the form of blocks: one text, or, with images in it,
    // something that only this format can say.
    bool read_content_document(json::Value block, const Path &path, Part part,
                               Message &message) {
        Message inner(memory_);
        if (!read_content(block["source"]["content"], Path(path, "content"),
                          in_result, inner)) {
            return false;
        }
        bool all_text = std::all_of(
            inner.parts.begin(), inner.parts.end(),
            [](const Part &part) { return part.type == PartType::text; });
        if (!all_text) {
            part.type = PartType::native;
            message.parts.push_back(part);
            return true;
        }

        part.type = PartType::text;
        part.text = titled(part.filename, {}, joined(inner));
        part.filename = {};
        message.parts.push_back(part);
        return true;
    }

    bool read_search_result(json::Value block, const Path &path,
                            Message &message) {
        Part part = made_of(block, PartType::text);
        std::string_view title;
        std::string_view source;
        if (!cache_control(block, path, part.cache_control)
            || !required_string(block, "title", path, title)
            || !required_string(block, "source", path, source)) {
            return false;
        }
        Message inner(memory_);
        if (!read_content(block["content"], Path(path, "content"), in_system,
                          inner)) {
            return false;
        }
        part.text = titled(title, source, joined(inner));
        message.parts.push_back(part);
        return true;
    }

    std::string_view titled(std::string_view title, std::string_view source,
                            std::string_view text) {
        if (title.empty() && source.empty()) {
            return text;
        }
        std::string_view line = source.empty() || title.empty() ? "" : "\n";
        return arena_concat(memory_, {title, line, source, "\n\n", text});
    }

    std::string_view joined(const Message &message) {
        if (message.parts.size() == 1) {
            return message.parts.front().text;
        }
        std::string text;
        for (const Part &part : message.parts) {
            if (!text.empty()) {
                text.push_back('\n');
            }
            text.append(part.text);
        }
        return arena_copy(memory_, text);
    }

    bool read_thinking_block(json::Value block, const Path &path,
                             Message &message) {
        Part part = made_of(block, PartType::reasoning);
        if (!required_string(block, "thinking", path, part.text)
            || !optional_string(block, "signature", path, part.signature)) {
            return false;
        }
        message.parts.push_back(part);
        return true;
    }

    bool read_redacted_thinking(json::Value block, const Path &path,
                                Message &message) {
        Part part = made_of(block, PartType::redacted_reasoning);
        if (!required_string(block, "data", path, part.data)) {
            return false;
        }
        message.parts.push_back(part);
        return true;
    }

    bool read_tool_use(json::Value block, const Path &path,
                       Message &message) {
        Part part = made_of(block, PartType::tool_call);
        if (!cache_control(block, path, part.cache_control)
            || !required_string(block, "id", path, part.id)
            || !required_string(block, "name", path, part.name)) {
            return false;
        }
        json::Value input = block["input"];
        if (!input.is_object()) {
            return fail(Path(path, "input"),
                        input ? "must be an object" : "is required");
        }
        part.arguments = input.raw();
        message.parts.push_back(part);
        return true;
    }

    // Becomes a message of its own, before the rest of the user's.
    bool read_tool_result(json::Value block, const Path &path, Message &) {
        Message result(memory_);
        result.role = Role::tool;
        result.source = block;
        std::optional<bool> is_error;
        if (!required_string(block, "tool_use_id", path, result.tool_call_id)
            || !optional_boolean(block, "is_error", path, is_error)) {
            return false;
        }
        result.tool_error = is_error.value_or(false);
        json::Value content = block["content"];
        if (!content.is_null()
            && !read_content(content, Path(path, "content"), in_result,
                             result)) {
            return false;
        }
        request_.messages.push_back(std::move(result));
        return true;
    }

    // The operator's words in the middle of a user's message: what stood
    // before them becomes a message, what follows another.
    bool read_system_block(json::Value block, const Path &path,
                           Message &message) {
        Message system(memory_);
        system.role = Role::system;
        system.source = block;
        if (!read_content(block["content"], Path(path, "content"), in_system,
                          system)) {
            return false;
        }
        json::Value source = message.source;
        push_unless_empty(message);
        push_unless_empty(system);
        message = Message(memory_);
        message.source = source;
        return true;
    }

    bool read_native(json::Value block, const Path &, Message &message) {
        message.parts.push_back(made_of(block, PartType::native));
        return true;
    }

    json::Value root_;
    std::pmr::memory_resource *memory_;
    chat::Request request_;
    Error error_;
};

const RequestReader::MemberRow RequestReader::member_rows[] = {
    // Read before all others.
    {"model", nullptr},
    {"messages", nullptr},
    {"system", nullptr},
    {"max_tokens", &RequestReader::read_max_tokens},
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

const RequestReader::BlockRow RequestReader::block_rows[] = {
    {"text", in_system | in_user | in_assistant | in_result,
     &RequestReader::read_text},
    {"image", in_user | in_result, &RequestReader::read_image},
    {"document", in_user | in_result, &RequestReader::read_document},
    {"search_result", in_user | in_result, &RequestReader::read_search_result},
    {"tool_result", in_user, &RequestReader::read_tool_result},
    {"mid_conv_system", in_user, &RequestReader::read_system_block},
    {"tool_use", in_assistant, &RequestReader::read_tool_use},
    {"thinking", in_assistant, &RequestReader::read_thinking_block},
    {"redacted_thinking", in_assistant,
     &RequestReader::read_redacted_thinking},
    {"server_tool_use", in_assistant, &RequestReader::read_native},
    {"mcp_tool_use", in_assistant, &RequestReader::read_native},
    {"container_upload", in_user | in_assistant, &RequestReader::read_native},
    {"compaction", in_user | in_assistant, &RequestReader::read_native},
    {"tool_reference", in_result, &RequestReader::read_native},
};

const RequestReader::MemberRow *RequestReader::end_of_member_rows() {
    return std::end(member_rows);
}

const RequestReader::BlockRow *RequestReader::end_of_block_rows() {
    return std::end(block_rows);
}

}  // namespace

Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory) {
    return RequestReader(document, memory).read();
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
