// A streamed answer put together again: what replay() (llm/exchange.hpp)
// undoes. For those who need the whole answer of a stream that they also pass
// on, as a cache does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"
#include "llm/json.hpp"

namespace llm {

// Neighbouring texts of one type become one part; otherwise parts stand in the
// order in which they began. Not in a stream, and so not in the answer:
// service tier, fingerprint, sound and blocks that only one format knows.
class Assembler final : public chat::EventSink {
public:
    enum class State : std::uint8_t {
        open,       // the stream goes on
        complete,   // done came: response() is the answer
        failed,     // error came, or events that make no sense
        too_large,  // over max_bytes; nothing is held any more
    };

    // max_bytes: of all texts, and some for each part.
    explicit Assembler(std::size_t max_bytes) : left_(max_bytes) {}
    Assembler(const Assembler &) = delete;
    Assembler &operator=(const Assembler &) = delete;

    // Copies what it needs of the event.
    void on_event(const chat::Event &event) override;

    State state() const noexcept { return state_; }

    // Of views into this object, which must outlive it. Only where complete.
    chat::Response response(std::pmr::memory_resource *memory) const;

private:
    struct Part {
        chat::PartType type = chat::PartType::text;
        std::string text;       // or data, or arguments
        std::string signature;
        std::string id;
        std::string name;
        std::string media_type;
        bool custom = false;
        std::size_t call = 0;
    };

    // A member of the logprobs objects: lists are put together, of anything
    // else the last value counts.
    struct Logprob {
        std::string name;
        std::string json;       // of a list without its brackets
        bool list = false;
    };

    struct Choice {
        std::int64_t index = 0;
        std::vector<Part> parts;
        std::vector<Logprob> logprobs;
        std::string logprobs_text;
        json::Document logprobs_document;
        chat::FinishReason finish_reason = chat::FinishReason::none;
        std::string native;
        std::string stop_sequence;
    };

    bool take(std::size_t bytes);
    bool append(std::string &to, std::string_view text);
    Choice *choice_of(const chat::Event &event);
    Part *part_of(const chat::Event &event, chat::PartType type,
                  bool always_new);
    void add_text(const chat::Event &event, chat::PartType type);
    void add_image(const chat::Event &event);
    void add_signature(const chat::Event &event);
    void add_call(const chat::Event &event);
    void add_arguments(const chat::Event &event);
    void add_logprobs(const chat::Event &event);
    void finish(const chat::Event &event);
    void complete();
    void stop(State state);

    State state_ = State::open;
    std::size_t left_;
    std::string id_;
    std::string model_;
    std::int64_t created_ = 0;
    chat::Usage usage_;
    std::list<Choice> choices_;     // each stays where it is
};

}  // namespace llm
