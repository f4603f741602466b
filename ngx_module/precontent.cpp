#include "precontent.hpp"

#include <new>

#include "account/count.hpp"
#include "auth/auth.hpp"
#include "cache/request.hpp"
#include "client_header.hpp"
#include "credentials/wait.hpp"
#include "endpoint_wait.hpp"
#include "limit/request.hpp"
#include "pass_through.hpp"
#include "relay.hpp"
#include "request_body.hpp"
#include "route.hpp"

namespace {

// The tail of ids that an answer needs and its provider did not give. Unlike
// any other of this machine, and hard to guess.
std::string_view unique_id(ngx_http_request_t *r) {
    constexpr size_t size = 24;
    auto p = static_cast<u_char *>(ngx_pnalloc(r->pool, size));
    if (p == nullptr) {
        throw std::bad_alloc();
    }
    ngx_sprintf(p, "%08xD%08xD%08xD", static_cast<uint32_t>(ngx_random()),
                static_cast<uint32_t>(r->connection->number),
                static_cast<uint32_t>(ngx_random()));
    return {reinterpret_cast<char *>(p), size};
}

// The answer from the cache, or the right to make a call. NGX_DECLINED: the
// call is to be made. NGX_OK: the answer is at hand. Else a status.
task::Task admit(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                 ngx_http_llm_loc_conf_t *llcf) {
    ngx_int_t rc;

    if (llcf->limit.cached) {
        rc = co_await ngx_http_llm_limit_reserve(r, ctx, llcf);
        if (rc != NGX_DECLINED) {
            co_return rc;
        }
    }
    rc = co_await ngx_http_llm_cache_lookup(r, ctx, llcf);
    if (rc != NGX_DECLINED) {
        ngx_http_llm_limit_settle(ctx);
        co_return rc;
    }
    if (!llcf->limit.cached) {
        rc = co_await ngx_http_llm_limit_reserve(r, ctx, llcf);
        if (rc != NGX_DECLINED && ctx->cache) {
            // There will be no call for others to wait for, and no failure
            // that an expired answer makes up for.
            ctx->cache->release();
            ctx->cache->stale.clear();
        }
    }
    co_return rc;
}

// The flow of one request, before any content handler runs. NGX_DECLINED
// where the request may go on, else the status to answer with.
task::Task policy(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                  ngx_http_llm_loc_conf_t *llcf) {
    llm::ExchangeLimits limits;
    limits.max_depth = llcf->max_depth;
    limits.max_response = llcf->max_response;
    limits.max_event = llcf->max_event;

    ctx->exchange.emplace(*ctx->route.format, ctx->body, limits, &ctx->memory);
    ctx->exchange->count_with(ngx_http_llm_prompt_tokens);

    if (llm::is_about_models(ctx->route.operation)) {
        ngx_http_llm_model_rules_t rules(r, llcf);
        std::function<bool(std::string_view)> shows;
        if (rules.any()) {
            shows = [rules](std::string_view name) {
                return rules.allow({&name, 1});
            };
        }
        ctx->exchange->open_models(std::move(shows), ctx->route.model);
        ctx->exchange->set_context({}, ngx_time());
        ctx->pool = llcf->pass->pool;
        co_await ngx_http_llm_endpoints_ready_t(r, ctx->pool);
        co_await ngx_http_llm_credentials_ready_t(r, ctx->pool);
        co_return NGX_DECLINED;
    }

    auto opened = ctx->route.operation == llm::Operation::pass_through
                      ? ngx_http_llm_pass_through_open(r, ctx, llcf)
                      : ctx->exchange->open(ctx->route);
    if (!opened) {
        co_return ngx_http_llm_refuse(ctx, std::move(opened.error()));
    }

    ctx->exchange->set_context(unique_id(r), ngx_time());

    if (llcf->pass == nullptr) {
        if (auto may = ngx_http_llm_check_model(r, ctx, llcf); !may) {
            co_return ngx_http_llm_refuse(ctx, std::move(may.error()));
        }
        ngx_int_t rc = co_await admit(r, ctx, llcf);
        co_return rc == NGX_DECLINED ? ngx_http_llm_relay_prepare(r, ctx) : rc;
    }

    if (auto routed = ngx_http_llm_route(r, ctx, llcf); !routed) {
        co_return ngx_http_llm_refuse(ctx, std::move(routed.error()));
    }
    if (!ctx->exchange->head().model.empty()) {
        if (auto may = ngx_http_llm_check_model(r, ctx, llcf); !may) {
            co_return ngx_http_llm_refuse(ctx, std::move(may.error()));
        }
    }

    ngx_int_t rc = co_await admit(r, ctx, llcf);
    if (rc != NGX_DECLINED) {
        co_return rc;
    }

    // Peers are chosen without waiting, so addresses must be known by then,
    // and credentials.
    co_await ngx_http_llm_endpoints_ready_t(r, ctx->pool);
    co_await ngx_http_llm_credentials_ready_t(r, ctx->pool);

    co_return NGX_DECLINED;
}

void policy_ended(ngx_http_llm_ctx_t *ctx) noexcept {
    ctx->policy_result = ctx->policy.result();
    if (ctx->policy_result == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "llm: no memory for the request");
        ctx->policy_result = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx->policy_done = 1;
}

// The flow has ended in an event of its own: back into the phases.
void policy_finished(void *data) noexcept {
    auto ctx = static_cast<ngx_http_llm_ctx_t *>(data);
    ngx_http_request_t *r = ctx->request;
    ngx_connection_t *c = r->connection;

    ngx_http_set_log_request(c->log, r);
    policy_ended(ctx);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}

// While the flow waits, nothing is to be written; a new write event must not
// start the phases again.
void wait_writing(ngx_http_request_t *) noexcept {}

ngx_int_t run_policy(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));

    // Once only: for another content handler it may have been replaced.
    if (ctx->body.empty() && ngx_http_llm_collect_body(r, ctx->body) != NGX_OK) {
        ctx->policy_done = 1;
        ctx->policy_result = NGX_HTTP_INTERNAL_SERVER_ERROR;
        return ctx->policy_result;
    }

    ctx->policy_started = 1;
    if (ctx->start_msec == 0) {
        ctx->start_msec = ngx_current_msec;
    }
    ctx->policy = policy(r, ctx, llcf);

    if (ctx->policy.start(policy_finished, ctx)) {
        policy_ended(ctx);
        return ctx->policy_result;
    }

    // Notices a client that goes away.
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = wait_writing;
    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);
    }
    return NGX_AGAIN;
}

void body_handler(ngx_http_request_t *r) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    ctx->body_read = 1;
    r->preserve_body = 1;
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}

// error_page has led to another location, which may send the call elsewhere,
// or to this one again, for one more call: all but the client's API, its body
// and the count of tries begins anew.
void start_over(ngx_http_llm_ctx_t *ctx) {
    ctx->policy = task::Task();
    ctx->policy_result = NGX_DECLINED;
    ctx->policy_started = ctx->policy_done = 0;
    ctx->body_waited = ctx->body_read;
    ngx_http_llm_limit_settle(ctx);
    ctx->limit.reset();
    ctx->cache.reset();
    ctx->list.reset();
    ctx->exchange.reset();
    ctx->partly_paid = 0;
    if (ctx->route.operation == llm::Operation::pass_through) {
        ctx->route = {};        // what is let through is the location's
    }
    ctx->pool = nullptr;
    ctx->member = -1;
    ctx->model = {};
    ctx->upstream = nullptr;
    ctx->relay = nullptr;
    ctx->relayed = ctx->answered_by_module = 0;
    ctx->answered = nullptr;
    ngx_str_null(&ctx->answered_model);
    ctx->error.reset();
    ctx->retry_after = -1;
}

llm::Error no_route() {
    llm::Error error;
    error.kind = llm::ErrorKind::not_found;
    error.message = "no such API route: this path ends in none of " +
                    llm::list_routes() +
                    ", and llm_pass_through lets no other through";
    error.code = "unknown_url";
    return error;
}

// Of another handler's paths this one knows nothing.
ngx_int_t unknown_call(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
                       const ngx_http_llm_loc_conf_t *llcf) {
    constexpr ngx_uint_t harmless =
        NGX_HTTP_GET | NGX_HTTP_HEAD | NGX_HTTP_OPTIONS;
    if (!(r->method & harmless)) {
        if (auto may = ngx_http_llm_check_unknown_call(r, llcf); !may) {
            ctx->policy_result =
                ngx_http_llm_refuse(ctx, std::move(may.error()));
        }
    }
    return ctx->policy_result;
}

// nginx does not inflate what clients send.
bool is_compressed(ngx_http_request_t *r) {
    auto coding = ngx_http_llm_client_header(r, "content-encoding");
    return !coding.empty() && coding != "identity";
}

// Whether the call is for the provider as it is, if the operator lets it
// through. What a model is a provider knows better, where it may be asked; of
// those that a pool lists the gateway knows it.
bool may_pass_through(ngx_http_request_t *r, const ngx_http_llm_ctx_t *ctx,
                      ngx_http_llm_loc_conf_t *llcf) {
    const llm::RouteMatch &route = ctx->route;
    return route.format == nullptr
           || route.operation == llm::Operation::show
           || (route.operation == llm::Operation::model && llcf->pass
               && !ngx_http_llm_lists_model(r, llcf, route.model));
}

}  // namespace

ngx_int_t ngx_http_llm_refuse(ngx_http_llm_ctx_t *ctx,
                              llm::Error error) noexcept {
    const llm::Format &format = ctx->route.format ? *ctx->route.format
                                                  : llm::openai_format();
    int status = format.error_status(error);
    ctx->error = std::move(error);
    return status;
}

ngx_int_t ngx_http_llm_precontent_handler(ngx_http_request_t *r) noexcept try {
    if (r != r->main) {
        return NGX_DECLINED;
    }

    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
    ngx_http_llm_auth_passed(r, llcf);
    if (!ngx_http_llm_is_on(llcf)) {
        return NGX_DECLINED;
    }

    auto ctx = ngx_http_llm_get_ctx(r);
    if (ctx == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    // What was refused here is refused once.
    bool again = ctx->uri_changes != r->uri_changes
                 && (!ctx->policy_done || ctx->policy_result == NGX_DECLINED);
    if (ctx->conf != llcf || again) {
        if (ctx->conf) {
            start_over(ctx);
        }
        ctx->conf = llcf;
        ctx->uri_changes = r->uri_changes;
    }
    if (ctx->policy_done) {
        return ctx->policy_result;
    }
    if (ctx->policy_started) {
        return NGX_AGAIN;
    }
    if (ctx->body_waited && !ctx->body_read) {
        return NGX_DONE;
    }
    if (ctx->body_read && ctx->route.format) {
        return run_policy(r, ctx);
    }

    ctx->route = ngx_http_llm_match_route(r);
    // What else is done to a model, or to what belongs to one, has its path.
    if (ctx->route.operation == llm::Operation::model
        && !(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        ctx->route.format = nullptr;
    }
    if (may_pass_through(r, ctx, llcf)
        && ngx_http_llm_pass_through_match(r, ctx, llcf)) {
        if (!ngx_http_llm_pass_through_reads_body(r, ctx, llcf)) {
            return run_policy(r, ctx);
        }
    } else if (ctx->route.format == nullptr) {
        if (llcf->pass == nullptr) {
            ctx->policy_done = 1;
            return unknown_call(r, ctx, llcf);
        }
        return ngx_http_llm_refuse(ctx, no_route());
    }
    if (ctx->route.operation == llm::Operation::version
        || ctx->route.operation == llm::Operation::show) {
        ctx->policy_done = 1;
        return llcf->pass ? NGX_DECLINED : unknown_call(r, ctx, llcf);
    }
    if (llm::is_about_models(ctx->route.operation)) {
        // Only the provider knows what it has; of pools we know it.
        if (llcf->pass && llcf->pass->pool && llcf->pass->pool->implicit
            && r->method == NGX_HTTP_GET) {
            ngx_int_t rc = ngx_http_discard_request_body(r);
            return rc == NGX_OK ? run_policy(r, ctx) : rc;
        }
        ctx->policy_done = 1;
        return llcf->pass ? NGX_DECLINED : unknown_call(r, ctx, llcf);
    }
    if (r->method != NGX_HTTP_POST
        && ctx->route.operation != llm::Operation::pass_through) {
        if (llcf->pass == nullptr) {
            ctx->policy_done = 1;
            return unknown_call(r, ctx, llcf);
        }
        (void) ngx_http_llm_refuse(
            ctx, llm::invalid_request("this route takes POST requests"));
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (is_compressed(r)) {
        return ngx_http_llm_refuse(
            ctx, llm::invalid_request("the request's body is compressed "
                                      "(content-encoding), which is not "
                                      "supported here"));
    }
    if (ctx->body_read) {
        return run_policy(r, ctx);
    }
    ctx->body_waited = 1;
    ngx_int_t rc = ngx_http_read_client_request_body(r, body_handler);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }
    ngx_http_finalize_request(r, NGX_DONE);
    return NGX_DONE;

} catch (const std::bad_alloc &) {
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "llm: no memory for the request");
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}
