// Writes the content blocks of a request's messages.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bedrock/request_plan.hpp"
#include "formats/bedrock/tables.hpp"
#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::bedrock {

class BlockWriter {
public:
    // All must outlive this.
    BlockWriter(const WriteOptions &options, const Plan &plan,
                json::Writer &writer)
        : options_(options), plan_(plan), writer_(writer) {}

    void begin_turn() { has_text_ = has_document_ = has_any_ = false; }
    // What the API demands of a message and this one lacks: any block at all,
    // and a text beside a document.
    void end_turn();

    // The blocks of a message, whose index in the request errors name.
    // `last_turn`: it belongs to the last turn.
    Result<void> write_parts(const chat::Message &message, std::size_t i,
                             bool last_turn);

    // A message that answers a tool call.
    Result<void> write_result(const chat::Message &message, std::size_t i);
    void write_missing_result(std::string_view id);

    void write_text(std::string_view text);

    // As a value. Fails where the API cannot have a tool of this name; `param`
    // is who has it.
    Result<void> write_tool_name(std::string_view name, bool custom,
                                 const std::string &param);

    // A block of its own: what comes before it is to be kept.
    void write_cache_point(json::Value cache_control);

    // As members of the object that is open.
    void write_unknown(json::Value source,
                       std::initializer_list<std::string_view> known);

private:
    // `last`: the model is to go on from it.
    Result<void> write_part(const chat::Part &part, const std::string &param,
                            bool last);
    Result<void> write_image(const chat::Part &part, const std::string &param);
    Result<void> write_audio(const chat::Part &part, const std::string &param);
    Result<void> write_file(const chat::Part &part, const std::string &param);
    void begin_media(const MediaRow &row);
    void end_media(const chat::Part &part);
    void write_document_name(std::string_view filename);
    Result<void> write_tool_use(const chat::Part &part,
                                const std::string &param);
    void write_input(const chat::Part &part);
    void write_id(std::string_view id);

    const WriteOptions &options_;
    const Plan &plan_;
    json::Writer &writer_;
    json::Document document_;       // of arguments
    std::vector<std::string> names_;    // of documents, each only once
    bool has_text_ = false;
    bool has_document_ = false;
    bool has_any_ = false;
};

}  // namespace llm::bedrock
