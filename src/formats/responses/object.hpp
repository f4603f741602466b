// The response object and its items, as whole answers and streams write them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"

namespace llm::responses {

// A part of a message.
struct ContentView {
    bool refusal = false;
    std::string_view text;
    // JSON objects between commas, as write_logprobs() makes them.
    std::string_view logprobs = {};
};

enum class ItemType : std::uint8_t {
    message,
    reasoning,
    function_call,
    custom_call,
    image,
};

struct ItemView {
    ItemType type = ItemType::message;
    std::string_view id;
    std::string_view status = "completed";
    std::span<const ContentView> content = {};  // message
    std::string_view call_id = {};      // calls
    std::string_view name = {};         // calls
    // reasoning: the summary, maybe none; calls: arguments or input; image:
    // base64.
    std::string_view text = {};
    std::string_view encrypted = {};    // reasoning: encrypted_content
};

// What the id of an item of this type begins with: "msg_".
std::string_view id_prefix(ItemType type) noexcept;

void write_content(json::Writer &writer, const ContentView &content);
void write_item(json::Writer &writer, const ItemView &item);

// Appends chat completions' logprobs, {"content":[...]}, in this API's form to
// a list of them.
void append_logprobs(std::string &list, json::Value logprobs);

// What stands around the items: made once for an answer.
class ResponseObject {
public:
    explicit ResponseObject(const AnswerContext &context);

    // What the provider said; empty or 0: it did not.
    void start(std::string_view id, std::string_view model,
               std::int64_t created);
    void set_service_tier(std::string_view tier) { service_tier_ = tier; }

    // The tail of ids that are made.
    std::string_view unique() const noexcept { return unique_; }

    // Up to the items, which the caller writes into the open array.
    void open(json::Writer &writer, std::string_view status,
              std::string_view incomplete_reason, const Error *error) const;
    // usage: nullptr is null.
    void close(json::Writer &writer, const chat::Usage *usage) const;

private:
    std::string unique_;
    std::string id_;
    std::string model_;
    std::int64_t created_;
    std::string service_tier_;
    std::string echo_;      // members that repeat the request, on one line
};

}  // namespace llm::responses
