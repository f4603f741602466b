#include <algorithm>

#include "formats/cohere/cohere.hpp"
#include "formats/cohere/tables.hpp"
#include "formats/functions.hpp"
#include "formats/tool_plan.hpp"
#include "formats/unsupported.hpp"

namespace llm::cohere {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using json::Value;

constexpr Unsupported unsupported_rows[] = {
    {"n", wants_several_answers},
    {"logprobs", wants_logprobs},
    {"modalities", wants_more_than_text},
    {"web_search_options", wants_web_search},
    {"mcp_servers", has_mcp_servers},
};

class RequestWriter {
public:
    RequestWriter(const Request &request, const WriteOptions &options,
                  std::string &out)
        : request_(request), options_(options), w_(out),
          own_(request.origin == &cohere_format()) {}

    Result<void> write();

private:
    bool refuse(std::string_view what, std::string param);
    bool write_messages();
    bool write_message(const Message &message);
    bool write_user(const Message &message);
    void write_assistant(const Message &message);
    bool write_result(const Message &message);
    void join_texts(const Message &message);
    void write_image(const Part &part);
    bool write_tools();
    bool write_stops();
    void write_numbers();
    void write_response_format();
    void write_thinking();

    const Request &request_;
    const WriteOptions &options_;
    json::Writer w_;
    bool own_;                  // the client spoke this format
    Error error_;
    std::string text_;          // put together from parts
};

// False after it has set error_; true where unsupported is dropped.
bool RequestWriter::refuse(std::string_view what, std::string param) {
    auto outcome = functions::refuse(options_, what, std::move(param));
    if (!outcome) {
        error_ = std::move(outcome.error());
    }
    return static_cast<bool>(outcome);
}

Result<void> RequestWriter::write() {
    // Its logprobs are of pieces of text, not of tokens.
    std::string_view no =
        own_ ? std::string_view()
             : first_unsupported(unsupported_rows, request_);
    if (!no.empty() && !refuse(no, std::string(no))) {
        return std::move(error_);
    }

    w_.begin_object().member("model", options_.model);
    if (!write_messages() || !write_tools() || !write_stops()) {
        return std::move(error_);
    }
    if (request_.max_tokens) {
        // Anthropic's 0, which only warms a cache, is refused here.
        w_.member("max_tokens",
                  std::max<std::int64_t>(*request_.max_tokens, 1));
    }
    write_numbers();
    write_response_format();
    write_thinking();
    if (own_ && request_.logprobs) {
        w_.member("logprobs", *request_.logprobs);
    }
    if (request_.stream) {
        w_.member("stream", true);
    }
    if (own_) {
        for (const json::Member &member : request_.extra) {
            w_.member(member.name, member.value);
        }
    }
    w_.end_object();
    return {};
}

// Messages

bool RequestWriter::write_messages() {
    w_.key("messages").begin_array();
    for (const Message &message : request_.messages) {
        if (own_ && message.source) {
            w_.raw(message.source.raw());
        } else if (!write_message(message)) {
            return false;
        }
    }
    w_.end_array();
    return true;
}

bool RequestWriter::write_message(const Message &message) {
    switch (message.role) {
    case Role::system:
    case Role::developer:
        join_texts(message);
        if (!text_.empty()) {
            w_.begin_object().member("role", "system")
                .member("content", text_).end_object();
        }
        return true;
    case Role::user:
        return write_user(message);
    case Role::assistant:
        write_assistant(message);
        return true;
    case Role::tool:
        return write_result(message);
    }
    return true;
}

void RequestWriter::join_texts(const Message &message) {
    text_.clear();
    for (const Part &part : message.parts) {
        if (part.type != PartType::text && part.type != PartType::refusal) {
            continue;
        }
        if (!text_.empty() && !part.text.empty()) {
            text_.push_back('\n');
        }
        text_.append(part.text);
    }
}

bool RequestWriter::write_user(const Message &message) {
    std::vector<const Part *> parts;
    for (const Part &part : message.parts) {
        bool image = part.type == PartType::image
                     && (!part.data.empty() || !part.url.empty());
        if (image || part.type == PartType::text) {
            parts.push_back(&part);
            continue;
        }
        std::string_view what =
            part.type == PartType::audio   ? "audio"
            : part.type == PartType::file  ? "a document"
            : part.type == PartType::image ? "an image given by a file id"
                                           : "a content block of this type";
        if (!refuse(what, functions::param_of(request_, part))) {
            return false;
        }
    }
    if (parts.empty()) {
        return true;
    }

    w_.begin_object().member("role", "user").key("content");
    if (parts.size() == 1 && parts[0]->type == PartType::text) {
        w_.string(parts[0]->text);
    } else {
        w_.begin_array();
        for (const Part *part : parts) {
            if (part->type == PartType::image) {
                write_image(*part);
            } else {
                w_.begin_object().member("type", "text")
                    .member("text", part->text).end_object();
            }
        }
        w_.end_array();
    }
    w_.end_object();
    return true;
}

void RequestWriter::write_image(const Part &part) {
    w_.begin_object().member("type", "image_url").key("image_url")
        .begin_object().key("url");
    if (part.data.empty()) {
        w_.string(part.url);
    } else {
        text_.assign("data:").append(part.media_type).append(";base64,")
            .append(part.data);
        w_.string(text_);
    }
    if (!part.detail.empty()) {
        w_.member("detail", part.detail);
    }
    w_.end_object().end_object();
}

// What the assistant says before it calls tools is its plan. Thoughts that
// another provider has signed are that provider's.
void RequestWriter::write_assistant(const Message &message) {
    std::string thoughts;
    bool calls = false;
    for (const Part &part : message.parts) {
        if (part.type == PartType::reasoning && part.signature.empty()) {
            thoughts.append(part.text);
        }
        calls |= part.type == PartType::tool_call;
    }
    join_texts(message);
    if (text_.empty() && thoughts.empty() && !calls) {
        return;
    }

    w_.begin_object().member("role", "assistant");
    if (calls) {
        w_.key("tool_calls").begin_array();
        for (const Part &part : message.parts) {
            if (part.type != PartType::tool_call) {
                continue;
            }
            std::string arguments;
            functions::append_arguments(arguments, part);
            w_.begin_object().member("id", part.id)
                .member("type", "function").key("function").begin_object()
                .member("name", std::string_view(
                                    sent_tool_name(part.name, part.custom)))
                .member("arguments", arguments)
                .end_object().end_object();
        }
        w_.end_array();
        if (!text_.empty()) {
            w_.member("tool_plan", text_);
            text_.clear();
        }
    }
    if (!thoughts.empty()) {
        w_.key("content").begin_array().begin_object()
            .member("type", "thinking").member("thinking", thoughts)
            .end_object();
        if (!text_.empty()) {
            w_.begin_object().member("type", "text").member("text", text_)
                .end_object();
        }
        w_.end_array();
    } else if (!text_.empty()) {
        w_.member("content", text_);
    }
    w_.end_object();
}

bool RequestWriter::write_result(const Message &message) {
    for (const Part &part : message.parts) {
        if (part.type != PartType::text && part.type != PartType::refusal
            && !refuse("a tool result that is not text",
                       functions::param_of(request_, part))) {
            return false;
        }
    }
    join_texts(message);
    if (message.tool_error) {
        text_.insert(0, "Error: ");
    }
    w_.begin_object().member("role", "tool")
        .member("tool_call_id", message.tool_call_id)
        .member("content", text_).end_object();
    return true;
}

// Tools and the rest

bool RequestWriter::write_tools() {
    using Mode = chat::ToolChoice::Mode;

    chat::ToolChoice choice = request_.tool_choice.value_or(chat::ToolChoice{});
    ToolFilter filter(request_);
    // The API can demand a call, but not of which tool: the others go.
    auto is_left_out = [&](std::string_view name) {
        return (choice.mode == Mode::named && name != choice.name)
               || !filter.allows(name);
    };

    bool any = false;
    bool strict = true;
    for (std::size_t i = 0; i < request_.tools.size(); ++i) {
        const chat::Tool &tool = request_.tools[i];
        if (is_left_out(tool.name)) {
            continue;
        }
        auto is_sent = plan_tool(request_, i, options_, own_);
        if (!is_sent) {
            error_ = std::move(is_sent.error());
            return false;
        }
        if (!*is_sent) {
            continue;
        }
        if (!any) {
            w_.key("tools").begin_array();
            any = true;
        }
        if (own_ && tool.source) {
            w_.raw(tool.source.raw());
        } else {
            functions::write_tool(w_, tool);
        }
        strict = strict && tool.strict.value_or(false);
    }
    if (!any) {
        return true;
    }
    w_.end_array();

    if (strict) {
        w_.member("strict_tools", true);
    }
    if (choice.mode == Mode::none) {
        w_.member("tool_choice", "NONE");
    } else if (filter.demands_call()) {
        w_.member("tool_choice", "REQUIRED");
    }
    return true;
}

bool RequestWriter::write_stops() {
    std::size_t count = request_.stop.size();
    if (count == 0) {
        return true;
    }
    if (count > most_stops && !own_) {
        count = most_stops;
        if (!refuse("more than 5 stop sequences", "stop")) {
            return false;
        }
    }
    w_.key("stop_sequences").begin_array();
    for (std::size_t i = 0; i < count; ++i) {
        w_.string(request_.stop[i]);
    }
    w_.end_array();
    return true;
}

void RequestWriter::write_numbers() {
    for (const NumberMember &row : number_members()) {
        Value value = request_.*row.field;
        auto number = value.number();
        if (!number) {
            continue;
        }
        w_.key(row.name);
        if (!own_ && (*number < row.least || *number > row.most)) {
            w_.number(std::clamp(*number, row.least, row.most));
        } else {
            w_.raw(value.raw());
        }
    }
}

void RequestWriter::write_response_format() {
    using Type = chat::ResponseFormat::Type;

    if (!request_.response_format) {
        return;
    }
    const chat::ResponseFormat &format = *request_.response_format;
    w_.key("response_format").begin_object()
        .member("type", format.type == Type::text ? "text" : "json_object");
    if (format.type == Type::json_schema && format.schema) {
        w_.member("json_schema", format.schema);
    }
    w_.end_object();
}

void RequestWriter::write_thinking() {
    using Mode = chat::Reasoning::Mode;

    const chat::Reasoning &reasoning = request_.reasoning;
    if (own_ && reasoning.source) {
        w_.member("thinking", reasoning.source);
        return;
    }
    bool disabled =
        reasoning.mode == Mode::disabled || reasoning.effort == "none";
    if (!disabled && reasoning.mode == Mode::unset
        && reasoning.effort.empty()) {
        return;
    }
    std::int64_t budget = reasoning.mode == Mode::budget
                              ? reasoning.budget_tokens
                              : budget_of_effort(reasoning.effort);
    w_.key("thinking").begin_object()
        .member("type", disabled ? "disabled" : "enabled");
    if (!disabled && budget > 0) {
        w_.member("token_budget", budget);
    }
    w_.end_object();
}

}  // namespace

Result<void> write_request(const Request &request, const WriteOptions &options,
                           std::string &out) {
    return RequestWriter(request, options, out).write();
}

}  // namespace llm::cohere
