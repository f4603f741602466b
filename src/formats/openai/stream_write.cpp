#include <algorithm>
#include <vector>

#include "formats/openai/google.hpp"
#include "formats/openai/images.hpp"
#include "formats/openai/openai.hpp"

namespace llm::openai {

namespace {

using chat::Event;
using Type = chat::Event::Type;

// Writes chunks in the order that OpenAI's API has: the role first, then
// content, the finish reason, usage for who asked, and the end marker. Each
// chunk is the same but for its delta, so that what precedes the delta is
// made once.
class Writer final : public StreamWriter {
public:
    explicit Writer(const AnswerContext &context);

    void write(const Event &event, std::string &out) override;

private:
    struct Call {
        bool custom = false;
        bool has_arguments = false; // some were written
    };

    struct Choice {
        std::int64_t index = 0;
        std::string text_head;      // of a chunk of text, up to it
        std::vector<Call> calls;
        std::int64_t details = 0;   // reasoning details so far
        std::int64_t images = 0;
    };

    void start(std::string_view id, std::string_view model,
               std::int64_t created);
    Choice &choice_of(const Event &event, std::string &out);
    void open(std::int64_t choice, std::string &out) const;
    void close(std::string_view finish_reason, std::string &out) const;
    void write_text(const Event &event, std::string &out);
    void write_delta(const Event &event, std::string_view name,
                     std::string &out);
    void write_signature(const Event &event, std::string &out);
    void write_image_chunk(const Event &event, std::string &out);
    void write_detail(const Event &event, std::string_view type,
                      std::string_view name, std::string &out);
    void write_call(const Event &event, std::string &out);
    void write_arguments(const Event &event, std::string &out);
    void write_logprobs(const Event &event, std::string &out);
    void write_finish(const Event &event, std::string &out);
    void write_done(std::string &out);

    std::string unique_;
    std::string request_model_;
    std::int64_t now_;
    bool include_usage_;
    bool started_ = false;
    bool over_ = false;
    std::string head_;          // of every chunk, up to its choices
    std::vector<Choice> choices_;
    chat::Usage usage_;
};

Writer::Writer(const AnswerContext &context)
    : unique_(context.unique), request_model_(context.request_model),
      now_(context.now), include_usage_(context.include_usage) {}

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
        w.string("chatcmpl-" + unique_);
    } else {
        w.string(id);
    }
    w.member("object", "chat.completion.chunk")
        .member("created", created ? created : now_)
        .member("model", model.empty() ? request_model_ : model);
    head_.append(",\"choices\":[");
}

void Writer::open(std::int64_t choice, std::string &out) const {
    out.append(head_).append("{\"index\":");
    json::Writer(out).integer(choice);
    out.append(",\"delta\":{");
}

void Writer::close(std::string_view finish_reason, std::string &out) const {
    using namespace std::string_view_literals;

    if (finish_reason.empty()) {
        out.append(include_usage_
                       ? "},\"finish_reason\":null}],\"usage\":null}\n\n"sv
                       : "},\"finish_reason\":null}]}\n\n"sv);
        return;
    }
    out.append("},\"finish_reason\":");
    json::append_string(out, finish_reason);
    out.append(include_usage_ ? "}],\"usage\":null}\n\n" : "}]}\n\n");
}

// The state of the event's choice; its first chunk names the role.
Writer::Choice &Writer::choice_of(const Event &event, std::string &out) {
    start({}, {}, 0);
    for (Choice &choice : choices_) {
        if (choice.index == event.choice) {
            return choice;
        }
    }

    Choice &choice = choices_.emplace_back();
    choice.index = event.choice;
    open(event.choice, out);
    out.append("\"role\":\"assistant\",\"content\":\"\"");
    close({}, out);
    return choice;
}

void Writer::write(const Event &event, std::string &out) {
    if (over_) {
        return;
    }

    switch (event.type) {
    case Type::start:
        start(event.id, event.model, event.created);
        choice_of(event, out);
        break;
    case Type::text:
        write_text(event, out);
        write_signature(event, out);
        break;
    case Type::image:
        write_image_chunk(event, out);
        break;
    case Type::reasoning:
        write_delta(event, "reasoning_content", out);
        break;
    case Type::refusal:
        write_delta(event, "refusal", out);
        break;
    case Type::reasoning_signature:
        write_detail(event, "reasoning.text", "signature", out);
        break;
    case Type::redacted_reasoning:
        write_detail(event, "reasoning.encrypted", "data", out);
        break;
    case Type::tool_call:
        write_call(event, out);
        break;
    case Type::tool_arguments:
        write_arguments(event, out);
        break;
    case Type::logprobs:
        write_logprobs(event, out);
        break;
    case Type::finish:
        write_finish(event, out);
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
        write_error(*event.error, out);
        out.append("\n\n");
        break;
    case Type::done:
        over_ = true;
        write_done(out);
        break;
    }
}

// All that stands before the text is the same in each such chunk.
void Writer::write_text(const Event &event, std::string &out) {
    if (event.text.empty()) {
        return;
    }
    Choice &choice = choice_of(event, out);
    if (choice.text_head.empty()) {
        open(event.choice, choice.text_head);
        choice.text_head.append("\"content\":");
    }
    out.append(choice.text_head);
    json::append_string(out, event.text);
    close({}, out);
}

void Writer::write_delta(const Event &event, std::string_view name,
                         std::string &out) {
    if (event.text.empty()) {
        return;
    }
    choice_of(event, out);
    open(event.choice, out);
    out.push_back('"');
    out.append(name).append("\":");
    json::append_string(out, event.text);
    close({}, out);
}

void Writer::write_signature(const Event &event, std::string &out) {
    if (event.signature.empty()) {
        return;
    }
    choice_of(event, out);
    open(event.choice, out);
    json::Writer w(out);
    write_google_signature(w, event.signature);
    close({}, out);
}

void Writer::write_image_chunk(const Event &event, std::string &out) {
    if (event.text.empty()) {
        return;
    }
    Choice &choice = choice_of(event, out);
    open(event.choice, out);
    json::Writer w(out);
    w.key("images").begin_array();
    write_image(w, event.media_type, event.text, choice.images++);
    w.end_array();
    close({}, out);
}

void Writer::write_detail(const Event &event, std::string_view type,
                          std::string_view name, std::string &out) {
    if (event.text.empty()) {
        return;
    }
    Choice &choice = choice_of(event, out);
    open(event.choice, out);
    json::Writer w(out);
    w.key("reasoning_details").begin_array().begin_object()
        .member("type", type)
        .member(name, event.text)
        .member("index", choice.details++)
        .end_object().end_array();
    close({}, out);
}

void Writer::write_call(const Event &event, std::string &out) {
    Choice &choice = choice_of(event, out);
    if (choice.calls.size() <= event.call) {
        choice.calls.resize(event.call + 1);
    }
    choice.calls[event.call].custom = event.custom;

    open(event.choice, out);
    out.append("\"tool_calls\":[{\"index\":");
    json::Writer(out).integer(static_cast<std::int64_t>(event.call));
    out.append(",\"id\":");
    json::append_string(out, event.id);
    out.append(event.custom ? ",\"type\":\"custom\",\"custom\":{\"name\":"
                            : ",\"type\":\"function\",\"function\":{\"name\":");
    json::append_string(out, event.name);
    out.append(event.custom ? ",\"input\":\"\"}" : ",\"arguments\":\"\"}");
    if (!event.signature.empty()) {
        out.push_back(',');
        json::Writer w(out);
        write_google_signature(w, event.signature);
    }
    out.append("}]");
    close({}, out);
}

void Writer::write_arguments(const Event &event, std::string &out) {
    Choice &choice = choice_of(event, out);
    if (event.text.empty() || event.call >= choice.calls.size()) {
        return;
    }
    Call &call = choice.calls[event.call];
    call.has_arguments = true;

    open(event.choice, out);
    out.append("\"tool_calls\":[{\"index\":");
    json::Writer(out).integer(static_cast<std::int64_t>(event.call));
    out.append(call.custom ? ",\"custom\":{\"input\":"
                           : ",\"function\":{\"arguments\":");
    json::append_string(out, event.text);
    out.append("}}]");
    close({}, out);
}

void Writer::write_logprobs(const Event &event, std::string &out) {
    choice_of(event, out);
    out.append(head_).append("{\"index\":");
    json::Writer(out).integer(event.choice);
    out.append(",\"logprobs\":");
    // As it came, but on one line.
    std::size_t start = out.size();
    out.append(event.value.raw());
    std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(start),
                    out.end(),
                    [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out.append(",\"delta\":{");
    close({}, out);
}

void Writer::write_finish(const Event &event, std::string &out) {
    Choice &choice = choice_of(event, out);
    // Clients parse the arguments of every call: none at all are "{}".
    for (std::size_t i = 0; i < choice.calls.size(); ++i) {
        if (!choice.calls[i].custom && !choice.calls[i].has_arguments) {
            Event arguments;
            arguments.choice = event.choice;
            arguments.call = i;
            arguments.text = "{}";
            write_arguments(arguments, out);
        }
    }
    open(event.choice, out);
    close(chat::to_string(event.finish_reason), out);
}

void Writer::write_done(std::string &out) {
    if (include_usage_ && (usage_.known || usage_.estimated)) {
        start({}, {}, 0);
        out.append(head_).append("],\"usage\":");
        json::Writer w(out);
        write_usage(w, usage_);
        out.append("}\n\n");
    }
    out.append("data: [DONE]\n\n");
}

}  // namespace

std::unique_ptr<StreamWriter> make_writer(const AnswerContext &context) {
    return std::make_unique<Writer>(context);
}

}  // namespace llm::openai
