// Events -> a streamed answer of content blocks, for APIs in which they come
// one after the other, each closed before the next one is begun: clients look
// at what is open. What the pieces look like, a format says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/object_end.hpp"
#include "llm/chat.hpp"
#include "llm/format.hpp"

namespace llm {

class BlockStreamWriter : public StreamWriter {
public:
    BlockStreamWriter() = default;
    BlockStreamWriter(const BlockStreamWriter &) = delete;
    BlockStreamWriter &operator=(const BlockStreamWriter &) = delete;

    void write(const chat::Event &event, std::string &out) final;

protected:
    enum class Kind : std::uint8_t { text, reasoning, redacted, image, call };

    // A content block of the answer. One is open at a time; those that came
    // in while it was are held until its end.
    struct Block {
        explicit Block(Kind kind) : kind(kind) {}

        Kind kind;
        std::size_t call = 0;
        std::string held;
        std::string id;         // call
        std::string name;       // call
        bool custom = false;    // call
        std::string signature;  // reasoning
        bool is_signed = false; // reasoning: it is whole
        std::string_view format;    // image
        ObjectEnd end;          // call
    };

    // How the answer ends.
    struct Ending {
        chat::FinishReason reason;
        std::string_view native;            // of the provider, may be empty
        std::string_view stop_sequence;     // may be empty
    };

    // The answer's start; the event has no members where none came.
    virtual void begin_answer(const chat::Event &start, std::string &out) = 0;
    virtual void end_answer(const Ending &ending, std::string &out) = 0;
    virtual void break_off(const Error &error, std::string &out) = 0;

    // The open block, whose index is open(). write_delta() has a piece of its
    // text; end_block() the rest that a block has at its end.
    virtual void begin_block(const Block &block, std::string &out) = 0;
    virtual void write_delta(Kind kind, std::string_view text,
                             std::string &out) = 0;
    virtual void end_block(const Block &block, std::string &out) = 0;

    // Appends the id of a call that came without one.
    virtual void append_call_id(std::string &id, std::size_t call) = 0;

    // What not every API has.
    virtual void add_redacted(std::string_view data, std::string &out);
    virtual void add_image(const chat::Event &, std::string &) {}
    // Google's proof of the call that comes next.
    virtual void add_proof(std::string_view, std::string &) {}
    virtual void ping(std::string &) {}

    // A block that comes as one piece.
    void add_whole(Kind kind, std::string_view data, std::string_view format,
                   std::string &out);

    std::size_t open() const noexcept { return open_; }
    const chat::Usage &usage() const noexcept { return usage_; }

private:
    void start(const chat::Event &event, std::string &out);
    void add(Kind kind, std::string_view text, std::string &out);
    void sign(std::string_view signature, std::string &out);
    void add_call(const chat::Event &event, std::string &out);
    void add_arguments(const chat::Event &event, std::string &out);
    void push(Block block, std::string &out);
    void advance(std::string &out);
    void deliver(std::size_t i, std::string_view text, std::string &out);
    void open_block(std::string &out);
    void close_block(std::string &out);
    void fail(const chat::Event &event, std::string &out);
    void finish(std::string &out);

    std::vector<Block> blocks_;
    std::size_t open_ = 0;          // index of the open block
    chat::Usage usage_;
    chat::FinishReason reason_ = chat::FinishReason::none;
    std::string native_;
    std::string stop_sequence_;
    bool started_ = false;
    bool called_ = false;
    bool refused_ = false;
    bool ended_ = false;
};

}  // namespace llm
