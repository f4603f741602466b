// The scripts against the algorithms, in a Redis of our own.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.hpp"
#include "llm/limit_redis.hpp"
#include "llm/limit_share.hpp"
#include "llm/time_zone.hpp"

using namespace llm;
using namespace llm::limit;

namespace {

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t noon = 20'000 * limit::day;

// A server on a socket in a folder of its own, and a connection to it.
class Server {
public:
    Server() {
        char folder[] = "/tmp/llm_limits_XXXXXX";
        if (mkdtemp(folder) == nullptr) {
            return;
        }
        folder_ = folder;
        std::string path = folder_ + "/socket";
        process_ = fork();
        if (process_ == 0) {
            int null = open("/dev/null", O_RDWR);
            dup2(null, 1);
            dup2(null, 2);
            execlp("redis-server", "redis-server", "--port", "0",
                   "--unixsocket", path.c_str(), "--save", "", "--dir",
                   folder, static_cast<char *>(nullptr));
            _exit(127);
        }
        // Until it listens, or has ended because there is none.
        for (int i = 0; i < 5000 && fd_ < 0; ++i) {
            if (waitpid(process_, nullptr, WNOHANG) == process_) {
                process_ = -1;
                return;
            }
            connect_to(path);
            if (fd_ < 0) {
                usleep(1000);
            }
        }
    }
    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;
    ~Server() {
        if (fd_ >= 0) {
            close(fd_);
        }
        if (process_ > 0) {
            kill(process_, SIGKILL);
            waitpid(process_, nullptr, 0);
        }
        if (!folder_.empty()) {
            std::error_code ignored;
            std::filesystem::remove_all(folder_, ignored);
        }
    }

    bool is_there() const { return fd_ >= 0; }

    redis::Reply call(const Command &command) {
        std::string out = "*" + std::to_string(command.size()) + "\r\n";
        for (const auto &word : command) {
            out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
        }
        REQUIRE(write(fd_, out.data(), out.size())
                == static_cast<ssize_t>(out.size()));
        return read_reply();
    }

private:
    void connect_to(const std::string &path) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        fd_ = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd_, reinterpret_cast<sockaddr *>(&address),
                    sizeof(address))
            != 0)
        {
            close(fd_);
            fd_ = -1;
        }
    }

    void fill() {
        char bytes[4096];
        ssize_t size = read(fd_, bytes, sizeof(bytes));
        REQUIRE(size > 0);
        in_.append(bytes, static_cast<std::size_t>(size));
    }

    std::string line() {
        std::size_t end;
        while ((end = in_.find("\r\n")) == std::string::npos) {
            fill();
        }
        auto line = in_.substr(0, end);
        in_.erase(0, end + 2);
        return line;
    }

    redis::Reply read_reply() {
        using Type = redis::Reply::Type;
        auto head = line();
        redis::Reply reply;
        auto text = head.substr(1);
        switch (head[0]) {
        case ':':
            reply.type = Type::integer;
            reply.integer = std::stoll(text);
            break;
        case '*':
            reply.type = Type::array;
            for (auto i = std::stoll(text); i > 0; --i) {
                reply.elements.push_back(read_reply());
            }
            break;
        case '$':
            if (auto size = std::stoll(text); size >= 0) {
                reply.type = Type::string;
                while (in_.size() < static_cast<std::size_t>(size) + 2) {
                    fill();
                }
                reply.text = in_.substr(0, static_cast<std::size_t>(size));
                in_.erase(0, static_cast<std::size_t>(size) + 2);
            }
            break;
        default:
            reply.type = head[0] == '-' ? Type::error : Type::status;
            reply.text = text;
        }
        return reply;
    }

    std::string folder_;
    std::string in_;
    pid_t process_ = -1;
    int fd_ = -1;
};

// nullptr: there is no redis-server here.
Server *server() {
    static Server server;
    if (!server.is_there()) {
        WARN("no redis-server here: not tested");
        return nullptr;
    }
    return &server;
}

// A remote limit, and what it must be.
class Pair {
public:
    Pair(Server &server, const Limit &limit, std::string key)
        : limit_(limit), key_(std::move(key)), server_(server) {}

    struct Both {
        Reservation local;
        Reservation remote;
    };

    bool reserve(std::int64_t now, std::int64_t amount, Both *both) {
        auto decision =
            limit::reserve(limit_, state_, now, amount, &both->local);
        RemoteRequest request{key_, limit_, amount};
        auto answer = ask({&request, 1}, now);
        const auto &remote = answer.decisions[0].decision;
        REQUIRE(remote.outcome == decision.outcome);
        REQUIRE(remote.limit == decision.limit);
        REQUIRE(remote.remaining == decision.remaining);
        REQUIRE(remote.retry_after == decision.retry_after);
        REQUIRE(remote.reset == decision.reset);
        REQUIRE(answer.granted == decision.granted());
        both->remote = answer.decisions[0].reservation;
        return decision.granted();
    }

    void settle(std::int64_t now, const Both &both, std::int64_t actual) {
        limit::settle(limit_, state_, now, both.local, actual);
        RemoteSettlement settlement{key_, limit_, both.remote, actual};
        auto reply = server_.call(settle_command({&settlement, 1}, now,
                                                 limit::Call::by_text, now));
        INFO(reply.text);
        REQUIRE(read_settle_reply(reply));
    }

    RemoteAnswer ask(std::span<const RemoteRequest> requests,
                     std::int64_t now) {
        auto command =
            reserve_command(requests, now, limit::Call::by_digest, now);
        auto reply = server_.call(command);
        if (is_noscript(reply)) {
            reply = server_.call(reserve_command(
                requests, now, limit::Call::by_text, now));
        }
        INFO(reply.text);
        auto answer = read_reserve_reply(reply, requests);
        REQUIRE(answer);
        return *answer;
    }

private:
    Limit limit_;
    State state_;
    std::string key_;
    Server &server_;
};

void run(Server &server, const Limit &limit, std::int64_t step,
         std::uint32_t seed, int steps) {
    INFO("window " << static_cast<int>(limit.window) << " period "
                   << limit.period << " budget " << limit.budget << " seed "
                   << seed);
    std::mt19937_64 random(seed);
    auto below = [&](std::int64_t most) {
        return static_cast<std::int64_t>(random()
                                         % static_cast<std::uint64_t>(most));
    };
    Pair pair(server, limit, "random:" + std::to_string(seed));
    std::vector<Pair::Both> open;
    std::int64_t now = 1'700'000'000'000;
    for (int i = 0; i < steps; ++i) {
        switch (below(60)) {
        case 0:
            now += below(4 * step);
            break;
        case 1:
            now = std::max<std::int64_t>(now - below(20'000), 0);
            break;
        case 2:
            now = std::max<std::int64_t>(now - below(3 * step), 0);
            break;
        default:
            now += below(step / 16 + 2);
        }
        if (below(3) != 0 || open.empty()) {
            Pair::Both both;
            if (pair.reserve(now, below(limit.capacity() / 4 + 2), &both)) {
                open.push_back(both);
            }
            continue;
        }
        auto index = static_cast<std::size_t>(
            below(static_cast<std::int64_t>(open.size())));
        if (below(8) != 0) {
            pair.settle(now, open[index],
                        below(open[index].local.amount * 9 / 8 + 1));
        }
        open[index] = open.back();
        open.pop_back();
    }
}

}  // namespace

TEST_CASE("scripts come to the same results as the algorithms") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    auto zone = TimeZone::parse_posix("CET-1CEST,M3.5.0,M10.5.0/3");
    REQUIRE(zone);
    std::uint32_t seed = 1;
    for (auto window : {Window::sliding, Window::fixed, Window::bucket}) {
        for (std::int64_t period :
             {std::int64_t{1000}, minute, limit::day, 30 * limit::day})
        {
            for (std::int64_t budget :
                 {std::int64_t{50}, std::int64_t{100'003}, max_amount})
            {
                Limit limit;
                limit.window = window;
                limit.period = period;
                limit.budget = budget;
                limit.burst = budget / 3 + 40;
                limit.lease = period / 5;
                run(*redis, limit, period, seed++, 700);
            }
        }
    }
    for (auto unit : {CalendarUnit::minute, CalendarUnit::hour,
                      CalendarUnit::day, CalendarUnit::month})
    {
        constexpr std::int64_t lengths[] = {minute, 60 * minute, limit::day,
                                            30 * limit::day};
        Limit limit;
        limit.window = Window::calendar;
        limit.unit = unit;
        limit.zone = &*zone;
        limit.budget = 100'000;
        auto length = lengths[static_cast<int>(unit)];
        limit.lease = length / 5;
        run(*redis, limit, length, seed++, 1500);
    }
}

TEST_CASE("all limits of a request are reserved, or none") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    Limit small;
    small.budget = 100;
    Limit large;
    large.budget = 1000;
    large.window = Window::fixed;
    Pair pair(*redis, small, "unused");
    RemoteRequest both[] = {{"{a}small", small, 80}, {"{a}large", large, 80}};
    auto first = pair.ask(both, noon);
    REQUIRE(first.granted);
    CHECK(first.decisions[0].decision.remaining == 20);
    CHECK(first.decisions[1].decision.remaining == 920);

    auto second = pair.ask(both, noon);
    CHECK_FALSE(second.granted);
    CHECK(second.decisions[0].decision.outcome == Outcome::refused);
    CHECK(second.decisions[1].decision.granted());
    // What would have been granted was not taken.
    CHECK(second.decisions[1].decision.remaining == 920);
    RemoteRequest only[] = {{"{a}large", large, 920}};
    CHECK(pair.ask(only, noon).granted);
}

TEST_CASE("the clock is that of Redis, and its keys expire") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    for (auto window : {Window::sliding, Window::fixed, Window::calendar,
                        Window::bucket})
    {
        Limit limit;
        limit.window = window;
        limit.budget = 100;
        limit.burst = 100;
        auto key = redis_key("llm:", limit::Key{}, "team", limit);
        RemoteRequest request{key, limit, 60};
        auto time = redis->call({"TIME"});
        auto now = std::stoll(time.elements[0].text) * 1000;
        auto reply = redis->call(
            reserve_command({&request, 1}, now, limit::Call::by_text));
        INFO(reply.text);
        auto answer = read_reserve_reply(reply, {&request, 1});
        REQUIRE(answer);
        CHECK(answer->granted);
        CHECK(answer->now >= now);
        CHECK(answer->now < now + minute);
        auto ttl = redis->call({"PTTL", key}).integer;
        CHECK(ttl > 0);
        CHECK(ttl <= 2 * minute + clock_slack);

        RemoteSettlement settlement{
            key, limit, answer->decisions[0].reservation, 10};
        CHECK(read_settle_reply(redis->call(settle_command(
            {&settlement, 1}, now, limit::Call::by_text))));
        CHECK(redis->call({"PTTL", key}).integer > 0);
    }
}

TEST_CASE("a calendar's windows are Redis' own, whatever a gateway's clock says") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    for (std::int64_t skew : {-7 * minute, -minute, std::int64_t{0}, minute,
                              7 * minute})
    {
        INFO(skew);
        Limit limit;
        limit.window = Window::calendar;
        limit.unit = CalendarUnit::minute;
        limit.budget = 100;
        RemoteRequest request{"skew:" + std::to_string(skew), limit, 60};
        auto decision = [&](std::int64_t now) {
            auto reply = redis->call(reserve_command(
                {&request, 1}, now + skew, limit::Call::by_text, now));
            INFO(reply.text);
            auto answer = read_reserve_reply(reply, {&request, 1});
            REQUIRE(answer);
            return answer->decisions[0].decision;
        };
        auto now = noon + 20'000;
        CHECK(decision(now).granted());
        CHECK(decision(now + 10'000).retry_after == 30'000);
        CHECK(decision(now + 39'999).retry_after == 1);
        CHECK(decision(now + 40'000).granted());
        CHECK_FALSE(decision(now + 40'001).granted());
        CHECK(decision(now + 5 * minute).granted());
        CHECK_FALSE(decision(now + 5 * minute + 1).granted());
    }
}

TEST_CASE("a script is called by the digest that Redis gives it") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    for (const Script *script :
         {&reserve_script(), &settle_script(), &presence_script()})
    {
        auto loaded =
            redis->call({"SCRIPT", "LOAD", std::string(script->text)});
        CHECK(loaded.text == script->sha1);
    }
    redis->call({"SCRIPT", "FLUSH"});
    RemoteRequest request{"k", Limit{}, 0};
    CHECK(is_noscript(redis->call(reserve_command({&request, 1}, 0))));
}

TEST_CASE("gateways are counted as long as they show themselves") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    auto count = [&](std::string_view gateway, std::int64_t lifetime) {
        auto reply = redis->call(presence_command(
            "llm:gateways", gateway, lifetime, limit::Call::by_text));
        auto gateways = read_presence_reply(reply);
        INFO(reply.text);
        REQUIRE(gateways);
        return *gateways;
    };
    CHECK(count("a", 60'000) == 1);
    CHECK(count("b", 60'000) == 2);
    CHECK(count("a", 60'000) == 2);
    redis->call({"ZADD", "llm:gateways", "1", "b"});
    CHECK(count("a", 60'000) == 1);
}

TEST_CASE("a call is undone by its id, whether it was executed or not") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    auto used = [&](const RemoteRequest &request) {
        RemoteRequest probe{request.key, request.limit, 0};
        return request.limit.capacity()
               - Pair(*redis, request.limit, "").ask({&probe, 1}, noon)
                     .decisions[0].decision.remaining;
    };
    for (auto window : {Window::sliding, Window::fixed, Window::calendar,
                        Window::bucket})
    {
        Limit limit;
        limit.window = window;
        limit.budget = limit.burst = 100;
        auto name = std::to_string(static_cast<int>(window));
        RemoteRequest both[] = {{"{u}a" + name, limit, 60},
                                {"{u}b" + name, limit, 50}};
        auto undo = [&](std::string_view id) {
            auto reply = redis->call(cancel_command(
                both, record_key(both[0].key, id), noon, limit::Call::by_text,
                noon));
            INFO(reply.text);
            CHECK(read_settle_reply(reply));
        };
        auto reserve = [&](std::string_view id) {
            return redis->call(reserve_command(both, noon,
                                               limit::Call::by_text, noon,
                                               record_key(both[0].key, id)));
        };
        REQUIRE(read_reserve_reply(reserve("1" + name), both)->granted);
        CHECK(used(both[0]) == 60);
        undo("1" + name);
        undo("1" + name);
        CHECK(used(both[0]) == 0);
        CHECK(used(both[1]) == 0);

        // The call comes late: after it was given up.
        undo("2" + name);
        CHECK(reserve("2" + name).error_code() == "CANCELLED");
        CHECK(used(both[0]) == 0);

        // It is not undone once it is settled.
        auto answer = read_reserve_reply(reserve("3" + name), both);
        REQUIRE(answer);
        std::vector<RemoteSettlement> settlements;
        for (std::size_t i = 0; i < 2; ++i) {
            settlements.push_back({both[i].key, limit,
                                   answer->decisions[i].reservation, 7});
        }
        auto record = record_key(both[0].key, "3" + name);
        CHECK(redis->call({"EXISTS", record}).integer == 1);
        redis->call(settle_command(settlements, noon, limit::Call::by_text,
                                   noon, record));
        CHECK(redis->call({"EXISTS", record}).integer == 0);
        undo("3" + name);
        CHECK(used(both[0]) == 7);
    }
}

TEST_CASE("a settlement that is sent again is charged once") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    Limit limit;
    limit.budget = 100;
    RemoteRequest request{"{again}a", limit, 60};
    auto record = record_key(request.key, "1");
    auto reply = redis->call(reserve_command(
        {&request, 1}, noon, limit::Call::by_text, noon, record));
    auto answer = read_reserve_reply(reply, {&request, 1});
    REQUIRE(answer);
    RemoteSettlement settlement{request.key, limit,
                                answer->decisions[0].reservation, 40};
    auto settle = [&](std::string_view id, limit::Settle how) {
        CHECK(read_settle_reply(redis->call(settle_command(
            {&settlement, 1}, noon, limit::Call::by_text, noon,
            record_key(request.key, id), how))));
        RemoteRequest probe{request.key, limit, 0};
        return Pair(*redis, limit, "").ask({&probe, 1}, noon)
            .decisions[0].decision.remaining;
    };
    CHECK(settle("1", limit::Settle::again) == 60);
    CHECK(settle("1", limit::Settle::again) == 60);
    // The first one was only late.
    CHECK(settle("1", limit::Settle::first) == 60);
    // Without a record of the call: one of the settlement.
    CHECK(settle("2", limit::Settle::once) == 20);
    CHECK(settle("2", limit::Settle::once) == 20);
}

TEST_CASE("a call that goes on is held in Redis as it is in memory") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    for (auto window : {Window::sliding, Window::fixed, Window::calendar,
                        Window::bucket})
    {
        INFO("window " << static_cast<int>(window));
        Limit limit;
        limit.window = window;
        limit.unit = CalendarUnit::day;
        limit.period = limit::day;
        limit.budget = limit.burst = 1000;
        limit.lease = 10'000;
        auto key = "renewed:" + std::to_string(static_cast<int>(window));
        RemoteRequest request{key, limit, 600};
        auto record = record_key("{}", std::to_string(
                                           static_cast<int>(window)));
        State state;
        Reservation local;
        REQUIRE(limit::reserve(limit, state, noon, 600, &local).granted());
        auto answer = Pair(*redis, limit, key).ask({&request, 1}, noon);
        REQUIRE(answer.granted);
        RemoteSettlement held{key, limit, answer.decisions[0].reservation, 0};
        auto now = noon;
        auto compare = [&] {
            RemoteRequest probe{key, limit, 0};
            auto seen = Pair(*redis, limit, key).ask({&probe, 1}, now);
            CHECK(1000 - seen.decisions[0].decision.remaining
                  == limit::usage(limit, state, now).used);
        };
        // The last turn comes when the lease is long over.
        for (std::int64_t step : {8'000, 8'000, 8'000, 40'000, 1'000}) {
            now += step;
            limit::renew(limit, state, now, &local);
            auto reply = redis->call(renew_command(
                {&held, 1}, record, now, limit::Call::by_text, now));
            INFO(reply.text);
            REQUIRE(read_settle_reply(reply));
            compare();
        }
        limit::settle(limit, state, now, local, 100);
        held.actual = 100;
        redis->call(settle_command({&held, 1}, now, limit::Call::by_text,
                                   now, record));
        compare();
    }
}

TEST_CASE("a share of a gateway is settled to the last token") {
    auto *redis = server();
    if (redis == nullptr) {
        return;
    }
    Limit limit;
    limit.window = Window::fixed;
    limit.budget = 10'000;
    const std::string key = "{shared}fixed";
    Pair pair(*redis, limit, key);
    std::mt19937_64 random(11);
    auto below = [&](std::uint64_t most) {
        return static_cast<std::int64_t>(random() % most);
    };
    struct Gateway {
        Share share;
        std::vector<RemoteSettlement> waiting;
        std::vector<Reservation> open;
    };
    std::vector<Gateway> gateways(3);
    std::int64_t reported = 0;
    std::int64_t now = noon;
    std::int64_t at_once = 0;
    std::size_t local = 0;
    std::size_t asked = 0;

    auto send = [&](Gateway &gateway) {
        if (!gateway.waiting.empty()) {
            REQUIRE(read_settle_reply(redis->call(settle_command(
                gateway.waiting, now, limit::Call::by_text, now))));
            gateway.waiting.clear();
        }
    };
    auto finish = [&](Gateway &gateway, std::size_t index) {
        auto reservation = gateway.open[index];
        auto actual = below(static_cast<std::uint64_t>(reservation.amount)
                            + 1);
        reported += actual;
        at_once += actual - reservation.amount;
        put_back(gateway.share, now, actual, &reservation);
        collect(gateway.waiting, {key, limit, reservation, actual});
        gateway.open[index] = gateway.open.back();
        gateway.open.pop_back();
    };
    auto return_rest = [&](Gateway &gateway, const Reservation &rest) {
        if (rest.amount > 0) {
            collect(gateway.waiting, {key, limit, rest, 0});
        }
    };
    for (int i = 0; i < 4000; ++i) {
        auto &gateway = gateways[static_cast<std::size_t>(below(3))];
        now += below(4);
        if (i % 20 == 0) {
            auto todo = turn(gateway.share, limit, now, 10, 3);
            return_rest(gateway, todo.rest);
            send(gateway);
            if (todo.refill > 0) {
                RemoteRequest request{key, limit, todo.refill};
                auto answer = pair.ask({&request, 1}, now);
                learn(gateway.share, limit, now,
                      answer.decisions[0].decision);
                Reservation rest;
                if (answer.granted
                    && put_in(gateway.share, limit, answer.decisions[0],
                              answer.now, now, 10, &rest))
                {
                    return_rest(gateway, rest);
                }
            }
        } else if (below(2) == 0) {
            Reservation reservation;
            auto amount = below(60) + 1;
            bool granted = take(gateway.share, now, amount, &reservation);
            if (granted) {
                ++local;
            } else {
                ++asked;
                RemoteRequest request{key, limit, amount};
                auto answer = pair.ask({&request, 1}, now);
                learn(gateway.share, limit, now,
                      answer.decisions[0].decision);
                granted = answer.granted;
                reservation = answer.decisions[0].reservation;
            }
            if (granted) {
                at_once += amount;
                REQUIRE(at_once <= limit.budget);
                gateway.open.push_back(reservation);
            }
        } else if (!gateway.open.empty()) {
            finish(gateway, static_cast<std::size_t>(below(
                                gateway.open.size())));
        }
    }
    for (auto &gateway : gateways) {
        while (!gateway.open.empty()) {
            finish(gateway, 0);
        }
        Reservation rest;
        if (give_back(gateway.share, &rest)) {
            return_rest(gateway, rest);
        }
        send(gateway);
    }
    CHECK(local > 0);
    CHECK(asked > 0);
    RemoteRequest probe{key, limit, 0};
    auto answer = pair.ask({&probe, 1}, now);
    CHECK(limit.budget - answer.decisions[0].decision.remaining == reported);
}

TEST_CASE("keys say what they count, and of what kind") {
    limit::Key key{};
    key[0] = 0xAB;
    Limit limit;
    CHECK(redis_key("llm:limit:", key, "team", limit)
          == "llm:limit:{ab000000000000000000000000000000}team:s60000");
    limit.window = Window::calendar;
    limit.unit = CalendarUnit::month;
    CHECK(redis_key("", key, "team", limit)
          == "{ab000000000000000000000000000000}team:c3");
}

TEST_CASE("limits of one tag go together") {
    RemoteRequest requests[] = {
        {"p{a}x", {}, 1}, {"p{b}x", {}, 1}, {"p{a}y", {}, 1}, {"none", {}, 1}};
    auto groups = groups_of(requests);
    CHECK(groups
          == std::vector<std::vector<std::size_t>>{{0, 2}, {1}, {3}});
}

TEST_CASE("what is not an answer is an error") {
    RemoteRequest request{"k", Limit{}, 5};
    redis::Reply reply;
    CHECK(read_reserve_reply(reply, {&request, 1}).error().kind
          == ErrorKind::unavailable);
    reply.type = redis::Reply::Type::error;
    reply.text = "OOM command not allowed";
    CHECK(read_reserve_reply(reply, {&request, 1}).error().message
          == "redis: OOM command not allowed");
    CHECK_FALSE(read_settle_reply(reply));
    CHECK_FALSE(read_presence_reply(reply));
    reply.type = redis::Reply::Type::array;
    reply.elements.resize(10);
    CHECK_FALSE(read_reserve_reply(reply, {&request, 1}));
}

TEST_CASE("without Redis a gateway has its part of the budget") {
    Limit limit;
    limit.budget = 100;
    limit.burst = 10;
    CHECK(fair_share(limit, 3).budget == 33);
    CHECK(fair_share(limit, 3).burst == 3);
    CHECK(fair_share(limit, 1000).budget == 1);
    CHECK(fair_share(limit, 0).budget == 100);
}
