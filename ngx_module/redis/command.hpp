// A command on its way.
#pragma once

#include "redis/redis.hpp"

namespace redis {

class Client;
class Connection;

// One piece of memory, with the bytes to send behind it. It belongs to the
// client that made it, and is in one queue: that of its connection, or one of
// the client's.
struct Command {
    ngx_queue_t queue;
    ngx_queue_t age;            // the client's: the oldest comes first

    ngx_http_llm_redis_handler_pt handler;  // NULL: nobody waits (any more)
    void *data;
    const char *failure;        // once it has failed

    Client *client;
    Connection *connection;     // NULL: it is with the client
    ngx_msec_t deadline;
    ngx_msec_t block;
    int slot;                   // of its key; -1: any will do
    unsigned tries;             // servers that have sent it on
    unsigned asking:1;          // ASKING goes before it, and its reply, too
    unsigned internal:1;        // the client's own: its errors are not handled
    unsigned sent:1;            // to a server, in part at least
    size_t size;

    char *bytes() noexcept { return reinterpret_cast<char *>(this + 1); }

    static Command *of(ngx_queue_t *q) noexcept {
        return ngx_queue_data(q, Command, queue);
    }
    static Command *of_age(ngx_queue_t *q) noexcept {
        return ngx_queue_data(q, Command, age);
    }
};

// Takes the first element out. The queue must not be empty.
inline Command &pop(ngx_queue_t *queue) noexcept {
    auto *q = ngx_queue_head(queue);
    ngx_queue_remove(q);
    return *Command::of(q);
}

// All elements of one queue to another, which is empty before.
inline void move_all(ngx_queue_t *from, ngx_queue_t *to) noexcept {
    ngx_queue_init(to);
    if (!ngx_queue_empty(from)) {
        ngx_queue_add(to, from);
        ngx_queue_init(from);
    }
}

}  // namespace redis
