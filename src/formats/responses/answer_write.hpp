// An answer as it grows, item by item. A stream tells each step; a whole
// answer is what is there at the end: so both say the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/responses/object.hpp"
#include "llm/chat.hpp"
#include "llm/format.hpp"

namespace llm::responses {

// The event "error", which is this one of its stream.
void append_error(const Error &error, std::int64_t sequence_number,
                  std::string &out);

class AnswerWriter {
public:
    // whole: nothing is written before finish(), and then the object alone.
    enum class Form : std::uint8_t { whole, stream };

    AnswerWriter(const AnswerContext &context, Form form);

    // Every function appends to `out` what it makes known. Indices of calls
    // are those of chat::Event.
    void start(std::string_view id, std::string_view model,
               std::int64_t created, std::string &out);
    void set_service_tier(std::string_view tier) {
        object_.set_service_tier(tier);
    }
    void add_text(std::string_view text, bool refusal, std::string &out);
    void add_logprobs(json::Value logprobs);
    void add_reasoning(std::string_view text, std::string &out);
    void sign_reasoning(std::string_view signature, std::string &out);
    void add_redacted(std::string_view data, std::string &out);
    void add_image(std::string_view data, std::string &out);
    void add_call(const chat::Event &event, std::string &out);
    void add_arguments(std::size_t call, std::string_view text,
                       std::string &out);
    void finish(chat::FinishReason reason, const chat::Usage &usage,
                std::string &out);
    void fail(const Error &error, std::string &out);

private:
    struct Content {
        bool refusal = false;
        std::string text;
        std::string logprobs;
    };

    struct Item {
        ItemType type = ItemType::message;
        bool open = true;
        std::string id;
        std::size_t call = 0;       // calls
        std::string call_id;
        std::string name;
        std::string text;
        std::string encrypted;
        std::vector<Content> content;
        std::string_view status = "in_progress";
    };

    bool take(std::size_t bytes, std::string &out);
    Item &add_item(ItemType type, std::string &out);
    void announce(std::string &out);
    void add_proof(std::string encrypted, std::string &out);
    void settle(std::string &out);
    void close(std::size_t index, std::string_view status, std::string &out);
    void close_message(std::size_t index, std::string &out);
    void close_reasoning(std::size_t index, std::string &out);
    void close_call(std::size_t index, std::string &out);
    Item *open_last(ItemType type);

    bool tells() const noexcept { return form_ == Form::stream; }
    void begin_event(std::string_view type, std::string &out);
    void begin_of_item(std::string_view type, std::size_t index,
                       std::string &out);
    void end_event(std::string &out) const { out.append("}\n\n"); }
    void tell_content(std::string_view type, std::size_t index,
                      std::size_t content, std::string &out);
    void tell_item(std::string_view type, std::size_t index,
                   std::string &out);
    void tell_summary(std::string_view type, std::size_t index,
                      std::string_view text, std::string &out);
    void tell_response(std::string_view type, std::string_view status,
                       std::string_view incomplete, const Error *error,
                       const chat::Usage *usage, std::string &out);
    void write_object(std::string_view status, std::string_view incomplete,
                      const Error *error, const chat::Usage *usage,
                      std::string &out) const;
    void write_one(json::Writer &writer, const Item &item) const;

    Form form_;
    ResponseObject object_;
    std::vector<Item> items_;
    std::int64_t sequence_ = 0;
    std::size_t left_;              // bytes that the answer may still grow
    bool started_ = false;
    bool over_ = false;
};

}  // namespace llm::responses
