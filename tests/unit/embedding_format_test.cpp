// Embeddings between APIs: every client's with every provider's.
#include <cmath>
#include <memory_resource>
#include <string>
#include <vector>

#include "catch.hpp"
#include "llm/embedding_format.hpp"
#include "llm/exchange.hpp"
#include "text/base64.hpp"

using namespace llm;
using embedding::Api;

namespace {

const Api &api(std::string_view name) {
    const Api *found = embedding::find_api(name);
    REQUIRE(found);
    return *found;
}

RouteMatch route(std::string_view path) {
    auto match = match_route(path, ClientHints{});
    REQUIRE(match.embeddings);
    REQUIRE(match.operation == Operation::embeddings);
    return match;
}

// One call from a client's path and body to a provider and back.
struct Call {
    Call(std::string_view path, std::string body, std::string_view provider,
         std::string_view model = "embed-1", bool drop = false)
        : body_(std::move(body)),
          match(route(path)),
          exchange(*match.format, body_, {}, std::pmr::new_delete_resource()) {
        target.format = &openai_format();
        target.model = model;
        target.embeddings = &api(provider);
        target.drop_unsupported = drop;
        auto opened = exchange.open(match);
        if (!opened) {
            error = opened.error();
            return;
        }
        exchange.set_context("unique", 1);
        auto prepared = exchange.prepare(target);
        if (!prepared) {
            error = prepared.error();
            return;
        }
        for (auto piece : exchange.pieces()) {
            sent += piece;
        }
        url = exchange.request_path("/base");
    }

    std::string answer(std::string_view body, int status = 200) {
        AnswerHead head;
        head.status = status;
        head.content_type = "application/json";
        exchange.set_context("unique", 1);
        (void) exchange.begin(head);
        // In two pieces, as a network may have it.
        (void) exchange.feed(body.substr(0, body.size() / 2));
        (void) exchange.feed(body.substr(body.size() / 2));
        if (exchange.finish() == Exchange::Step::failed) {
            error = exchange.error();
            return "";
        }
        return exchange.output();
    }

    std::string body_;
    RouteMatch match;
    Exchange exchange;
    Target target;
    Error error;
    std::string sent;
    std::string url;
};

// What each client sends for "a" and "b", of 2 dimensions, to be found.
struct Front {
    std::string_view path;
    std::string_view body;
};

constexpr Front fronts[] = {
    {"/v1/embeddings",
     R"({"model":"m","input":["a","b"],"dimensions":2,)"
     R"("input_type":"document"})"},
    {"/api/embed", R"({"model":"m","input":["a","b"],"dimensions":2})"},
    {"/v2/embed",
     R"({"model":"m","texts":["a","b"],"output_dimension":2,)"
     R"("input_type":"search_document","embedding_types":["float"]})"},
    {"/v1beta/models/m:batchEmbedContents",
     R"({"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},)"
     R"("taskType":"RETRIEVAL_DOCUMENT","outputDimensionality":2},)"
     R"({"model":"models/m","content":{"parts":[{"text":"b"}]},)"
     R"("taskType":"RETRIEVAL_DOCUMENT","outputDimensionality":2}]})"},
};

// What each provider is sent for that (Ollama's clients do not say what for),
// and answers.
struct Back {
    std::string_view name;
    std::string_view model;
    std::string_view url;
    std::string_view sent;
    std::string_view answer;
    std::int64_t tokens;        // 0: it does not say
};

constexpr Back backs[] = {
    {"openai", "embed-1", "/base/embeddings",
     R"({"model":"embed-1","input":["a","b"],"dimensions":2})",
     R"({"object":"list","data":[{"index":0,"embedding":[0.25,-1e-1]},)"
     R"({"index":1,"embedding":[0.5,1]}],"model":"embed-1",)"
     R"("usage":{"prompt_tokens":7,"total_tokens":7}})", 7},
    {"mistral", "embed-1", "/base/embeddings",
     R"({"model":"embed-1","input":["a","b"],"output_dimension":2})",
     R"({"data":[{"index":1,"embedding":[0.5,1]},)"
     R"({"index":0,"embedding":[0.25,-1e-1]}],"model":"embed-1",)"
     R"("usage":{"prompt_tokens":7,"total_tokens":7}})", 7},
    {"voyage", "embed-1", "/base/embeddings",
     R"({"model":"embed-1","input":["a","b"],"output_dimension":2,)"
     R"("input_type":"document"})",
     R"({"data":[{"index":0,"embedding":[0.25,-1e-1]},)"
     R"({"index":1,"embedding":[0.5,1]}],"usage":{"total_tokens":7}})", 7},
    {"nvidia", "embed-1", "/base/embeddings",
     R"({"model":"embed-1","input":["a","b"],"dimensions":2,)"
     R"("input_type":"passage"})",
     R"({"data":[{"embedding":[0.25,-1e-1]},{"embedding":[0.5,1]}],)"
     R"("usage":{"prompt_tokens":7}})", 7},
    {"ollama", "embed-1", "/base/api/embed",
     R"({"model":"embed-1","input":["a","b"],"dimensions":2})",
     R"({"model":"embed-1","embeddings":[[0.25,-1e-1],[0.5,1]],)"
     R"("prompt_eval_count":7})", 7},
    {"cohere", "embed-1", "/base/v2/embed",
     R"({"model":"embed-1","texts":["a","b"],)"
     R"("input_type":"search_document","embedding_types":["float"],)"
     R"("output_dimension":2})",
     R"({"id":"1","embeddings":{"float":[[0.25,-1e-1],[0.5,1]]},)"
     R"("meta":{"billed_units":{"input_tokens":7}}})", 7},
    {"gemini", "embed-1", "/base/models/embed-1:batchEmbedContents",
     R"({"requests":[{"model":"models/embed-1","content":{"parts":)"
     R"([{"text":"a"}]},"taskType":"RETRIEVAL_DOCUMENT",)"
     R"("outputDimensionality":2},{"model":"models/embed-1","content":)"
     R"({"parts":[{"text":"b"}]},"taskType":"RETRIEVAL_DOCUMENT",)"
     R"("outputDimensionality":2}]})",
     R"({"embeddings":[{"values":[0.25,-1e-1]},{"values":[0.5,1]}]})", 0},
    {"vertex", "embed-1", "/base/models/embed-1:predict",
     R"({"instances":[{"content":"a","task_type":"RETRIEVAL_DOCUMENT"},)"
     R"({"content":"b","task_type":"RETRIEVAL_DOCUMENT"}],)"
     R"("parameters":{"outputDimensionality":2}})",
     R"({"predictions":[{"embeddings":{"values":[0.25,-1e-1],"statistics":)"
     R"({"token_count":3}}},{"embeddings":{"values":[0.5,1],"statistics":)"
     R"({"token_count":4}}}]})", 7},
    {"bedrock", "cohere.embed-v4:0", "/base/model/cohere.embed-v4%3A0/invoke",
     R"({"texts":["a","b"],"input_type":"search_document",)"
     R"("output_dimension":2})",
     R"({"id":"1","embeddings":[[0.25,-1e-1],[0.5,1]]})", 0},
    {"tei", "embed-1", "/base/embed",
     R"({"inputs":["a","b"],"dimensions":2})",
     R"([[0.25,-1e-1],[0.5,1]])", 0},
};

// The vectors in an answer to a client, in whatever API.
std::vector<std::vector<float>> vectors_of(const Call &call,
                                           std::string_view text) {
    json::Document document;
    REQUIRE(document.parse(text));
    auto response = call.match.embeddings->parse_response(
        document.root(), std::pmr::new_delete_resource());
    REQUIRE(response);
    std::vector<std::vector<float>> all;
    for (const auto &vector : response->vectors) {
        REQUIRE(embedding::read_floats(vector, all.emplace_back()));
    }
    return all;
}

bool same_family(const Call &call) {
    return call.match.embeddings->family() == call.target.embeddings->family();
}

}  // namespace

TEST_CASE("every client's texts reach every provider, and its vectors come "
          "back", "[embedding]") {
    for (const auto &front : fronts) {
        for (const auto &back : backs) {
            INFO(front.path << " -> " << back.name);
            Call call(front.path, std::string(front.body), back.name,
                      back.model);
            REQUIRE(call.error.message == "");
            CHECK(call.url == back.url);
            // Ollama's clients cannot say what for.
            bool says = std::string_view(front.path) != "/api/embed";
            if (!same_family(call) && says) {
                CHECK(call.sent == back.sent);
            }
            auto answer = call.answer(back.answer);
            REQUIRE(call.error.message == "");
            std::vector<std::vector<float>> wanted{{0.25F, -0.1F}, {0.5F, 1}};
            if (same_family(call)) {
                CHECK(answer == back.answer);
            } else {
                CHECK(vectors_of(call, answer) == wanted);
                // Digits are the provider's own.
                CHECK(answer.find("[0.25,-1e-1]") != answer.npos);
            }
            const auto &usage = call.exchange.account().usage;
            CHECK(usage.prompt_tokens == (back.tokens ? back.tokens : 2));
            CHECK(usage.estimated == (back.tokens == 0));
            CHECK(usage.completion_tokens == 0);
        }
    }
}

TEST_CASE("each path asks for embeddings in its API", "[embedding]") {
    CHECK(route("/v1/embeddings").embeddings->name() == "openai");
    CHECK(route("/openai/v1/embeddings/").embeddings->name() == "openai");
    CHECK(route("/api/embed").embeddings->name() == "ollama");
    CHECK(route("/api/embeddings").embeddings->name() == "ollama");
    CHECK(route("/api/embeddings").single);
    CHECK(route("/v2/embed").embeddings->name() == "cohere");
    auto gemini = route("/v1beta/models/g-1:embedContent");
    CHECK(gemini.embeddings->name() == "gemini");
    CHECK(gemini.model == "g-1");
    CHECK(gemini.single);
    CHECK_FALSE(match_route("/v1/embed", ClientHints{}).format);
    // A format's own only.
    CHECK(match_route("/v1/embeddings", openai_format()).embeddings);
    CHECK_FALSE(match_route("/api/embed", openai_format()).format);
    CHECK_FALSE(match_route("/v1/embeddings", anthropic_format()).format);
}

TEST_CASE("what stays in its API stays as it is, but for the model",
          "[embedding]") {
    std::string body = R"({ "input" : "x","zork":[ ], "model":"m" ,)"
                       R"("encoding_format":"base64"})";
    Call same("/v1/embeddings", body, "openai", "m");
    CHECK(same.sent == body);
    Call other("/v1/embeddings", body, "openai", "embed-1");
    CHECK(other.sent == R"({ "input" : "x","zork":[ ], "model":"embed-1" ,)"
                        R"("encoding_format":"base64"})");

    Call mistral("/v1/embeddings",
                 R"({"dimensions":8,"model":"m","input":"x"})", "mistral");
    CHECK(mistral.sent ==
          R"({"output_dimension":8,"model":"embed-1","input":"x"})");
    // Models that have to be told what a text is for are.
    Call nvidia("/v1/embeddings", R"({"model":"m","input":"x"})", "nvidia",
                "m");
    CHECK(nvidia.sent ==
          R"({"input_type":"passage","model":"m","input":"x"})");

    Call gemini("/v1beta/models/m:batchEmbedContents",
                R"({"requests":[{"model":"models/m","content":{}},)"
                R"({"content":{}}]})", "gemini");
    CHECK(gemini.sent ==
          R"({"requests":[{"model":"models/embed-1","content":{}},)"
          R"({"content":{}}]})");
    CHECK(gemini.url == "/base/models/embed-1:batchEmbedContents");

    Call legacy("/api/embeddings", R"({"model":"m","prompt":"x"})", "ollama",
                "m");
    CHECK(legacy.url == "/base/api/embeddings");
    CHECK(legacy.sent == R"({"model":"m","prompt":"x"})");
}

TEST_CASE("a client that asks for base64 gets it from any provider",
          "[embedding]") {
    Call call("/v1/embeddings",
              R"({"model":"m","input":"x","encoding_format":"base64"})",
              "ollama");
    CHECK(call.sent == R"({"model":"embed-1","input":"x"})");
    auto answer = call.answer(R"({"embeddings":[[1, -2.5,0]]})");
    // 32-bit floats, little endian.
    CHECK(answer.find(R"("embedding":"AACAPwAAIMAAAAAA")") != answer.npos);
    CHECK(vectors_of(call, answer)[0] == std::vector<float>{1, -2.5F, 0});
}

TEST_CASE("base64 of a provider becomes numbers", "[embedding]") {
    Call call("/api/embed", R"({"model":"m","input":"x"})", "openai");
    auto answer = call.answer(
        R"({"data":[{"embedding":"AACAPwAAIMDNzMw9"}],"model":"e"})");
    CHECK(answer.find("[[1,-2.5,0.1]]") != answer.npos);
}

TEST_CASE("one text is asked for as one", "[embedding]") {
    Call gemini("/v1/embeddings", R"({"model":"m","input":"x"})", "gemini");
    CHECK(gemini.url == "/base/models/embed-1:embedContent");
    auto answer = gemini.answer(R"({"embedding":{"values":[1,2]}})");
    CHECK(vectors_of(gemini, answer).size() == 1);

    Call titan("/v1/embeddings",
               R"({"model":"m","input":["x"],"dimensions":256})", "bedrock",
               "amazon.titan-embed-text-v2:0");
    CHECK(titan.sent == R"({"inputText":"x","dimensions":256})");
    CHECK_FALSE(titan.answer(R"({"embedding":[1,2],"inputTextTokenCount":3})")
                    .empty());
    CHECK(titan.exchange.account().usage.prompt_tokens == 3);

    Call nova("/v1/embeddings", R"({"model":"m","input":"x"})", "bedrock",
              "amazon.nova-2-multimodal-embeddings-v1:0");
    CHECK(nova.sent ==
          R"({"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":)"
          R"({"embeddingPurpose":"GENERIC_INDEX","text":)"
          R"({"truncationMode":"NONE","value":"x"}}})");
    CHECK_FALSE(
        nova.answer(R"({"embeddings":[{"embedding":[1,2]}]})").empty());

    for (auto [path, body] :
         {std::pair{"/api/embeddings", R"({"model":"m","prompt":"x"})"},
          std::pair{"/v1beta/models/m:embedContent",
                    R"({"content":{"parts":[{"text":"x"}]}})"}}) {
        Call one(path, body, "openai");
        CHECK(one.sent == R"({"model":"embed-1","input":"x"})");
        auto text = one.answer(R"({"data":[{"embedding":[1,2]}]})");
        CHECK(vectors_of(one, text) ==
              std::vector<std::vector<float>>{{1, 2}});
    }
}

TEST_CASE("what a provider cannot be told is refused by name",
          "[embedding]") {
    struct Row {
        std::string_view path;
        std::string_view body;
        std::string_view provider;
        std::string_view model;
        std::string_view param;
    };
    constexpr Row rows[] = {
        {"/v1/embeddings", R"({"model":"m","input":[1,2]})", "ollama", "m",
         "input"},
        {"/v1/embeddings", R"({"model":"m","input":[[1,2],[3]]})", "gemini",
         "m", "input"},
        {"/v1/embeddings", R"({"model":"m","input":["a","b"]})", "bedrock",
         "amazon.titan-embed-text-v2:0", "input"},
        {"/v1/embeddings", R"({"model":"m","input":"a"})", "bedrock",
         "meta.llama", "model"},
        {"/v1/embeddings",
         R"({"model":"m","input":"a","output_dtype":"int8"})", "ollama", "m",
         "output_dtype"},
        {"/v1/embeddings",
         R"({"model":"m","input":[{"content":[]}]})", "ollama", "m",
         "input[0]"},
        {"/v1/embeddings", R"({"model":"m","input":"a","input_type":"zork"})",
         "ollama", "m", "input_type"},
        {"/v2/embed", R"({"model":"m","images":["data:"]})", "openai", "m",
         "images"},
        {"/v2/embed",
         R"({"model":"m","texts":["a"],"embedding_types":["int8"]})",
         "openai", "m", "embedding_types"},
        {"/v2/embed", R"({"model":"m","texts":["a"],"truncate":"START"})",
         "openai", "m", "truncate"},
        {"/v1beta/models/m:embedContent",
         R"({"content":{"parts":[{"inlineData":{}}]}})", "openai", "m",
         "content"},
        {"/v1beta/models/m:batchEmbedContents",
         R"({"requests":[{"content":{"parts":[{"text":"a"}]}},)"
         R"({"content":{"parts":[{"text":"b"}]},"title":"t"}]})",
         "openai", "m", "requests[1]"},
    };
    for (const auto &row : rows) {
        INFO(row.body);
        Call call(row.path, std::string(row.body), row.provider, row.model);
        CHECK(call.error.kind == ErrorKind::unsupported);
        CHECK(call.error.param == row.param);
    }
}

TEST_CASE("bodies that make no sense are refused by name", "[embedding]") {
    struct Row {
        std::string_view path;
        std::string_view body;
        std::string_view param;
    };
    constexpr Row rows[] = {
        {"/v1/embeddings", R"({"input":"a"})", "model"},
        {"/v1/embeddings", R"({"model":7,"input":"a"})", "model"},
        {"/v1/embeddings", R"({"model":"m"})", "input"},
        {"/v1/embeddings", R"({"model":"m","input":[]})", "input"},
        {"/v1/embeddings", R"({"model":"m","input":""})", "input"},
        {"/v1/embeddings", R"({"model":"m","input":["a",""]})", "input[1]"},
        {"/v1/embeddings", R"({"model":"m","input":["a",7]})", "input[1]"},
        {"/v1/embeddings", R"({"model":"m","input":[7,"a"]})", "input[0]"},
        {"/v1/embeddings", R"({"model":"m","input":{}})", "input"},
        {"/v1/embeddings", R"({"model":"m","input":"a","dimensions":0})",
         "dimensions"},
        {"/v1/embeddings", R"({"model":"m","input":"a","dimensions":"8"})",
         "dimensions"},
        {"/v1/embeddings",
         R"({"model":"m","input":"a","encoding_format":"hex"})",
         "encoding_format"},
        {"/v1/embeddings", R"({"model":"m","input":"a","user":{}})", "user"},
        {"/api/embed", R"({"model":"m"})", "input"},
        {"/api/embeddings", R"({"model":"m","input":"a"})", "prompt"},
        {"/v2/embed", R"({"model":"m"})", "texts"},
        {"/v2/embed", R"({"model":"m","texts":"a"})", "texts"},
        {"/v2/embed", R"({"model":"m","texts":[1]})", "texts[0]"},
        {"/v1beta/models/m:embedContent", R"({})", "content"},
        {"/v1beta/models/m:embedContent",
         R"({"content":{"parts":[{"text":""}]}})", "content"},
        {"/v1beta/models/m:batchEmbedContents", R"({"requests":[]})",
         "requests"},
        // Rules on models go by the path.
        {"/v1beta/models/m:embedContent",
         R"({"model":"models/other","content":{"parts":[{"text":"a"}]}})",
         "model"},
        {"/v1beta/models/m:batchEmbedContents",
         R"({"requests":[{"model":"other","content":{}}]})", "model"},
    };
    for (const auto &row : rows) {
        INFO(row.body);
        Call call(row.path, std::string(row.body), "tei");
        CHECK(call.error.kind == ErrorKind::invalid_request);
        CHECK(call.error.param == row.param);
    }
}

TEST_CASE("an answer that does not fit the question is none",
          "[embedding]") {
    for (auto answer :
         {R"({})", R"([])", R"(null)", R"({"embeddings":[]})",
          R"({"embeddings":[[1]]})", R"({"embeddings":[[1],[]]})",
          R"({"embeddings":[[1],[2],[3]]})", R"({"embeddings":[[1],2]})",
          R"({"embeddings":[[1],["2"]]})", R"({"embeddings":[1,2]})",
          R"({"embeddings":[[1],[null]]})", R"({"embeddings":{"a":[1]}})",
          R"({"embeddings":[[1],[2])", R"(<html>)"}) {
        INFO(answer);
        Call call("/v1/embeddings", R"({"model":"m","input":["a","b"]})",
                  "ollama");
        CHECK(call.answer(answer) == "");
        CHECK(call.error.kind == ErrorKind::bad_gateway);
    }
    // In base64 there is no such float.
    Call call("/v1/embeddings",
              R"({"model":"m","input":"a","encoding_format":"base64"})",
              "ollama");
    CHECK(call.answer(R"({"embeddings":[[1e39]]})") == "");
    CHECK(call.error.kind == ErrorKind::bad_gateway);

    Call twice("/api/embed", R"({"model":"m","input":["a","b"]})", "openai");
    CHECK(twice.answer(R"({"data":[{"index":1,"embedding":[1]},)"
                       R"({"index":1,"embedding":[2]}]})") == "");
    CHECK(twice.error.kind == ErrorKind::bad_gateway);
}

TEST_CASE("an error under a good status is an error", "[embedding]") {
    Call call("/v1/embeddings", R"({"model":"m","input":"a"})", "openai");
    CHECK(call.answer(R"({"error":{"message":"no such model",)"
                      R"("type":"invalid_request_error","code":404}})") == "");
    CHECK(call.error.message == "no such model");
}

TEST_CASE("an answer cut anywhere is no answer", "[embedding]") {
    for (const auto &back : backs) {
        for (std::size_t size = 0; size < back.answer.size(); ++size) {
            Call call("/api/embed", R"({"model":"m","input":["a","b"]})",
                      back.name, back.model);
            CHECK(call.answer(back.answer.substr(0, size)) == "");
        }
    }
}

TEST_CASE("tokens are counted as they are", "[embedding]") {
    Call call("/v1/embeddings", R"({"model":"m","input":[[1,2,3],[4]]})",
              "openai");
    auto request = call.exchange.embedding_request();
    REQUIRE(request);
    CHECK(embedding::estimate_tokens(**request, "m") == 4);
    (void) call.answer(R"({"data":[{"embedding":[1]},{"embedding":[2]}]})");
    CHECK(call.exchange.account().usage.prompt_tokens == 4);
    CHECK(call.exchange.account().usage.estimated);
}

TEST_CASE("a request survives the way to its own API and back",
          "[embedding]") {
    for (const auto &front : fronts) {
        INFO(front.path);
        auto match = route(front.path);
        json::Document document;
        REQUIRE(document.parse(front.body));
        auto first = match.embeddings->parse_request(
            document, std::pmr::new_delete_resource());
        REQUIRE(first);
        std::string again;
        embedding::WriteOptions options;
        options.model = "m";
        REQUIRE(match.embeddings->write_request(*first, options, again));
        json::Document second_document;
        REQUIRE(second_document.parse(again));
        auto second = match.embeddings->parse_request(
            second_document, std::pmr::new_delete_resource());
        REQUIRE(second);
        CHECK(second->inputs.size() == first->inputs.size());
        CHECK(second->inputs[1].text == first->inputs[1].text);
        CHECK(second->list == first->list);
        CHECK(second->dimensions == first->dimensions);
        CHECK((second->purpose == first->purpose
               || match.embeddings->name() == "openai"));
    }
}

TEST_CASE("packed numbers are one value", "[json]") {
    json::Document document;
    json::ParseLimits limits;
    limits.pack_numbers = true;
    REQUIRE(document.parse(R"({"a":[1, 2.5],"b":[],"c":[[3],"x",4],"d":5})",
                           limits));
    auto root = document.root();
    CHECK(root["a"].is_packed());
    CHECK(root["a"].size() == 2);
    CHECK(root["a"].raw() == "[1, 2.5]");
    CHECK(root["a"].elements().begin() == root["a"].elements().end());
    CHECK_FALSE(root["b"].is_packed());
    CHECK_FALSE(root["c"].is_packed());
    CHECK(root["c"].size() == 3);
    std::vector<std::string_view> left;
    for (auto value : root["c"].elements()) {
        left.push_back(value.raw());
    }
    CHECK(left == std::vector<std::string_view>{"[3]", "\"x\""});
    CHECK(root["d"].integer() == 5);
}

TEST_CASE("base64 is written as it is read", "[base64]") {
    // RFC 4648, section 10.
    CHECK(base64::encode("") == "");
    CHECK(base64::encode("f") == "Zg==");
    CHECK(base64::encode("fo") == "Zm8=");
    CHECK(base64::encode("foo") == "Zm9v");
    CHECK(base64::encode("foobar") == "Zm9vYmFy");
    CHECK(base64::decode(base64::encode(std::string_view("\xff\0\x80", 3))) ==
          std::string("\xff\0\x80", 3));
}
