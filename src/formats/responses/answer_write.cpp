#include "formats/responses/answer_write.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "formats/responses/sealed.hpp"
#include "formats/responses/tables.hpp"

namespace llm::responses {

namespace {

using chat::FinishReason;

// The last events of a stream repeat all of it, so all of it is held: more
// than this is no answer of a model. (A whole answer has its bound already.)
constexpr std::size_t most_held = std::size_t{64} << 20;

// What an item costs beside its texts.
constexpr std::size_t overhead = 512;

bool is_call(ItemType type) {
    return type == ItemType::function_call || type == ItemType::custom_call;
}

// Whether nothing but white space can follow.
bool is_whole_object(std::string_view text) {
    json::Document document;
    return document.parse(text, {.duplicates = true})
           && document.root().is_object();
}

}  // namespace

AnswerWriter::AnswerWriter(const AnswerContext &context, Form form)
    : form_(form), object_(context),
      left_(form == Form::stream ? most_held
                                 : std::numeric_limits<std::size_t>::max()) {}

// Events

void AnswerWriter::begin_event(std::string_view type, std::string &out) {
    out.append("event: ").append(type).append("\ndata: {\"type\":\"")
        .append(type).append("\",\"sequence_number\":");
    json::Writer(out).integer(sequence_++);
}

void AnswerWriter::begin_of_item(std::string_view type, std::size_t index,
                                 std::string &out) {
    begin_event(type, out);
    out.append(",\"item_id\":");
    json::append_string(out, items_[index].id);
    out.append(",\"output_index\":");
    json::Writer(out).integer(static_cast<std::int64_t>(index));
}

void AnswerWriter::write_one(json::Writer &w, const Item &item) const {
    std::vector<ContentView> content;
    content.reserve(item.content.size());
    for (const Content &one : item.content) {
        content.push_back({one.refusal, one.text, one.logprobs});
    }
    write_item(w, {item.type, item.id, item.status, content, item.call_id,
                   item.name, item.text, item.encrypted});
}

void AnswerWriter::tell_item(std::string_view type, std::size_t index,
                             std::string &out) {
    if (!tells()) {
        return;
    }
    begin_event(type, out);
    out.append(",\"output_index\":");
    json::Writer(out).integer(static_cast<std::int64_t>(index));
    out.append(",\"item\":");
    json::Writer w(out);
    write_one(w, items_[index]);
    end_event(out);
}

void AnswerWriter::tell_content(std::string_view type, std::size_t index,
                                std::size_t content, std::string &out) {
    const Content &one = items_[index].content[content];
    begin_of_item(type, index, out);
    out.append(",\"content_index\":");
    json::Writer(out).integer(static_cast<std::int64_t>(content));
    out.append(",\"part\":");
    json::Writer w(out);
    write_content(w, {one.refusal, one.text, one.logprobs});
    end_event(out);
}

void AnswerWriter::tell_summary(std::string_view type, std::size_t index,
                                std::string_view text, std::string &out) {
    begin_of_item(type, index, out);
    out.append(",\"summary_index\":0,\"part\":{\"type\":\"summary_text\","
               "\"text\":");
    json::append_string(out, text);
    out.append("}");
    end_event(out);
}

void AnswerWriter::write_object(std::string_view status,
                                std::string_view incomplete,
                                const Error *error, const chat::Usage *usage,
                                std::string &out) const {
    json::Writer w(out);
    object_.open(w, status, incomplete, error);
    for (const Item &item : items_) {
        write_one(w, item);
    }
    object_.close(w, usage);
}

void AnswerWriter::tell_response(std::string_view type,
                                 std::string_view status,
                                 std::string_view incomplete,
                                 const Error *error, const chat::Usage *usage,
                                 std::string &out) {
    begin_event(type, out);
    out.append(",\"response\":");
    write_object(status, incomplete, error, usage, out);
    end_event(out);
}

// Items

void AnswerWriter::start(std::string_view id, std::string_view model,
                         std::int64_t created, std::string &out) {
    if (started_ || over_) {
        return;
    }
    started_ = true;
    object_.start(id, model, created);
    if (tells()) {
        for (std::string_view type :
             {"response.created", "response.in_progress"}) {
            tell_response(type, "in_progress", {}, nullptr, nullptr, out);
        }
    }
}

// False where the answer has become too long, and ended for it.
bool AnswerWriter::take(std::size_t bytes, std::string &out) {
    if (over_) {
        return false;
    }
    if (bytes > left_) {
        Error error;
        error.kind = ErrorKind::bad_gateway;
        error.message = "the provider's answer is too long";
        fail(error, out);
        return false;
    }
    left_ -= bytes;
    return true;
}

// The item that is being written, if it is of this type.
AnswerWriter::Item *AnswerWriter::open_last(ItemType type) {
    if (items_.empty() || !items_.back().open || items_.back().type != type) {
        return nullptr;
    }
    return &items_.back();
}

// Something else begins. A call may still get arguments, as long as those that
// it has are no whole object: servers mix those of parallel calls.
void AnswerWriter::settle(std::string &out) {
    if (items_.empty() || !items_.back().open) {
        return;
    }
    const Item &last = items_.back();
    if (!is_call(last.type)
        || (last.type == ItemType::function_call
            && is_whole_object(last.text))) {
        close(items_.size() - 1, "completed", out);
    }
}

// The caller fills it in and calls announce().
AnswerWriter::Item &AnswerWriter::add_item(ItemType type, std::string &out) {
    start({}, {}, 0, out);
    settle(out);
    left_ -= std::min(left_, overhead);
    Item &item = items_.emplace_back();
    item.type = type;
    item.id = id_prefix(type);
    item.id.append(object_.unique()).push_back('_');
    item.id += std::to_string(items_.size() - 1);
    return item;
}

void AnswerWriter::announce(std::string &out) {
    tell_item("response.output_item.added", items_.size() - 1, out);
}

void AnswerWriter::add_text(std::string_view text, bool refusal,
                            std::string &out) {
    if (text.empty() || !take(text.size(), out)) {
        return;
    }
    Item *item = open_last(ItemType::message);
    if (!item) {
        item = &add_item(ItemType::message, out);
        announce(out);
    }
    std::size_t index = items_.size() - 1;
    if (item->content.empty() || item->content.back().refusal != refusal) {
        if (tells() && !item->content.empty()) {
            close_message(index, out);
        }
        item->content.emplace_back().refusal = refusal;
        if (tells()) {
            tell_content("response.content_part.added", index,
                         item->content.size() - 1, out);
        }
    }
    item->content.back().text.append(text);
    if (!tells()) {
        return;
    }

    begin_of_item(refusal ? "response.refusal.delta"
                          : "response.output_text.delta",
                  index, out);
    out.append(",\"content_index\":");
    json::Writer(out).integer(
        static_cast<std::int64_t>(item->content.size() - 1));
    out.append(",\"delta\":");
    json::append_string(out, text);
    out.append(refusal ? "" : ",\"logprobs\":[]");
    end_event(out);
}

// They come after their text; so they are with the whole of it, not with its
// deltas.
void AnswerWriter::add_logprobs(json::Value logprobs) {
    std::size_t size = logprobs.raw().size();
    Item *item = open_last(ItemType::message);
    if (!item || item->content.empty() || size > left_) {
        return;
    }
    left_ -= size;
    append_logprobs(item->content.back().logprobs, logprobs);
}

void AnswerWriter::add_reasoning(std::string_view text, std::string &out) {
    if (text.empty() || !take(text.size(), out)) {
        return;
    }
    Item *item = open_last(ItemType::reasoning);
    if (!item) {
        item = &add_item(ItemType::reasoning, out);
        announce(out);
        if (tells()) {
            tell_summary("response.reasoning_summary_part.added",
                         items_.size() - 1, {}, out);
        }
    }
    item->text.append(text);
    if (tells()) {
        begin_of_item("response.reasoning_summary_text.delta",
                      items_.size() - 1, out);
        out.append(",\"summary_index\":0,\"delta\":");
        json::append_string(out, text);
        end_event(out);
    }
}

// Nothing more comes to what is signed.
void AnswerWriter::sign_reasoning(std::string_view signature,
                                  std::string &out) {
    if (signature.empty() || !take(signature.size(), out)) {
        return;
    }
    Item *item = open_last(ItemType::reasoning);
    if (!item) {
        add_proof(mark(Proof::signature, signature), out);
        return;
    }
    auto sealed = unseal(signature);
    if (sealed && !tells()) {
        item->id = sealed->id;
        item->encrypted = sealed->encrypted_content;
    } else {
        item->encrypted = mark(Proof::signature, signature);
    }
    close(items_.size() - 1, "completed", out);
}

void AnswerWriter::add_redacted(std::string_view data, std::string &out) {
    if (!data.empty() && take(data.size(), out)) {
        add_proof(mark(Proof::redacted, data), out);
    }
}

// An item that says nothing to anybody but its provider.
void AnswerWriter::add_proof(std::string encrypted, std::string &out) {
    add_item(ItemType::reasoning, out).encrypted = std::move(encrypted);
    announce(out);
    close(items_.size() - 1, "completed", out);
}

void AnswerWriter::add_image(std::string_view data, std::string &out) {
    if (data.empty() || !take(data.size(), out)) {
        return;
    }
    add_item(ItemType::image, out);
    announce(out);
    items_.back().text = data;
    close(items_.size() - 1, "completed", out);
}

void AnswerWriter::add_call(const chat::Event &event, std::string &out) {
    if (!take(event.id.size() + event.name.size() + event.signature.size(),
              out)) {
        return;
    }
    if (!event.signature.empty()) {
        add_proof(mark(Proof::call, event.signature), out);
    }
    Item &item = add_item(event.custom ? ItemType::custom_call
                                       : ItemType::function_call,
                          out);
    item.call = event.call;
    item.call_id = event.id;
    if (item.call_id.empty()) {
        item.call_id.append("call_").append(object_.unique()).push_back('_');
        item.call_id += std::to_string(event.call);
    }
    item.name = event.name;
    announce(out);
}

void AnswerWriter::add_arguments(std::size_t call, std::string_view text,
                                 std::string &out) {
    if (text.empty() || over_) {
        return;
    }
    for (std::size_t i = items_.size(); i-- > 0;) {
        Item &item = items_[i];
        if (!is_call(item.type) || item.call != call) {
            continue;
        }
        // After the end of its object only white space can come.
        if (!item.open || !take(text.size(), out)) {
            return;
        }
        item.text.append(text);
        if (tells()) {
            begin_of_item(item.type == ItemType::custom_call
                              ? "response.custom_tool_call_input.delta"
                              : "response.function_call_arguments.delta",
                          i, out);
            out.append(",\"delta\":");
            json::append_string(out, text);
            end_event(out);
        }
        return;
    }
}

// Ends

// The end of the message's last part.
void AnswerWriter::close_message(std::size_t index, std::string &out) {
    const Item &item = items_[index];
    if (item.content.empty()) {
        return;
    }
    const Content &content = item.content.back();
    std::size_t last = item.content.size() - 1;
    begin_of_item(content.refusal ? "response.refusal.done"
                                  : "response.output_text.done",
                  index, out);
    out.append(",\"content_index\":");
    json::Writer(out).integer(static_cast<std::int64_t>(last));
    out.append(content.refusal ? ",\"refusal\":" : ",\"text\":");
    json::append_string(out, content.text);
    if (!content.refusal) {
        out.append(",\"logprobs\":[").append(content.logprobs).append("]");
    }
    end_event(out);
    tell_content("response.content_part.done", index, last, out);
}

void AnswerWriter::close_reasoning(std::size_t index, std::string &out) {
    const Item &item = items_[index];
    if (item.text.empty()) {
        return;
    }
    begin_of_item("response.reasoning_summary_text.done", index, out);
    out.append(",\"summary_index\":0,\"text\":");
    json::append_string(out, item.text);
    end_event(out);
    tell_summary("response.reasoning_summary_part.done", index, item.text,
                 out);
}

void AnswerWriter::close_call(std::size_t index, std::string &out) {
    const Item &item = items_[index];
    bool custom = item.type == ItemType::custom_call;
    begin_of_item(custom ? "response.custom_tool_call_input.done"
                         : "response.function_call_arguments.done",
                  index, out);
    if (!custom) {
        out.append(",\"name\":");
        json::append_string(out, item.name);
    }
    out.append(custom ? ",\"input\":" : ",\"arguments\":");
    json::append_string(out, item.text);
    end_event(out);
}

void AnswerWriter::close(std::size_t index, std::string_view status,
                         std::string &out) {
    Item &item = items_[index];
    // Clients parse the arguments of every call: none at all are "{}".
    if (item.type == ItemType::function_call && item.text.empty()
        && status == "completed") {
        add_arguments(item.call, "{}", out);
        if (over_) {
            return;
        }
    }
    item.open = false;
    item.status = status;
    if (!tells()) {
        return;
    }
    switch (item.type) {
    case ItemType::message:
        close_message(index, out);
        break;
    case ItemType::reasoning:
        close_reasoning(index, out);
        break;
    case ItemType::function_call:
    case ItemType::custom_call:
        close_call(index, out);
        break;
    case ItemType::image:
        break;
    }
    tell_item("response.output_item.done", index, out);
}

void AnswerWriter::finish(FinishReason reason, const chat::Usage &usage,
                          std::string &out) {
    start({}, {}, 0, out);
    std::string_view incomplete = incomplete_reason(reason);
    std::string_view status = incomplete.empty() ? "completed" : "incomplete";
    for (std::size_t i = 0; i < items_.size() && !over_; ++i) {
        if (items_[i].open) {
            close(i, status, out);
        }
    }
    if (over_) {
        return;
    }
    over_ = true;
    const chat::Usage *said =
        usage.known || usage.estimated ? &usage : nullptr;
    if (tells()) {
        tell_response(incomplete.empty() ? "response.completed"
                                         : "response.incomplete",
                      status, incomplete, nullptr, said, out);
    } else {
        write_object(status, incomplete, nullptr, said, out);
    }
}

void AnswerWriter::fail(const Error &error, std::string &out) {
    if (over_) {
        return;
    }
    over_ = true;
    for (Item &item : items_) {
        item.status = item.open ? "incomplete" : item.status;
    }
    if (started_) {
        tell_response("response.failed", "failed", {}, &error, nullptr, out);
        return;
    }
    // No response is known that could have failed.
    append_error(error, sequence_++, out);
}

void append_error(const Error &error, std::int64_t sequence_number,
                  std::string &out) {
    out.append("event: error\ndata: ");
    json::Writer w(out);
    w.begin_object()
        .member("type", "error")
        .member("sequence_number", sequence_number)
        .member("code", error.code.empty() ? error_code(error.kind)
                                           : std::string_view(error.code))
        .member("message", error.message)
        .key("param");
    if (error.param.empty()) {
        w.null();
    } else {
        w.string(error.param);
    }
    w.end_object();
    out.append("\n\n");
}

}  // namespace llm::responses
