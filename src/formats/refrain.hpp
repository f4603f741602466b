// What most events of a stream say: the same as the one before, but for the
// next piece of a text. A reader that has found out so need not look for
// anything else in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "llm/chat.hpp"

namespace llm {

class Refrain {
public:
    // Hands on what a reader says of a frame, and takes note of it.
    class Ear final : public chat::EventSink {
    public:
        explicit Ear(chat::EventSink &sink) : sink_(sink) {}

        void on_event(const chat::Event &event) override;

    private:
        friend class Refrain;

        chat::EventSink &sink_;
        std::size_t events_ = 0;
        bool piece_ = false;        // the last one is a text and no more
        chat::Event::Type type_{};
        std::int64_t choice_ = 0;
        std::size_t call_ = 0;
        std::string_view text_;
    };

    // Whether the frame that `document` has read with parse_next() is like
    // those that were learnt; then it is said, and there is no more in it.
    bool repeat(const json::Document &document, chat::EventSink &sink) {
        if (form_ == 0 || form_ != document.form() || text_.string().empty()) {
            return false;
        }
        chat::Event event;
        event.type = type_;
        event.choice = choice_;
        event.call = call_;
        event.text = text_.string();
        sink.on_event(event);
        return true;
    }

    // After the reader has read all that the document says. If that was one
    // piece of text, to read it once more must say the same and change nothing.
    // differs_only(TEXT): whether frames of this form differ in nothing but this
    // value and what the reader does not look at.
    template <typename Predicate>
    void learn(const json::Document &document, const Ear &ear,
               Predicate differs_only) {
        forget();
        json::Value text = piece_of(document, ear);
        if (text && differs_only(text)) {
            form_ = document.form();
            text_ = text;
            type_ = ear.type_;
            choice_ = ear.choice_;
            call_ = ear.call_;
        }
    }

    // Before the document is replaced by another one.
    void forget() noexcept { form_ = 0; }

private:
    // The value that is the one piece of text that was said; absent: none is.
    static json::Value piece_of(const json::Document &document,
                                const Ear &ear);

    std::uint64_t form_ = 0;    // of the document; 0: nothing is learnt
    json::Value text_;          // its value that is said
    chat::Event::Type type_{};
    std::int64_t choice_ = 0;
    std::size_t call_ = 0;
};

}  // namespace llm
