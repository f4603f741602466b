// Whatever a client asks for and a provider answers: what is sent is JSON, what
// is answered is JSON, or there is an error that says something. The first byte
// chooses the client's route, the second the provider's API; a NUL ends the
// client's body, the rest is the answer.
#include <algorithm>
#include <memory_resource>
#include <string>

#include "fuzz.hpp"
#include "llm/embedding_format.hpp"
#include "llm/exchange.hpp"

using namespace llm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    static constexpr std::string_view paths[] = {
        "/v1/embeddings", "/api/embed", "/api/embeddings", "/v2/embed",
        "/v1/models/m:embedContent", "/v1/models/m:batchEmbedContents",
    };
    if (size < 2) {
        return 0;
    }
    auto match = match_route(paths[data[0] % std::size(paths)],
                             ClientHints{});
    auto apis = embedding::apis();
    const auto *api = apis[data[1] % apis.size()];
    std::string_view text(reinterpret_cast<const char *>(data) + 2, size - 2);
    std::string body(text.substr(0, text.find('\0')));
    auto answer = text.substr(std::min(body.size() + 1, text.size()));

    Exchange exchange(*match.format, body, {},
                      std::pmr::new_delete_resource());
    if (auto opened = exchange.open(match); !opened) {
        fuzz::promise(!opened.error().message.empty(), "errors say something");
        return 0;
    }
    Target target;
    target.format = match.format;
    target.model = api->name() == "bedrock" ? "cohere.embed-v4:0" : "m/../?";
    target.embeddings = api;
    exchange.set_context("unique", 1);
    if (auto prepared = exchange.prepare(target); !prepared) {
        fuzz::promise(!prepared.error().message.empty(),
                      "errors say something");
        return 0;
    }
    std::string sent;
    for (auto piece : exchange.pieces()) {
        sent += piece;
    }
    fuzz::promise_json(sent, "a request is JSON");
    fuzz::promise(exchange.request_path("/v1").find_first_of(" ?#\r\n")
                      == std::string::npos,
                  "a model's name stays in its place");

    AnswerHead head;
    head.status = 200;
    head.content_type = "application/json";
    (void) exchange.begin(head);
    (void) exchange.feed(answer);
    if (exchange.finish() == Exchange::Step::failed) {
        fuzz::promise(!exchange.error().message.empty(),
                      "errors say something");
    } else {
        fuzz::promise_json(exchange.output(), "an answer is JSON");
    }
    return 0;
}
