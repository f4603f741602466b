#include <cmath>
#include <string>
#include <vector>

#include "catch.hpp"
#include "llm/embedding_api.hpp"

using namespace llm;
using embedding::Api;
using embedding::Question;

namespace {

constexpr std::string_view names[] = {"openai", "ollama", "cohere", "gemini"};

const Api &api(std::string_view name) {
    const auto *found = embedding::find_api(name);
    REQUIRE(found);
    return *found;
}

// An answer of each API around what stands for its vector.
std::string answer(std::string_view name, const std::string &vector) {
    if (name == "openai") {
        return R"({"object":"list","data":[{"object":"embedding","index":0,)"
               R"("embedding":)" + vector + R"(}],"model":"m",)"
               R"("usage":{"prompt_tokens":2,"total_tokens":2}})";
    }
    if (name == "ollama") {
        return R"({"model":"m","embeddings":[)" + vector +
               R"(],"total_duration":14143917,"prompt_eval_count":8})";
    }
    if (name == "cohere") {
        return R"({"id":"1","texts":["hi"],"embeddings":{"float":[)" + vector +
               R"(]},"meta":{"billed_units":{"input_tokens":2}}})";
    }
    return R"({"embedding":{"values":)" + vector + "}}";
}

std::string error_of(std::string_view name, std::string_view body,
                     std::size_t dimensions = 2) {
    std::vector<float> out(dimensions);
    auto read = embedding::read_answer(api(name), body, out);
    return read ? "" : read.error().message;
}

std::string request(std::string_view name, const Question &question) {
    std::string out;
    embedding::write_question(api(name), question, out);
    return out;
}

}  // namespace

TEST_CASE("each API gets the text in its own words", "[embedding]") {
    Question question{.model = "m", .text = "say \"hi\"\n"};
    CHECK(request("openai", question) ==
          R"({"model":"m","input":"say \"hi\"\n"})");
    CHECK(request("ollama", question) ==
          R"({"model":"m","input":"say \"hi\"\n","truncate":false})");
    CHECK(request("cohere", question) ==
          R"({"model":"m","texts":["say \"hi\"\n"],)"
          R"("input_type":"clustering","embedding_types":["float"],)"
          R"("truncate":"NONE"})");
    CHECK(request("gemini", question) ==
          R"({"model":"models/m","content":{"parts":[{"text":)"
          R"("say \"hi\"\n"}]},"taskType":"SEMANTIC_SIMILARITY"})");
}

TEST_CASE("dimensions are asked for where they are wanted", "[embedding]") {
    Question question{.model = "m", .text = "hi", .dimensions = 256};
    CHECK_THAT(request("openai", question),
               Catch::Matchers::EndsWith(R"("dimensions":256})"));
    CHECK_THAT(request("ollama", question),
               Catch::Matchers::EndsWith(R"("dimensions":256})"));
    CHECK_THAT(request("cohere", question),
               Catch::Matchers::EndsWith(R"("output_dimension":256})"));
    CHECK_THAT(request("gemini", question),
               Catch::Matchers::EndsWith(R"("outputDimensionality":256})"));

    question.dimensions_member = "output_dimension";
    CHECK_THAT(request("openai", question),
               Catch::Matchers::EndsWith(R"("output_dimension":256})"));
}

TEST_CASE("a text that is not UTF-8 still makes JSON", "[embedding]") {
    CHECK(request("openai", {.model = "m", .text = "a\xff"}) ==
          "{\"model\":\"m\",\"input\":\"a\xef\xbf\xbd\"}");
}

TEST_CASE("chat and embeddings share a base URL", "[embedding]") {
    using embedding::question_path;
    CHECK(question_path(api("openai"), "/v1", "m") == "/v1/embeddings");
    CHECK(question_path(api("openai"), "", "m") == "/embeddings");
    for (auto base : {"", "/v1", "/api"}) {
        CHECK(question_path(api("ollama"), base, "m") == "/api/embed");
    }
    for (auto base : {"", "/v2", "/compatibility/v1"}) {
        CHECK(question_path(api("cohere"), base, "m") == "/v2/embed");
    }
    CHECK(question_path(api("ollama"), "/proxy/v1", "m") ==
          "/proxy/api/embed");
    for (auto base : {"/v1beta", "/v1beta/openai"}) {
        CHECK(question_path(api("gemini"), base, "models/m-1") ==
              "/v1beta/models/m-1:embedContent");
    }
}

TEST_CASE("a model's name does not leave its place in a path",
          "[embedding]") {
    CHECK(embedding::question_path(api("gemini"), "", "../a?b#c d") ==
          "/models/..%2Fa%3Fb%23c%20d:embedContent");
}

TEST_CASE("a good answer is a vector of unit length", "[embedding]") {
    for (auto name : names) {
        INFO(name);
        std::vector<float> out(3);
        REQUIRE(embedding::read_answer(api(name),
                                       answer(name, "[3, -0.0, 4e0]"), out));
        CHECK(out[0] == Approx(0.6));
        CHECK(out[1] == 0);
        CHECK(out[2] == Approx(0.8));
    }
}

TEST_CASE("what is no vector of the right size is refused",
          "[embedding]") {
    for (auto name : names) {
        INFO(name);
        CHECK(error_of(name, answer(name, "[1,2,3]")) ==
              "the embedding has 3 dimensions, not 2");
        CHECK(error_of(name, answer(name, "[]")) ==
              "the embedding has 0 dimensions, not 2");
        CHECK(error_of(name, answer(name, "[0,0]")) ==
              "the embedding is zero or not finite");
        CHECK(error_of(name, answer(name, "[1,\"2\"]")) ==
              "component 1 of the embedding is no number");
        CHECK(error_of(name, answer(name, "[null,1]")) ==
              "component 0 of the embedding is no number");
        CHECK(error_of(name, answer(name, "[[1],[2]]")) ==
              "component 0 of the embedding is no number");
        CHECK(error_of(name, answer(name, "[1,1e39]")) ==
              "the embedding is zero or not finite");
        CHECK(error_of(name, answer(name, "\"AACAPwAA\"")) ==
              "an embedding of the answer is no base64 of 32-bit floats");
        CHECK(error_of(name, answer(name, "null")) ==
              "the answer has no embedding");
    }
}

TEST_CASE("what JSON does not know as a number is refused",
          "[embedding]") {
    for (auto number : {"NaN", "Infinity", "-Infinity", "1e999999", "+1",
                        "0x1", "1."}) {
        INFO(number);
        CHECK_FALSE(error_of("openai",
                             answer("openai", std::string("[1,") + number +
                                                  "]")).empty());
    }
}

TEST_CASE("an answer that is cut anywhere is refused", "[embedding]") {
    for (auto name : names) {
        auto whole = answer(name, "[0.25,0.5]");
        REQUIRE(error_of(name, whole) == "");
        for (std::size_t size = 0; size < whole.size(); size++) {
            CHECK(error_of(name, std::string_view(whole).substr(0, size)) ==
                  "the answer is not JSON");
        }
    }
}

TEST_CASE("an answer to another question is refused", "[embedding]") {
    for (auto name : names) {
        INFO(name);
        for (auto body : {"null", "[]", "{}", "[[1,2]]", "\"x\"", "1",
                          R"({"data":[]})", R"({"data":{}})",
                          R"({"data":[1]})", R"({"embeddings":[]})",
                          R"({"embeddings":{"float":[]}})",
                          R"({"error":{"message":"no"}})"}) {
            CHECK(error_of(name, body) == "the answer has no embedding");
        }
        // How Ollama answered once.
        CHECK((error_of(name, R"({"embedding":[1,2]})") == "") ==
              (std::string_view(name) == "ollama"));
        // Gemini's has one by its nature.
        if (std::string_view(name) != "gemini") {
            CHECK(error_of(name, answer(name, "[1,2],[3,4]")) != "");
        }
    }
    CHECK(error_of("ollama", R"({"embeddings":[[1,2],[3,4]]})") ==
          "the answer has 2 embeddings for one text");
}

TEST_CASE("known models are found by any of their names", "[embedding]") {
    auto dimensions = [](std::string_view name) {
        const auto *model = embedding::find_model(name);
        return model ? model->dimensions : 0;
    };
    CHECK(dimensions("text-embedding-3-small") == 1536);
    CHECK(dimensions("text-embedding-3-large") == 3072);
    CHECK(dimensions("BAAI/bge-m3") == 1024);
    CHECK(dimensions("sentence-transformers/all-MiniLM-L6-v2") == 384);
    CHECK(dimensions("nomic-embed-text:latest") == 768);
    CHECK(dimensions("models/gemini-embedding-001") == 3072);
    CHECK(dimensions("my-model") == 0);
    CHECK(dimensions("") == 0);
    CHECK(dimensions("text-embedding-3-smaller") == 0);

    CHECK(embedding::find_model("text-embedding-3-small")->member ==
          "dimensions");
    CHECK(embedding::find_model("codestral-embed")->member ==
          "output_dimension");
    CHECK(embedding::find_model("mistral-embed")->member == "");
}

TEST_CASE("there is no API but those", "[embedding]") {
    for (auto name : names) {
        CHECK(api(name).name() == name);
    }
    CHECK(embedding::find_api("anthropic") == nullptr);
    CHECK(embedding::find_api("") == nullptr);
    CHECK(api("gemini").key_header() == "x-goog-api-key");
}

TEST_CASE("the longest answer has room for pretty-printed doubles",
          "[embedding]") {
    std::string vector = "[\n";
    for (int i = 0; i < 3072; i++) {
        vector += "                -0.0012345678901234567890,\n";
    }
    CHECK(answer("openai", vector).size() < embedding::max_answer(3072));
}
