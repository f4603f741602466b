#include "formats/responses/answer_write.hpp"
#include "formats/responses/responses.hpp"

namespace llm::responses {

namespace {

using chat::Event;
using Type = chat::Event::Type;

class Writer final : public StreamWriter {
public:
    explicit Writer(const AnswerContext &context)
        : answer_(context, AnswerWriter::Form::stream) {}

    void write(const Event &event, std::string &out) override;

private:
    AnswerWriter answer_;
    chat::FinishReason reason_ = chat::FinishReason::none;
    chat::Usage usage_;
};

void Writer::write(const Event &event, std::string &out) {
    // An answer of this API is one choice.
    if (event.choice != 0) {
        return;
    }
    switch (event.type) {
    case Type::start:
        answer_.start(event.id, event.model, event.created, out);
        break;
    case Type::text:
        answer_.add_text(event.text, false, out);
        break;
    case Type::refusal:
        answer_.add_text(event.text, true, out);
        break;
    case Type::image:
        answer_.add_image(event.text, out);
        break;
    case Type::reasoning:
        answer_.add_reasoning(event.text, out);
        break;
    case Type::reasoning_signature:
        answer_.sign_reasoning(event.text, out);
        break;
    case Type::redacted_reasoning:
        answer_.add_redacted(event.text, out);
        break;
    case Type::tool_call:
        answer_.add_call(event, out);
        break;
    case Type::tool_arguments:
        answer_.add_arguments(event.call, event.text, out);
        break;
    case Type::logprobs:
        answer_.add_logprobs(event.value);
        break;
    case Type::finish:
        reason_ = event.finish_reason;
        break;
    case Type::usage:
        usage_ = event.usage;
        break;
    case Type::ping:
        out.append(": keep-alive\n\n");
        break;
    case Type::error:
        answer_.fail(*event.error, out);
        break;
    case Type::done:
        answer_.finish(reason_, usage_, out);
        break;
    }
}

}  // namespace

std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context) {
    return std::make_unique<Writer>(context);
}

}  // namespace llm::responses
