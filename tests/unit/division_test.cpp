// A call that lists more than its provider takes at once: its parts, and their
// answers as one.
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "llm/embedding_format.hpp"
#include "llm/exchange.hpp"

using namespace llm;

namespace {

using Step = Exchange::Step;

// A client's call to one target, divided as the target wants it.
struct Call {
    Call(std::string_view path, std::string body, std::string_view provider,
         std::string_view model, ExchangeLimits limits = {})
        : body_(std::move(body)),
          match(match_route(path, ClientHints{})),
          whole(*match.format, body_, limits,
                std::pmr::new_delete_resource()) {
        REQUIRE(whole.open(match));
        whole.set_context("unique", 1);
        target.format = &openai_format();
        target.embeddings = embedding::find_api(provider);
        target.model = model;
        REQUIRE(target.embeddings);
        division = whole.divide(target);
        for (std::size_t i = 0; i < division.calls(); ++i) {
            parts.push_back(std::make_unique<Exchange>(whole, division, i));
        }
    }

    // What the provider is sent for each part.
    std::vector<std::string> sent() {
        std::vector<std::string> bodies;
        for (auto &part : parts) {
            auto prepared = part->prepare(target);
            bodies.push_back(prepared ? "" : prepared.error().message);
            for (auto piece : part->pieces()) {
                bodies.back() += piece;
            }
        }
        return bodies;
    }

    Step answer(std::size_t index, std::string_view body, int status = 200) {
        REQUIRE(parts[index]->prepare(target));
        AnswerHead head;
        head.status = status;
        head.content_type = "application/json";
        (void) parts[index]->begin(head);
        if (parts[index]->feed(body) == Step::failed) {
            return Step::failed;
        }
        return parts[index]->finish();
    }

    std::string join() {
        auto all = exchanges();
        return whole.join(all) == Step::complete ? whole.output()
                                                 : whole.error().message;
    }

    std::vector<Exchange *> exchanges() {
        std::vector<Exchange *> all;
        for (auto &part : parts) {
            all.push_back(part.get());
        }
        return all;
    }

    std::string body_;
    RouteMatch match;
    Exchange whole;
    Target target;
    Division division;
    std::vector<std::unique_ptr<Exchange>> parts;
};

constexpr std::string_view titan = "amazon.titan-embed-text-v2:0";

std::string titan_answer(std::string_view vector, int tokens) {
    return "{\"embedding\":[" + std::string(vector)
           + "],\"inputTextTokenCount\":" + std::to_string(tokens) + "}";
}

std::string list_of(std::size_t texts) {
    std::string body = R"({"model":"m","input":[)";
    for (std::size_t i = 0; i < texts; ++i) {
        body += (i ? ",\"t" : "\"t") + std::to_string(i) + '"';
    }
    return body + "]}";
}

}  // namespace

TEST_CASE("A list is divided into calls of as many texts as the model takes",
          "[division]") {
    struct Row {
        std::string_view provider;
        std::string_view model;
        std::size_t texts;
        std::size_t calls;
    };
    for (auto row : {Row{"bedrock", titan, 1, 1}, Row{"bedrock", titan, 3, 3},
                     Row{"bedrock", "amazon.nova-2-multimodal-embeddings-v1:0",
                         2, 2},
                     Row{"bedrock", "cohere.embed-english-v3", 96, 1},
                     Row{"bedrock", "us.cohere.embed-v4:0", 97, 2},
                     Row{"cohere", "embed-v4.0", 200, 3},
                     Row{"gemini", "gemini-embedding-001", 101, 2},
                     Row{"vertex", "gemini-embedding-001", 2, 2},
                     Row{"vertex", "text-embedding-005", 250, 1},
                     Row{"tei", "bge-m3", 33, 2},
                     Row{"ollama", "nomic-embed-text", 2048, 1}}) {
        CAPTURE(row.provider, row.model, row.texts);
        Call call("/v1/embeddings", list_of(row.texts), row.provider,
                  row.model);
        CHECK(call.division.calls() == row.calls);
    }
}

TEST_CASE("A list in the provider's own API is never divided", "[division]") {
    std::string body = R"({"model":"m","texts":[)";
    for (int i = 0; i < 200; ++i) {
        body += i ? R"(,"t")" : R"("t")";
    }
    Call call("/v2/embed", body + "]}", "cohere", "embed-v4.0");
    CHECK(call.division.calls() == 1);
    CHECK(call.sent().front().find(R"("texts":["t","t")")
          != std::string::npos);
}

TEST_CASE("No list makes more than 2048 calls", "[division]") {
    CHECK(Call("/v1/embeddings", list_of(2048), "bedrock", titan)
              .division.calls() == 2048);

    Call longer("/v1/embeddings", list_of(2049), "bedrock", titan);
    CHECK(longer.division.calls() == 1);
    CHECK(longer.sent().front().find("takes one text a call, and 2049")
          != std::string::npos);
}

TEST_CASE("Each part says all that the list says", "[division]") {
    Call call("/v1/embeddings",
              R"({"model":"m","input":["a","b"],"dimensions":256})",
              "bedrock", titan);
    CHECK(call.sent()
          == std::vector<std::string>{
              R"({"inputText":"a","dimensions":256})",
              R"({"inputText":"b","dimensions":256})"});
}

TEST_CASE("The last part has what is left", "[division]") {
    Call call("/v1/embeddings", list_of(98), "cohere", "embed-v4.0");
    CHECK(call.sent().back()
          == R"({"model":"embed-v4.0","texts":["t96","t97"],)"
             R"("input_type":"search_document",)"
             R"("embedding_types":["float"]})");
}

TEST_CASE("The answers become one, in the order of the texts, usage summed",
          "[division]") {
    Call call("/v1/embeddings", list_of(3), "bedrock", titan);
    // Whichever comes first.
    CHECK(call.answer(2, titan_answer("3,-1e-1", 5)) == Step::complete);
    CHECK(call.answer(0, titan_answer("1", 2)) == Step::complete);
    CHECK(call.answer(1, titan_answer("2", 3)) == Step::complete);

    CHECK(call.join()
          == R"({"object":"list","data":[)"
             R"({"object":"embedding","index":0,"embedding":[1]},)"
             R"({"object":"embedding","index":1,"embedding":[2]},)"
             R"({"object":"embedding","index":2,"embedding":[3,-1e-1]}],)"
             R"("model":"m","usage":{"prompt_tokens":10,)"
             R"("total_tokens":10}})");
    CHECK(call.whole.status() == 200);
    CHECK(call.whole.account().complete);
    CHECK(call.whole.account().usage.prompt_tokens == 10);
    CHECK(call.whole.account().usage.known);
}

TEST_CASE("Every client's list is answered in its own shape", "[division]") {
    struct Row {
        std::string_view path;
        std::string body;
        std::string_view vectors;
    };
    for (const auto &row : {
             Row{"/api/embed", R"({"model":"m","input":["a","b"]})",
                 R"("embeddings":[[1],[2]])"},
             Row{"/v2/embed",
                 R"({"model":"m","texts":["a","b"],)"
                 R"("input_type":"search_query",)"
                 R"("embedding_types":["float"]})",
                 R"("embeddings":{"float":[[1],[2]]},"texts":["a","b"])"},
             Row{"/v1beta/models/m:batchEmbedContents",
                 R"({"requests":[{"content":{"parts":[{"text":"a"}]}},)"
                 R"({"content":{"parts":[{"text":"b"}]}}]})",
                 R"("embeddings":[{"values":[1]},{"values":[2]}])"},
         }) {
        CAPTURE(row.path);
        Call call(row.path, row.body, "bedrock", titan);
        CHECK(call.answer(0, titan_answer("1", 1)) == Step::complete);
        CHECK(call.answer(1, titan_answer("2", 1)) == Step::complete);
        CHECK(call.join().find(row.vectors) != std::string::npos);
    }
}

TEST_CASE("Where one answer does not know its usage, the sum is an estimate",
          "[division]") {
    Call call("/v1/embeddings", list_of(2), "bedrock", titan);
    CHECK(call.answer(0, titan_answer("1", 7)) == Step::complete);
    CHECK(call.answer(1, R"({"embedding":[2]})") == Step::complete);
    call.join();
    CHECK(call.whole.account().usage.estimated);
    CHECK(call.whole.account().usage.prompt_tokens > 7);
}

TEST_CASE("A part's failure is its own, and what others cost is known",
          "[division]") {
    Call call("/v1/embeddings", list_of(2), "bedrock", titan);
    CHECK(call.answer(0, titan_answer("1", 7)) == Step::complete);
    CHECK(call.answer(1, R"({"message":"slow down"})", 429) == Step::failed);
    CHECK(call.parts[1]->error().kind == ErrorKind::rate_limit);

    call.whole.sum_up(call.exchanges());
    CHECK(call.whole.account().usage.prompt_tokens == 7);
    CHECK_FALSE(call.whole.account().complete);
}

TEST_CASE("A part that answers two vectors for one text has failed",
          "[division]") {
    Call call("/v1/embeddings", list_of(98), "cohere", "embed-v4.0");
    CHECK(call.answer(1, R"({"embeddings":{"float":[[1],[2],[3]]}})")
          == Step::failed);
    CHECK(call.parts[1]->error().message
          == "the provider's answer has 3 embeddings for 2 texts");
}

TEST_CASE("The limit on an answer's size is one for all parts", "[division]") {
    std::string answer = titan_answer("1", 7);
    ExchangeLimits limits;
    limits.max_response = 2 * answer.size();
    Call call("/v1/embeddings", list_of(3), "bedrock", titan, limits);

    CHECK(call.answer(0, answer) == Step::complete);
    CHECK(call.answer(1, answer) == Step::complete);
    CHECK(call.answer(2, answer) == Step::failed);
    CHECK(call.parts[2]->error().message.find("llm_max_response_size")
          != std::string::npos);

    // What is asked again gives its room back first, as does what is gone.
    CHECK(call.answer(1, answer) == Step::complete);
    call.parts[0].reset();
    CHECK(call.answer(2, answer) == Step::complete);
}

namespace {

// Two prompts, for a chat model.
struct Prompts {
    explicit Prompts(std::string members, const Format &format)
        : body(R"({"model":"m","prompt":["a","b"])" + members + "}"),
          whole(completions_format(), body, {},
                std::pmr::new_delete_resource()) {
        REQUIRE(whole.open());
        whole.set_context("unique", 1);
        target.format = &format;
        target.model = "gpt";
        division = whole.divide(target);
        for (std::size_t i = 0; i < division.calls(); ++i) {
            parts.push_back(std::make_unique<Exchange>(whole, division, i));
        }
    }

    std::string sent(std::size_t index) {
        if (auto prepared = parts[index]->prepare(target); !prepared) {
            return prepared.error().param + ": " + prepared.error().message;
        }
        std::string text;
        for (auto piece : parts[index]->pieces()) {
            text += piece;
        }
        return text;
    }

    // Texts of the choices that this prompt is answered with.
    void answer(std::size_t index, std::vector<std::string> texts,
                int tokens) {
        REQUIRE(parts[index]->prepare(target));
        std::string choices;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            choices += (i ? ",{" : "{") + std::string("\"index\":")
                       + std::to_string(i)
                       + R"(,"message":{"role":"assistant","content":")"
                       + texts[i] + R"("},"finish_reason":"stop"})";
        }
        std::string n = std::to_string(tokens);
        AnswerHead head;
        head.status = 200;
        head.content_type = "application/json";
        (void) parts[index]->begin(head);
        (void) parts[index]->feed(
            R"({"id":"c","model":"gpt-1","created":5,"choices":[)" + choices
            + R"(],"usage":{"prompt_tokens":)" + n
            + R"(,"completion_tokens":)" + n + R"(,"total_tokens":)"
            + std::to_string(2 * tokens) + "}}");
        REQUIRE(parts[index]->finish() == Step::complete);
    }

    std::string join() {
        std::vector<Exchange *> all;
        for (auto &part : parts) {
            all.push_back(part.get());
        }
        REQUIRE(whole.join(all) == Step::complete);
        return whole.output();
    }

    std::string body;
    Exchange whole;
    Target target;
    Division division;
    std::vector<std::unique_ptr<Exchange>> parts;
};

std::string choice(int index, std::string_view text) {
    return R"({"index":)" + std::to_string(index) + R"(,"text":")"
           + std::string(text)
           + R"(","logprobs":null,"finish_reason":"stop"})";
}

}  // namespace

TEST_CASE("Each prompt of a completions call is a question of its own",
          "[division]") {
    Prompts call(R"(,"temperature":0.5)", openai_format());
    REQUIRE(call.division.calls() == 2);
    CHECK(call.sent(0)
          == R"({"model":"gpt","messages":[{"role":"user","content":"a"}],)"
             R"("max_tokens":16,"temperature":0.5})");
    CHECK(call.sent(1)
          == R"({"model":"gpt","messages":[{"role":"user","content":"b"}],)"
             R"("max_tokens":16,"temperature":0.5})");
}

TEST_CASE("The choices of the first prompt come first", "[division]") {
    Prompts call(R"(,"n":2)", openai_format());
    call.answer(1, {"B", "BB"}, 3);
    call.answer(0, {"A", "AA"}, 2);
    CHECK_THAT(call.join(),
               Catch::Matchers::StartsWith(
                   R"({"id":"c","object":"text_completion","created":5,)"
                   R"("model":"gpt-1","choices":[)" + choice(0, "A") + ','
                   + choice(1, "AA") + ',' + choice(2, "B") + ','
                   + choice(3, "BB")
                   + R"(],"usage":{"prompt_tokens":5,"completion_tokens":5,)"
                     R"("total_tokens":10,)"));
    CHECK(call.whole.account().usage.total_tokens == 10);
    CHECK(call.whole.account().finish_reason == chat::FinishReason::stop);
}

TEST_CASE("A provider of completions gets all prompts at once",
          "[division]") {
    Prompts call("", completions_format());
    REQUIRE(call.division.calls() == 1);
    CHECK(call.sent(0) == R"({"model":"gpt","prompt":["a","b"]})");
}

TEST_CASE("A stream of several prompts is refused by its name",
          "[division]") {
    Prompts call(R"(,"stream":true)", openai_format());
    REQUIRE(call.division.calls() == 1);
    CHECK(call.sent(0)
          == "prompt: a stream of several prompts can only be sent to a "
             "provider that speaks the completions API");
}

TEST_CASE("Limits count all choices of all prompts", "[division]") {
    Prompts call(R"(,"n":3)", openai_format());
    CHECK(call.whole.head().choices == 6);
}

TEST_CASE("An undivided call's answer is the client's as it is",
          "[division]") {
    Call call("/v1/embeddings", R"({"model":"m","input":["a"],"x":1})",
              "openai", "big");
    CHECK(call.sent()
          == std::vector<std::string>{
              R"({"model":"big","input":["a"],"x":1})"});
    std::string answer = R"({"data":[{"embedding":[1]}],"y":2,)"
                         R"("usage":{"prompt_tokens":3,"total_tokens":3}})";
    CHECK(call.answer(0, answer) == Step::complete);
    CHECK(call.join() == answer);
    CHECK(call.whole.account().usage.prompt_tokens == 3);
}
