// What Redis answers, as a value: the same for RESP2 and RESP3, whoever read
// it from the wire. And what else there is to Redis without a connection:
// writing commands, reading replies, the slots of a cluster, what servers say
// of themselves and of each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/result.hpp"

namespace llm::redis {

// One reply, with all that is in it. (Redis serialization protocol
// specification, redis.io/docs/latest/develop/reference/protocol-spec.)
struct Reply {
    enum class Type : std::uint8_t {
        nil,
        status,     // text: "OK"
        error,      // text: "WRONGTYPE Operation against a key ..."
        string,     // text: any bytes
        integer,    // integer; RESP3 booleans are 0 or 1
        real,       // real, RESP3 only; text as it was sent
        array,      // elements; RESP3 sets and pushes, too
        map,        // elements: key, value, key, value ...; RESP3 only
    };

    Type type = Type::nil;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    std::vector<Reply> elements;

    bool is_nil() const noexcept { return type == Type::nil; }
    bool is_error() const noexcept { return type == Type::error; }
    bool is_text() const noexcept {
        return type == Type::string || type == Type::status;
    }
    // "MOVED" of "MOVED 3999 127.0.0.1:6381"; empty where it is no error.
    std::string_view error_code() const noexcept {
        return is_error()
                   ? std::string_view(text).substr(0, text.find(' '))
                   : std::string_view();
    }
};

// A command as it is sent: an array of bulk strings. The first says how many
// bytes the second writes; it returns the end of what it wrote.
std::size_t command_size(std::span<const std::string_view> words) noexcept;
char *write_command(char *to, std::span<const std::string_view> words) noexcept;

// Replies from a stream of bytes, cut anywhere: RESP2, which is what a server
// speaks that is told nothing else. Nothing of the stream is trusted.
class Reader {
public:
    enum class Step : std::uint8_t {
        reply,      // here is one; there may be more
        more,       // the next one is not complete
        failed,     // no RESP2, or more than is allowed: error() says
    };

    // Arrays inside of arrays, at most.
    static constexpr int max_depth = 7;

    // `max_reply`: bytes that one reply may take, on the wire and, where it is
    // an array, in memory.
    explicit Reader(std::size_t max_reply) noexcept;
    ~Reader();
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;

    // Replies to what is fed are then taken with next() until it wants more.
    // False: no memory.
    bool feed(std::string_view bytes) noexcept;
    Step next(Reply &reply) noexcept;

    // After a failure; a few words. Nothing can be read any more.
    std::string_view error() const noexcept { return error_; }

private:
    struct Builder;
    struct Protocol;

    Step fail(std::string_view reason) noexcept;
    std::size_t unread() const noexcept;
    bool has_endless_line() const noexcept;

    std::unique_ptr<Protocol> protocol_;
    std::size_t max_reply_;
    std::uint64_t fed_ = 0;         // bytes since the beginning
    std::uint64_t start_ = 0;       // where the next reply begins
    std::size_t elements_ = 0;      // memory of its arrays
    Reply root_;
    std::string_view error_;
};

constexpr unsigned slot_count = 16384;

// The slot of a key: of what is between the first "{" and the next "}" where
// that is not empty, else of all of it. (Redis cluster specification, redis.io/
// docs/latest/operate/oss_and_stack/reference/cluster-spec: CRC16, XMODEM.)
unsigned key_slot(std::string_view key) noexcept;

// Where a server is. The host has no brackets; it may be a name.
struct Address {
    std::string host;
    std::uint16_t port = 0;

    bool operator==(const Address &) const = default;
};

// Errors that say something of the server, not of the command.
enum class Trouble : std::uint8_t {
    none,
    moved,              // the slot is another node's
    ask,                // this time, another node is to be asked
    try_again,          // keys of the command are on two nodes just now
    cluster_down,       // the slot is nobody's just now
    loading,            // reads its data set
    master_down,        // a replica that has lost its master
    read_only,          // a replica, or a server that takes no writes
    not_authenticated,
    too_many_clients,
};
Trouble trouble_of(const Reply &reply) noexcept;

// "MOVED 3999 127.0.0.1:6381", and ASK. The host is empty where it is that of
// the server which answered.
struct Redirection {
    unsigned slot = 0;
    Address to;
};
std::optional<Redirection> read_redirection(const Reply &reply);

// CLUSTER SLOTS, which Redis and Valkey of any version have: who is master of
// which slots. `asked`: the host that answered; nodes without a host of their
// own are there.
struct SlotRange {
    unsigned first = 0;
    unsigned last = 0;
    Address master;
};
Result<std::vector<SlotRange>> read_slots(const Reply &reply,
                                          std::string_view asked);

// SENTINEL GET-MASTER-ADDR-BY-NAME. No value: it knows none of that name.
Result<std::optional<Address>> read_master(const Reply &reply);

// "master", "slave" or "sentinel" of the reply to ROLE; empty where it is none.
std::string_view read_role(const Reply &reply) noexcept;

}  // namespace llm::redis
