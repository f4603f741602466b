#include "formats/block_stream_writer.hpp"

#include <utility>

#include "formats/tool_plan.hpp"

namespace llm {

using chat::Event;
using chat::FinishReason;

void BlockStreamWriter::write(const Event &event, std::string &out) {
    // An answer of these APIs is one choice.
    if (ended_ || event.choice != 0) {
        return;
    }

    switch (event.type) {
    case Event::Type::start:
        start(event, out);
        break;
    case Event::Type::text:
        add(Kind::text, event.text, out);
        break;
    case Event::Type::refusal:
        refused_ |= !event.text.empty();
        add(Kind::text, event.text, out);
        break;
    case Event::Type::reasoning:
        add(Kind::reasoning, event.text, out);
        break;
    case Event::Type::reasoning_signature:
        sign(event.text, out);
        break;
    case Event::Type::redacted_reasoning:
        add_redacted(event.text, out);
        break;
    case Event::Type::image:
        add_image(event, out);
        break;
    case Event::Type::tool_call:
        add_call(event, out);
        break;
    case Event::Type::tool_arguments:
        add_arguments(event, out);
        break;
    case Event::Type::finish:
        reason_ = event.finish_reason;
        native_ = event.native;
        stop_sequence_ = event.stop_sequence;
        break;
    case Event::Type::usage:
        usage_ = event.usage;
        break;
    case Event::Type::ping:
        ping(out);
        break;
    case Event::Type::error:
        fail(event, out);
        break;
    case Event::Type::done:
        finish(out);
        break;
    case Event::Type::logprobs:
        break;      // these APIs have none
    }
}

void BlockStreamWriter::start(const Event &event, std::string &out) {
    if (!started_) {
        started_ = true;
        begin_answer(event, out);
    }
}

// Text or reasoning goes on in the last block, if that is one of the kind.
void BlockStreamWriter::add(Kind kind, std::string_view text,
                            std::string &out) {
    if (text.empty()) {
        return;
    }
    if (blocks_.empty() || blocks_.back().kind != kind
        || blocks_.back().is_signed) {
        push(Block(kind), out);
    }
    deliver(blocks_.size() - 1, text, out);
}

void BlockStreamWriter::sign(std::string_view signature, std::string &out) {
    if (blocks_.empty() || blocks_.back().kind != Kind::reasoning
        || blocks_.back().is_signed) {
        push(Block(Kind::reasoning), out);
    }
    blocks_.back().signature = signature;
    blocks_.back().is_signed = true;
}

void BlockStreamWriter::add_redacted(std::string_view data,
                                     std::string &out) {
    add_whole(Kind::redacted, data, {}, out);
}

void BlockStreamWriter::add_whole(Kind kind, std::string_view data,
                                  std::string_view format, std::string &out) {
    Block block(kind);
    block.held = data;
    block.format = format;
    push(std::move(block), out);
}

void BlockStreamWriter::add_call(const Event &event, std::string &out) {
    if (!event.signature.empty()) {
        add_proof(event.signature, out);
    }
    Block block(Kind::call);
    block.call = event.call;
    block.id = event.id;
    if (block.id.empty()) {
        append_call_id(block.id, event.call);
    }
    block.name = event.name;
    block.custom = event.custom;
    called_ = true;
    push(std::move(block), out);
}

void BlockStreamWriter::add_arguments(const Event &event, std::string &out) {
    for (std::size_t i = blocks_.size(); i-- > open_;) {
        Block &block = blocks_[i];
        if (block.kind == Kind::call && block.call == event.call) {
            block.end.feed(event.text);
            deliver(i, event.text, out);
            advance(out);
            return;
        }
    }
    // After the end of its object only white space can come.
}

void BlockStreamWriter::push(Block block, std::string &out) {
    start(Event{}, out);
    blocks_.push_back(std::move(block));
    if (blocks_.size() == 1) {
        open_block(out);
    } else {
        advance(out);
    }
}

// A block that waits gives way only when the one before it is whole: a call
// is when its object is, everything else whenever something else begins.
void BlockStreamWriter::advance(std::string &out) {
    auto is_whole = [](const Block &block) {
        return block.kind != Kind::call
               || (!block.custom && block.end.reached());
    };
    while (open_ + 1 < blocks_.size() && is_whole(blocks_[open_])) {
        close_block(out);
        ++open_;
        open_block(out);
    }
}

void BlockStreamWriter::deliver(std::size_t i, std::string_view text,
                                std::string &out) {
    if (i != open_ || blocks_[i].custom) {
        blocks_[i].held.append(text);
    } else {
        write_delta(blocks_[i].kind, text, out);
    }
}

void BlockStreamWriter::open_block(std::string &out) {
    Block &block = blocks_[open_];
    begin_block(block, out);
    if (!block.custom && !block.held.empty()) {
        write_delta(block.kind, block.held, out);
        std::string().swap(block.held);
    }
}

void BlockStreamWriter::close_block(std::string &out) {
    Block &block = blocks_[open_];
    if (block.custom) {
        // Free text has no place in an input but as a member.
        std::string input;
        json::Writer(input)
            .begin_object()
            .member(custom_input, block.held)
            .end_object();
        write_delta(block.kind, input, out);
        std::string().swap(block.held);
    }
    end_block(block, out);
}

void BlockStreamWriter::fail(const Event &event, std::string &out) {
    ended_ = true;
    Error unknown;
    unknown.kind = ErrorKind::server;
    unknown.message = "the answer broke off";
    break_off(event.error ? *event.error : unknown, out);
}

void BlockStreamWriter::finish(std::string &out) {
    ended_ = true;
    start(Event{}, out);
    if (!blocks_.empty()) {
        close_block(out);
        while (++open_ < blocks_.size()) {
            open_block(out);
            close_block(out);
        }
    }

    // Servers exist that call tools and say "stop".
    if (reason_ == FinishReason::stop && called_) {
        reason_ = FinishReason::tool_calls;
    }
    if (refused_) {
        reason_ = FinishReason::content_filter;
    }
    end_answer({reason_, native_, stop_sequence_}, out);
}

}  // namespace llm
