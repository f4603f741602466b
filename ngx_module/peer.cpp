#include "peer.hpp"

#include <new>
#include <utility>

#include "credentials/credentials.hpp"
#include "endpoint.hpp"
#include "keepalive.hpp"
#include "pool_zone.hpp"

namespace {

using llm::ErrorKind;

llm::Error make_error(ErrorKind kind, std::string message) {
    llm::Error error;
    error.kind = kind;
    error.message = std::move(message);
    return error;
}

// The member that the client named first; else as the pool balances. A member
// that was tried comes again only when all the others were. -1: none.
ngx_int_t choose(ngx_http_llm_upstream_ctx_t *up) {
    if (up->taken != -1) {
        return std::exchange(up->taken, -1);
    }
    ngx_int_t named = up->ctx->member;
    if (named >= 0 && !(up->tried & (uint64_t{1} << named))) {
        if (ngx_http_llm_pool_take(up->pool, named)) {
            return named;
        }
    }

    ngx_int_t member =
        ngx_http_llm_pool_choose(up->pool, up->tried | ~up->members);
    if (member == -1 && up->tried == up->members) {
        up->tried = 0;
        member = ngx_http_llm_pool_choose(up->pool, ~up->members);
    }
    return member;
}

void copy_name(ngx_http_llm_upstream_ctx_t *up, std::string_view model) {
    // The client's body, where the name may come from, outlives the request's
    // log phase: both are in its pool.
    up->ctx->answered_model = to_ngx(model);
}

// The exchange's body for this member. False: the call cannot be said in the
// member's format, or there is no memory; ctx->error says it.
bool prepare(ngx_http_llm_upstream_ctx_t *up,
             const ngx_http_llm_member_t *member) {
    ngx_http_request_t *r = up->request;
    ngx_http_llm_ctx_t *ctx = up->ctx;
    llm::Target target = ngx_http_llm_peer_target(r, *ctx, *member);
    if (ctx->route.operation == llm::Operation::pass_through
        && ctx->exchange->head().model.empty()) {
        target.model = {};      // it is about no model
    }

    ctx->answered = member;
    copy_name(up, target.model);

    auto unmade = [&] {
        ctx->error = make_error(ErrorKind::server,
                                "the request could not be made");
        return false;
    };
    std::string_view betas;
    if (!ngx_http_llm_upstream_betas(r, member->provider, betas)) {
        return unmade();
    }

    if (auto prepared = ctx->exchange->prepare(target, betas); !prepared) {
        ctx->error = prepared.error();
        return false;
    }

    ngx_chain_t *bufs =
        ngx_http_llm_upstream_request(r, ctx, member->provider);
    if (bufs == nullptr) {
        return unmade();
    }
    r->upstream->request_bufs = bufs;
    ctx->exchange->release_pieces();

    // What the last try ended with is not what this one will.
    ctx->error.reset();
    ctx->retry_after = -1;
    return true;
}

// Hands the choice of a server to the upstream {} that the member names.
ngx_int_t get_from_group(ngx_peer_connection_t *pc,
                         ngx_http_llm_upstream_ctx_t *up,
                         const ngx_http_llm_provider_t *provider) {
    ngx_http_request_t *r = up->request;

    if (up->group.provider != provider) {
        // Its init sets the hooks of u->peer: they are kept, ours put back.
        ngx_uint_t tries = pc->tries;
        auto get = pc->get;
        auto free = pc->free;
        auto data = pc->data;
#if (NGX_HTTP_SSL)
        auto set_session = pc->set_session;
        auto save_session = pc->save_session;
#endif
        // What stands there, an init would take for what it had made before.
        pc->data = nullptr;
        ngx_int_t rc = provider->group->peer.init(r, provider->group);
        up->group.get = pc->get;
        up->group.free = pc->free;
        up->group.data = pc->data;
        up->group.tries = pc->tries;
#if (NGX_HTTP_SSL)
        up->group.set_session = pc->set_session;
        up->group.save_session = pc->save_session;
        pc->set_session = set_session;
        pc->save_session = save_session;
#endif
        pc->get = get;
        pc->free = free;
        pc->data = data;
        pc->tries = tries;
        if (rc != NGX_OK) {
            up->group.provider = nullptr;
            return NGX_ERROR;
        }
        up->group.provider = provider;
    }

    pc->tries = up->group.tries;
    return up->group.get(pc, up->group.data);
}

// The end of a try on a server of the group.
void free_in_group(ngx_peer_connection_t *pc, ngx_http_llm_upstream_ctx_t *up,
                   ngx_uint_t state) {
    pc->tries = up->group.tries;
    up->group.free(pc, up->group.data, state);
    up->group.tries = pc->tries;
    if (up->group.tries == 0) {
        // Another round begins with all of its servers.
        up->group.provider = nullptr;
    }
}

ngx_int_t get_from_endpoint(ngx_peer_connection_t *pc,
                            ngx_http_llm_upstream_ctx_t *up,
                            const ngx_http_llm_provider_t *provider) {
    ngx_str_t *name = nullptr;

    if (!ngx_http_llm_endpoint_pick(provider->endpoint, up->request->pool,
                                    &pc->sockaddr, &pc->socklen, &name)) {
        return NGX_BUSY;
    }
    pc->name = name;
    pc->cached = 0;
    pc->connection = nullptr;

    // A body that goes on as it comes cannot go twice, should the provider be
    // about to close a connection that was kept.
    if (!up->request->request_body_no_buffering
        && ngx_http_llm_keepalive_take(provider->idle, pc)) {
        return NGX_DONE;
    }
    return NGX_OK;
}

// Nobody is left: what the client is told.
ngx_int_t nobody_left(ngx_peer_connection_t *pc,
                      ngx_http_llm_upstream_ctx_t *up) {
    ngx_http_llm_ctx_t *ctx = up->ctx;

    pc->tries = 0;
    pc->name = &up->pool->name;     // as nginx names what has no peer
    up->tries_left = 0;
    up->member = -1;
    if (!ctx->error) {
        ngx_http_llm_peer_none(up->pool, ctx);
    }
    if (ctx->error->kind == ErrorKind::invalid_request
        || ctx->error->kind == ErrorKind::unsupported) {
        // The client's fault: nginx is not to log that no server is alive.
        pc->cached = 0;
        return NGX_DECLINED;
    }
    return NGX_BUSY;
}

// For nginx a try that is followed by another ended with 502; logs are to have
// the status that the provider sent.
void note_status(const ngx_http_llm_upstream_ctx_t *up) {
    const ngx_array_t *states = up->request->upstream_states;
    if (up->status.code >= 400 && states && states->nelts >= 2) {
        auto all = static_cast<ngx_http_upstream_state_t *>(states->elts);
        all[states->nelts - 2].status = up->status.code;
    }
}

// Whether the member can be shown what it wants to see; if not, ctx->error
// says why.
bool has_credentials(ngx_http_llm_upstream_ctx_t *up,
                     const ngx_http_llm_provider_t *provider) {
    if (provider->auth == nullptr
        || ngx_http_llm_credentials_vary(provider->auth)
        || ngx_http_llm_credentials_get(provider->auth)) {
        return true;
    }
    up->ctx->error = ngx_http_llm_credentials_failure(provider->auth);
    ngx_log_error(NGX_LOG_ERR, up->request->connection->log, 0, "llm: %*s",
                  up->ctx->error->message.size(),
                  up->ctx->error->message.data());
    return false;
}

// The try has ended before it began. False: it was the last one.
bool give_up(ngx_http_llm_upstream_ctx_t *up, ngx_int_t index) {
    ngx_http_llm_pool_release(up->pool, index);
    up->member = -1;
    return up->tries_left == 0 || --up->tries_left > 0;
}

ngx_int_t get_peer(ngx_peer_connection_t *pc, void *data) noexcept try {
    auto up = static_cast<ngx_http_llm_upstream_ctx_t *>(data);
    ngx_http_request_t *r = up->request;
    ngx_http_upstream_t *u = r->upstream;

    note_status(up);
    for (;;) {
        ngx_int_t index = choose(up);
        if (index == -1) {
            return nobody_left(pc, up);
        }
        const ngx_http_llm_member_t *member = &members_of(up->pool)[index];
        const ngx_http_llm_provider_t *provider = member->provider;

        up->member = index;
        up->tried |= uint64_t{1} << index;
        ++up->ctx->tries;
        ngx_http_llm_upstream_reset(up);

        if (!has_credentials(up, provider)) {
            up->ctx->answered = member;
            copy_name(up, member->model.len ? to_view(member->model)
                                            : up->ctx->model);
            ngx_http_llm_pool_failed(up->pool, index);
            if (!give_up(up, index)) {
                return nobody_left(pc, up);
            }
            continue;
        }
        if (!prepare(up, member)) {
            ++up->ctx->unsaid;
            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "llm: %V cannot take this call: %*s", &member->name,
                          up->ctx->error->message.size(),
                          up->ctx->error->message.data());
            if (!give_up(up, index)) {
                return nobody_left(pc, up);
            }
            continue;
        }

        u->conf = const_cast<ngx_http_upstream_conf_t *>(&provider->upstream);
#if (NGX_HTTP_SSL)
        u->ssl = provider->ssl;
        u->ssl_name = provider->host;
#endif
        ngx_int_t rc = provider->group
                           ? get_from_group(pc, up, provider)
                           : get_from_endpoint(pc, up, provider);
        if (rc == NGX_OK || rc == NGX_DONE) {
            pc->tries = up->tries_left;
            return rc;
        }

        up->ctx->error = make_error(
            ErrorKind::unavailable,
            "the host of \"" + std::string(to_view(provider->name)) +
                "\" has no address or no live server");
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "llm: no address or live server for %V (host \"%V\")",
                      &member->name, &provider->host);
        ngx_http_llm_pool_failed(up->pool, index);
        if (!give_up(up, index)) {
            return nobody_left(pc, up);
        }
    }

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}

// Why a try failed that never got an answer.
void explain(ngx_peer_connection_t *pc, ngx_http_llm_upstream_ctx_t *up) {
    ngx_connection_t *c = pc->connection;
    std::string who(to_view(members_of(up->pool)[up->member].provider->name));

    bool timeout = c && (c->read->timedout || c->write->timedout);
    if (timeout) {
        up->ctx->error = make_error(
            ErrorKind::timeout, "the provider \"" + who +
                                    "\" did not answer in time");
    } else if (up->request->upstream->request_sent) {
        up->ctx->error = make_error(
            ErrorKind::bad_gateway,
            "the provider \"" + who +
                "\" closed the connection before its answer was complete");
    } else {
        up->ctx->error = make_error(
            ErrorKind::unavailable,
            "the provider \"" + who + "\" could not be reached");
    }
    up->counts_as_failure = 1;
    up->retryable = (up->pool->next_upstream
                     & (timeout ? NGX_HTTP_LLM_NEXT_TIMEOUT
                                : NGX_HTTP_LLM_NEXT_ERROR)) != 0;
}

// Whether the key is each caller's own: what it is told of a limit is not
// meant for others.
bool has_keys_of_many(const ngx_http_llm_provider_t *provider) {
    return (provider->api_key && provider->api_key->lengths)
           || ngx_http_llm_credentials_vary(provider->auth);
}

// The end of a try, and of the call when state is 0.
void free_peer(ngx_peer_connection_t *pc, void *data,
               ngx_uint_t state) noexcept try {
    auto up = static_cast<ngx_http_llm_upstream_ctx_t *>(data);
    if (up->member == -1) {
        return;
    }
    const ngx_http_llm_member_t &member = members_of(up->pool)[up->member];
    bool failed = (state & NGX_PEER_FAILED) != 0;

    // A kept connection that turns out to be closed says nothing of the
    // provider: nginx adds a try for it, and it may go to the same member.
    bool stale = failed && pc->cached && !up->refused && !up->status_parsed
                 && !(pc->connection && pc->connection->read->timedout);

    if (failed && !up->refused) {
        explain(pc, up);
        if (stale) {
            up->counts_as_failure = 0;
            up->retryable = 1;
        } else if (!up->head_parsed && member.provider->endpoint) {
            ngx_http_llm_endpoint_failed(member.provider->endpoint,
                                         pc->sockaddr, pc->socklen);
        }
    }

    bool again = stale;
    if (member.provider->group) {
        free_in_group(pc, up, state);
        // A server of the group has failed; the member has only if it was
        // the last of them.
        if (failed && !up->refused && up->retryable && up->group.tries > 0) {
            up->counts_as_failure = 0;
            again = true;
        }
    }

    if (up->status.code == NGX_HTTP_TOO_MANY_REQUESTS
        && has_keys_of_many(member.provider)) {
        // Only the one who called is to wait.
        up->counts_as_failure = 0;
        up->retry_after = -1;
    }
    // A provider that is named by itself has callers and models of all kinds,
    // of which the pause need not be meant for more than one.
    if (up->retry_after > 0 && !up->pool->implicit
        && (up->status.code == NGX_HTTP_TOO_MANY_REQUESTS
            || up->status.code >= NGX_HTTP_INTERNAL_SERVER_ERROR)) {
        ngx_http_llm_pool_block(up->pool, up->member,
                                static_cast<ngx_msec_t>(up->retry_after)
                                    * 1000);
    } else if (up->counts_as_failure) {
        ngx_http_llm_pool_failed(up->pool, up->member);
    } else if (up->head_parsed) {
        ngx_http_llm_pool_succeeded(up->pool, up->member);
    }
    ngx_http_llm_pool_release(up->pool, up->member);
    up->member = -1;

    if (again) {
        up->tried &= ~(uint64_t{1} << (&member - members_of(up->pool).data()));
    }
    if (!failed && !member.provider->group) {
        ngx_http_llm_keepalive_save(member.provider->idle, pc,
                                    up->request->upstream);
    }

    if (!failed) {
        return;
    }
    if (!stale) {
        // nginx would grant another try, whatever the pool says.
        pc->cached = 0;
    }
    bool late = up->pool->timeout
                && ngx_current_msec - up->start_msec >= up->pool->timeout;
    if (!again && up->tries_left > 0) {
        --up->tries_left;
    }
    if (!up->retryable || late) {
        up->tries_left = 0;
    }
    pc->tries = up->tries_left;
    if (stale && pc->tries > 0) {
        // nginx is about to add the one that it grants for a stale connection.
        --pc->tries;
    }

} catch (const std::bad_alloc &) {
    pc->tries = 0;
}

#if (NGX_HTTP_SSL)

ngx_int_t set_session(ngx_peer_connection_t *pc, void *data) noexcept {
    auto up = static_cast<ngx_http_llm_upstream_ctx_t *>(data);
    auto provider = members_of(up->pool)[up->member].provider;
    if (provider->group) {
        return up->group.set_session(pc, up->group.data);
    }
    return ngx_http_llm_keepalive_set_session(provider->idle, pc);
}

void save_session(ngx_peer_connection_t *pc, void *data) noexcept {
    auto up = static_cast<ngx_http_llm_upstream_ctx_t *>(data);
    if (up->member == -1) {
        return;
    }
    auto provider = members_of(up->pool)[up->member].provider;
    if (provider->group) {
        up->group.save_session(pc, up->group.data);
        return;
    }
    ngx_http_llm_keepalive_save_session(provider->idle, pc);
}

#endif

}  // namespace

llm::Target ngx_http_llm_peer_target(ngx_http_request_t *r,
                                     const ngx_http_llm_ctx_t &ctx,
                                     const ngx_http_llm_member_t &member)
    noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));

    llm::Target target;
    target.format = ngx_http_llm_provider_speaks(member.provider,
                                                 ctx.route.format)
                        .format;
    target.model = member.model.len ? to_view(member.model) : ctx.model;
    target.drop_unsupported = llcf->drop_unsupported;
    target.quirks = member.provider->quirks;
    target.embeddings = ngx_http_llm_provider_embeddings(
        member.provider, ctx.route.embeddings);
    return target;
}

void ngx_http_llm_peer_none(ngx_http_llm_pool_t *pool,
                            ngx_http_llm_ctx_t *ctx) {
    ctx->error = make_error(ErrorKind::unavailable,
                            "no model of \"" + std::string(to_view(pool->name))
                                + "\" is available");
    ngx_msec_int_t wait = ngx_http_llm_pool_wait(pool);
    if (wait >= 0) {
        ctx->retry_after = ngx_max((wait + 999) / 1000, 1);
    }
}

bool ngx_http_llm_peer_has_next(ngx_http_llm_upstream_ctx_t *up) noexcept {
    if (up->tries_left <= 1) {
        return false;
    }
    if (up->pool->timeout
        && ngx_current_msec - up->start_msec >= up->pool->timeout) {
        return false;
    }
    return up->tried == up->members
           || ngx_http_llm_pool_any(up->pool, up->tried | ~up->members);
}

ngx_int_t ngx_http_llm_peer_init(ngx_http_request_t *r,
                                 ngx_http_upstream_srv_conf_t *) noexcept {
    ngx_http_llm_upstream_ctx_t *up = ngx_http_llm_upstream_of(r);
    ngx_peer_connection_t *pc = &r->upstream->peer;

    if (up->members == 0) {
        up->members = ngx_http_llm_pool_all(up->pool);
        up->tries = ngx_http_llm_pool_tries(up->pool);
    }
    up->tries_left = up->tries;
    up->start_msec = ngx_current_msec;
    if (up->ctx->route.operation == llm::Operation::pass_through
        && up->ctx->exchange->head().model.empty()) {
        // What it is about, only one provider has.
        up->members = uint64_t{1} << up->ctx->member;
        up->tries_left = 1;
    }

    pc->data = up;
    pc->get = get_peer;
    pc->free = free_peer;
    pc->tries = up->tries_left;
#if (NGX_HTTP_SSL)
    pc->set_session = set_session;
    pc->save_session = save_session;
#endif
    return NGX_OK;
}
