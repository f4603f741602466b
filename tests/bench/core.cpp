// What the core costs without nginx: requests, answers and streams of each
// pair of formats, as the gateway's Exchange takes them. Prints microseconds
// of processor time for one, and megabytes of input per second.
//
//     bench_core [PART OF A ROW'S NAME]
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "llm/exchange.hpp"
#include "llm/simulate.hpp"

namespace {

using llm::Format;

constexpr std::string_view unique = "0123456789abcdef";
constexpr std::int64_t now = 1700000000;

// The body of an OpenAI client in the words of another API.
std::string translated(const Format &format, std::string_view body) {
    std::pmr::monotonic_buffer_resource memory;
    llm::json::Document document(&memory);
    std::string out;
    if (document.parse(body)) {
        auto request = llm::openai_format().parse_request(document, &memory);
        llm::WriteOptions options;
        options.model = "model-x";
        if (!request || !format.write_request(*request, options, out)) {
            out.clear();
        }
    }
    return out;
}

// A client's body: ten turns with `size` bytes of text in all.
std::string request_body(const Format &format, std::size_t size,
                         bool stream) {
    const std::string_view sentence =
        "How does a river find its way to the sea, and how long? ";
    std::string text;
    do {
        text += sentence;
    } while (text.size() + sentence.size() <= size / 10);

    std::string head =
        "{\"model\":\"model-x\",\"max_tokens\":4096,\"temperature\":0.7,";
    if (stream) {
        head += "\"stream\":true,"
                "\"stream_options\":{\"include_usage\":true},";
    }
    head += "\"messages\":[";

    std::string body = head;
    for (int turn = 0; turn < 10; turn += 2) {
        for (std::string_view role : {"user", "assistant"}) {
            body.append("{\"role\":\"").append(role);
            body.append("\",\"content\":\"").append(text).append("\"},");
        }
    }
    body += "{\"role\":\"user\",\"content\":\"Go on.\"}]}";
    if (&format == &llm::openai_format()) {
        return body;
    }
    body = translated(format, body);
    if (!body.empty()) {
        return body;
    }

    // An API that knows no turns.
    head += "{\"role\":\"user\",\"content\":\"";
    for (int turn = 0; turn < 10; ++turn) {
        head += text;
    }
    return translated(format, head + "\"}]}");
}

// What a provider of this format answers, with so many tokens.
std::string answer_body(const Format &format, std::int64_t tokens,
                        bool stream) {
    struct Writer final : llm::chat::EventSink {
        void on_event(const llm::chat::Event &event) override {
            writer->write(event, out);
        }
        std::unique_ptr<llm::StreamWriter> writer;
        std::string out;
    };

    std::string body = request_body(format, 100, stream);
    std::pmr::monotonic_buffer_resource memory;
    llm::json::Document document(&memory);
    if (!document.parse(body)) {
        return {};
    }
    auto request = format.parse_request(document, &memory);
    if (!request) {
        return {};
    }
    llm::simulate::Options options;
    options.reply = llm::simulate::Reply::lorem;
    options.tokens = tokens;
    llm::simulate::Answer answer(*request, options);

    llm::AnswerContext context;
    context.include_usage = true;
    context.now = now;
    context.unique = unique;
    context.query = "alt=sse";
    Writer sink;
    if (!stream) {
        format.write_response(answer.response(), context, sink.out);
        return sink.out;
    }
    sink.writer = format.make_writer(context);
    while (answer.step(sink)) {
    }
    return sink.out;
}

// Runs `once` for about half a second of processor time.
void measure(std::string_view name, std::size_t bytes,
             const std::function<bool()> &once) {
    std::clock_t start = std::clock();
    std::size_t runs = 0;
    while (std::clock() - start < CLOCKS_PER_SEC / 2) {
        for (int i = 0; i < 20; ++i, ++runs) {
            if (!once()) {
                std::printf("%-52.*s failed\n", static_cast<int>(name.size()),
                            name.data());
                return;
            }
        }
    }
    double seconds = static_cast<double>(std::clock() - start)
                     / CLOCKS_PER_SEC / static_cast<double>(runs);
    std::printf("%-52.*s %10.2f us %10.0f MB/s\n",
                static_cast<int>(name.size()), name.data(), seconds * 1e6,
                static_cast<double>(bytes) / seconds / 1e6);
}

// One call from end to end. `arrival`: bytes of the answer that come at once;
// 0: no answer is read.
bool call(const Format &client, const Format &provider, std::string_view body,
          std::string_view answer, bool stream, std::size_t arrival) {
    std::pmr::monotonic_buffer_resource memory;
    llm::Exchange exchange(client, body, {}, &memory);
    llm::Target target;
    target.format = &provider;
    target.model = "model-x";
    target.quirks.prompt_template = "llama3";
    exchange.set_context(unique, now);
    // What some APIs say in the path and not in the body.
    llm::RouteMatch route;
    route.format = &client;
    route.model = "model-x";
    route.stream = stream;
    if (!exchange.open(route) || !exchange.prepare(target)) {
        return false;
    }
    if (arrival == 0) {
        return true;
    }

    llm::AnswerHead head;
    head.status = 200;
    head.content_type = stream ? provider.stream_type() : "application/json";
    (void) exchange.begin(head);
    for (; !answer.empty(); answer.remove_prefix(
             std::min(arrival, answer.size()))) {
        (void) exchange.feed(answer.substr(0, arrival));
        exchange.output().clear();
    }
    return exchange.finish() == llm::Exchange::Step::complete
           && exchange.account().complete;
}

}  // namespace

int main(int count, char **arguments) {
    struct Size {
        std::string_view name;
        std::size_t text;
    };
    constexpr Size sizes[] = {{"1 KB", 600}, {"32 KB", 32000}};
    constexpr std::int64_t tokens = 200;

    std::string_view wanted = count > 1 ? arguments[1] : "";
    auto run = [&](const std::string &name, std::size_t bytes,
                   const std::function<bool()> &once) {
        if (name.find(wanted) != name.npos) {
            measure(name, bytes, once);
        }
    };

    for (const Format *client : llm::formats()) {
        for (const Format *provider : llm::formats()) {
            // Ten turns are none of its questions.
            if (provider == &llm::ollama_generate_format()
                && client != provider) {
                continue;
            }
            std::string pair(client->name());
            pair.append(" to ").append(provider->name());

            for (const Size &size : sizes) {
                std::string body = request_body(*client, size.text, false);
                run(pair + ", request of " + std::string(size.name),
                    body.size(), [&] {
                        return call(*client, *provider, body, {}, false, 0);
                    });
            }

            std::string body = request_body(*client, 100, false);
            std::string answer = answer_body(*provider, tokens, false);
            run(pair + ", answer", answer.size(), [&] {
                return call(*client, *provider, body, answer, false, 4096);
            });

            body = request_body(*client, 100, true);
            answer = answer_body(*provider, tokens, true);
            run(pair + ", stream of 200 tokens", answer.size(), [&] {
                return call(*client, *provider, body, answer, true, 4096);
            });
            run(pair + ", stream, cut anywhere", answer.size(), [&] {
                return call(*client, *provider, body, answer, true, 100);
            });
        }
    }
}
