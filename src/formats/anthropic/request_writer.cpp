// Normalised call -> Anthropic Messages request.
// Source: Anthropic API reference, Create a Message; its docs on tool use,
// extended thinking and structured outputs.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"
#include "text/base64.hpp"
#include "text/hash.hpp"

namespace llm::anthropic {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using chat::ToolChoice;

constexpr std::string_view white_space = " \t\r\n\f\v";

// The API refuses a text that is empty or white space only.
bool is_blank(std::string_view text) {
    return text.find_first_not_of(white_space) == std::string_view::npos;
}

// What is written where the API demands a user's message and there is none.
constexpr std::string_view filler = ".";

constexpr std::string_view json_instruction =
    "Answer with one JSON object and nothing else: no explanation, no code "
    "fence.";

constexpr std::string_view answer_tool_description =
    "Gives the answer. Call it once, with the whole answer as its input.";

// What OpenAI can ask for and this API has no way to say, where leaving it out
// would make the answer another one. Mere hints (seed, logit_bias, penalties,
// verbosity and the like) are left out without a word.
struct Unsupported {
    std::string_view param;
    bool (*asked)(const Request &);
};

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
};

struct MediaType {
    std::string_view name;
    std::string_view written;
};

constexpr MediaType image_types[] = {
    {"image/jpeg", "image/jpeg"}, {"image/jpg", "image/jpeg"},
    {"image/png", "image/png"},   {"image/gif", "image/gif"},
    {"image/webp", "image/webp"},
};

// The type of the block that a part of a request is by nature: what comes as
// another (a document that is text, say) is written as it came, where it came
// from a client of this API.
std::string_view natural_type(PartType type) {
    switch (type) {
    case PartType::text:
        return "text";
    case PartType::image:
        return "image";
    case PartType::file:
        return "document";
    case PartType::reasoning:
        return "thinking";
    case PartType::redacted_reasoning:
        return "redacted_thinking";
    case PartType::tool_call:
        return "tool_use";
    case PartType::audio:
    case PartType::refusal:
    case PartType::native:
        break;
    }
    return {};
}

// Sorted where they are searched: a body can hold very many.
using Names = std::vector<std::string_view>;

// One message towards the API: same-role neighbours are one.
struct Turn {
    bool assistant;
    std::vector<std::size_t> messages;
};

// What is known of a call before its members are written.
struct Plan {
    std::vector<std::size_t> tools;     // of the request, to be sent
    bool answer_tool = false;           // and the one that takes the answer
    bool json_instruction = false;
    bool output_format = false;

    std::string_view choice;            // type of tool_choice; empty: none
    std::string_view choice_name;

    std::string_view thinking;          // its type; empty: not said
    bool thinking_as_came = false;
    std::int64_t budget = 0;
    std::string_view effort;            // output_config.effort
    std::int64_t max_tokens = 0;
};

class RequestWriter {
public:
    RequestWriter(const Request &request, const WriteOptions &options,
                  std::string &out)
        : request_(request), options_(options), out_(out), writer_(out),
          traits_(model_traits(options.model)),
          ours_(request.origin == &anthropic_format()),
          output_config_(options.quirks.output_config || ours_) {}

    Result<void> write() {
        std::size_t start = out_.size();
        if (!check() || !plan() || !write_body()) {
            out_.resize(start);
            return std::move(error_);
        }
        return {};
    }

private:
    bool fail(Error error) {
        error_ = std::move(error);
        return false;
    }

    // Fails, unless the operator wants such things to be left out.
    bool refuse(const std::string &param, std::string_view what) {
        if (options_.drop_unsupported) {
            return true;
        }
        return fail(unsupported(param + " " + std::string(what), param));
    }

    bool check() {
        for (const Unsupported &row : unsupported_rows) {
            if (row.asked(request_)
                && !refuse(std::string(row.param),
                           "is not supported by this model's provider")) {
                return false;
            }
        }
        return true;
    }

    // Planning

    bool plan() {
        if (!plan_tools()) {
            return false;
        }
        plan_answer();
        plan_thinking();
        plan_max_tokens();
        plan_turns();
        return ours_ || check_results();
    }

    bool plan_tools() {
        bool all = !request_.tool_choice
                   || request_.tool_choice->mode != ToolChoice::Mode::allowed;
        Names names = all ? Names() : allowed_names();
        for (std::size_t i = 0; i < request_.tools.size(); ++i) {
            const chat::Tool &tool = request_.tools[i];
            if (!all
                && !std::binary_search(names.begin(), names.end(),
                                       tool.name)) {
                continue;
            }
            std::string param = "tools[" + std::to_string(i) + "]";
            if (tool.type == chat::Tool::Type::native && !ours_) {
                if (!refuse(param + ".type", "is not supported by this "
                                             "model's provider")) {
                    return false;
                }
                continue;
            }
            if (tool.type == chat::Tool::Type::custom
                && tool.source["custom"]["format"]["type"].string()
                       == "grammar"
                && !refuse(param + ".custom.format",
                           "must be text for this model's provider")) {
                return false;
            }
            plan_.tools.push_back(i);
        }

        if (plan_.tools.empty()) {
            return true;
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
                allowed()["mode"].string() == "required" ? "any" : "auto";
            break;
        case ToolChoice::Mode::automatic:
            // Only said where there is something to say.
            if (request_.tool_choice || request_.parallel_tool_calls) {
                plan_.choice = "auto";
            }
            break;
        }
        return true;
    }

    json::Value allowed() const {
        json::Value source = request_.tool_choice->source;
        json::Value inner = source["allowed_tools"];
        return inner ? inner : source;
    }

    Names allowed_names() const {
        Names names;
        for (json::Value one : allowed()["tools"].elements()) {
            names.push_back(one[one["type"].string()]["name"].string());
        }
        std::sort(names.begin(), names.end());
        return names;
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
        if (output_config_ && traits_.schema) {
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
        if (traits_.thinking == Thinking::none) {
            return;
        }

        Mode mode = reasoning.mode;
        if (reasoning.effort == "none") {
            mode = Mode::disabled;
        } else if (mode == Mode::unset && !reasoning.effort.empty()
                   && !ours_) {
            // OpenAI's effort is the whole of what can be said there.
            mode = Mode::adaptive;
        }

        bool adaptive = traits_.thinking == Thinking::adaptive
                        || (traits_.thinking == Thinking::both
                            && output_config_);
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
            plan_.thinking = traits_.thinking == Thinking::adaptive
                                 ? "adaptive"
                                 : "enabled";
            plan_.budget =
                std::max(reasoning.budget_tokens, min_thinking_budget);
            break;
        }

        // A model that is made to call a tool cannot think before it.
        bool forced = plan_.choice == "any" || plan_.choice == "tool";
        if (forced && (plan_.answer_tool || !ours_)) {
            bool by_default = traits_.thinking == Thinking::adaptive;
            plan_.thinking = by_default ? "disabled" : "";
        }
        plan_.thinking_as_came = ours_ && reasoning.source.is_object()
                                 && reasoning.source["type"].string()
                                        == plan_.thinking;

        if (output_config_ && traits_.effort != Effort::none) {
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
        if (word == "max" && traits_.effort < Effort::max) {
            return "high";
        }
        if (word == "xhigh" && traits_.effort < Effort::xhigh) {
            return traits_.effort == Effort::max ? "max" : "high";
        }
        return word;
    }

    void plan_max_tokens() {
        bool budget = plan_.thinking == "enabled";
        std::int64_t most = request_.max_tokens.value_or(
            options_.default_max_tokens + (budget ? plan_.budget : 0));
        if (traits_.max_tokens != 0) {
            most = std::min(most, traits_.max_tokens);
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
        return !ours_ || !message.source;
    }

    static bool is_assistant(const Message &message) {
        return message.role == Role::assistant;
    }

    bool is_written(const Part &part) const {
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
            return ours_ && part.source.is_object();
        case PartType::audio:
        case PartType::image:
        case PartType::file:
        case PartType::tool_call:
            break;
        }
        return true;
    }

    bool is_written(const Message &message) const {
        return message.role == Role::tool
               || std::any_of(
                   message.parts.begin(), message.parts.end(),
                   [this](const Part &part) { return is_written(part); });
    }

    void plan_turns() {
        for (std::size_t i = 0; i < request_.messages.size(); ++i) {
            const Message &message = request_.messages[i];
            if (is_hoisted(message) || !is_written(message)) {
                continue;
            }
            bool assistant = is_assistant(message);
            if (turns_.empty() || turns_.back().assistant != assistant
                || is_system_turn(turns_.back()) || is_system(message)) {
                turns_.push_back({assistant, {}});
            }
            turns_.back().messages.push_back(i);
        }

        // Results come before anything else in the user's message.
        for (Turn &turn : turns_) {
            std::stable_partition(
                turn.messages.begin(), turn.messages.end(),
                [this](std::size_t i) {
                    return request_.messages[i].role == Role::tool;
                });
        }
    }

    static bool is_system(const Message &message) {
        return message.role == Role::system
               || message.role == Role::developer;
    }

    bool is_system_turn(const Turn &turn) const {
        return is_system(request_.messages[turn.messages.front()]);
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
    bool check_results() {
        for (std::size_t t = 0; t < turns_.size(); ++t) {
            if (turns_[t].assistant) {
                continue;
            }
            Names calls;
            if (t != 0 && turns_[t - 1].assistant) {
                calls = calls_of(turns_[t - 1]);
                std::sort(calls.begin(), calls.end());
            }
            for (std::size_t i : turns_[t].messages) {
                const Message &message = request_.messages[i];
                if (message.role != Role::tool) {
                    break;
                }
                if (!std::binary_search(calls.begin(), calls.end(),
                                        message.tool_call_id)) {
                    std::string param =
                        "messages[" + std::to_string(i) + "].tool_call_id";
                    return fail(invalid_request(
                        param + " answers no tool call of the assistant "
                                "message before it",
                        param));
                }
            }
        }
        return true;
    }

    // Writing

    bool write_body() {
        writer_.begin_object()
            .member("model", options_.model)
            .member("max_tokens", plan_.max_tokens);
        if (request_.stream) {
            writer_.member("stream", true);
        }
        write_system();
        if (!write_messages()) {
            return false;
        }
        write_tools();
        write_tool_choice();
        write_sampling();
        write_stop();
        write_thinking();
        write_output_config();
        write_identity();
        if (ours_) {
            write_extra();
        }
        writer_.end_object();
        return true;
    }

    void write_system() {
        bool open = false;
        auto begin = [&] {
            if (!open) {
                writer_.key("system").begin_array();
                open = true;
            }
        };

        for (const Message &message : request_.messages) {
            if (!is_hoisted(message)) {
                continue;
            }
            for (const Part &part : message.parts) {
                if (!is_blank(part.text)) {
                    begin();
                    write_text(part);
                }
            }
        }
        if (plan_.json_instruction) {
            begin();
            write_text_block(json_instruction);
        }
        if (open) {
            writer_.end_array();
        }
    }

    bool write_messages() {
        writer_.key("messages").begin_array();
        // The conversation starts with the user.
        if (turns_.empty() || turns_.front().assistant) {
            writer_.begin_object().member("role", "user");
            writer_.key("content").begin_array();
            write_text_block(filler);
            writer_.end_array().end_object();
        }
        for (std::size_t t = 0; t < turns_.size(); ++t) {
            if (!write_turn(t)) {
                return false;
            }
        }
        writer_.end_array();
        return true;
    }

    bool write_turn(std::size_t t) {
        const Turn &turn = turns_[t];
        last_turn_ = t + 1 == turns_.size();
        if (is_system_turn(turn)) {
            write_system_turn(request_.messages[turn.messages.front()]);
            return true;
        }

        writer_.begin_object().member("role",
                                      turn.assistant ? "assistant" : "user");
        writer_.key("content").begin_array();
        std::size_t before = out_.size();
        if (!turn.assistant && t != 0 && turns_[t - 1].assistant) {
            write_missing_results(turns_[t - 1], turn);
        }
        for (std::size_t i : turn.messages) {
            const Message &message = request_.messages[i];
            bool written = message.role == Role::tool
                               ? write_result(message, i)
                               : write_parts(message, i);
            if (!written) {
                return false;
            }
        }
        // All of it may have been left out as unsupported.
        if (out_.size() == before) {
            write_text_block(filler);
        }
        writer_.end_array().end_object();
        return true;
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
            if (is_written(part)) {
                write_text(part);
            }
        }
        if (block) {
            writer_.end_array().end_object();
        }
        writer_.end_array().end_object();
    }

    // The API demands a result for each call; a client that broke off has
    // none, and the model is told so.
    void write_missing_results(const Turn &calls, const Turn &results) {
        Names answered = results_of(results);
        std::sort(answered.begin(), answered.end());
        for (std::string_view id : calls_of(calls)) {
            if (std::binary_search(answered.begin(), answered.end(), id)) {
                continue;
            }
            writer_.begin_object().member("type", "tool_result");
            writer_.key("tool_use_id");
            write_id(id);
            writer_.member("content", "no result")
                .member("is_error", true)
                .end_object();
        }
    }

    bool write_result(const Message &message, std::size_t i) {
        writer_.begin_object().member("type", "tool_result");
        writer_.key("tool_use_id");
        write_id(message.tool_call_id);

        bool any = std::any_of(
            message.parts.begin(), message.parts.end(),
            [this](const Part &part) { return is_written(part); });
        if (any) {
            writer_.key("content").begin_array();
            if (!write_parts(message, i)) {
                return false;
            }
            writer_.end_array();
        }
        if (message.tool_error) {
            writer_.member("is_error", true);
        }
        write_unknown(message.source, {"type", "tool_use_id", "content",
                                       "is_error"});
        writer_.end_object();
        return true;
    }

    bool write_parts(const Message &message, std::size_t i) {
        for (std::size_t j = 0; j < message.parts.size(); ++j) {
            const Part &part = message.parts[j];
            if (!is_written(part)) {
                continue;
            }
            std::string_view came_as = part.source["type"].string();
            if (ours_ && part.source && came_as != natural_type(part.type)) {
                writer_.raw(part.source.raw());
                continue;
            }
            if (!write_part(message, part, i, j)) {
                return false;
            }
        }
        return true;
    }

    bool write_part(const Message &message, const Part &part, std::size_t i,
                    std::size_t j) {
        auto param = [&] {
            return "messages[" + std::to_string(i) + "].content["
                   + std::to_string(j) + "]";
        };

        switch (part.type) {
        case PartType::text:
        case PartType::refusal:
            // The API refuses white space at the end of what the model is to
            // go on from.
            if (last_turn_ && is_assistant(message)
                && &part == &message.parts.back()) {
                Part trimmed = part;
                trimmed.text = part.text.substr(
                    0, part.text.find_last_not_of(white_space) + 1);
                write_text(trimmed);
            } else {
                write_text(part);
            }
            return true;
        case PartType::image:
            return write_image(part, param());
        case PartType::file:
            return write_document(part, param());
        case PartType::audio:
            return refuse(param(), "is audio, which is not supported by this "
                                   "model's provider");
        case PartType::reasoning:
            writer_.begin_object()
                .member("type", "thinking")
                .member("thinking", part.text)
                .member("signature", part.signature);
            write_unknown(part.source, {"type", "thinking", "signature"});
            writer_.end_object();
            return true;
        case PartType::redacted_reasoning:
            writer_.begin_object()
                .member("type", "redacted_thinking")
                .member("data", part.data)
                .end_object();
            return true;
        case PartType::tool_call:
            write_tool_use(part);
            return true;
        case PartType::native:
            break;
        }
        return true;
    }

    void write_text_block(std::string_view text) {
        writer_.begin_object()
            .member("type", "text")
            .member("text", text)
            .end_object();
    }

    void write_text(const Part &part) {
        writer_.begin_object()
            .member("type", "text")
            .member("text", part.text);
        write_cache_control(part.cache_control);
        write_unknown(part.source, {"type", "text", "cache_control"});
        writer_.end_object();
    }

    bool write_image(const Part &part, const std::string &param) {
        std::string_view media_type;
        if (part.url.empty() && part.file_id.empty()) {
            for (const MediaType &type : image_types) {
                if (type.name == part.media_type) {
                    media_type = type.written;
                }
            }
            if (media_type.empty()) {
                return refuse(param, "must be a JPEG, PNG, GIF or WebP image "
                                     "for this model's provider");
            }
        }

        writer_.begin_object().member("type", "image");
        write_source(part, media_type);
        write_cache_control(part.cache_control);
        write_unknown(part.source, {"type", "source", "cache_control"});
        writer_.end_object();
        return true;
    }

    void write_source(const Part &part, std::string_view media_type) {
        writer_.key("source").begin_object();
        if (!part.url.empty()) {
            writer_.member("type", "url").member("url", part.url);
        } else if (!part.file_id.empty()) {
            writer_.member("type", "file").member("file_id", part.file_id);
        } else {
            writer_.member("type", "base64")
                .member("media_type", media_type)
                .member("data", part.data);
        }
        writer_.end_object();
    }

    bool write_document(const Part &part, const std::string &param) {
        // An id of another provider's store means nothing here.
        if (!part.file_id.empty() && !ours_) {
            return refuse(param, "is a file id of another provider");
        }

        bool inlined = part.url.empty() && part.file_id.empty();
        std::optional<std::string> text;
        if (inlined && part.media_type.starts_with("text/")) {
            text = base64::decode(part.data);
            if (!text) {
                return fail(invalid_request(param + " is not base64", param));
            }
        } else if (inlined && part.media_type != "application/pdf") {
            return refuse(param, "must be a PDF or a text for this model's "
                                 "provider");
        }

        writer_.begin_object().member("type", "document");
        if (text) {
            writer_.key("source")
                .begin_object()
                .member("type", "text")
                .member("media_type", "text/plain")
                .member("data", *text)
                .end_object();
        } else {
            write_source(part, part.media_type);
        }
        if (!part.filename.empty()) {
            writer_.member("title", part.filename);
        }
        write_cache_control(part.cache_control);
        write_unknown(part.source,
                      {"type", "source", "title", "cache_control"});
        writer_.end_object();
        return true;
    }

    void write_tool_use(const Part &part) {
        writer_.begin_object().member("type", "tool_use");
        writer_.key("id");
        write_id(part.id);
        writer_.key("name");
        write_tool_name(part.name, part.custom);
        writer_.key("input");
        write_input(part);
        write_cache_control(part.cache_control);
        write_unknown(part.source,
                      {"type", "id", "name", "input", "cache_control"});
        writer_.end_object();
    }

    void write_input(const Part &part) {
        if (part.custom) {
            writer_.begin_object()
                .member(custom_input, part.arguments)
                .end_object();
            return;
        }
        if (is_blank(part.arguments)) {
            writer_.raw("{}");
            return;
        }

        // What the model wrote may not be JSON, or no object: kept all the
        // same, since the result that follows answers it.
        json::ParseLimits limits;
        limits.duplicates = true;
        if (!document_.parse(part.arguments, limits)) {
            writer_.begin_object()
                .member(custom_input, part.arguments)
                .end_object();
            return;
        }
        json::Value value = document_.root();
        if (value.is_object()) {
            writer_.raw(value.raw());
        } else {
            writer_.begin_object().member(custom_input, value).end_object();
        }
    }

    // Ids are ^[a-zA-Z0-9_-]+$. Others (of another provider, earlier in the
    // conversation) are mapped: by their text alone, so that a call and its
    // result agree, in every request of the conversation.
    void write_id(std::string_view id) {
        auto is_legal = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                   || (c >= '0' && c <= '9') || c == '_' || c == '-';
        };
        if (!id.empty() && std::all_of(id.begin(), id.end(), is_legal)) {
            writer_.string(id);
            return;
        }

        std::string mapped = "id_";
        for (char c : id) {
            mapped.push_back(is_legal(c) ? c : '_');
        }
        mapped.push_back('_');
        append_hex(mapped, fnv1a(id));
        writer_.string(mapped);
    }

    void write_tool_name(std::string_view name, bool custom) {
        if (!custom) {
            writer_.string(name);
            return;
        }
        std::string prefixed(custom_prefix);
        writer_.string(prefixed.append(name));
    }

    void write_cache_control(json::Value cache_control) {
        if (cache_control.is_object()) {
            writer_.member("cache_control", cache_control);
        }
    }

    // Members that the normalised call has no place for, where client and
    // provider speak this format both.
    void write_unknown(json::Value source,
                       std::initializer_list<std::string_view> known) {
        if (!ours_) {
            return;
        }
        for (json::Member member : source.members()) {
            if (std::find(known.begin(), known.end(), member.name)
                == known.end()) {
                writer_.raw(member.raw);
            }
        }
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
                      && output_config_ && traits_.schema;
        writer_.begin_object().key("name");
        write_tool_name(tool.name, custom);
        if (!tool.description.empty()) {
            writer_.member("description", tool.description);
        }
        writer_.key("input_schema");
        if (custom) {
            writer_.raw(R"({"type":"object","properties":{"input":)"
                        R"({"type":"string"}},"required":["input"]})");
        } else if (strict && !ours_ && tool.parameters.is_object()) {
            write_strict_schema(writer_, tool.parameters);
        } else {
            write_input_schema(writer_, tool.parameters);
        }
        if (strict) {
            writer_.member("strict", true);
        }
        write_cache_control(tool.cache_control);
        write_unknown(tool.source, {"name", "description", "input_schema",
                                    "strict", "cache_control"});
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
            write_tool_name(plan_.choice_name, custom);
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
        if (!traits_.sampling || (thinks && !ours_)) {
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
        if (request_.top_p.is_number() && (!temperature || ours_)) {
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
        json::Value came = ours_ ? extra("output_config") : json::Value();
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
            if (ours_) {
                writer_.raw(request_.response_format->schema.raw());
            } else {
                write_strict_schema(writer_,
                                    request_.response_format->schema);
            }
            writer_.end_object();
        }
        write_unknown(came, {"effort", "format"});
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
        for (const json::Member &member : request_.extra) {
            if (member.name != "output_config") {
                writer_.raw(member.raw);
            }
        }
    }

    const Request &request_;
    const WriteOptions &options_;
    std::string &out_;
    json::Writer writer_;
    const ModelTraits &traits_;
    const bool ours_;               // the call came in this format
    const bool output_config_;      // may be sent; ours_: the client knows
    Plan plan_;
    std::vector<Turn> turns_;
    bool last_turn_ = false;
    json::Document document_;       // of arguments
    Error error_;
};

}  // namespace

Result<void> write_request(const Request &request, const WriteOptions &options,
                           std::string &out) {
    return RequestWriter(request, options, out).write();
}

}  // namespace llm::anthropic
