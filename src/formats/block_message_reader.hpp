// Reading the messages of the APIs whose messages are roles with content
// blocks, and whose instructions are a member beside them: Anthropic's, and
// Bedrock's that follows it. The blocks themselves, a format reads.
#pragma once

#include <memory_resource>
#include <string_view>

#include "formats/fields.hpp"
#include "llm/chat.hpp"

namespace llm {

class BlockMessageReader : protected fields::Reader {
public:
    // `memory` holds texts that are put together of several.
    BlockMessageReader(chat::Request &request,
                       std::pmr::memory_resource *memory)
        : memory_(memory), request_(request) {}

    // Appends what "system" and "messages" of the body hold.
    Result<void> read(json::Value root);

protected:
    ~BlockMessageReader() = default;

    // Where a content block may be.
    enum Place : unsigned {
        in_system = 1,
        in_user = 2,
        in_assistant = 4,
        in_result = 8,
        in_document = 16,
    };

    // The blocks of a message, of which parts are pushed to it. Results of
    // tools become messages of their own, before it.
    virtual bool read_content(json::Value content, const fields::Path &path,
                              Place place, chat::Message &message) = 0;

    // A document as one text.
    std::string_view titled(std::string_view title, std::string_view source,
                            std::string_view text);
    // The texts of a message's parts, each on its own line.
    std::string_view joined(const chat::Message &message);

    void push_unless_empty(chat::Message &message);

    std::pmr::memory_resource *memory_;
    chat::Request &request_;

private:
    bool read_system(json::Value value, const fields::Path &path);
    bool read_messages(json::Value value, const fields::Path &path);
    bool read_message(json::Value value, const fields::Path &path);
};

}  // namespace llm
