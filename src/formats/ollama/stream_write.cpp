#include <optional>
#include <string>
#include <vector>

#include "formats/functions.hpp"
#include "formats/ollama/answer.hpp"
#include "formats/ollama/ollama.hpp"
#include "formats/ollama/tables.hpp"

namespace llm::ollama {

namespace {

using chat::Event;
using chat::FinishReason;
using Type = chat::Event::Type;

// The arguments of calls that are held until they are whole; as many bytes as
// one event of a provider's stream may have.
constexpr std::size_t most_held = std::size_t{16} << 20;

// Writes one line for each piece of text. Calls have their arguments as an
// object here, so that they wait for the end of the answer.
class Writer final : public StreamWriter {
public:
    Writer(Api api, const AnswerContext &context)
        : api_(api), request_model_(context.request_model),
          now_(context.now) {}

    void write(const Event &event, std::string &out) override;

private:
    struct Call {
        std::size_t number;
        std::string id;
        std::string name;
        std::string arguments;
        bool custom;
    };

    const MessageWriter &message(std::string_view model = {},
                                 std::int64_t created = 0);
    void write_line(std::string &out, std::string_view text,
                    std::string_view thinking = {},
                    std::string_view image = {});
    void add_call(const Event &event);
    void add_arguments(const Event &event, std::string &out);
    void write_calls(std::string &out);
    void write_logprobs(const Event &event, std::string &out);
    void write_done(std::string &out);
    void fail(const Error &error, std::string &out);

    Api api_;
    std::string request_model_;
    std::int64_t now_;
    std::optional<MessageWriter> message_;
    std::vector<Call> calls_;
    std::size_t held_ = 0;
    FinishReason reason_ = FinishReason::stop;
    chat::Usage usage_;
    bool over_ = false;
};

const MessageWriter &Writer::message(std::string_view model,
                                     std::int64_t created) {
    if (!message_) {
        message_.emplace(api_, model.empty() ? request_model_ : model,
                         created ? created : now_);
    }
    return *message_;
}

void Writer::write_line(std::string &out, std::string_view text,
                        std::string_view thinking, std::string_view image) {
    message().begin(out, text, thinking, {}, image);
    out.append(",\"done\":false}\n");
}

void Writer::write(const Event &event, std::string &out) {
    // An answer of this API is one choice.
    if (over_ || event.choice != 0) {
        return;
    }
    switch (event.type) {
    case Type::start:
        message(event.model, event.created);
        break;
    case Type::text:
    case Type::refusal:
        if (!event.text.empty()) {
            write_line(out, event.text);
        }
        break;
    case Type::reasoning:
        if (!event.text.empty()) {
            write_line(out, {}, event.text);
        }
        break;
    case Type::image:
        write_line(out, {}, {}, event.text);
        break;
    case Type::reasoning_signature:
    case Type::redacted_reasoning:
        break;
    case Type::tool_call:
        add_call(event);
        break;
    case Type::tool_arguments:
        add_arguments(event, out);
        break;
    case Type::logprobs:
        write_logprobs(event, out);
        break;
    case Type::finish:
        reason_ = event.finish_reason;
        write_calls(out);
        break;
    case Type::usage:
        usage_ = event.usage;
        break;
    case Type::ping:
        // There are no comments: clients take every line for an answer.
        write_line(out, {});
        break;
    case Type::error:
        fail(*event.error, out);
        break;
    case Type::done:
        write_done(out);
        break;
    }
}

void Writer::add_call(const Event &event) {
    calls_.push_back({event.call, std::string(event.id),
                      std::string(event.name), {}, event.custom});
}

void Writer::add_arguments(const Event &event, std::string &out) {
    for (Call &call : calls_) {
        if (call.number != event.call) {
            continue;
        }
        if (event.text.size() > most_held - held_) {
            fail({ErrorKind::bad_gateway,
                  "the provider's tool calls are too long", {}, {}, 0, {}},
                 out);
            return;
        }
        held_ += event.text.size();
        call.arguments.append(event.text);
    }
}

void Writer::write_calls(std::string &out) {
    if (calls_.empty()) {
        return;
    }
    std::string text;
    json::Writer list(text);
    list.begin_array();
    for (const Call &call : calls_) {
        chat::Part part;
        part.id = call.id;
        part.name = call.name;
        part.arguments = call.arguments;
        part.custom = call.custom;
        functions::write_object_call(list, part, call.number);
    }
    list.end_array();
    calls_.clear();
    message().begin(out, {}, {}, text);
    out.append(",\"done\":false}\n");
}

void Writer::write_logprobs(const Event &event, std::string &out) {
    json::Value list = event.value["content"];
    if (!list.is_array()) {
        return;
    }
    message().begin(out, {});
    out.append(",\"done\":false,\"logprobs\":");
    functions::append_line(out, list.raw());
    out.append("}\n");
}

void Writer::write_done(std::string &out) {
    over_ = true;
    write_calls(out);
    message().begin(out, {});
    out.append(",\"done\":true,\"done_reason\":");
    json::append_string(out, done_reason(reason_));
    if (usage_.known || usage_.estimated) {
        out.push_back(',');
        json::Writer w(out);
        write_usage(w, usage_);
    }
    out.append("}\n");
}

void Writer::fail(const Error &error, std::string &out) {
    over_ = true;
    write_error(error, out);
    out.push_back('\n');
}

}  // namespace

std::unique_ptr<StreamWriter> make_writer(Api api,
                                          const AnswerContext &context) {
    return std::make_unique<Writer>(api, context);
}

}  // namespace llm::ollama
