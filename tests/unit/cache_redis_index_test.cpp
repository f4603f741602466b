// The indexes of Redis, against replies of the products that have them: in the
// shapes of their documentation and sources.
#include "catch.hpp"

#include <cstring>

#include "llm/cache_redis.hpp"
#include "redis_reply.hpp"

using namespace llm;
using namespace llm::cache::remote;
using namespace llm::redis::test;
using cache::ZoneKey;

namespace {

constexpr std::array<std::uint8_t, 32> model = {0x01, 0x23, 0x45, 0x67,
                                                0x89, 0xab, 0xcd, 0xef};
const Names names("llm:a:", model);
constexpr std::size_t dimensions = 3;
constexpr float vector_of_three[] = {1, 0, 0.5f};

ZoneKey key_of(std::uint8_t byte) {
    ZoneKey key;
    key.fill(byte);
    return key;
}

std::string name(std::uint8_t byte) { return names.hash(key_of(byte)); }

// FT.INFO of Redis Stack 7.2 (RediSearch 2.8), RESP2.
redis::Reply stack_info(int dim, std::string_view prefix,
                        std::string_view metric = "COSINE") {
    return flat({
        {"index_name", text(names.index())},
        {"index_options", array({})},
        {"index_definition",
         flat({{"key_type", text("HASH")},
               {"prefixes", array({text(prefix)})},
               {"default_score", text("1")}})},
        {"attributes",
         array({
             flat({{"identifier", text("partition")},
                   {"attribute", text("partition")},
                   {"type", text("TAG")},
                   {"SEPARATOR", text(",")}}),
             flat({{"identifier", text("vector")},
                   {"attribute", text("vector")},
                   {"type", text("VECTOR")},
                   {"algorithm", text("HNSW")},
                   {"data_type", text("FLOAT32")},
                   {"dim", integer(dim)},
                   {"distance_metric", text(metric)},
                   {"M", integer(16)},
                   {"ef_construction", integer(200)}}),
         })},
        {"num_docs", text("0")},
        {"percent_indexed", text("1")},
    });
}

// FT.INFO of Redis 8, RESP3: maps, and flags without a value beside them.
redis::Reply redis8_info(int dim) {
    return map({
        {"index_name", text(names.index())},
        {"index_options", array({})},
        {"index_definition",
         map({{"key_type", text("HASH")},
              {"prefixes", array({text(names.hashes())})},
              {"default_score", real(1, "1")},
              {"indexes_all", text("false")}})},
        {"attributes",
         array({
             map({{"identifier", text("partition")},
                  {"attribute", text("partition")},
                  {"type", text("TAG")},
                  {"SEPARATOR", text(",")},
                  {"flags", array({})}}),
             map({{"identifier", text("vector")},
                  {"attribute", text("vector")},
                  {"type", text("VECTOR")},
                  {"flags", array({})},
                  {"algorithm", text("HNSW")},
                  {"data_type", text("FLOAT32")},
                  {"dim", integer(dim)},
                  {"distance_metric", text("COSINE")}}),
         })},
    });
}

// FT.INFO of Valkey search 1.0, RESP2.
redis::Reply valkey_info(int dim) {
    return flat({
        {"index_name", status(names.index())},
        {"creation_timestamp", integer(1700000000)},
        {"index_definition",
         flat({{"key_type", status("HASH")},
               {"prefixes", array({status(names.hashes())})},
               {"default_score", status("1")}})},
        {"attributes",
         array({
             flat({{"identifier", status("partition")},
                   {"attribute", status("partition")},
                   {"type", status("TAG")},
                   {"SEPARATOR", status(",")}}),
             flat({{"identifier", status("vector")},
                   {"attribute", status("vector")},
                   {"type", status("VECTOR")},
                   {"index",
                    flat({{"capacity", integer(10240)},
                          {"dimensions", integer(dim)},
                          {"distance_metric", status("COSINE")},
                          {"size", text("0")},
                          {"data_type", status("FLOAT32")},
                          {"algorithm",
                           flat({{"name", status("HNSW")},
                                 {"m", integer(16)}})}})}}),
         })},
        {"num_docs", text("0")},
    });
}

}  // namespace

TEST_CASE("an index is made of hashes under its own prefix") {
    CHECK(create_index(names, 384).words
          == std::vector<std::string>{
              "FT.CREATE", "llm:a:idx:0123456789abcdef", "ON", "HASH",
              "PREFIX", "1", "llm:a:h:0123456789abcdef:", "SCHEMA",
              "partition", "TAG", "vector", "VECTOR", "HNSW", "6", "TYPE",
              "FLOAT32", "DIM", "384", "DISTANCE_METRIC", "COSINE"});
    CHECK(create_index(names, 384, Algorithm::flat).words[12] == "FLAT");
}

TEST_CASE("an index as it should be is ready, whoever runs it") {
    for (const auto &info :
         {stack_info(dimensions, names.hashes()), redis8_info(dimensions),
          valkey_info(dimensions)})
    {
        auto report = read_index_info(info, names, dimensions);
        INFO(report.detail);
        CHECK(report.state == IndexState::ready);
    }
}

TEST_CASE("an index of other dimensions is left alone") {
    for (const auto &info : {stack_info(768, names.hashes()),
                             redis8_info(768), valkey_info(768)})
    {
        auto report = read_index_info(info, names, dimensions);
        CHECK(report.state == IndexState::other);
        CHECK(report.detail == "its vectors have 768 dimensions, not 3");
    }
}

TEST_CASE("so is one of other keys, fields or distances") {
    auto report = read_index_info(stack_info(dimensions, "shop:"), names,
                                  dimensions);
    CHECK(report.state == IndexState::other);
    CHECK(report.detail == "it is of other keys");

    report = read_index_info(stack_info(dimensions, names.hashes(), "L2"),
                             names, dimensions);
    CHECK(report.state == IndexState::other);
    CHECK(report.detail == "its distances are not COSINE");

    auto info = stack_info(dimensions, names.hashes());
    info.elements[7].elements.pop_back();
    report = read_index_info(info, names, dimensions);
    CHECK(report.state == IndexState::other);
    CHECK(report.detail == "it has no vectors");
}

TEST_CASE("RediSearch before 2.8 does not tell the dimensions") {
    auto info = flat({{"attributes",
                       array({flat({{"identifier", text("partition")},
                                    {"type", text("TAG")}}),
                              flat({{"identifier", text("vector")},
                                    {"type", text("VECTOR")}})})}});
    CHECK(read_index_info(info, names, dimensions).state
          == IndexState::ready);
}

TEST_CASE("an index that is not there has many words") {
    for (auto words :
         {"Unknown index name", "Unknown Index name",
          "llm:a:idx:0123456789abcdef: no such index",
          "SEARCH_INDEX_NOT_FOUND Index not found: llm:a",
          "Index with name 'llm:a:idx' not found"})
    {
        INFO(words);
        CHECK(read_index_info(error(words), names, dimensions).state
              == IndexState::absent);
        auto found = read_search(error(words), names);
        REQUIRE_FALSE(found);
        CHECK(found.error().code == code_no_index);
    }
}

TEST_CASE("a plain Redis says that it has no such command") {
    auto reply = error("ERR unknown command 'FT.INFO', with args beginning "
                       "with: 'llm:a:idx:0123456789abcdef' ");
    CHECK(read_index_info(reply, names, dimensions).state
          == IndexState::unsupported);
    CHECK(read_create_index(reply).state == IndexState::unsupported);
}

TEST_CASE("other errors are told, and nothing is concluded from them") {
    auto report = read_index_info(
        error("NOPERM this user has no permissions to run the 'ft.info' "
              "command"),
        names, dimensions);
    CHECK(report.state == IndexState::failed);
    CHECK(report.detail.starts_with("NOPERM"));
    CHECK(read_index_info(nil(), names, dimensions).state
          == IndexState::failed);
}

TEST_CASE("many workers may make the index at once") {
    CHECK(read_create_index(status("OK")).state == IndexState::ready);
    for (auto words : {"Index already exists",
                       "SEARCH_INDEX_EXISTS Index already exists",
                       "Index llm:a:idx:0123456789abcdef already exists."})
    {
        CHECK(read_create_index(error(words)).state == IndexState::ready);
    }
    CHECK(read_create_index(error("ERR Invalid field type")).state
          == IndexState::failed);
    CHECK(read_create_index(error("OOM command not allowed when used memory "
                                  "> 'maxmemory'."))
              .state
          == IndexState::failed);
}

TEST_CASE("a hash has what the index needs, and goes with its entry") {
    Put put{key_of(1), key_of(2), vector_of_three, "Who?", "{}", 1000, 500};
    Command command = add_hash(names, put);
    CHECK(command.key == name(1));
    CHECK(command.words[3] == name(1));
    CHECK(command.words[4] == "1500");
    CHECK(command.words[5] == "partition");
    CHECK(command.words[6] == 'p' + hex(key_of(2)));
    CHECK(command.words[7] == "vector");
    REQUIRE(command.words[8].size() == sizeof(vector_of_three));
    CHECK(std::memcmp(command.words[8].data(), vector_of_three,
                      sizeof(vector_of_three))
          == 0);
    CHECK(command.words[9] == "question");
    CHECK(command.words[10] == "Who?");
}

TEST_CASE("a search asks for the nearest of one partition") {
    Command command = search_index(names, key_of(2), vector_of_three, 8);
    CHECK(command.words[0] == "FT.SEARCH");
    CHECK(command.words[1] == names.index());
    CHECK(command.words[2]
          == "(@partition:{p" + hex(key_of(2))
                 + "})=>[KNN 8 @vector $v AS distance]");
    CHECK(command.words[6].size() == sizeof(vector_of_three));
    CHECK(command.words.back() == "2");
}

TEST_CASE("what Redis Stack finds, RESP2") {
    auto found = read_search(
        array({integer(2), text(name(1)),
               array({text("distance"), text("0.119999945164"),
                      text("question"), text("Who is X?")}),
               text(name(2)),
               array({text("distance"), text("-1.19209289551e-07"),
                      text("question"), text("Who's X?")})}),
        names);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    // Sorted by us.
    CHECK((*found)[0].key == key_of(2));
    CHECK((*found)[0].similarity == Approx(1));
    CHECK((*found)[0].question == "Who's X?");
    CHECK((*found)[1].key == key_of(1));
    CHECK((*found)[1].similarity == Approx(0.88));
}

TEST_CASE("what Redis 8 finds, RESP3") {
    auto found = read_search(
        map({{"attributes", array({})},
             {"warning", array({})},
             {"total_results", integer(1)},
             {"format", text("STRING")},
             {"results",
              array({map({{"id", text(name(1))},
                          {"extra_attributes",
                           map({{"distance", text("0.25")},
                                {"question", text("Who?")}})},
                          {"values", array({})}})})}}),
        names);
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK((*found)[0].key == key_of(1));
    CHECK((*found)[0].similarity == Approx(0.75));
    CHECK((*found)[0].question == "Who?");
}

TEST_CASE("what Valkey search finds") {
    // In the order of RETURN; what a hash does not have is left out.
    auto found = read_search(
        array({integer(1), text(name(1)),
               array({text("distance"), text("0.5")})}),
        names);
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK((*found)[0].similarity == Approx(0.5));
    CHECK((*found)[0].question.empty());
}

TEST_CASE("nothing found is no error") {
    auto found = read_search(array({integer(0)}), names);
    REQUIRE(found);
    CHECK(found->empty());
}

TEST_CASE("results that are not ours, or no number, are left out") {
    auto found = read_search(
        array({integer(4), text("shop:1"),
               array({text("distance"), text("0.1")}), text(name(1)),
               array({text("distance"), text("nan")}), text(name(2)),
               array({text("question"), text("?")}), text(name(3)), nil(),
               text(name(4)), array({text("distance"), text("0.1")})}),
        names);
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK((*found)[0].key == key_of(4));
}

TEST_CASE("replies to a search that make no sense are errors") {
    CHECK_FALSE(read_search(nil(), names));
    CHECK_FALSE(read_search(array({}), names));
    CHECK_FALSE(read_search(array({text("x")}), names));
    CHECK_FALSE(read_search(map({{"results", text("x")}}), names));
    // What Valkey search says when it takes too long.
    CHECK_FALSE(read_search(status("Request timed out"), names));
    auto busy = read_search(error("Timeout limit was reached"), names);
    REQUIRE_FALSE(busy);
    CHECK(busy.error().code.empty());
}

TEST_CASE("hashes of a partition are listed for its purge") {
    auto listed = read_list_hashes(
        array({integer(2), text(name(1)), text("shop:1")}), names);
    REQUIRE(listed);
    CHECK(*listed == std::vector<std::string>{name(1)});

    listed = read_list_hashes(
        map({{"total_results", integer(1)},
             {"results", array({map({{"id", text(name(2))}})})}}),
        names);
    REQUIRE(listed);
    CHECK(*listed == std::vector<std::string>{name(2)});
}

// Vector sets

TEST_CASE("a vector set takes vector, time and question in one step") {
    Put put{key_of(1), key_of(2), vector_of_three, "Who\n?", "{}", 1000, 500};
    Command command = add_to_set(names, put);
    CHECK(command.key == names.members(key_of(2)));
    CHECK(command.words[2] == "2");
    CHECK(command.words[4] == names.set(key_of(2)));
    CHECK(command.words[5] == hex(key_of(1)));
    CHECK(command.words[6] == "1500");
    CHECK(command.words[7].size() == sizeof(vector_of_three));
    CHECK(command.words[8] == R"("Who\n?")");
}

TEST_CASE("a search of a set leaves out what has expired") {
    auto words = search_set(names, key_of(2), vector_of_three, 8,
                            1700000000123, true)
                     .words;
    words[3] = "BLOB";
    CHECK(words
          == std::vector<std::string>{"VSIM", names.set(key_of(2)), "FP32",
                                      "BLOB", "WITHSCORES", "WITHATTRIBS",
                                      "COUNT", "8", "FILTER",
                                      ".x > 1700000000123"});
    words = search_set(names, key_of(2), vector_of_three, 8, 0, false).words;
    words[3] = "BLOB";
    CHECK(words
          == std::vector<std::string>{"VSIM", names.set(key_of(2)), "FP32",
                                      "BLOB", "WITHSCORES", "COUNT", "8"});
}

TEST_CASE("what Redis 8.0 finds in a set, RESP2") {
    auto found = read_search_set(
        array({text(hex(key_of(1))), text("0.996941864490509"),
               text(hex(key_of(2))), text("0.5")}),
        false);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].key == key_of(1));
    CHECK((*found)[0].similarity == Approx(0.99388).epsilon(1e-4));
    CHECK((*found)[1].similarity == Approx(0));
}

TEST_CASE("what Redis 8.2 finds in a set, with attributes, RESP2") {
    auto found = read_search_set(
        array({text(hex(key_of(1))), text("1"),
               text(R"({"x":1700000000123,"q":"Who \"X\"?"})"),
               text(hex(key_of(2))), text("0.9"), nil()}),
        true);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].question == "Who \"X\"?");
    CHECK((*found)[1].question.empty());
}

TEST_CASE("what Redis finds in a set, RESP3") {
    auto found = read_search_set(
        map({{hex(key_of(1)), real(0.75, "0.75")}}), false);
    REQUIRE(found);
    CHECK(found->at(0).similarity == Approx(0.5));

    found = read_search_set(
        map({{hex(key_of(1)), array({real(1, "1"), text(R"({"q":"Who?"})")})}}),
        true);
    REQUIRE(found);
    CHECK(found->at(0).similarity == Approx(1));
    CHECK(found->at(0).question == "Who?");
}

TEST_CASE("a set that is not there has nothing") {
    for (const auto &reply : {array({}), map({}), nil()}) {
        auto found = read_search_set(reply, false);
        REQUIRE(found);
        CHECK(found->empty());
    }
}

TEST_CASE("a server without WITHATTRIBS is recognised") {
    auto found = read_search_set(error("ERR syntax error in VSIM command"),
                                 true);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == code_syntax);

    found = read_search_set(
        error("ERR Vector dimension mismatch - got 2 but set has 3"), true);
    REQUIRE_FALSE(found);
    CHECK(found.error().code.empty());
}

TEST_CASE("elements that are not ours are left out, broken lists refused") {
    auto found = read_search_set(
        array({text("apple"), text("0.9"), text(hex(key_of(1))), text("x")}),
        false);
    REQUIRE(found);
    CHECK(found->empty());
    CHECK_FALSE(read_search_set(array({text("a")}), false));
    CHECK_FALSE(read_search_set(array({text("a"), text("1")}), true));
    CHECK_FALSE(read_search_set(map({{"a", array({real(1)})}}), true));
    CHECK_FALSE(read_search_set(integer(1), false));
}

TEST_CASE("the question is among an element's attributes") {
    CHECK(read_attributes(text(R"({"x":1,"q":"hé"})")) == "hé");
    CHECK(read_attributes(nil()).empty());
    CHECK(read_attributes(text("no JSON")).empty());
    CHECK(read_attributes(text("[]")).empty());
    CHECK(read_attributes(text(R"({"q":5})")).empty());
    CHECK(read_attributes(error("ERR x")).empty());
}
