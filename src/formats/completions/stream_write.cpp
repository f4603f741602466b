#include <vector>

#include "formats/completions/completions.hpp"
#include "formats/openai/openai.hpp"

namespace llm::completions {

namespace {

using chat::Event;
using Type = chat::Event::Type;

// Each chunk is the same but for its text, so that what precedes it is made
// once.
class Writer final : public StreamWriter {
public:
    explicit Writer(const AnswerContext &context)
        : unique_(context.unique), request_model_(context.request_model),
          now_(context.now), include_usage_(context.include_usage) {}

    void write(const Event &event, std::string &out) override;

private:
    void start(std::string_view id, std::string_view model,
               std::int64_t created);
    void write_chunk(std::int64_t choice, std::string_view text,
                     std::string_view finish_reason, std::string &out);
    void write_done(std::string &out);

    std::string unique_;
    std::string request_model_;
    std::int64_t now_;
    bool include_usage_;
    bool started_ = false;
    bool over_ = false;
    std::string head_;          // of every chunk, up to its choices
    chat::Usage usage_;
};

void Writer::start(std::string_view id, std::string_view model,
                   std::int64_t created) {
    if (started_) {
        return;
    }
    started_ = true;

    head_ = "data: ";
    json::Writer w(head_);
    w.begin_object().key("id");
    if (id.empty()) {
        w.string("cmpl-" + unique_);
    } else {
        w.string(id);
    }
    w.member("object", "text_completion")
        .member("created", created ? created : now_)
        .member("model", model.empty() ? request_model_ : model);
    head_.append(",\"choices\":[");
}

void Writer::write_chunk(std::int64_t choice, std::string_view text,
                         std::string_view finish_reason, std::string &out) {
    start({}, {}, 0);
    out.append(head_).append("{\"index\":");
    json::Writer(out).integer(choice);
    out.append(",\"text\":");
    json::append_string(out, text);
    out.append(",\"logprobs\":null,\"finish_reason\":");
    if (finish_reason.empty()) {
        out.append("null");
    } else {
        json::append_string(out, finish_reason);
    }
    out.append(include_usage_ ? "}],\"usage\":null}\n\n" : "}]}\n\n");
}

void Writer::write(const Event &event, std::string &out) {
    if (over_) {
        return;
    }
    switch (event.type) {
    case Type::start:
        start(event.id, event.model, event.created);
        break;
    case Type::text:
    case Type::refusal:
        if (!event.text.empty()) {
            write_chunk(event.choice, event.text, {}, out);
        }
        break;
    case Type::finish:
        write_chunk(event.choice, {}, finish_word(event.finish_reason), out);
        break;
    case Type::usage:
        usage_ = event.usage;
        break;
    case Type::ping:
        out.append(": keep-alive\n\n");
        break;
    case Type::error:
        over_ = true;
        out.append("data: ");
        openai::write_error(*event.error, out);
        out.append("\n\n");
        break;
    case Type::done:
        over_ = true;
        write_done(out);
        break;
    case Type::image:
    case Type::reasoning:
    case Type::reasoning_signature:
    case Type::redacted_reasoning:
    case Type::tool_call:
    case Type::tool_arguments:
    case Type::logprobs:
        break;          // no place in this API
    }
}

void Writer::write_done(std::string &out) {
    if (include_usage_ && (usage_.known || usage_.estimated)) {
        start({}, {}, 0);
        out.append(head_).append("],\"usage\":");
        json::Writer w(out);
        openai::write_usage(w, usage_);
        out.append("}\n\n");
    }
    out.append("data: [DONE]\n\n");
}

}  // namespace

std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context) {
    return std::make_unique<Writer>(context);
}

}  // namespace llm::completions
