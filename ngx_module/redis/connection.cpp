#include "redis/connection.hpp"

#include <openssl/x509v3.h>

#include <new>

#include "redis/client.hpp"
#include "redis/trouble.hpp"

namespace redis {

namespace {

using llm::redis::Reader;
using llm::redis::Reply;

constexpr std::string_view asking_words[] = {"ASKING"};

// What a buffer may keep for the next time.
constexpr size_t kept_capacity = 65536;

void append(std::string &out, std::span<const std::string_view> words) {
    auto size = out.size();
    out.resize(size + llm::redis::command_size(words));
    llm::redis::write_command(out.data() + size, words);
}

// For a log line: one line, and not too long.
std::string printable(std::string_view text) {
    std::string line(text.substr(0, 200));
    for (auto &c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = '?';
        }
    }
    return line;
}

const char *words_of(ngx_err_t err) noexcept {
    switch (err) {
    case NGX_ECONNREFUSED:
        return "connection refused";
    case NGX_ETIMEDOUT:
        return "timed out";
    case NGX_ENOENT:
        return "no such socket";
    default:
        return "no connection";
    }
}

// Without a word to the peer, as nginx does it with connections to upstreams.
void close_connection(ngx_connection_t *c) noexcept {
    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;
        if (ngx_ssl_shutdown(c) == NGX_AGAIN) {
            c->ssl->handler = close_connection;
            return;
        }
    }
    ngx_destroy_pool(c->pool);
    ngx_close_connection(c);
}

Connection *owner(ngx_event_t *ev) noexcept {
    auto *c = static_cast<ngx_connection_t *>(ev->data);
    return static_cast<Connection *>(c->data);
}

ngx_err_t connect_error(ngx_connection_t *c) noexcept {
#if (NGX_HAVE_KQUEUE)
    if (ngx_event_flags & NGX_USE_KQUEUE_EVENT) {
        return c->write->pending_eof ? c->write->kq_errno
               : c->read->pending_eof ? c->read->kq_errno : 0;
    }
#endif
    int err = 0;
    socklen_t len = sizeof(err);
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
        err = ngx_socket_errno;
    }
    return err;
}

// Addresses are verified, too, which nginx does not do: nodes of a cluster
// have no names.
bool has_name(ngx_connection_t *c, const std::string &name) noexcept {
    if (X509 *certificate = SSL_get_peer_certificate(c->ssl->connection)) {
        int is_address = X509_check_ip_asc(certificate, name.c_str(), 0);
        X509_free(certificate);
        if (is_address == 1) {
            return true;
        }
    }
    auto view = to_ngx(name);
    return ngx_ssl_check_host(c, &view) == NGX_OK;
}

bool is_address(const std::string &name) noexcept {
    return name.find(':') != name.npos
           || ngx_inet_addr(reinterpret_cast<u_char *>(
                                const_cast<char *>(name.data())),
                            name.size())
                  != INADDR_NONE;
}

}  // namespace

Connection::Connection(Node &node, bool exclusive) noexcept
    : node_(node), reader_(node.conf().max_reply), exclusive_(exclusive) {
    ngx_queue_init(&commands_);
    waiter_.handler = on_resolved;
    waiter_.data = this;
}

Connection::~Connection() {
    ngx_http_llm_endpoint_cancel(&waiter_);
    if (c_) {
        close_connection(c_);
    }
}

void Connection::take(Command &command) noexcept {
    ngx_queue_insert_tail(&commands_, &command.queue);
    command.connection = this;
    ++count_;
    node_.taken();

    if (state_ != State::ready) {
        return;
    }
    try {
        write(command);
    } catch (const std::bad_alloc &) {
        lose("no memory", Loss::quiet);
    }
}

void Connection::give_back(Command &command) noexcept {
    ngx_queue_remove(&command.queue);
    command.connection = nullptr;
    --count_;
    node_.released();
}

void Connection::lose(const char *why, Loss loss, ngx_err_t err) noexcept {
    auto &node = node_;
    auto &client = node.client();
    node.detach(*this);

    // Where the commands go is decided after the server is known to be bad.
    ngx_queue_t commands;
    move_all(&commands_, &commands);
    node.lost(*this, why, loss, err);

    while (!ngx_queue_empty(&commands)) {
        auto &command = pop(&commands);
        command.connection = nullptr;
        node.released();
        if (loss == Loss::wrong_server && !command.internal) {
            client.reroute(command, why);
        } else {
            client.fail(command, why);
        }
    }
    delete this;
}

void Connection::open() noexcept {
    state_ = State::resolving;
    if (node_.resolve(&waiter_) == NGX_OK) {
        connect();
    }
}

void Connection::on_resolved(void *data) noexcept {
    static_cast<Connection *>(data)->connect();
}

void Connection::connect() noexcept {
    auto *pool = ngx_create_pool(512, ngx_cycle->log);
    if (pool == nullptr) {
        lose("no memory", Loss::quiet);
        return;
    }

    // nginx would log every failure; here it is done once a second.
    ngx_log_t quiet = *ngx_cycle->log;
    quiet.log_level = 0;

    ngx_peer_connection_t peer;
    ngx_memzero(&peer, sizeof(peer));
    if (!node_.pick(pool, &peer.sockaddr, &peer.socklen, &peer.name)) {
        ngx_destroy_pool(pool);
        lose("no address", Loss::failure);
        return;
    }
    ngx_memcpy(&sockaddr_, peer.sockaddr, peer.socklen);
    socklen_ = peer.socklen;
    peer.get = ngx_event_get_peer;
    peer.log = &quiet;
    peer.log_error = NGX_ERROR_ERR;
    peer.so_keepalive = 1;

    ngx_set_errno(0);
    auto rc = ngx_event_connect_peer(&peer);
    if (rc == NGX_ERROR || rc == NGX_DECLINED) {
        auto err = ngx_socket_errno;
        ngx_destroy_pool(pool);
        if (rc == NGX_DECLINED) {
            node_.address_failed(&sockaddr_.sockaddr, socklen_);
        }
        lose(words_of(err), Loss::failure, err);
        return;
    }

    c_ = peer.connection;
    c_->data = this;
    c_->pool = pool;
    c_->log = c_->read->log = c_->write->log = pool->log = ngx_cycle->log;
    c_->read->handler = on_read;
    c_->write->handler = on_write;

    state_ = State::connecting;
    ngx_add_timer(c_->write, node_.conf().connect_timeout);
    if (rc == NGX_OK) {
        connected();
    }
}

void Connection::connected() noexcept {
    if (auto err = connect_error(c_)) {
        node_.address_failed(&sockaddr_.sockaddr, socklen_);
        lose(words_of(err), Loss::failure, err);
        return;
    }
    if (c_->tcp_nodelay != NGX_TCP_NODELAY_DISABLED
        && ngx_tcp_nodelay(c_) != NGX_OK)
    {
        lose("no connection", Loss::failure);
        return;
    }

    if (node_.conf().ssl) {
        secure();
    } else {
        secured();
    }
}

void Connection::secure() noexcept {
    state_ = State::securing;
    if (ngx_ssl_create_connection(node_.conf().ssl_context, c_, NGX_SSL_CLIENT)
        != NGX_OK)
    {
        lose("no memory", Loss::quiet);
        return;
    }

    // What could not be sent yet is not where it was once more comes behind it.
    SSL_set_mode(c_->ssl->connection, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);

    // RFC 6066: no addresses.
    const auto &name = node_.tls_name();
    if (node_.conf().ssl_server_name && !is_address(name)
        && SSL_set_tlsext_host_name(c_->ssl->connection, name.c_str()) == 0)
    {
        lose("no memory", Loss::quiet);
        return;
    }

    if (ngx_ssl_handshake(c_) == NGX_AGAIN) {
        c_->ssl->handler = on_secured;
        return;
    }
    on_secured(c_);
}

void Connection::on_secured(ngx_connection_t *c) noexcept {
    auto *self = static_cast<Connection *>(c->data);

    if (!c->ssl->handshaked) {
        self->lose(c->write->timedout ? "timed out" : "TLS handshake failed",
                   Loss::failure);
        return;
    }
    if (self->node_.conf().ssl_verify && !self->is_trusted()) {
        self->lose("its certificate is not trusted", Loss::failure);
        return;
    }
    c->read->handler = on_read;
    c->write->handler = on_write;
    self->secured();
}

bool Connection::is_trusted() noexcept {
    auto &client = node_.client();
    auto result = SSL_get_verify_result(c_->ssl->connection);
    if (result != X509_V_OK) {
        client.report(NGX_LOG_ERR, 0,
                      "the certificate of server %s is not trusted: (%l:%s)",
                      node_.name().c_str(), result,
                      X509_verify_cert_error_string(result));
        return false;
    }
    if (!has_name(c_, node_.tls_name())) {
        client.report(NGX_LOG_ERR, 0,
                      "the certificate of server %s is not for \"%s\"",
                      node_.name().c_str(), node_.tls_name().c_str());
        return false;
    }
    return true;
}

void Connection::secured() noexcept {
    state_ = State::greeting;
    try {
        greet();
    } catch (const std::bad_alloc &) {
        lose("no memory", Loss::quiet);
        return;
    }
    post_write();

    // A server that turns clients away speaks first. The event that told of
    // the connection may have told of that, too, and comes only once.
    if (c_->read->ready) {
        ngx_post_event(c_->read, &ngx_posted_events);
    }
}

// What must be known to be right before any command goes out: else one would
// be executed by the wrong user, in the wrong database, or by a replica, or
// would be lost to a server that takes no more clients.
void Connection::greet() {
    const auto &conf = node_.conf();
    bool is_sentinel = node_.role() == Node::Role::sentinel;
    const auto &auth = is_sentinel ? conf.sentinel_auth : conf.auth;
    auto user = to_view(auth.user);
    auto password = to_view(auth.password);

    auto send = [this](std::initializer_list<std::string_view> words) {
        append(out_, std::span(words.begin(), words.size()));
        ++greetings_;
    };
    if (!password.empty()) {
        // With two arguments since Redis 6.
        if (user.empty()) {
            send({"AUTH", password});
        } else {
            send({"AUTH", user, password});
        }
    }
    if (conf.database != 0 && !is_sentinel) {
        send({"SELECT", std::to_string(conf.database)});
    }
    if (node_.role() == Node::Role::master) {
        send({"ROLE"});
        checks_ = true;
    } else if (greetings_ == 0) {
        // Or a command would hear that there are too many clients, say.
        send({"PING"});
        checks_ = true;
    }
}

bool Connection::greeted(const Reply &reply) noexcept try {
    --greetings_;
    bool is_check = greetings_ == 0 && checks_;

    if (const char *failure = failure_of(llm::redis::trouble_of(reply))) {
        lose(failure, Loss::failure);
        return false;
    }
    if (is_check && node_.role() == Node::Role::master) {
        auto role = llm::redis::read_role(reply);
        if (!role.empty() && role != "master") {
            lose("it is no master", Loss::wrong_server);
            return false;
        }
    }
    // A check that the user may not do is none.
    if (reply.is_error() && !(is_check && reply.error_code() == "NOPERM")) {
        node_.client().report(NGX_LOG_ERR, 0, "server %s refuses %s: \"%s\"",
                              node_.name().c_str(),
                              is_check ? "connections" : "AUTH or SELECT",
                              printable(reply.text).c_str());
        lose(is_check ? "it refuses connections" : "it refuses AUTH or SELECT",
             Loss::failure);
        return false;
    }

    if (greetings_ == 0) {
        answered_ = true;
        ready();
    }
    return true;

} catch (const std::bad_alloc &) {
    lose("no memory", Loss::quiet);
    return false;
}

void Connection::ready() noexcept {
    state_ = State::ready;
    if (c_->write->timer_set) {
        ngx_del_timer(c_->write);
    }
    // nginx tells idle connections when the worker is to leave.
    c_->idle = 1;

    try {
        for (auto *q = ngx_queue_head(&commands_);
             q != ngx_queue_sentinel(&commands_); q = ngx_queue_next(q))
        {
            write(*Command::of(q));
        }
    } catch (const std::bad_alloc &) {
        lose("no memory", Loss::quiet);
        return;
    }
    node_.opened(*this);
}

void Connection::write(Command &command) {
    if (command.asking) {
        append(out_, asking_words);
    }
    out_.append(command.bytes(), command.size);
    command.sent = 1;
    post_write();
}

// All that is taken in one event goes out in one go.
void Connection::post_write() noexcept {
    if (!filling_) {
        filling_ = true;
        ngx_post_event(c_->write, &ngx_posted_events);
    }
}

void Connection::on_write(ngx_event_t *ev) noexcept {
    auto *self = owner(ev);

    if (ev->timedout) {
        self->lose("timed out", Loss::failure);
    } else if (self->state_ == State::connecting) {
        self->connected();
    } else if (self->state_ != State::securing) {
        (void) self->flush();
    }
}

bool Connection::flush() noexcept {
    filling_ = false;
    while (sent_ < out_.size()) {
        auto n = c_->send(c_, reinterpret_cast<u_char *>(out_.data()) + sent_,
                          out_.size() - sent_);
        if (n > 0) {
            sent_ += static_cast<size_t>(n);
            continue;
        }
        if (n == NGX_AGAIN && ngx_handle_write_event(c_->write, 0) == NGX_OK) {
            return true;
        }
        lose("connection lost", answered_ ? Loss::quiet : Loss::failure,
             ngx_socket_errno);
        return false;
    }

    sent_ = 0;
    out_.clear();
    if (out_.capacity() > kept_capacity) {
        out_.shrink_to_fit();
    }
    if (ngx_handle_write_event(c_->write, 0) != NGX_OK) {
        lose("connection lost", Loss::quiet);
        return false;
    }
    return true;
}

void Connection::on_read(ngx_event_t *ev) noexcept {
    auto *self = owner(ev);
    auto *c = self->c_;

    if (c->close) {
        // The worker is to leave. What is outstanding may finish, but for
        // what may take any time; with an error, time is up.
        c->close = 0;
        if (c->error || self->exclusive_ || self->count_ == 0) {
            self->lose("the worker is to leave", Loss::quiet);
        }
        return;
    }
    if (self->state_ == State::connecting) {
        self->connected();
        return;
    }
    self->read();
}

void Connection::read() noexcept {
    // One for the whole worker: nothing that is called here reads.
    static u_char buffer[65536];

    do {
        auto n = c_->recv(c_, buffer, sizeof(buffer));
        if (n == NGX_AGAIN) {
            break;
        }
        if (n <= 0) {
            auto err = n == 0 ? 0 : ngx_socket_errno;
            // As servers do with those that are idle for long.
            bool is_idle = count_ == 0 && state_ == State::ready;
            lose(is_idle ? "closed by the server" : "connection lost",
                 is_idle || answered_ ? Loss::quiet : Loss::failure, err);
            return;
        }
        if (!reader_.feed({reinterpret_cast<char *>(buffer),
                           static_cast<size_t>(n)}))
        {
            lose("no memory", Loss::quiet);
            return;
        }
        if (!read_replies()) {
            return;
        }
    } while (c_->read->ready);

    if (ngx_handle_read_event(c_->read, 0) != NGX_OK) {
        lose("connection lost", Loss::quiet);
        return;
    }
    if (count_ == 0 && state_ == State::ready) {
        (void) node_.keep(*this);
    }
}

bool Connection::read_replies() noexcept {
    Reply reply;
    for (;;) {
        switch (reader_.next(reply)) {
        case Reader::Step::more:
            return true;
        case Reader::Step::failed:
            // A literal.
            lose(reader_.error().data(), Loss::failure);
            return false;
        case Reader::Step::reply:
            if (!got(reply)) {
                return false;
            }
        }
    }
}

bool Connection::got(Reply &reply) noexcept {
    if (state_ == State::greeting) {
        return greeted(reply);
    }
    if (ngx_queue_empty(&commands_)) {
        lose("a reply that nobody has asked for", Loss::failure);
        return false;
    }

    auto &command = *Command::of(ngx_queue_head(&commands_));
    if (command.asking) {
        // If it is an error, so is the next one.
        command.asking = 0;
        return true;
    }

    answered_ = true;
    give_back(command);
    node_.client().answer(node_, command, reply);
    return true;
}

}  // namespace redis
