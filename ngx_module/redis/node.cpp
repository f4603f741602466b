#include "redis/node.hpp"

#include <algorithm>
#include <new>

#include "redis/client.hpp"

namespace redis {

namespace {

constexpr ngx_msec_t first_backoff = 100;

std::string with_port(const std::string &host, in_port_t port) {
    bool is_ipv6 = host.find(':') != host.npos;
    return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

Node::Node(Client &client, const ngx_http_llm_redis_server_t &server, Role role)
    : client_(client), role_(role),
      address_{std::string(to_view(server.host)), server.port},
      endpoint_(server.endpoint), sockaddr_(server.sockaddr),
      socklen_(server.socklen), text_(server.name) {
    name_ = server.endpoint ? with_port(address_.host, server.port)
                            : std::string(to_view(server.name));
    tls_name_ = conf().ssl_name.len ? std::string(to_view(conf().ssl_name))
                                    : address_.host;
    connections_.reserve(conf().connections);
}

Node::Node(Client &client, llm::redis::Address address, Role role)
    : client_(client), role_(role), address_(std::move(address)) {
    name_ = with_port(address_.host, address_.port);
    tls_name_ = conf().ssl_name.len ? std::string(to_view(conf().ssl_name))
                                    : address_.host;
    connections_.reserve(conf().connections);

    pool_ = ngx_create_pool(512, ngx_cycle->log);
    if (pool_ == nullptr) {
        throw std::bad_alloc();
    }
    endpoint_ = ngx_http_llm_endpoint_create(pool_, conf().mcf, conf().clcf,
                                             address_.host, address_.port);
}

Node::~Node() {
    for (auto *connection : connections_) {
        delete connection;
    }
    for (auto *connection : exclusives_) {
        delete connection;
    }
    if (pool_) {
        ngx_destroy_pool(pool_);
    }
}

const ngx_http_llm_redis_t &Node::conf() const noexcept {
    return client_.conf();
}

ngx_int_t Node::resolve(ngx_http_llm_waiter_t *waiter) noexcept {
    return endpoint_ ? ngx_http_llm_endpoint_resolve(endpoint_, waiter)
                     : NGX_OK;
}

bool Node::pick(ngx_pool_t *pool, struct sockaddr **sockaddr,
                socklen_t *socklen, ngx_str_t **name) noexcept {
    if (endpoint_) {
        return ngx_http_llm_endpoint_pick(endpoint_, pool, sockaddr, socklen,
                                          name);
    }
    *sockaddr = sockaddr_;
    *socklen = socklen_;
    *name = &text_;
    return true;
}

void Node::address_failed(const struct sockaddr *sockaddr,
                          socklen_t socklen) noexcept {
    if (endpoint_) {
        ngx_http_llm_endpoint_failed(endpoint_, sockaddr, socklen);
    }
}

// False: the server is not asked just now. True may make it the probe.
bool Node::admit() noexcept {
    if (!broken_) {
        return true;
    }
    if (probing_
        || static_cast<ngx_msec_int_t>(retry_at_ - ngx_current_msec) > 0)
    {
        return false;
    }
    probing_ = true;
    return true;
}

void Node::send(Command &command) noexcept {
    if (pending_ >= conf().max_pending) {
        client_.report(NGX_LOG_ERR, 0,
                       "%ui commands are pending at server %s", pending_,
                       name_.c_str());
        client_.fail(command, "too many commands are pending");
        return;
    }
    if (!admit()) {
        client_.fail(command, "the server is not asked for a while");
        return;
    }
    auto *connection = command.block ? exclusive() : shared();
    if (connection == nullptr) {
        probing_ = false;
        client_.fail(command, "no memory");
        return;
    }
    bool is_new = connection->is_new();
    connection->take(command);
    if (is_new) {
        connection->open();
    }
}

// Over another connection than the one that is being lost.
bool Node::works() const noexcept {
    return !broken_
           && std::any_of(connections_.begin(), connections_.end(),
                          [](const Connection *connection) {
                              return connection->is_ready();
                          });
}

Connection *Node::add(bool exclusive) noexcept try {
    auto &list = exclusive ? exclusives_ : connections_;
    list.push_back(nullptr);
    list.back() = new (std::nothrow) Connection(*this, exclusive);
    auto *connection = list.back();
    if (connection == nullptr) {
        list.pop_back();
    }
    return connection;
} catch (const std::bad_alloc &) {
    return nullptr;
}

// Commands of one event stay together; else the one with the least to do.
Connection *Node::shared() noexcept {
    Connection *best = nullptr;
    Connection *opening = nullptr;
    for (auto *connection : connections_) {
        if (!connection->is_ready()) {
            opening = connection;
        } else if (connection->is_filling()) {
            return connection;
        } else if (!best || connection->count() < best->count()) {
            best = connection;
        }
    }
    if (best == nullptr) {
        return opening ? opening : add(false);
    }
    if (best->count() != 0 && opening == nullptr
        && connections_.size() < conf().connections
        && static_cast<ngx_msec_int_t>(more_at_ - ngx_current_msec) <= 0)
    {
        // For those that come when it is there.
        if (auto *more = add(false)) {
            more->open();
        }
    }
    return best;
}

Connection *Node::exclusive() noexcept {
    for (auto *connection : exclusives_) {
        if (connection->is_ready() && connection->count() == 0) {
            return connection;
        }
    }
    return add(true);
}

void Node::succeeded() noexcept {
    if (broken_) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "llm: redis \"%V\": server %s answers again",
                      &conf().name, name_.c_str());
    }
    broken_ = probing_ = false;
    backoff_ = 0;
}

void Node::failed(const char *why, ngx_err_t err) noexcept {
    client_.report(NGX_LOG_ERR, err, "server %s: %s", name_.c_str(), why);
    // Several connections may tell of one failure.
    if (!broken_ || probing_) {
        backoff_ = ngx_min(backoff_ ? backoff_ * 2 : first_backoff,
                           conf().fail_timeout);
        retry_at_ = ngx_current_msec + backoff_;
        broken_ = true;
        probing_ = false;
    }
    client_.node_failed(*this);
}

void Node::retire(bool retired) noexcept {
    retired_ = retired;
    if (retired) {
        client_.sweep_later();
    }
}

void Node::released() noexcept {
    if (--pending_ == 0 && retired_) {
        client_.sweep_later();
    }
}

void Node::opened(const Connection &connection) noexcept {
    // The probe has gone meanwhile: the next command is one.
    if (connection.count() == 0) {
        probing_ = false;
    }
}

void Node::detach(Connection &connection) noexcept {
    auto &list = connection.is_exclusive() ? exclusives_ : connections_;
    list.erase(std::remove(list.begin(), list.end(), &connection), list.end());
}

void Node::lost(const Connection &connection, const char *why,
                Connection::Loss loss, ngx_err_t err) noexcept {
    if (loss == Connection::Loss::wrong_server) {
        client_.node_doubted(*this);
    }
    // A command that waits for whatever comes loses nothing by a worker's end.
    const auto missed = connection.count() != 0
        && !(ngx_exiting && connection.is_exclusive());
    if (loss == Connection::Loss::quiet && !missed) {
        // If it was to be the probe, the next command is.
        probing_ = false;
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, err,
                      "llm: redis \"%V\": server %s: %s", &conf().name,
                      name_.c_str(), why);
    } else if (loss == Connection::Loss::failure && !connection.has_answered()
               && works())
    {
        // One more than the server can or will serve.
        more_at_ = ngx_current_msec + conf().fail_timeout;
        client_.report(NGX_LOG_ERR, err, "one more connection to server %s: "
                       "%s", name_.c_str(), why);
    } else if (loss != Connection::Loss::quiet || probing_) {
        failed(why, err);
    } else {
        client_.report(NGX_LOG_ERR, err, "server %s: %s", name_.c_str(), why);
    }
}

bool Node::keep(Connection &connection) noexcept {
    if (!ngx_exiting && !retired_) {
        return true;
    }
    detach(connection);
    delete &connection;
    return false;
}

}  // namespace redis
