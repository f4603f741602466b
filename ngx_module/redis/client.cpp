#include "redis/client.hpp"

#include <cstdarg>
#include <new>

#include "redis/trouble.hpp"

namespace redis {

namespace {

using llm::redis::Reply;
using llm::redis::Trouble;

// How often it is tried again with what is parked.
constexpr ngx_msec_t retry_interval = 20;

// Nodes that servers can make us know; a cluster has no more than 1000.
constexpr size_t max_nodes = 4096;

Client *owner(ngx_event_t *ev) noexcept {
    auto *dummy = static_cast<ngx_connection_t *>(ev->data);
    return static_cast<Client *>(dummy->data);
}

}  // namespace

Client *Client::of(ngx_http_llm_redis_t *conf) noexcept {
    if (conf->client == nullptr) {
        try {
            conf->client = new Client(conf);
        } catch (const std::bad_alloc &) {
            // The command fails.
        }
    }
    return conf->client;
}

void Client::destroy(ngx_http_llm_redis_t *conf) noexcept {
    delete conf->client;
    conf->client = nullptr;
}

Client::Client(ngx_http_llm_redis_t *conf) : conf_(conf) {
    ngx_queue_init(&ages_);
    ngx_queue_init(&blocked_);
    ngx_queue_init(&parked_);
    ngx_queue_init(&failed_);

    dummy_.fd = static_cast<ngx_socket_t>(-1);
    dummy_.data = this;
    struct {
        ngx_event_t *event;
        ngx_event_handler_pt handler;
    } const events[] = {
        {&timer_, on_timer}, {&retry_, on_retry}, {&later_, on_later},
    };
    for (const auto &row : events) {
        row.event->handler = row.handler;
        row.event->data = &dummy_;
        row.event->log = ngx_cycle->log;
        row.event->cancelable = 1;
    }

    auto role = conf->master.len ? Node::Role::sentinel : Node::Role::server;
    auto *servers = static_cast<ngx_http_llm_redis_server_t *>(
        conf->servers.elts);
    for (ngx_uint_t i = 0; i < conf->servers.nelts; ++i) {
        nodes_.push_back(std::make_unique<Node>(*this, servers[i], role));
        seeds_.push_back(nodes_.back().get());
    }

    topology_ = conf->cluster      ? make_cluster(*this)
                : conf->master.len ? make_sentinel(*this)
                                   : make_standalone(*this);
}

Client::~Client() {
    nodes_.clear();
    for (auto *queue : {&ages_, &blocked_, &failed_}) {
        while (!ngx_queue_empty(queue)) {
            auto *q = ngx_queue_head(queue);
            ngx_queue_remove(q);
            ngx_free(queue == &failed_ ? Command::of(q) : Command::of_age(q));
        }
    }
    for (auto *event : {&timer_, &retry_}) {
        if (event->timer_set) {
            ngx_del_timer(event);
        }
    }
    if (later_.posted) {
        ngx_delete_posted_event(&later_);
    }
}

Node *Client::node(const llm::redis::Address &address, Node::Role role) {
    for (const auto &known : nodes_) {
        if (known->role() == role && known->address() == address) {
            return known.get();
        }
    }
    if (address.host.empty() || nodes_.size() >= max_nodes) {
        return nullptr;
    }
    auto made = std::make_unique<Node>(*this, address, role);
    if (!made->has_address()) {
        return nullptr;
    }
    nodes_.push_back(std::move(made));
    return nodes_.back().get();
}

Command *Client::create(std::span<const std::string_view> words,
                        ngx_msec_t block) noexcept {
    auto size = llm::redis::command_size(words);
    auto *memory = ngx_alloc(sizeof(Command) + size, ngx_cycle->log);
    if (memory == nullptr) {
        return nullptr;
    }
    auto *command = new (memory) Command{};
    command->client = this;
    command->size = size;
    llm::redis::write_command(command->bytes(), words);
    command->slot = -1;
    command->block = block;
    command->deadline = ngx_current_msec + conf_->timeout + block;

    // What blocks may be left behind when the worker leaves.
    if (block) {
        ngx_queue_insert_tail(&blocked_, &command->age);
    } else {
        ngx_queue_insert_tail(&ages_, &command->age);
        ++outstanding_;
        timer_.cancelable = 0;
    }
    // It is set already, for another command, most of the time.
    if (!timer_.timer_set
        || static_cast<ngx_msec_int_t>(timer_.timer.key - command->deadline)
               > 0)
    {
        arm();
    }
    return command;
}

void Client::release(Command &command) noexcept {
    ngx_queue_remove(&command.age);
    if (command.block == 0 && --outstanding_ == 0) {
        timer_.cancelable = 1;
    }
    ngx_free(&command);
}

Command *Client::send(const ngx_http_llm_redis_command_t &command,
                      ngx_http_llm_redis_handler_pt handler,
                      void *data) noexcept {
    auto *made = create(command.words, command.block);
    if (made == nullptr) {
        return nullptr;
    }
    made->handler = handler;
    made->data = data;
    if (conf_->cluster && !command.key.empty()) {
        made->slot = static_cast<int>(llm::redis::key_slot(command.key));
    }
    if (command.block && ngx_exiting) {
        fail(*made, "the worker is to leave");
    } else {
        route(*made);
    }
    return made;
}

Command *Client::ask(Node &node, std::span<const std::string_view> words,
                     ngx_http_llm_redis_handler_pt handler,
                     void *data) noexcept {
    auto *made = create(words, 0);
    if (made == nullptr) {
        return nullptr;
    }
    made->handler = handler;
    made->data = data;
    made->internal = 1;
    node.send(*made);
    return made;
}

void Client::cancel(Command &command) noexcept {
    command.handler = nullptr;
    auto *connection = command.connection;

    if (connection == nullptr) {
        ngx_queue_remove(&command.queue);
        release(command);
    } else if (!connection->is_ready()) {
        connection->give_back(command);
        release(command);
    } else if (connection->is_exclusive()) {
        // It would be of no use until the server answers.
        connection->give_back(command);
        release(command);
        connection->lose("no longer needed", Connection::Loss::quiet);
    }
    // Else its reply is awaited, and thrown away.
}

void Client::route(Command &command) noexcept {
    auto [node, failure] = topology_->choose(command);
    if (node) {
        node->send(command);
    } else if (failure) {
        fail(command, failure);
    } else {
        park(command);
    }
}

void Client::park(Command &command) noexcept {
    ngx_queue_insert_tail(&parked_, &command.queue);
    if (!retry_.timer_set) {
        ngx_add_timer(&retry_, retry_interval);
    }
}

void Client::reroute(Command &command, const char *why) noexcept {
    if (++command.tries > max_redirections) {
        fail(command, why);
    } else {
        park(command);
    }
}

void Client::retry() noexcept {
    ngx_queue_t parked;
    move_all(&parked_, &parked);
    while (!ngx_queue_empty(&parked)) {
        route(pop(&parked));
    }
}

void Client::on_retry(ngx_event_t *ev) noexcept {
    owner(ev)->retry();
}

void Client::answer(Node &node, Command &command, Reply &reply) noexcept {
    if (!reply.is_error() || command.internal
        || !trouble(node, command, reply))
    {
        node.succeeded();
        finish(command, &reply);
    }
}

// True: the command is taken care of.
bool Client::trouble(Node &node, Command &command,
                     const Reply &reply) noexcept {
    auto trouble = llm::redis::trouble_of(reply);
    if (trouble == Trouble::none) {
        return false;
    }
    if (const char *failure = failure_of(trouble)) {
        node.failed(failure);
        fail(command, failure);
        return true;
    }
    node.succeeded();
    return topology_->redirected(node, command, trouble, reply);
}

void Client::finish(Command &command, const Reply *reply) noexcept {
    auto handler = command.handler;
    auto *data = command.data;
    const auto *failure = command.failure;
    bool sent = failure && command.sent;
    release(command);
    if (handler) {
        handler(data, {reply, failure, sent});
    }
}

void Client::fail(Command &command, const char *why) noexcept {
    command.failure = why;
    if (command.handler == nullptr) {
        release(command);
        return;
    }
    if (command.block) {
        // Being told is what the worker waits for.
        command.block = 0;
        ++outstanding_;
        timer_.cancelable = 0;
    }
    // It is not to fail once more.
    ngx_queue_remove(&command.age);
    ngx_queue_init(&command.age);
    ngx_queue_insert_tail(&failed_, &command.queue);
    ngx_post_event(&later_, &ngx_posted_next_events);
}

void Client::sweep_later() noexcept {
    sweep_ = true;
    ngx_post_event(&later_, &ngx_posted_next_events);
}

void Client::on_later(ngx_event_t *ev) noexcept {
    auto *self = owner(ev);

    ngx_queue_t failed;
    move_all(&self->failed_, &failed);
    while (!ngx_queue_empty(&failed)) {
        self->finish(pop(&failed), nullptr);
    }
    if (self->sweep_ && !self->topology_->is_looking()) {
        self->sweep();
    }
}

void Client::sweep() noexcept {
    sweep_ = false;
    std::erase_if(nodes_, [](const std::unique_ptr<Node> &node) {
        return node->is_gone();
    });
}

void Client::arm() noexcept {
    ngx_msec_int_t wait = -1;
    auto consider = [&wait](ngx_msec_t deadline) {
        auto left = ngx_max(
            static_cast<ngx_msec_int_t>(deadline - ngx_current_msec), 1);
        wait = wait < 0 ? left : ngx_min(wait, left);
    };
    if (!ngx_queue_empty(&ages_)) {
        consider(Command::of_age(ngx_queue_head(&ages_))->deadline);
    } else if (outstanding_) {
        // Only what has failed and is told in a moment: the worker stays.
        consider(ngx_current_msec);
    }
    for (auto *q = ngx_queue_head(&blocked_);
         q != ngx_queue_sentinel(&blocked_); q = ngx_queue_next(q))
    {
        consider(Command::of_age(q)->deadline);
    }

    if (timer_.timer_set) {
        ngx_del_timer(&timer_);
    }
    if (wait > 0) {
        ngx_add_timer(&timer_, static_cast<ngx_msec_t>(wait));
    }
}

void Client::on_timer(ngx_event_t *ev) noexcept {
    owner(ev)->expire();
}

void Client::expire() noexcept {
    while (!ngx_queue_empty(&ages_)
           && expire(*Command::of_age(ngx_queue_head(&ages_))))
    {
    }
    for (auto *q = ngx_queue_head(&blocked_);
         q != ngx_queue_sentinel(&blocked_);)
    {
        auto *next = ngx_queue_next(q);
        (void) expire(*Command::of_age(q));
        q = next;
    }
    arm();
}

// False: it is not time yet.
bool Client::expire(Command &command) noexcept {
    if (static_cast<ngx_msec_int_t>(command.deadline - ngx_current_msec) > 0) {
        return false;
    }
    auto *connection = command.connection;
    if (connection && connection->is_ready()) {
        // Replies come in their order, so all of its commands wait for this.
        connection->lose("timed out", Connection::Loss::failure);
        return true;
    }
    if (connection) {
        connection->give_back(command);
    } else {
        ngx_queue_remove(&command.queue);
    }
    fail(command, "timed out");
    return true;
}

void Client::report(ngx_uint_t level, ngx_err_t err, const char *format,
                    ...) noexcept {
    if (reported_ == ngx_time()) {
        ++suppressed_;
        return;
    }
    reported_ = ngx_time();

    u_char text[NGX_MAX_ERROR_STR / 2];
    va_list args;
    va_start(args, format);
    auto *end = ngx_vslprintf(text, text + sizeof(text), format, args);
    va_end(args);

    if (suppressed_) {
        end = ngx_slprintf(end, text + sizeof(text),
                           ", %ui more errors before", suppressed_);
        suppressed_ = 0;
    }
    ngx_log_error(level, ngx_cycle->log, err, "llm: redis \"%V\": %*s",
                  &conf_->name, static_cast<size_t>(end - text), text);
}

}  // namespace redis

void *ngx_http_llm_redis_send(ngx_http_llm_redis_t *redis,
                              const ngx_http_llm_redis_command_t &command,
                              ngx_http_llm_redis_handler_pt handler,
                              void *data) noexcept {
    auto *client = redis::Client::of(redis);
    return client ? client->send(command, handler, data) : nullptr;
}

void ngx_http_llm_redis_cancel(void *call) noexcept {
    auto *command = static_cast<redis::Command *>(call);
    command->client->cancel(*command);
}

ngx_int_t ngx_http_llm_redises_start(ngx_cycle_t *cycle,
                                     ngx_http_llm_main_conf_t *mcf) noexcept {
    auto **redises = static_cast<ngx_http_llm_redis_t **>(mcf->redises.elts);
    for (ngx_uint_t i = 0; i < mcf->redises.nelts; ++i) {
        if (redis::Client::of(redises[i]) == nullptr) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "no memory for llm_redis \"%V\"",
                          &redises[i]->name);
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

void ngx_http_llm_redises_stop(ngx_http_llm_main_conf_t *mcf) noexcept {
    auto **redises = static_cast<ngx_http_llm_redis_t **>(mcf->redises.elts);
    for (ngx_uint_t i = 0; i < mcf->redises.nelts; ++i) {
        redis::Client::destroy(redises[i]);
    }
}
