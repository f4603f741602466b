// Writes the content blocks of a request's messages, and what tools have in
// common with them.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::anthropic {

class BlockWriter {
public:
    // `ours`: the call came in this format. All must outlive this.
    BlockWriter(const WriteOptions &options, bool ours, json::Writer &writer)
        : options_(options), ours_(ours), writer_(writer) {}

    // The blocks of a message, whose index in the request errors name.
    // `last_turn`: it belongs to the last turn.
    Result<void> write_parts(const chat::Message &message, std::size_t i,
                             bool last_turn);

    // A message that answers a tool call.
    Result<void> write_result(const chat::Message &message, std::size_t i);
    void write_missing_result(std::string_view id);

    void write_text(const chat::Part &part);
    void write_text_block(std::string_view text);

    // As a value: the name of a tool, which is `custom` or not.
    void write_tool_name(std::string_view name, bool custom);

    // As members of the object that is open.
    void write_cache_control(json::Value cache_control);
    void write_unknown(json::Value source,
                       std::initializer_list<std::string_view> known);

private:
    // `last`: the model is to go on from it.
    Result<void> write_part(const chat::Part &part, std::size_t i,
                            std::size_t j, bool last);
    Result<void> write_image(const chat::Part &part, const std::string &param);
    void write_source(const chat::Part &part, std::string_view media_type);
    Result<void> write_document(const chat::Part &part,
                                const std::string &param);
    void write_tool_use(const chat::Part &part);
    void write_input(const chat::Part &part);
    void write_id(std::string_view id);

    const WriteOptions &options_;
    const bool ours_;
    json::Writer &writer_;
    json::Document document_;       // of arguments
};

}  // namespace llm::anthropic
