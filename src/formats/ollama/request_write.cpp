#include <algorithm>

#include "formats/functions.hpp"
#include "formats/ollama/ollama.hpp"
#include "formats/ollama/tables.hpp"
#include "formats/openai/tables.hpp"
#include "formats/tool_plan.hpp"
#include "formats/unsupported.hpp"

namespace llm::ollama {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using json::Value;

// Its server has logprobs, in the shape of OpenAI's.
constexpr Unsupported unsupported_rows[] = {
    {"n", wants_several_answers},
    {"modalities", wants_more_than_text},
    {"web_search_options", wants_web_search},
    {"mcp_servers", has_mcp_servers},
};

class RequestWriter {
public:
    RequestWriter(Api api, const Request &request, const WriteOptions &options,
                  std::string &out)
        : api_(api), request_(request), options_(options), w_(out),
          own_(request.origin == &format_of(api)) {}

    Result<void> write();

private:
    // What a message is made of, in this API's members.
    struct Content {
        std::string text;
        std::string thinking;
        std::vector<std::string_view> images;
        std::vector<const Part *> calls;
    };

    bool refuse(std::string_view what, std::string param);
    bool collect(const Message &message, Content &content);
    bool write_messages();
    bool write_message(const Message &message);
    void write_images(const Content &content);
    void write_call(const Part &part);
    bool write_prompt();
    bool write_tools();
    void write_format();
    void write_options();
    void write_think();
    void write_extra();

    Api api_;
    const Request &request_;
    const WriteOptions &options_;
    json::Writer w_;
    bool own_;                  // the client spoke this format
    Error error_;
    std::string text_;
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
    std::string_view no = first_unsupported(unsupported_rows, request_);
    if (!no.empty() && !refuse(no, std::string(no))) {
        return std::move(error_);
    }

    w_.begin_object().member("model", options_.model);
    bool written = api_ == Api::chat ? write_messages() : write_prompt();
    if (!written || !write_tools()) {
        return std::move(error_);
    }
    write_format();
    write_options();
    write_think();
    if (request_.logprobs) {
        w_.member("logprobs", *request_.logprobs);
    }
    if (request_.top_logprobs) {
        w_.member("top_logprobs", *request_.top_logprobs);
    }
    // Streams are the default of this API.
    w_.member("stream", request_.stream);
    if (own_) {
        write_extra();
    }
    w_.end_object();
    return {};
}

// Messages

bool RequestWriter::collect(const Message &message, Content &content) {
    auto add = [](std::string &to, std::string_view text) {
        if (!to.empty() && !text.empty()) {
            to.push_back('\n');
        }
        to.append(text);
    };
    auto may_go = [this](std::string_view what, const Part &part) {
        return refuse(what, functions::param_of(request_, part));
    };

    for (const Part &part : message.parts) {
        switch (part.type) {
        case PartType::text:
        case PartType::refusal:
            add(content.text, part.text);
            break;
        case PartType::reasoning:
            content.thinking.append(part.text);
            break;
        case PartType::redacted_reasoning:
            break;
        case PartType::tool_call:
            content.calls.push_back(&part);
            break;
        case PartType::image:
        case PartType::audio:
            // The server fetches nothing.
            if (!part.data.empty()) {
                content.images.push_back(part.data);
            } else if (!may_go("an image that is not given as data", part)) {
                return false;
            }
            break;
        case PartType::file:
            if (!may_go("a document", part)) {
                return false;
            }
            break;
        case PartType::native:
            // What the assistant said of it is in the text.
            if (message.role != Role::assistant
                && !may_go("a content block of this type", part)) {
                return false;
            }
            break;
        }
    }
    return true;
}

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
    Content content;
    if (!collect(message, content)) {
        return false;
    }
    Role role = message.role == Role::developer ? Role::system : message.role;
    if (role == Role::assistant && content.text.empty()
        && content.thinking.empty() && content.calls.empty()) {
        return true;
    }

    if (message.tool_error) {
        content.text.insert(0, "Error: ");
    }
    w_.begin_object()
        .member("role", chat::to_string(role))
        .member("content", content.text);
    if (!content.thinking.empty()) {
        w_.member("thinking", content.thinking);
    }
    write_images(content);
    if (!content.calls.empty()) {
        w_.key("tool_calls").begin_array();
        for (const Part *part : content.calls) {
            write_call(*part);
        }
        w_.end_array();
    }
    if (role == Role::tool) {
        if (const Part *call =
                functions::find_call(request_, message.tool_call_id)) {
            w_.member("tool_name", std::string_view(sent_tool_name(
                                       call->name, call->custom)));
        }
        w_.member("tool_call_id", message.tool_call_id);
    }
    w_.end_object();
    return true;
}

void RequestWriter::write_images(const Content &content) {
    if (content.images.empty()) {
        return;
    }
    w_.key("images").begin_array();
    for (std::string_view image : content.images) {
        w_.string(image);
    }
    w_.end_array();
}

void RequestWriter::write_call(const Part &part) {
    text_.clear();
    functions::append_arguments(text_, part);
    w_.begin_object().member("id", part.id).key("function").begin_object()
        .member("name",
                std::string_view(sent_tool_name(part.name, part.custom)))
        .key("arguments").raw(text_)
        .end_object().end_object();
}

// /api/generate holds instructions and one question.
bool RequestWriter::write_prompt() {
    Content system;
    const Message *question = nullptr;
    for (const Message &message : request_.messages) {
        if (message.role == Role::system || message.role == Role::developer) {
            if (!collect(message, system)) {
                return false;
            }
            continue;
        }
        if (question || message.role != Role::user) {
            error_ = unsupported("messages holds more than one question, "
                                 "which cannot be sent to this model's "
                                 "provider",
                                 "messages");
            return false;
        }
        question = &message;
    }

    Content prompt;
    if (question && !collect(*question, prompt)) {
        return false;
    }
    w_.member("prompt", prompt.text);
    if (!system.text.empty()) {
        w_.member("system", system.text);
    }
    write_images(prompt);
    return true;
}

// Tools and the rest

bool RequestWriter::write_tools() {
    using Mode = chat::ToolChoice::Mode;

    chat::ToolChoice choice = request_.tool_choice.value_or(chat::ToolChoice{});
    if (request_.tools.empty() || choice.mode == Mode::none) {
        return true;
    }
    if (api_ == Api::generate) {
        return refuse("tools", "tools");
    }

    if (ToolFilter(request_).demands_call()
        && !refuse("a demand that a tool is called", "tool_choice")) {
        return false;
    }

    auto tools = plan_tools(request_, options_, own_);
    if (!tools) {
        error_ = std::move(tools.error());
        return false;
    }
    if (tools->empty()) {
        return true;
    }
    w_.key("tools").begin_array();
    for (std::size_t i : *tools) {
        const chat::Tool &tool = request_.tools[i];
        if (own_ && tool.source) {
            w_.raw(tool.source.raw());
        } else {
            functions::write_tool(w_, tool);
        }
    }
    w_.end_array();
    return true;
}

void RequestWriter::write_format() {
    using Type = chat::ResponseFormat::Type;

    if (!request_.response_format
        || request_.response_format->type == Type::text) {
        return;
    }
    if (request_.response_format->schema) {
        w_.member("format", request_.response_format->schema);
    } else {
        w_.member("format", "json");
    }
}

void RequestWriter::write_options() {
    bool any = false;
    auto member = [&](std::string_view name) -> json::Writer & {
        if (!any) {
            w_.key("options").begin_object();
            any = true;
        }
        return w_.key(name);
    };

    if (request_.max_tokens) {
        // Anthropic's 0, which only warms a cache, would be no limit here.
        member("num_predict")
            .integer(std::max<std::int64_t>(*request_.max_tokens, 1));
    }
    for (const Option &row : options()) {
        if (Value value = request_.*row.field) {
            member(row.name).raw(value.raw());
        }
    }
    if (!request_.stop.empty()) {
        member("stop").begin_array();
        for (std::string_view stop : request_.stop) {
            w_.string(stop);
        }
        w_.end_array();
    }
    if (own_) {
        for (const json::Member &extra : request_.extra) {
            if (extra.name != "options") {
                continue;
            }
            for (const json::Member &option : extra.value.members()) {
                if (!is_known_option(option.name)) {
                    member(option.name).raw(option.value.raw());
                }
            }
        }
    }
    if (any) {
        w_.end_object();
    }
}

void RequestWriter::write_think() {
    using Mode = chat::Reasoning::Mode;

    const chat::Reasoning &reasoning = request_.reasoning;
    if (own_ && reasoning.source) {
        w_.member("think", reasoning.source);
        return;
    }
    std::string_view think = think_of_effort(reasoning.effort);
    if (reasoning.mode == Mode::disabled) {
        think = "false";
    } else if (think.empty() && reasoning.mode == Mode::budget) {
        think = think_of_effort(
            openai::effort_of_budget(reasoning.budget_tokens));
    }
    // As it likes (Mode::adaptive) a model thinks where nothing is said; one
    // that cannot would refuse the word.
    if (!think.empty()) {
        w_.key("think").raw(think);
    }
}

void RequestWriter::write_extra() {
    for (const json::Member &member : request_.extra) {
        if (member.name != "options") {
            w_.member(member.name, member.value);
        }
    }
}

}  // namespace

Result<void> write_request(Api api, const Request &request,
                           const WriteOptions &options, std::string &out) {
    return RequestWriter(api, request, options, out).write();
}

}  // namespace llm::ollama
