// Any client's body is refused with a message, or becomes a body for every
// provider, which is JSON; and the edits of a body that stays in its format
// leave it JSON.
#include <memory_resource>

#include "fuzz.hpp"
#include "llm/format.hpp"
#include "llm/simulate.hpp"
#include "llm/tokens.hpp"

using namespace llm;

namespace {

void promise_error(const Error &error) {
    fuzz::promise(!error.message.empty(), "an error has a message");
    for (const Format *format : formats()) {
        std::string out;
        format->write_error(error, out);
        fuzz::promise_json(out, "an error is JSON");
        int status = format->error_status(error);
        fuzz::promise(status >= 400 && status < 600, "an error has a status");
    }
}

// A server that takes as little as any does.
void make_demanding(Quirks &quirks) {
    static constexpr MemberRule rules[] = {
        {"max_completion_tokens", "max_tokens"}, {"user"}, {"seed", "s"},
        {"logit_bias"}, {"temperature"},
    };
    quirks.members = rules;
    quirks.schema = SchemaForm::prompt;
    quirks.mistral_messages = true;
    quirks.null_content = false;
    quirks.reasoning_content = true;
    quirks.stream_options = false;
}

void write_everywhere(const chat::Request &request) {
    for (const Format *format : formats()) {
        for (bool generous : {false, true}) {
            WriteOptions options;
            options.model = "model";
            options.drop_unsupported = generous;
            options.quirks.max_completion_tokens = generous;
            options.quirks.developer_role = generous;
            options.quirks.output_config = generous;
            if (!generous) {
                make_demanding(options.quirks);
            }

            std::string out;
            auto outcome = format->write_request(request, options, out);
            if (outcome) {
                fuzz::promise_json(out, "a request is JSON");
            } else {
                promise_error(outcome.error());
            }
        }
    }
}

// What has tokens that its bytes say nothing of, has no bound.
void promise_bound(json::Value body, const chat::Request &request) {
    if (!tokens::prompt_bound(body)) {
        return;
    }
    for (const auto &message : request.messages) {
        for (const auto &part : message.parts) {
            fuzz::promise(part.type != chat::PartType::image
                              && part.type != chat::PartType::audio
                              && part.type != chat::PartType::file,
                          "what has a bound is text");
        }
    }
}

// The simulated model has an answer to whatever is understood.
void simulate_answer(const chat::Request &request) {
    struct Sink : chat::EventSink {
        void on_event(const chat::Event &event) override {
            writer->write(event, out);
        }
        std::unique_ptr<StreamWriter> writer;
        std::string out;
    };

    for (const Format *format : formats()) {
        simulate::Answer answer(request, simulate::Options{});
        AnswerContext context;
        context.unique = answer.unique();
        std::string whole;
        format->write_response(answer.response(), context, whole);
        fuzz::promise_json(whole, "an answer is JSON");

        Sink sink;
        sink.writer = format->make_writer(context);
        while (answer.step(sink)) {
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view body(reinterpret_cast<const char *>(data), size);
    const Format &format = *find_format(LLM_FUZZ_FORMAT);

    json::Document document;
    if (auto outcome = document.parse(body); !outcome) {
        promise_error(outcome.error());
        return 0;
    }

    // Of some APIs only the path says it.
    RouteMatch route;
    route.model = "model";
    auto head = format.parse_head(document, route);
    if (!head) {
        promise_error(head.error());
    } else {
        WriteOptions options;
        options.model = "a \"model\"";
        for (bool demanding : {false, true}) {
            if (demanding) {
                make_demanding(options.quirks);
            }
            auto edits = format.request_edits(body, document, options);
            std::size_t end = 0;
            for (const json::Edit &edit : edits) {
                fuzz::promise(edit.offset >= end, "edits are disjoint");
                end = edit.offset + edit.length;
            }
            std::string out;
            json::apply_edits(body, edits, out);
            fuzz::promise_json(out, "an edited body is JSON");
        }
    }

    std::pmr::monotonic_buffer_resource memory;
    auto request = format.parse_request(document, &memory);
    if (!request) {
        promise_error(request.error());
        return 0;
    }
    fuzz::promise(static_cast<bool>(head), "what is understood has a head",
                  body);
    promise_bound(document.root(), *request);
    write_everywhere(*request);
    simulate_answer(*request);
    return 0;
}
