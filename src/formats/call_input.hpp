// Reading the input of a tool call that comes in fragments, in the APIs whose
// tools take nothing but objects: the text of a custom call is wrapped in one,
// and an answer that is held to a schema can be the input of a tool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "llm/chat.hpp"

namespace llm {

class CallInput {
public:
    enum class Kind : std::uint8_t {
        call,
        custom_call,    // is unwrapped when it is whole
        answer,         // of the tool that takes the answer
    };

    // `call`: the call's number, for its events; of no use for an answer.
    CallInput(Kind kind, std::size_t call) : kind_(kind), call_(call) {}

    void add(std::string_view fragment, chat::EventSink &sink);
    // The input is whole. A tool without parameters may have sent none.
    void end(chat::EventSink &sink);

private:
    void emit(std::string_view text, chat::EventSink &sink) const;

    Kind kind_;
    std::size_t call_;
    bool has_input_ = false;
    std::string held_;              // custom_call
};

}  // namespace llm
