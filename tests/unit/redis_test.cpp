#include "catch.hpp"
#include "cuts.hpp"
#include "llm/redis.hpp"

using namespace llm;
using namespace llm::redis;
using namespace std::string_literals;

namespace {

std::string command(std::vector<std::string_view> words) {
    std::string text(command_size(words), '?');
    CHECK(write_command(text.data(), words) == text.data() + text.size());
    return text;
}

// A reply in one line: "[1 'a' nil]".
std::string show(const Reply &reply) {
    switch (reply.type) {
    case Reply::Type::nil:
        return "nil";
    case Reply::Type::status:
        return "+" + reply.text;
    case Reply::Type::error:
        return "-" + reply.text;
    case Reply::Type::string:
        return "'" + reply.text + "'";
    case Reply::Type::integer:
        return std::to_string(reply.integer);
    default:
        break;
    }
    std::string text = "[";
    for (const auto &element : reply.elements) {
        text += (text.size() > 1 ? " " : "") + show(element);
    }
    return text + "]";
}

struct Read {
    std::vector<std::string> replies;
    std::string error;
};

Read read(const testing::Pieces &pieces, std::size_t max_reply = 1 << 20) {
    Reader reader(max_reply);
    Read result;
    for (auto piece : pieces) {
        if (!reader.feed(piece)) {
            break;
        }
        Reply reply;
        Reader::Step step;
        while ((step = reader.next(reply)) == Reader::Step::reply) {
            result.replies.push_back(show(reply));
        }
    }
    result.error = reader.error();
    return result;
}

Reply one(std::string_view bytes) {
    Reader reader(1 << 20);
    Reply reply;
    REQUIRE(reader.feed(bytes));
    REQUIRE(reader.next(reply) == Reader::Step::reply);
    return reply;
}

std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text)
           + "\r\n";
}

}  // namespace

TEST_CASE("a command is an array of bulk strings, of any bytes") {
    CHECK(command({"GET", "key"}) == "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
    CHECK(command({"SET", "", std::string_view("\r\n\0", 3)})
          == "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\n\r\n\0\r\n"s);
    CHECK(command(std::vector<std::string_view>(10, "0123456789"))
          == "*10\r\n" + [] {
                 std::string words;
                 for (int i = 0; i < 10; ++i) {
                     words += "$10\r\n0123456789\r\n";
                 }
                 return words;
             }());
}

TEST_CASE("replies of all types are read wherever the stream is cut") {
    std::string stream = "+OK\r\n-ERR no\r\n:-42\r\n$5\r\na\r\nb\0\r\n"
                         "$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n"
                         "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*0\r\n$-1\r\n+END\r\n"s;
    const std::vector<std::string> expected = {
        "+OK", "-ERR no", "-42", "'a\r\nb\0'"s,
        "nil", "nil", "[]", "''", "[1 ['x' []] nil]", "+END",
    };

    testing::for_each_cut(stream, [&](const testing::Pieces &pieces) {
        auto result = read(pieces);
        CHECK(result.error == "");
        CHECK(result.replies == expected);
    });
}

TEST_CASE("what is no RESP is refused wherever it is cut") {
    for (std::string_view stream : {
             "HTTP/1.1 400 Bad Request\r\n\r\n", "$x\r\n", ":1a\r\n",
             "$-2\r\n", "*-2\r\n", "*1\r\n?\r\n",
         })
    {
        testing::for_each_cut(stream, [&](const testing::Pieces &pieces) {
            auto result = read(pieces);
            CHECK(result.replies.empty());
            CHECK(result.error != "");
        });
    }
}

TEST_CASE("types of RESP3 are refused, since nobody asked for them") {
    for (std::string_view stream :
         {"_\r\n", "#t\r\n", ",1.5\r\n", "%1\r\n+a\r\n:1\r\n", "~1\r\n:1\r\n",
          ">1\r\n+a\r\n", "(123\r\n", "=5\r\ntxt:a\r\n"})
    {
        CHECK(read({stream}).error != "");
    }
}

TEST_CASE("a reply is no larger than is allowed") {
    auto fits = bulk(std::string(1000, 'x'));
    auto large = bulk(std::string(1100, 'x'));
    CHECK(read({fits, fits, fits}, 1024).replies.size() == 3);
    CHECK(read({fits + fits + fits}, 1024).error == "");
    CHECK(read({fits, large}, 1024).error == "a reply that is too large");
    CHECK(read({fits, large}, 1024).replies.size() == 1);

    SECTION("before all of it has come") {
        std::string begun = "$100000\r\n" + std::string(1100, 'x');
        CHECK(read({begun}, 1024).error == "a reply that is too large");
    }
    SECTION("nor is an array, in memory, which is only announced") {
        CHECK(read({"*1000000000\r\n"}).error == "a reply that is too large");
        CHECK(read({"*10000\r\n"}, 1024).error == "a reply that is too large");
        std::string nested;
        for (int i = 0; i < 7; ++i) {
            nested += "*5000\r\n";
        }
        CHECK(read({nested}).error == "a reply that is too large");
    }
    SECTION("but each reply anew") {
        std::string array = "*1000\r\n";
        for (int i = 0; i < 1000; ++i) {
            array += ":1\r\n";
        }
        auto result = read({array, array, array}, 100000);
        CHECK(result.error == "");
        CHECK(result.replies.size() == 3);
    }
}

TEST_CASE("arrays are nested no deeper than is allowed") {
    std::string nested;
    for (int i = 0; i < Reader::max_depth; ++i) {
        nested += "*1\r\n";
    }
    CHECK(read({nested + ":1\r\n"}).replies.size() == 1);
    CHECK(read({"*1\r\n" + nested + ":1\r\n"}).error != "");
}

TEST_CASE("a line that does not end is not searched for ever") {
    CHECK(read({"+" + std::string(70000, 'x')}).error
          == "a line that does not end");
    CHECK(read({"+" + std::string(60000, 'x'), "\r\n"}).replies.size() == 1);
}

TEST_CASE("after a failure nothing is read any more") {
    Reader reader(1024);
    Reply reply;
    REQUIRE(reader.feed("?\r\n"));
    CHECK(reader.next(reply) == Reader::Step::failed);
    CHECK_FALSE(reader.feed("+OK\r\n"));
    CHECK(reader.next(reply) == Reader::Step::failed);
}

// The first three of the cluster specification, the rest of a real server's
// CLUSTER KEYSLOT.
TEST_CASE("the slot of a key is its CRC16, or that of what is in braces") {
    CHECK(key_slot("123456789") == 0x31c3);
    CHECK(key_slot("{user1000}.following") == key_slot("user1000"));
    CHECK(key_slot("foo{{bar}}zap") == key_slot("{bar"));
    CHECK(key_slot("foo") == 12182);
    CHECK(key_slot("somekey") == 11058);
    CHECK(key_slot("foo{hash_tag}") == 2515);
    CHECK(key_slot("") == 0);
    CHECK(key_slot("foo{}{bar}") == 8363);
    CHECK(key_slot("foo{bar}{zap}") == 5061);
    CHECK(key_slot("foo{bar") == 15278);
    CHECK(key_slot("foo}{bar}") == key_slot("bar"));
}

TEST_CASE("errors that are the server's, not the command's") {
    auto trouble = [](std::string_view line) {
        return trouble_of(one(line));
    };
    CHECK(trouble("-MOVED 3999 127.0.0.1:6381\r\n") == Trouble::moved);
    CHECK(trouble("-ASK 3999 127.0.0.1:6381\r\n") == Trouble::ask);
    CHECK(trouble("-TRYAGAIN Multiple keys request during rehashing of slot"
                  "\r\n") == Trouble::try_again);
    CHECK(trouble("-CLUSTERDOWN Hash slot not served\r\n")
          == Trouble::cluster_down);
    CHECK(trouble("-LOADING Redis is loading the dataset in memory\r\n")
          == Trouble::loading);
    CHECK(trouble("-MASTERDOWN Link with MASTER is down\r\n")
          == Trouble::master_down);
    CHECK(trouble("-READONLY You can't write against a read only replica.\r\n")
          == Trouble::read_only);
    CHECK(trouble("-NOAUTH Authentication required.\r\n")
          == Trouble::not_authenticated);
    CHECK(trouble("-ERR max number of clients reached\r\n")
          == Trouble::too_many_clients);

    CHECK(trouble("-WRONGTYPE Operation against a key\r\n") == Trouble::none);
    CHECK(trouble("-ASKING\r\n") == Trouble::none);
    CHECK(trouble("-ERR\r\n") == Trouble::none);
    CHECK(trouble("+LOADING\r\n") == Trouble::none);
}

TEST_CASE("a redirection names a slot and a server") {
    auto moved = read_redirection(one("-MOVED 3999 127.0.0.1:6381\r\n"));
    REQUIRE(moved);
    CHECK(moved->slot == 3999);
    CHECK(moved->to == Address{"127.0.0.1", 6381});

    auto ipv6 = read_redirection(one("-ASK 0 2001:db8::1:6381\r\n"));
    REQUIRE(ipv6);
    CHECK(ipv6->to == Address{"2001:db8::1", 6381});

    SECTION("whose host may be left out, or not be known") {
        auto same = read_redirection(one("-MOVED 1 :6381\r\n"));
        REQUIRE(same);
        CHECK(same->to == Address{"", 6381});
        auto unknown = read_redirection(one("-MOVED 1 ?:6381\r\n"));
        REQUIRE(unknown);
        CHECK(unknown->to == Address{"", 6381});
    }
    SECTION("and anything else is none") {
        for (std::string_view line :
             {"-MOVED\r\n", "-MOVED 1\r\n", "-MOVED x 127.0.0.1:1\r\n",
              "-MOVED 16384 127.0.0.1:1\r\n", "-MOVED 1 127.0.0.1\r\n",
              "-MOVED 1 127.0.0.1:0\r\n", "-MOVED 1 127.0.0.1:65536\r\n",
              "-MOVED 1 a\x1b[b:1\r\n", "+MOVED 1 127.0.0.1:1\r\n"})
        {
            INFO(line);
            CHECK_FALSE(read_redirection(one(line)));
        }
    }
}

TEST_CASE("CLUSTER SLOTS says who is master of which slots") {
    auto node = [](std::string host, int port) {
        return "*3\r\n" + host + ":" + std::to_string(port) + "\r\n"
               + bulk("0123456789abcdef");
    };
    auto reply = one("*3\r\n"
                     "*4\r\n:0\r\n:5460\r\n" + node(bulk("10.0.0.1"), 7000)
                     + node(bulk("10.0.0.4"), 7003)
                     + "*3\r\n:5461\r\n:10922\r\n" + node(bulk(""), 7001)
                     // Redis 7: no address, and what else is known of it.
                     + "*3\r\n:10923\r\n:16383\r\n*4\r\n$-1\r\n:7002\r\n"
                     + bulk("0123456789abcdef") + "*2\r\n" + bulk("hostname")
                     + bulk("node.example"));
    auto slots = read_slots(reply, "10.0.0.9");
    REQUIRE(slots);
    REQUIRE(slots->size() == 3);
    CHECK((*slots)[0].first == 0);
    CHECK((*slots)[0].last == 5460);
    CHECK((*slots)[0].master == Address{"10.0.0.1", 7000});
    CHECK((*slots)[1].master == Address{"10.0.0.9", 7001});
    CHECK((*slots)[2].master == Address{"10.0.0.9", 7002});

    SECTION("and nothing else is believed") {
        for (const auto &bad : {
                 std::string("+OK\r\n"), std::string("-ERR unknown\r\n"),
                 std::string("*1\r\n+x\r\n"),
                 "*1\r\n*3\r\n:0\r\n:16384\r\n" + node(bulk("h"), 1),
                 "*1\r\n*3\r\n:-1\r\n:5\r\n" + node(bulk("h"), 1),
                 "*1\r\n*3\r\n:5\r\n:4\r\n" + node(bulk("h"), 1),
                 "*1\r\n*3\r\n:0\r\n:5\r\n" + node(bulk("h"), 0),
                 "*1\r\n*3\r\n:0\r\n:5\r\n" + node(bulk("h"), 65536),
                 "*1\r\n*3\r\n:0\r\n:5\r\n" + node(bulk("a\nb"), 1),
                 "*1\r\n*3\r\n:0\r\n:5\r\n" + node(":5\r\n", 1),
                 std::string("*1\r\n*3\r\n:0\r\n:5\r\n*0\r\n"),
             })
        {
            INFO(bad);
            CHECK_FALSE(read_slots(one(bad), "seed"));
        }
    }
}

TEST_CASE("Sentinel says where the master is, or that it knows none") {
    auto master = read_master(one("*2\r\n" + bulk("10.0.0.1") + bulk("6379")));
    REQUIRE(master);
    REQUIRE(*master);
    CHECK(**master == Address{"10.0.0.1", 6379});

    auto unknown = read_master(one("*-1\r\n"));
    REQUIRE(unknown);
    CHECK_FALSE(*unknown);

    CHECK_FALSE(read_master(one("-ERR unknown command\r\n")));
    CHECK_FALSE(read_master(one("*2\r\n" + bulk("h") + bulk("x"))));
    CHECK_FALSE(read_master(one("*2\r\n" + bulk("") + bulk("1"))));
    CHECK_FALSE(read_master(one("*2\r\n" + bulk("h") + bulk("0"))));
}

TEST_CASE("a server says what it is") {
    CHECK(read_role(one("*3\r\n" + bulk("master") + ":1\r\n*0\r\n"))
          == "master");
    CHECK(read_role(one("*1\r\n" + bulk("slave"))) == "slave");
    CHECK(read_role(one("-NOPERM no\r\n")) == "");
    CHECK(read_role(one("*0\r\n")) == "");
}
