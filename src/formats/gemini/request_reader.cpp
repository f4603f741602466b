// generateContent's request -> normalised call.
// Source: Gemini API reference, generateContent, GenerationConfig, Tool.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/body_reader.hpp"
#include "formats/gemini/content_reader.hpp"
#include "formats/gemini/gemini.hpp"
#include "formats/gemini/schema.hpp"
#include "formats/gemini/tables.hpp"
#include "llm/arena.hpp"

namespace llm::gemini {

namespace {

using fields::Path;
using json::Kind;
using json::Value;

class RequestReader : fields::BodyReader {
public:
    using BodyReader::BodyReader;

    Result<chat::Request> read() {
        if (!root_.is_object()) {
            return invalid_request("the request must be a JSON object");
        }
        if (auto outcome = read_contents(root_, request_, memory_);
            !outcome) {
            return std::move(outcome.error());
        }
        for (json::Member member : root_.members()) {
            if (!read_member(member)) {
                return std::move(error_);
            }
        }
        if (!read_response_format()) {
            return std::move(error_);
        }
        return std::move(request_);
    }

private:
    using Request = chat::Request;

    // Without a function: read before all others.
    using Row = fields::MemberRow<RequestReader>;
    static const Row root_rows[];
    static const Row config_rows[];

    // A number that is passed on as it is written.
    struct NumberRow {
        std::string_view name;
        Value chat::Request::*field;
    };
    static const NumberRow number_rows[];

    bool read_member(const json::Member &member);
    bool read_generation_config(Value value, const Path &path);
    bool read_config_member(const json::Member &member, const Path &path);

    bool read_tools(Value value, const Path &path);
    bool read_tool(Value value, const Path &path);
    bool read_declarations(Value value, const Path &path);
    bool read_declaration(Value value, const Path &path);
    bool read_tool_config(Value value, const Path &path);
    bool read_allowed(Value names, std::string_view mode, const Path &path);
    bool read_service_tier(Value value, const Path &path);

    bool read_media_type(Value value, const Path &path);
    bool read_schema(Value value, const Path &path);
    bool read_json_schema(Value value, const Path &path);
    bool read_modalities(Value value, const Path &path);
    bool read_thinking(Value value, const Path &path);
    bool read_response_format();

    Value made_schema(Value schema) {
        std::string text;
        json::Writer writer(text);
        write_json_schema(writer, schema);
        return arena_json(memory_, text);
    }

    std::string_view media_type_;       // of the answer
    Value media_type_value_;
    Value schema_;
    bool keeps_config_ = false;         // it says more than the call can
};

const RequestReader::Row RequestReader::root_rows[] = {
    {"contents", nullptr},
    {"systemInstruction", nullptr},
    // The path names it; some clients repeat it here.
    {"model", nullptr},
    {"generationConfig", &RequestReader::read_generation_config},
    {"tools", &RequestReader::read_tools},
    {"toolConfig", &RequestReader::read_tool_config},
    {"serviceTier", &RequestReader::read_service_tier},
};

const RequestReader::Row RequestReader::config_rows[] = {
    {"maxOutputTokens", &RequestReader::count<&Request::max_tokens, 1>},
    {"candidateCount", &RequestReader::count<&Request::n, 1>},
    {"stopSequences", &RequestReader::read_stops},
    {"responseLogprobs", &RequestReader::flag<&Request::logprobs>},
    {"logprobs", &RequestReader::count<&Request::top_logprobs, 0>},
    {"responseMimeType", &RequestReader::read_media_type},
    {"responseSchema", &RequestReader::read_schema},
    {"responseJsonSchema", &RequestReader::read_json_schema},
    // Its name while it was new.
    {"_responseJsonSchema", &RequestReader::read_json_schema},
    {"responseModalities", &RequestReader::read_modalities},
    {"thinkingConfig", &RequestReader::read_thinking},
};

const RequestReader::NumberRow RequestReader::number_rows[] = {
    {"temperature", &chat::Request::temperature},
    {"topP", &chat::Request::top_p},
    {"topK", &chat::Request::top_k},
    {"presencePenalty", &chat::Request::presence_penalty},
    {"frequencyPenalty", &chat::Request::frequency_penalty},
    {"seed", &chat::Request::seed},
};

bool RequestReader::read_member(const json::Member &member) {
    for (const Row &row : root_rows) {
        if (is_named(member.name, row.name)) {
            return !row.read || member.value.is_null()
                   || (this->*row.read)(member.value, Path(row.name));
        }
    }
    // A part of the prompt that only Google has.
    if (is_named(member.name, "cachedContent") && !member.value.is_null()) {
        request_.essential.push_back(member.name);
    }
    request_.extra.push_back(member);
    return true;
}

// Members that the call has no place for stay with the whole object, from
// which a writer of this format takes them.
bool RequestReader::read_generation_config(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }
    for (json::Member member : value.members()) {
        if (!read_config_member(member, path)) {
            return false;
        }
    }
    if (keeps_config_) {
        request_.extra.push_back({"generationConfig", value, {}});
    }
    return true;
}

bool RequestReader::read_config_member(const json::Member &member,
                                       const Path &path) {
    for (const NumberRow &row : number_rows) {
        if (is_named(member.name, row.name)) {
            if (member.value.is_null()) {
                return true;
            }
            request_.*row.field = member.value;
            return expect(member.value, Kind::number, Path(path, row.name));
        }
    }
    for (const Row &row : config_rows) {
        if (is_named(member.name, row.name)) {
            return member.value.is_null()
                   || (this->*row.read)(member.value, Path(path, row.name));
        }
    }
    keeps_config_ = true;
    return true;
}

bool RequestReader::read_media_type(Value value, const Path &path) {
    media_type_ = value.string();
    media_type_value_ = value;
    keeps_config_ |= media_type_ != "application/json"
                     && media_type_ != "text/plain";
    return expect(value, Kind::string, path);
}

bool RequestReader::read_schema(Value value, const Path &path) {
    schema_ = made_schema(value);
    keeps_config_ = true;
    return expect(value, Kind::object, path);
}

bool RequestReader::read_json_schema(Value value, const Path &path) {
    schema_ = value;
    return expect(value, Kind::object, path);
}

// What kind of answer it is to be, which two members say together.
bool RequestReader::read_response_format() {
    if (media_type_ == "application/json") {
        auto &format = request_.response_format.emplace();
        format.type = chat::ResponseFormat::Type::json_object;
        if (schema_) {
            format.type = chat::ResponseFormat::Type::json_schema;
            format.name = "structured_output";
            format.schema = schema_;
            // This API always holds the model to the schema; OpenAI's does
            // where the schema is one that its strict mode takes.
            format.strict = anthropic::is_strict_schema(schema_);
        }
    } else if (!media_type_.empty() && media_type_ != "text/plain") {
        // Nobody else has words for "text/x.enum".
        request_.essential.push_back("responseMimeType");
        request_.extra.push_back({"responseMimeType", media_type_value_, {}});
    }
    return true;
}

bool RequestReader::read_modalities(Value value, const Path &path) {
    if (!expect(value, Kind::array, path)) {
        return false;
    }
    std::string text;
    json::Writer writer(text);
    bool others = false;
    writer.begin_array();
    std::size_t index = 0;
    for (Value one : value.elements()) {
        std::string_view word = openai_modality(one.string());
        if (word.empty()) {
            return fail(Path(path, index),
                        "must be \"TEXT\", \"IMAGE\" or \"AUDIO\"");
        }
        others |= word != "text";
        writer.string(word);
        ++index;
    }
    writer.end_array();
    // That the answer is text need not be said.
    if (others) {
        request_.modalities = arena_json(memory_, text);
    }
    return true;
}

bool RequestReader::read_thinking(Value value, const Path &path) {
    using Mode = chat::Reasoning::Mode;

    if (!expect(value, Kind::object, path)) {
        return false;
    }
    chat::Reasoning &reasoning = request_.reasoning;
    reasoning.source = value;

    Value budget = field(value, "thinkingBudget");
    if (!budget.is_null()) {
        auto tokens = budget.integer();
        if (!tokens || *tokens < -1) {
            return fail(Path(path, "thinkingBudget"),
                        "must be an integer of at least -1");
        }
        reasoning.mode = *tokens == 0    ? Mode::disabled
                         : *tokens == -1 ? Mode::adaptive
                                         : Mode::budget;
        reasoning.budget_tokens = std::max<std::int64_t>(*tokens, 0);
    }
    Value level = field(value, "thinkingLevel");
    if (!level.is_null()) {
        reasoning.effort = effort_of_level(level.string());
        return !reasoning.effort.empty()
               || fail(Path(path, "thinkingLevel"),
                       "must be \"MINIMAL\", \"LOW\", \"MEDIUM\" or \"HIGH\"");
    }
    // Who wants to see thoughts wants some.
    if (budget.is_null() && field(value, "includeThoughts").boolean()) {
        reasoning.mode = Mode::adaptive;
    }
    return true;
}

bool RequestReader::read_service_tier(Value value, const Path &path) {
    request_.service_tier = openai_tier(value.string());
    return expect(value, Kind::string, path);
}

bool RequestReader::read_tools(Value value, const Path &path) {
    return each(value, path, [this](Value tool, const Path &where) {
        return expect(tool, Kind::object, where) && read_tool(tool, where);
    });
}

bool RequestReader::read_tool(Value value, const Path &path) {
    for (json::Member member : value.members()) {
        if (member.value.is_null()) {
            continue;
        }
        if (is_named(member.name, "functionDeclarations")) {
            if (!read_declarations(member.value,
                                   Path(path, "functionDeclarations"))) {
                return false;
            }
            continue;
        }
        // A tool that Google itself runs.
        chat::Tool &tool = request_.tools.emplace_back();
        tool.type = chat::Tool::Type::native;
        tool.name = member.name;
        tool.source = member.value;
    }
    return true;
}

bool RequestReader::read_declarations(Value value, const Path &path) {
    return each(value, path, [this](Value one, const Path &where) {
        return read_declaration(one, where);
    });
}

bool RequestReader::read_declaration(Value value, const Path &path) {
    chat::Tool tool;
    tool.source = value;
    if (!expect(value, Kind::object, path)
        || !required_text(value, path, "name", tool.name)
        || !optional_text(value, path, "description", tool.description)) {
        return false;
    }
    Value schema = field(value, "parametersJsonSchema");
    Value parameters = value["parameters"];
    if (!schema.is_null()) {
        tool.parameters = schema;
        if (!expect(schema, Kind::object,
                    Path(path, "parametersJsonSchema"))) {
            return false;
        }
    } else if (!parameters.is_null()) {
        if (!expect(parameters, Kind::object, Path(path, "parameters"))) {
            return false;
        }
        tool.parameters = made_schema(parameters);
    }
    request_.tools.push_back(tool);
    return true;
}

bool RequestReader::read_tool_config(Value value, const Path &path) {
    using Mode = chat::ToolChoice::Mode;
    constexpr struct {
        std::string_view word;
        Mode mode;
    } modes[] = {
        {"AUTO", Mode::automatic},
        {"NONE", Mode::none},
        {"ANY", Mode::required},
        {"VALIDATED", Mode::automatic},
        {"MODE_UNSPECIFIED", Mode::automatic},
        {"", Mode::automatic},
    };

    if (!expect(value, Kind::object, path)) {
        return false;
    }
    // It can say more than the call has members for.
    request_.extra.push_back({"toolConfig", value, {}});

    Value config = field(value, "functionCallingConfig");
    if (config.is_null()) {
        return true;
    }
    Path where(path, "functionCallingConfig");
    if (!expect(config, Kind::object, where)) {
        return false;
    }
    std::string_view mode = config["mode"].string();
    auto row = std::find_if(std::begin(modes), std::end(modes),
                            [&](const auto &row) { return row.word == mode; });
    if (row == std::end(modes)) {
        return fail(Path(where, "mode"),
                    "must be \"AUTO\", \"ANY\", \"NONE\" or \"VALIDATED\"");
    }

    auto &choice = request_.tool_choice.emplace();
    choice.mode = row->mode;
    Value names = field(config, "allowedFunctionNames");
    if (names.is_null() || names.size() == 0 || choice.mode == Mode::none) {
        return true;
    }
    return read_allowed(names,
                        choice.mode == Mode::required ? "required" : "auto",
                        Path(where, "allowedFunctionNames"));
}

// Of several, as OpenAI's object says it.
bool RequestReader::read_allowed(Value names, std::string_view mode,
                                 const Path &path) {
    if (!expect(names, Kind::array, path)) {
        return false;
    }
    std::string text;
    json::Writer writer(text);
    writer.begin_object().member("type", "allowed_tools")
        .key("allowed_tools").begin_object()
        .member("mode", mode)
        .key("tools").begin_array();
    std::size_t index = 0;
    for (Value name : names.elements()) {
        if (!expect(name, Kind::string, Path(path, index++))) {
            return false;
        }
        writer.begin_object().member("type", "function")
            .key("function").begin_object()
            .member("name", name.string())
            .end_object().end_object();
    }
    writer.end_array().end_object().end_object();

    chat::ToolChoice &choice = *request_.tool_choice;
    if (index == 1 && mode == "required") {
        choice.mode = chat::ToolChoice::Mode::named;
        choice.name = (*names.elements().begin()).string();
        return true;
    }
    choice.mode = chat::ToolChoice::Mode::allowed;
    choice.source = arena_json(memory_, text);
    return true;
}

}  // namespace

Result<chat::Request> parse_request(const json::Document &document,
                                    std::pmr::memory_resource *memory) {
    auto request = RequestReader(document.root(), memory).read();
    if (request) {
        request->origin = &gemini_format();
    }
    return request;
}

Result<RequestHead> parse_head(const json::Document &document,
                               const RouteMatch &route) {
    Value root = document.root();
    if (!root.is_object()) {
        return invalid_request("the request must be a JSON object");
    }
    auto fail = [](std::string_view name, std::string_view reason) {
        std::string param(name);
        return invalid_request(param + ' ' + std::string(reason), param);
    };

    RequestHead head;
    head.model = route.model;
    if (head.model.empty()) {
        return fail("model", "is missing: the path has none");
    }
    head.stream = route.stream;
    head.include_usage = route.stream;      // is part of every stream

    Value contents = root["contents"];
    if (!contents.is_array() || contents.size() == 0) {
        return fail("contents", contents.is_null()
                                    ? "is missing"
                                    : "must be an array that is not empty");
    }
    Value config = field(root, "generationConfig");
    head.choices = std::max<std::int64_t>(
        field(config, "candidateCount").integer().value_or(1), 1);
    Value most = field(config, "maxOutputTokens");
    if (!most.is_null()) {
        head.max_tokens = most.integer();
        if (!head.max_tokens || *head.max_tokens < 1) {
            return fail("generationConfig.maxOutputTokens",
                        "must be an integer of at least 1");
        }
    }
    return head;
}

}  // namespace llm::gemini
