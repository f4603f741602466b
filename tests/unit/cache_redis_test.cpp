// The cache in Redis: keys, entries, the stream, purges.
#include "catch.hpp"

#include <cmath>

#include "llm/cache_redis.hpp"
#include "redis_reply.hpp"

using namespace llm;
using namespace llm::cache::remote;
using namespace llm::redis::test;
using cache::ZoneKey;

namespace {

constexpr std::array<std::uint8_t, 32> model = {0x01, 0x23, 0x45, 0x67,
                                                0x89, 0xab, 0xcd, 0xef, 0x55};
constexpr std::array<std::uint8_t, 32> other_model = {0xff};

ZoneKey key_of(std::uint8_t byte) {
    ZoneKey key;
    key.fill(byte);
    return key;
}

std::string digits(std::string_view two) {
    std::string out;
    for (int i = 0; i < 32; ++i) {
        out += two;
    }
    return out;
}

Names names(std::string_view prefix = "llm:answers:") {
    return Names(prefix, model);
}

constexpr float unit[] = {0.6f, -0.8f, 0, 0};

Put put() {
    return {key_of(0xaa), key_of(0xbb), unit,
            "Who is \"X\"?\n", R"({"v":1,"stored":5})", 60000, 5000};
}

// The place of a word; words after a name are its value.
std::string after(const Command &command, std::string_view name) {
    for (std::size_t i = 0; i + 1 < command.words.size(); ++i) {
        if (command.words[i] == name) {
            return command.words[i + 1];
        }
    }
    return "nothing";
}

// A record as Redis gives it back, of what was sent to write it.
redis::Reply record(std::string_view id, const Command &announced) {
    redis::Reply fields = array({});
    // EVAL, script, 1, stream, count, ms
    for (std::size_t i = 6; i < announced.words.size(); ++i) {
        fields.elements.push_back(text(announced.words[i]));
    }
    return array({text(id), fields});
}

redis::Reply stream(std::initializer_list<redis::Reply> records) {
    return array({array({text("llm:answers:s"), array(records)})});
}

}  // namespace

TEST_CASE("keys in Redis have names that an operator can read") {
    Names n = names();
    CHECK(n.entry(key_of(0xaa)) == "llm:answers:e:" + digits("aa"));
    CHECK(n.members(key_of(0xbb)) == "llm:answers:p:{" + digits("bb") + "}");
    CHECK(n.hash(key_of(0xaa))
          == "llm:answers:h:0123456789abcdef:" + digits("aa"));
    CHECK(n.index() == "llm:answers:idx:0123456789abcdef");
    CHECK(n.set(key_of(0xbb))
          == "llm:answers:v:0123456789abcdef:{" + digits("bb") + "}");
    CHECK(n.stream() == "llm:answers:s");
    CHECK(n.epoch() == "llm:answers:g");
}

TEST_CASE("what a partition's script changes is in one slot of a cluster") {
    auto tag = [](std::string_view name) {
        auto open = name.find('{');
        return name.substr(open, name.find('}') - open);
    };
    CHECK(tag(names().members(key_of(1))) == tag(names().set(key_of(1))));
    CHECK(tag(names().members(key_of(1))) != tag(names().members(key_of(2))));
}

TEST_CASE("vectors of two models have different names") {
    Names other("llm:answers:", other_model);
    CHECK(names().entry(key_of(1)) == other.entry(key_of(1)));
    CHECK(names().hash(key_of(1)) != other.hash(key_of(1)));
    CHECK(names().index() != other.index());
    CHECK(names().set(key_of(1)) != other.set(key_of(1)));
    CHECK_FALSE(names().key_of_hash(other.hash(key_of(1))));
}

TEST_CASE("a digest in hexadecimal is read back") {
    ZoneKey key;
    for (std::size_t i = 0; i < key.size(); ++i) {
        key[i] = static_cast<std::uint8_t>(i * 37);
    }
    CHECK(from_hex(hex(key)) == key);
    CHECK_FALSE(from_hex(""));
    CHECK_FALSE(from_hex(digits("aa") + "a"));
    CHECK_FALSE(from_hex(digits("AA")));
    CHECK_FALSE(from_hex(digits("g0")));
}

TEST_CASE("only keys of this zone are its content") {
    Names n = names("llm:");
    Names inner("llm:e:", model);
    CHECK(n.is_content(n.entry(key_of(1))));
    CHECK(n.is_content(n.members(key_of(1))));
    CHECK(n.is_content(n.hash(key_of(1))));
    CHECK(n.is_content(n.set(key_of(1))));
    CHECK(n.is_content(Names("llm:", other_model).set(key_of(1))));

    CHECK_FALSE(n.is_content(n.stream()));
    CHECK_FALSE(n.is_content(n.epoch()));
    CHECK_FALSE(n.is_content(n.index()));
    CHECK_FALSE(n.is_content(inner.entry(key_of(1))));
    CHECK_FALSE(n.is_content("llm:answers:e:" + digits("aa")));
    CHECK_FALSE(n.is_content("llm:e:"));
    CHECK_FALSE(n.is_content("llm:v:short"));
    CHECK_FALSE(n.is_content("session:1"));
    CHECK_FALSE(n.is_content(""));
}

TEST_CASE("an entry stays until nobody may be served it any more") {
    Command command = set_entry(names(), put());
    CHECK(command.words
          == std::vector<std::string>{"SET", names().entry(key_of(0xaa)),
                                      R"({"v":1,"stored":5})", "PX",
                                      "65000"});
    CHECK(command.key == names().entry(key_of(0xaa)));
}

TEST_CASE("a time that is out of all proportion is cut") {
    Put forever = put();
    forever.ttl = forever.stale_for = INT64_MAX;
    CHECK(forever.kept_for() > 100LL * 365 * 86400 * 1000);
    // What a sum in a script can express with 14 digits.
    CHECK(forever.kept_for() < 10'000'000'000'000);
    forever.ttl = forever.stale_for = INT64_MIN;
    CHECK(forever.kept_for() == 1);
}

TEST_CASE("an entry is read, or there is none") {
    auto found = read_entry(text(R"({"v":1})"));
    REQUIRE(found);
    CHECK(**found == R"({"v":1})");

    auto none = read_entry(nil());
    REQUIRE(none);
    CHECK_FALSE(none->has_value());
}

TEST_CASE("what is no entry is an error that says so") {
    auto wrong = read_entry(error("WRONGTYPE Operation against a key holding "
                                  "the wrong kind of value"));
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == code_wrong_type);

    for (auto value : {"", "hello", "{}", "{\"v\":1", "[1]"}) {
        INFO(value);
        auto entry = read_entry(text(value));
        REQUIRE_FALSE(entry);
        CHECK(entry.error().message == "the reply is no entry of a cache");
    }
    CHECK_FALSE(read_entry(integer(5)));
    CHECK_FALSE(read_entry(array({})));
}

TEST_CASE("an error of Redis' is fit for a log") {
    auto done = read_done(error("ERR a\nb\x01" + std::string(500, 'x')));
    REQUIRE_FALSE(done);
    CHECK(done.error().message.starts_with("ERR a?b?xxx"));
    CHECK(done.error().message.size() == 200);
    auto silent = read_done(error(""));
    REQUIRE_FALSE(silent);
    CHECK(silent.error().message == "an error without a reason");
    CHECK(read_done(status("OK")));
    CHECK(read_done(integer(0)));
    CHECK(read_done(nil()));
}

TEST_CASE("a key of somebody else's is recognised inside of a script, too") {
    // Redis 7, and Redis 5 and 6.
    for (auto words :
         {"WRONGTYPE Operation against a key holding the wrong kind of value "
          "script: f00, on @user_script:5.",
          "ERR Error running script (call to f_f00): @user_script:5: "
          "WRONGTYPE Operation against a key holding the wrong kind of value"})
    {
        auto done = read_done(error(words));
        REQUIRE_FALSE(done);
        CHECK(done.error().code == code_wrong_type);
    }
    auto other = read_done(error("OOM command not allowed"));
    REQUIRE_FALSE(other);
    CHECK(other.error().code.empty());
}

TEST_CASE("an entry is listed in its partition, with the time it is kept") {
    Command command = add_member(names(), put());
    CHECK(command.words[0] == "EVAL");
    CHECK(command.words[2] == "1");
    CHECK(command.words[3] == names().members(key_of(0xbb)));
    CHECK(command.words[4] == digits("aa"));
    CHECK(command.words[5] == "65000");
    CHECK(command.key == command.words[3]);
}

TEST_CASE("a stand-in has the question, and is no entry") {
    std::string value = stand_in("Who?");
    CHECK(is_stand_in(value));
    CHECK(question_of(value) == "Who?");
    CHECK(is_stand_in(stand_in("")));
    CHECK_FALSE(is_stand_in(R"({"v":1})"));
    CHECK_FALSE(is_stand_in(""));
    CHECK(question_of(R"({"v":1})").empty());
}

// The stream

TEST_CASE("what one gateway adds, another one knows") {
    Command command = announce_put(names(), put(), "gateway-1");
    CHECK(command.key == "llm:answers:s");
    auto read = read_records(stream({record("1700000000000-3", command)}));
    REQUIRE(read);
    REQUIRE(read->records.size() == 1);
    CHECK(read->broken == 0);
    CHECK(read->last == Position{1700000000000, 3});

    const Record &added = read->records[0];
    CHECK(added.type == RecordType::added);
    CHECK(added.position == Position{1700000000000, 3});
    CHECK(added.gateway == "gateway-1");
    CHECK(added.key == key_of(0xaa));
    CHECK(added.partition == key_of(0xbb));
    CHECK(added.id == names().id());
    CHECK(added.ttl == 60000);
    CHECK(added.stale_for == 5000);
    CHECK(added.question == "Who is \"X\"?\n");
}

TEST_CASE("a vector takes one byte a dimension, and keeps its direction") {
    Command command = announce_put(names(), put(), "g");
    auto read = read_records(stream({record("1-0", command)}));
    REQUIRE(read);
    const Record &added = read->records.at(0);
    CHECK(added.vector.size() == 4);

    auto floats = added.floats(4);
    REQUIRE(floats.size() == 4);
    float dot = 0;
    float squares = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        dot += floats[i] * unit[i];
        squares += floats[i] * floats[i];
    }
    CHECK(dot / std::sqrt(squares) > 0.9999f);
    CHECK(floats[1] == -1);

    CHECK(added.floats(3).empty());
    CHECK(added.floats(5).empty());
}

TEST_CASE("purges are told in the three kinds that there are") {
    ZoneKey key = key_of(0xcc);
    auto read = read_records(stream({
        record("1-0", announce_purge(names(), &key, nullptr, "g")),
        record("1-1", announce_purge(names(), nullptr, &key, "g")),
        record("2-0", announce_purge(names(), nullptr, nullptr, "g")),
    }));
    REQUIRE(read);
    REQUIRE(read->records.size() == 3);
    CHECK(read->records[0].type == RecordType::purged_key);
    CHECK(read->records[0].key == key);
    CHECK(read->records[1].type == RecordType::purged_partition);
    CHECK(read->records[1].partition == key);
    CHECK(read->records[2].type == RecordType::purged_all);
    CHECK(read->last == Position{2, 0});
}

TEST_CASE("no news of the stream are no error") {
    auto read = read_records(nil());
    REQUIRE(read);
    CHECK(read->records.empty());
    CHECK_FALSE(read->last);
}

TEST_CASE("RESP3 names the stream in a map") {
    redis::Reply reply = map({{"llm:answers:s",
                               array({record("7-1", announce_purge(
                                          names(), nullptr, nullptr,
                                          "g"))})}});
    auto read = read_records(reply);
    REQUIRE(read);
    CHECK(read->records.size() == 1);
    CHECK(read->last == Position{7, 1});
}

TEST_CASE("a record that no gateway wrote is passed over") {
    auto good = announce_purge(names(), nullptr, nullptr, "g");
    auto read = read_records(stream({
        array({text("1-0"), array({text("hello"), text("world")})}),
        array({text("1-1"), nil()}),                    // deleted
        array({text("1-2"), array({text("t"), text("key"), text("k"),
                                   text("no digest")})}),
        array({text("1-3"), array({text("t")})}),
        record("1-4", good),
        array({text("1-5"), array({text("t"), text("add"), text("k"),
                                   text(digits("aa")), text("p"),
                                   text(digits("bb")), text("l"),
                                   text("-5"), text("s"), text("0"),
                                   text("i"), text("x"), text("v"),
                                   text("y")})}),
    }));
    REQUIRE(read);
    CHECK(read->records.size() == 1);
    CHECK(read->broken == 5);
    CHECK(read->last == Position{1, 5});
}

TEST_CASE("what is no part of a stream is an error") {
    CHECK_FALSE(read_records(error("WRONGTYPE Operation against a key")));
    CHECK_FALSE(read_records(integer(1)));
    CHECK_FALSE(read_records(text("x")));
    CHECK_FALSE(read_records(array({})));
    CHECK_FALSE(read_records(array({text("s"), text("x")})));
    CHECK_FALSE(read_records(stream({text("x")})));
    CHECK_FALSE(read_records(stream({array({text("1-x"), array({})})})));
}

TEST_CASE("positions are ordered by time, then by count") {
    CHECK(Position::parse("12-3") == Position{12, 3});
    CHECK(Position{12, 3}.text() == "12-3");
    CHECK(Position{12, 3} < Position{12, 4});
    CHECK(Position{12, 9} < Position{13, 0});
    CHECK_FALSE(Position::parse("12"));
    CHECK_FALSE(Position::parse("-3"));
    CHECK_FALSE(Position::parse("12-"));
    CHECK_FALSE(Position::parse("12-3-4"));
    CHECK_FALSE(Position::parse("99999999999999999999-0"));
}

TEST_CASE("a late reader gives an entry no more time than it has left") {
    Record added;
    added.position = {1000000, 0};
    added.ttl = 60000;
    added.stale_for = 5000;
    std::int64_t ttl = 0;
    std::int64_t stale_for = 0;

    CHECK(added.remaining(1010000, &ttl, &stale_for));
    CHECK(ttl == 50000);
    CHECK(stale_for == 5000);

    CHECK(added.remaining(1062000, &ttl, &stale_for));
    CHECK(ttl == 1);
    CHECK(stale_for == 3000);

    CHECK_FALSE(added.remaining(1065000, &ttl, &stale_for));
    CHECK_FALSE(added.remaining(INT64_MAX, &ttl, &stale_for));

    // A clock that went back, or is not known.
    CHECK(added.remaining(0, &ttl, &stale_for));
    CHECK(ttl == 60000);
}

TEST_CASE("a reader asks for what comes after its position") {
    Command now = read_stream(names(), {5, 1}, 32, 0);
    CHECK(now.words
          == std::vector<std::string>{"XREAD", "COUNT", "32", "STREAMS",
                                      "llm:answers:s", "5-1"});
    Command later = read_stream(names(), {5, 1}, 32, 2000);
    CHECK(after(later, "BLOCK") == "2000");
    CHECK(after(later, "STREAMS") == "llm:answers:s");
}

TEST_CASE("a follower looks at the epoch, the time and both ends") {
    Look look;
    REQUIRE(read_epoch(array({text("abc"), text("1700000000"),
                              text("123456")}), &look));
    CHECK(look.epoch == "abc");
    CHECK(look.now == 1700000000123);

    auto end = read_position(array({array({text("5-1"), array({})})}));
    REQUIRE(end);
    CHECK(*end == Position{5, 1});
    auto none = read_position(array({}));
    REQUIRE(none);
    CHECK_FALSE(none->has_value());

    CHECK_FALSE(read_epoch(error("READONLY You can't write"), &look));
    CHECK_FALSE(read_epoch(array({nil(), text("1"), text("1")}), &look));
    CHECK_FALSE(read_epoch(array({text("a"), text("x"), text("1")}), &look));
    CHECK_FALSE(read_epoch(array({text("a"),
                                  text("9223372036854775807"), text("1")}),
                           &look));
    CHECK_FALSE(read_position(nil()));
    CHECK_FALSE(read_position(array({text("x")})));
}

TEST_CASE("a follower knows when to start over") {
    auto look = [](std::string epoch, std::optional<Position> first,
                   std::optional<Position> last) {
        return Look{std::move(epoch), 1, first, last};
    };
    Position five{5, 0};

    SECTION("it goes on where it was") {
        CHECK(judge({five, "a"}, look("a", Position{1, 0}, five), true)
              == Verdict::go_on);
        CHECK(judge({five, "a"}, look("a", five, Position{9, 0}), false)
              == Verdict::go_on);
        CHECK(judge({Position(), "a"}, look("a", {}, {}), true)
              == Verdict::go_on);
    }
    SECTION("a new gateway catches up from the beginning") {
        CHECK(judge({}, look("a", Position{1, 0}, five), false)
              == Verdict::start_over);
    }
    SECTION("somebody emptied Redis") {
        CHECK(judge({five, "a"}, look("b", {}, {}), true)
              == Verdict::start_empty);
    }
    SECTION("Redis came back without its data") {
        CHECK(judge({five, "a"}, look("b", {}, {}), false)
              == Verdict::start_over);
    }
    SECTION("the stream went, or ids go back") {
        CHECK(judge({five, "a"}, look("a", {}, {}), true)
              == Verdict::start_over);
        CHECK(judge({five, "a"},
                    look("a", Position{1, 0}, Position{4, 9}), true)
              == Verdict::start_over);
    }
    SECTION("records that it has not read are gone") {
        CHECK(judge({five, "a"},
                    look("a", Position{6, 0}, Position{9, 0}), true)
              == Verdict::start_empty);
    }
}

// Purges

TEST_CASE("members of a partition are listed and removed in batches") {
    auto members = read_members(array({text(digits("aa")), text("junk")}));
    REQUIRE(members);
    CHECK(members->keys == std::vector<ZoneKey>{key_of(0xaa)});
    CHECK(members->words.size() == 2);

    Command list = list_members(names(), key_of(0xbb), 100);
    CHECK(list.words
          == std::vector<std::string>{"ZRANGE",
                                      names().members(key_of(0xbb)), "0",
                                      "99"});
    // Junk goes, too: else it would be listed for ever.
    Command remove = remove_members(names(), key_of(0xbb), members->words);
    CHECK(remove.words.size() == 4);
    CHECK(remove.words[3] == "junk");

    CHECK_FALSE(read_members(nil()));
    CHECK_FALSE(read_members(error("WRONGTYPE x")));
    CHECK_FALSE(read_members(array({integer(1)})));
}

TEST_CASE("a key is found for any node of a cluster") {
    for (unsigned slot : {0u, 1u, 5461u, 16383u}) {
        std::string key = key_of_slots(slot, slot);
        CHECK(redis::key_slot(key) == slot);
    }
    unsigned slot = redis::key_slot(key_of_slots(5461, 10922));
    CHECK(slot >= 5461);
    CHECK(slot <= 10922);
    CHECK(key_of_slots(16384, 20000).empty());
}

TEST_CASE("a scan matches the prefix as it is written") {
    Command command = scan(names("a*[b]?\\:"), "0", "{1}");
    CHECK(after(command, "MATCH") == "a\\*\\[b\\]\\?\\\\:*");
    CHECK(command.key == "{1}");
}

TEST_CASE("a scan's step has a cursor, and keys of which some are ours") {
    Names n = names();
    auto step = read_scan(array({text("42"),
                                 array({text(n.entry(key_of(1))),
                                        text(n.stream()),
                                        text("llm:answers:x")})}),
                          n);
    REQUIRE(step);
    CHECK(step->cursor == "42");
    CHECK(step->keys == std::vector<std::string>{n.entry(key_of(1))});

    CHECK_FALSE(read_scan(array({text("x"), array({})}), n));
    CHECK_FALSE(read_scan(array({text("1")}), n));
    CHECK_FALSE(read_scan(nil(), n));
    CHECK_FALSE(read_scan(error("ERR invalid cursor"), n));
}
