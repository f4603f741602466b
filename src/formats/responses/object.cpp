#include "formats/responses/object.hpp"

#include <algorithm>

#include "formats/responses/responses.hpp"
#include "formats/responses/tables.hpp"

namespace llm::responses {

namespace {

using json::Value;

struct TypeRow {
    ItemType type;
    std::string_view name;
    std::string_view prefix;
};

constexpr TypeRow types[] = {
    {ItemType::message, "message", "msg_"},
    {ItemType::reasoning, "reasoning", "rs_"},
    {ItemType::function_call, "function_call", "fc_"},
    {ItemType::custom_call, "custom_tool_call", "ctc_"},
    {ItemType::image, "image_generation_call", "ig_"},
};

const TypeRow &row_of(ItemType type) {
    return types[static_cast<std::size_t>(type)];
}

constexpr std::string_view id_start = "resp_";

// JSON of a client may have line ends between its tokens; within a stream's
// event none may be.
void append_on_one_line(std::string &out, std::string_view json) {
    std::size_t start = out.size();
    out.append(json);
    std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(start),
                    out.end(),
                    [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

void write_token(json::Writer &w, Value token) {
    w.member("token", token["token"].string()).key("bytes");
    // Null in chat completions where a token is no text of its own.
    w.begin_array();
    for (Value byte : token["bytes"].elements()) {
        w.integer(byte.integer().value_or(0));
    }
    w.end_array().key("logprob");
    if (token["logprob"].is_number()) {
        w.raw(token["logprob"].raw());
    } else {
        w.integer(0);
    }
}

}  // namespace

std::string_view id_prefix(ItemType type) noexcept {
    return row_of(type).prefix;
}

void append_logprobs(std::string &list, Value logprobs) {
    for (Value token : logprobs["content"].elements()) {
        if (!list.empty()) {
            list.push_back(',');
        }
        json::Writer w(list);
        w.begin_object();
        write_token(w, token);
        w.key("top_logprobs").begin_array();
        for (Value top : token["top_logprobs"].elements()) {
            w.begin_object();
            write_token(w, top);
            w.end_object();
        }
        w.end_array().end_object();
    }
}

void write_content(json::Writer &w, const ContentView &content) {
    if (content.refusal) {
        w.begin_object().member("type", "refusal")
            .member("refusal", content.text).end_object();
        return;
    }
    w.begin_object().member("type", "output_text")
        .key("annotations").begin_array().end_array();
    w.key("logprobs").raw('[' + std::string(content.logprobs) + ']');
    w.member("text", content.text).end_object();
}

void write_item(json::Writer &w, const ItemView &item) {
    w.begin_object().member("id", item.id)
        .member("type", row_of(item.type).name);
    switch (item.type) {
    case ItemType::message:
        w.member("status", item.status).member("role", "assistant")
            .key("content").begin_array();
        for (const ContentView &content : item.content) {
            write_content(w, content);
        }
        w.end_array();
        break;
    case ItemType::reasoning:
        w.key("summary").begin_array();
        if (!item.text.empty()) {
            w.begin_object().member("type", "summary_text")
                .member("text", item.text).end_object();
        }
        w.end_array();
        if (!item.encrypted.empty()) {
            w.member("encrypted_content", item.encrypted);
        }
        break;
    case ItemType::function_call:
        w.member("status", item.status).member("arguments", item.text)
            .member("call_id", item.call_id).member("name", item.name);
        break;
    case ItemType::custom_call:
        w.member("status", item.status).member("input", item.text)
            .member("call_id", item.call_id).member("name", item.name);
        break;
    case ItemType::image:
        w.member("status", item.status).key("result");
        if (item.text.empty()) {
            w.null();
        } else {
            w.string(item.text);
        }
        break;
    }
    w.end_object();
}

ResponseObject::ResponseObject(const AnswerContext &context)
    : unique_(context.unique), model_(context.request_model),
      created_(context.now) {
    id_.append(id_start).append(unique_);
    for (const EchoedMember &row : echoed_members()) {
        Value value = context.request[row.name];
        echo_.append(echo_.empty() ? "\"" : ",\"").append(row.name)
            .append("\":");
        if (value.is_null()) {
            echo_.append(row.otherwise);
        } else {
            append_on_one_line(echo_, value.raw());
        }
    }
}

void ResponseObject::start(std::string_view id, std::string_view model,
                           std::int64_t created) {
    if (id.starts_with(id_start)) {
        id_ = id;
    }
    if (!model.empty()) {
        model_ = model;
    }
    if (created != 0) {
        created_ = created;
    }
}

void ResponseObject::open(json::Writer &w, std::string_view status,
                          std::string_view incomplete_reason,
                          const Error *error) const {
    w.begin_object()
        .member("id", id_)
        .member("object", "response")
        .member("created_at", created_)
        .member("status", status)
        .member("background", false)
        .key("error");
    if (error) {
        w.begin_object().member("code", error_code(error->kind))
            .member("message", error->message).end_object();
    } else {
        w.null();
    }
    w.key("incomplete_details");
    if (incomplete_reason.empty()) {
        w.null();
    } else {
        w.begin_object().member("reason", incomplete_reason).end_object();
    }
    w.member("model", model_).key("output").begin_array();
}

void ResponseObject::close(json::Writer &w, const chat::Usage *usage) const {
    w.end_array().key("usage");
    if (usage) {
        write_usage(w, *usage);
    } else {
        w.null();
    }
    w.key("previous_response_id").null().member("store", false);
    w.key("service_tier");
    if (service_tier_.empty()) {
        w.null();
    } else {
        w.string(service_tier_);
    }
    w.raw(echo_).end_object();
}

}  // namespace llm::responses
