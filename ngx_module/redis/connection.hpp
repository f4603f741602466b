// One connection to a server: opened with the first command that it is given,
// and gone with the first thing that is wrong with it.
//
//   resolving -> connecting -> securing -> greeting -> ready
//                              (TLS)       (AUTH, SELECT, ROLE or PING)
//
// Commands are taken in any state, and written once it is ready. A failure
// fails them all, tells the node, and destroys the connection: whoever calls a
// function that says so does not touch it afterwards.
#pragma once

#include <string>

#include "endpoint.hpp"
#include "redis/command.hpp"

namespace redis {

class Node;

class Connection {
public:
    // `exclusive`: for commands that wait at the server.
    Connection(Node &node, bool exclusive) noexcept;
    ~Connection();
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;

    bool is_new() const noexcept { return state_ == State::created; }
    bool is_ready() const noexcept { return state_ == State::ready; }
    bool is_exclusive() const noexcept { return exclusive_; }
    // A command was taken in this event: others go along in the same write.
    bool is_filling() const noexcept { return filling_; }
    // Whether the server has ever said anything sensible here.
    bool has_answered() const noexcept { return answered_; }
    ngx_uint_t count() const noexcept { return count_; }

    // May destroy it, unless it is not open yet.
    void take(Command &command) noexcept;
    // May destroy it.
    void open() noexcept;
    // A command that was taken and not written is taken back.
    void give_back(Command &command) noexcept;

    // What became of the commands of a lost connection.
    enum class Loss {
        quiet,          // nothing is wrong with the server
        failure,        // the server is not asked for a while
        wrong_server,   // the same, and its commands are for another one
    };
    // Destroys it. `why` is a literal.
    void lose(const char *why, Loss loss, ngx_err_t err = 0) noexcept;

private:
    enum class State { created, resolving, connecting, securing, greeting,
                       ready };

    static void on_resolved(void *data) noexcept;
    static void on_read(ngx_event_t *ev) noexcept;
    static void on_write(ngx_event_t *ev) noexcept;
    static void on_secured(ngx_connection_t *c) noexcept;

    // These may destroy it; those that return bool say false then.
    void connect() noexcept;
    void connected() noexcept;
    void secure() noexcept;
    void secured() noexcept;
    void greet();
    bool greeted(const llm::redis::Reply &reply) noexcept;
    void ready() noexcept;
    void read() noexcept;
    bool read_replies() noexcept;
    bool got(llm::redis::Reply &reply) noexcept;
    bool flush() noexcept;

    void write(Command &command);
    void post_write() noexcept;
    bool is_trusted() noexcept;

    Node &node_;
    ngx_connection_t *c_ = nullptr;
    ngx_http_llm_waiter_t waiter_ = {};
    // Of the address that it was opened to.
    ngx_sockaddr_t sockaddr_ = {};
    socklen_t socklen_ = 0;

    ngx_queue_t commands_;      // whose replies are awaited, in their order
    ngx_uint_t count_ = 0;
    std::string out_;           // what is to be sent
    size_t sent_ = 0;           // of it
    llm::redis::Reader reader_;

    State state_ = State::created;
    unsigned greetings_ = 0;    // replies to them that are to come
    bool checks_ = false;       // the last of them is ROLE or PING
    bool exclusive_;
    bool filling_ = false;
    bool answered_ = false;
};

}  // namespace redis
