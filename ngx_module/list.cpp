#include "list.hpp"

#include <bit>
#include <new>
#include <vector>

#include "answer.hpp"
#include "cache/request.hpp"
#include "limit/request.hpp"
#include "peer.hpp"
#include "pool_zone.hpp"
#include "upstream.hpp"

namespace {

using List = ngx_http_llm_list_t;
using llm::balance::bit;

// Calls of one list at a time: with fewer a long list takes long, and with
// more it would take the provider's rate limit, and the worker's connections,
// away from all others.
constexpr size_t max_running = 8;

// One call.
struct Part {
    enum class State : uint8_t {
        posted,         // the subrequest has not run yet
        running,
        done,
    };

    List *list = nullptr;
    ngx_http_request_t *request = nullptr;      // the subrequest
    ngx_http_post_subrequest_t post = {};
    std::unique_ptr<ngx_http_llm_ctx_t> ctx;
    State state = State::posted;
    ngx_int_t result = NGX_OK;      // as the subrequest was finalized
};

}  // namespace

struct ngx_http_llm_list_t {
    ngx_http_llm_list_t(ngx_http_request_t *r, ngx_http_llm_ctx_t *call)
        : request(r),
          ctx(call),
          start_msec(ngx_current_msec),
          tries_left(ngx_http_llm_pool_tries(call->pool)) {}

    ngx_http_request_t *request;
    ngx_http_llm_ctx_t *ctx;
    ngx_msec_t start_msec;

    // Members that need not be asked any more, and tries that are left.
    uint64_t tried = 0;
    ngx_uint_t tries_left;

    // This round: the same calls to members of one model.
    uint64_t group = 0;
    ngx_uint_t tries = 0;           // of each call
    ngx_int_t taken = -1;           // the member that was chosen, for the first
    llm::Division division;
    std::vector<std::unique_ptr<Part>> parts;   // in order, those started
    size_t running = 0;
    size_t limit = 0;               // of those that run
    const Part *failed = nullptr;

    // Rounds before: some of their calls may have been paid for.
    std::vector<std::unique_ptr<Part>> past;
    bool over = false;
};

namespace {

llm::Error gateway_failed() {
    llm::Error error;
    error.kind = llm::ErrorKind::server;
    error.message = "the gateway failed";
    return error;
}

void release(List &list) noexcept {
    if (list.taken != -1) {
        ngx_http_llm_pool_release(list.ctx->pool, list.taken);
        list.taken = -1;
    }
}

// Those whose answers are as good as that of this one: of the same model, asked
// in the same way.
uint64_t group_of(const List &list, ngx_int_t chosen) {
    const ngx_http_llm_pool_t *pool = list.ctx->pool;
    auto members = members_of(pool);
    auto wanted = ngx_http_llm_peer_target(list.request, *list.ctx,
                                           members[chosen]);
    uint64_t group = 0;
    for (ngx_uint_t i = 0; i < pool->members.nelts; ++i) {
        auto target = ngx_http_llm_peer_target(list.request, *list.ctx,
                                               members[i]);
        if (target.model == wanted.model && target.format == wanted.format
            && target.embeddings == wanted.embeddings) {
            group |= bit(i);
        }
    }
    return group & ~list.tried;
}

// Chooses who is asked for the whole list. False: nobody is left.
bool choose(List &list) {
    ngx_http_llm_pool_t *pool = list.ctx->pool;
    ngx_int_t named = list.ctx->member;
    if (named >= 0 && !(list.tried & bit(named))
        && ngx_http_llm_pool_take(pool, named)) {
        list.taken = named;
    } else {
        list.taken = ngx_http_llm_pool_choose(pool, list.tried);
    }
    if (list.taken == -1) {
        return false;
    }

    list.group = group_of(list, list.taken);
    list.division = list.ctx->exchange->divide(ngx_http_llm_peer_target(
        list.request, *list.ctx, members_of(pool)[list.taken]));
    list.parts.reserve(list.division.calls());
    // Members of other models get their turn, too.
    list.tries = list.tries_left;
    if (ngx_http_llm_pool_any(pool, list.tried | list.group)) {
        list.tries = ngx_min(list.tries,
                             ngx_uint_t(std::popcount(list.group)));
    }
    // Of a member that has failed before only one call may find out whether
    // it is well again; the others wait for it.
    list.limit = ngx_http_llm_pool_state(pool, list.taken).state.fails > 0
                     ? 1
                     : max_running;
    return true;
}

std::vector<llm::Exchange *> exchanges(const List &list, bool past) {
    std::vector<llm::Exchange *> all;
    for (const auto &part : list.parts) {
        all.push_back(&*part->ctx->exchange);
    }
    for (size_t i = 0; past && i < list.past.size(); ++i) {
        all.push_back(&*list.past[i]->ctx->exchange);
    }
    return all;
}

// What the log, the limits and the answer's headers say of the list, at its
// end.
void take_account(List &list, const Part *part) {
    ngx_http_llm_ctx_t *ctx = list.ctx;
    ctx->exchange->sum_up(exchanges(list, true));
    ctx->end_msec = ngx_current_msec;
    // Beside those of a location that error_page led away from.
    for (const auto *parts : {&list.past, &list.parts}) {
        for (const auto &each : *parts) {
            ctx->tries += each->ctx->tries;
        }
    }
    if (part) {
        ctx->answered = part->ctx->answered;
        ctx->answered_model = part->ctx->answered_model;
    }
}

// The calls of a list appear as tries do.
void note_states(ngx_http_request_t *r, const ngx_http_request_t *part) {
    if (part->upstream_states == nullptr) {
        return;
    }
    if (r->upstream_states == nullptr) {
        r->upstream_states =
            ngx_array_create(r->pool, 4, sizeof(ngx_http_upstream_state_t));
        if (r->upstream_states == nullptr) {
            return;
        }
    }
    ngx_uint_t count = part->upstream_states->nelts;
    if (void *states = ngx_array_push_n(r->upstream_states, count)) {
        ngx_memcpy(states, part->upstream_states->elts,
                   count * sizeof(ngx_http_upstream_state_t));
    }
}

// One call has ended; the list goes on once this event is through.
ngx_int_t part_ended(ngx_http_request_t *sr, void *data, ngx_int_t rc)
    noexcept {
    auto part = static_cast<Part *>(data);
    List &list = *part->list;

    part->state = Part::State::done;
    part->result = rc;
    --list.running;
    if (auto up = part->ctx->upstream; up && up->taken != -1) {
        ngx_http_llm_pool_release(list.ctx->pool, up->taken);
    }
    if (sr->upstream && sr->upstream->buffer.start) {
        (void) ngx_pfree(sr->pool, sr->upstream->buffer.start);
        sr->upstream->buffer.start = nullptr;
    }
    note_states(list.request, sr);

    if (rc != NGX_OK || part->ctx->error) {
        if (list.failed == nullptr) {
            list.failed = part;
        }
    } else {
        list.limit = max_running;
        if (list.ctx->first_msec == 0) {
            list.ctx->first_msec = part->ctx->first_msec;
        }
    }
    return ngx_http_post_request(list.request, nullptr);
}

// The subrequest's only event before its upstream's.
void run_part(ngx_http_request_t *sr) noexcept {
    auto part = static_cast<Part *>(sr->post_subrequest->data);
    List &list = *part->list;

    part->state = Part::State::running;
    auto up = ngx_http_llm_upstream_create(sr, part->ctx.get());
    if (up == nullptr) {
        ngx_http_finalize_request(sr, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }
    up->part = 1;
    up->members = list.group;
    up->tries = list.tries;
    up->taken = list.taken;
    list.taken = -1;
    ngx_http_upstream_init(sr);
}

// A subrequest that nobody waits for any more.
void drop_part(ngx_http_request_t *sr) noexcept {
    ngx_http_finalize_request(sr, NGX_DONE);
}

// False: no memory.
bool add_part(List &list) {
    ngx_http_request_t *r = list.request;
    auto part = std::make_unique<Part>();
    part->list = &list;
    part->post = {part_ended, part.get()};

    ngx_http_request_t *sr;
    if (ngx_http_subrequest(r, &r->uri, &r->args, &sr, &part->post,
                            NGX_HTTP_SUBREQUEST_BACKGROUND
                                | NGX_HTTP_SUBREQUEST_CLONE)
        != NGX_OK) {
        return false;
    }
    sr->header_only = 1;
    sr->write_event_handler = drop_part;
    part->request = sr;

    const ngx_http_llm_ctx_t &whole = *list.ctx;
    part->ctx = std::make_unique<ngx_http_llm_ctx_t>(sr);
    part->ctx->route = whole.route;
    part->ctx->body = whole.body;
    part->ctx->conf = whole.conf;
    part->ctx->pool = whole.pool;
    part->ctx->model = whole.model;
    part->ctx->start_msec = ngx_current_msec;
    if (whole.member >= 0 && (list.group & bit(whole.member))) {
        part->ctx->member = whole.member;
    }
    part->ctx->exchange.emplace(*list.ctx->exchange, list.division,
                                list.parts.size());
    ngx_http_set_ctx(sr, part->ctx.get(), ngx_http_llm_module);

    sr->write_event_handler = run_part;
    ++list.running;
    list.parts.push_back(std::move(part));
    return true;
}

// Starts as many calls as may run. False: no memory.
bool add_parts(List &list) noexcept try {
    while (list.running < list.limit
           && list.parts.size() < list.division.calls()) {
        if (!add_part(list)) {
            return false;
        }
    }
    return true;

} catch (const std::bad_alloc &) {
    return false;
}

// Ends the calls that still run. What they have cost so far is known then.
void cancel(List &list) noexcept {
    for (const auto &part : list.parts) {
        ngx_http_request_t *sr = part->request;
        if (part->state == Part::State::posted) {
            sr->post_subrequest = nullptr;
            sr->write_event_handler = drop_part;
        } else if (part->state == Part::State::running) {
            if (auto u = sr->upstream; u && u->cleanup) {
                (*u->cleanup)(sr);
            }
            note_states(list.request, sr);
        }
        part->state = Part::State::done;
    }
    list.running = 0;
    release(list);
}

// Whether the list is to be asked of members that have another model.
bool may_go_on(const List &list) {
    const Part &part = *list.failed;
    const ngx_http_llm_ctx_t &ctx = *part.ctx;
    const ngx_http_llm_pool_t *pool = list.ctx->pool;
    if (!ctx.error || ctx.upstream == nullptr || list.tries_left == 0) {
        return false;
    }
    // What cannot be said to this model may well be to another.
    bool unsaid = !ctx.upstream->refused
                  && (ctx.error->kind == llm::ErrorKind::unsupported
                      || ctx.error->kind == llm::ErrorKind::invalid_request);
    if (!unsaid && !ctx.upstream->retryable) {
        return false;
    }
    if (pool->timeout
        && ngx_current_msec - list.start_msec >= pool->timeout) {
        return false;
    }
    return ngx_http_llm_pool_any(list.ctx->pool, list.tried);
}

void next_round(List &list) {
    list.tries_left -= ngx_min(list.tries_left,
                               ngx_max(list.failed->ctx->tries, 1u));
    list.tried |= list.group;
}

// Hands the answer to nginx. The list is not to be touched afterwards.
void end(List &list, ngx_int_t rc) noexcept {
    ngx_http_request_t *r = list.request;
    r->read_event_handler = ngx_http_block_reading;
    ngx_http_finalize_request(r, rc);
}

void answer(List &list) noexcept {
    ngx_http_llm_ctx_t *ctx = list.ctx;
    llm::Exchange &exchange = *ctx->exchange;
    end(list, ngx_http_llm_send(list.request, ctx,
                                static_cast<ngx_uint_t>(exchange.status()),
                                exchange.content_type(),
                                std::move(exchange.output())));
}

// As the one call of a list that needs no more would have failed.
void fail(List &list, llm::Error error, ngx_int_t result) {
    ngx_http_llm_ctx_t *ctx = list.ctx;
    llm::Exchange &exchange = *ctx->exchange;

    const auto &usage = exchange.account().usage;
    ctx->partly_paid = usage.known || usage.estimated;
    ctx->error = std::move(error);
    ngx_http_llm_limit_settle(ctx);

    int status = exchange.client().error_status(*ctx->error);
    if (ngx_http_llm_cache_rescue(ctx, static_cast<ngx_uint_t>(status))) {
        ctx->error.reset();
        ctx->retry_after = -1;
        answer(list);
    } else if (result == NGX_OK) {
        exchange.refuse(*ctx->error);
        answer(list);
    } else {
        // No answer of a provider's: error_page may have a better one.
        end(list, result >= NGX_HTTP_SPECIAL_RESPONSE
                      ? result
                      : NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}

void finish(List &list) {
    ngx_http_llm_ctx_t *ctx = list.ctx;
    llm::Exchange &exchange = *ctx->exchange;

    list.over = true;
    auto step = exchange.join(exchanges(list, false));
    take_account(list, list.parts.front().get());
    list.parts.clear();
    list.past.clear();

    if (step == llm::Exchange::Step::failed) {
        fail(list, exchange.error(), NGX_OK);
        return;
    }
    ctx->error.reset();
    ctx->retry_after = -1;
    ngx_http_llm_limit_settle(ctx);
    answer(list);
}

void give_up(List &list) {
    ngx_http_llm_ctx_t *ctx = list.ctx;
    const Part &part = *list.failed;

    list.over = true;
    take_account(list, &part);
    ctx->retry_after = part.ctx->retry_after;
    fail(list, part.ctx->error ? std::move(*part.ctx->error)
                               : gateway_failed(),
         part.result);
}

void no_memory(List &list) noexcept {
    ngx_log_error(NGX_LOG_ERR, list.request->connection->log, 0,
                  "llm: no memory for the calls of a list");
    cancel(list);
    list.over = true;
    end(list, NGX_HTTP_INTERNAL_SERVER_ERROR);
}

// Events of the client's request: something has ended, or nothing has.
void go_on(ngx_http_request_t *r) noexcept {
    List &list = *ngx_http_llm_find_ctx(r)->list;
    if (list.over) {
        return;
    }
    try {
        if (list.failed) {
            cancel(list);
            next_round(list);
            if (!may_go_on(list) || !choose(list)) {
                give_up(list);
                return;
            }
            for (auto &part : list.parts) {
                list.past.push_back(std::move(part));
            }
            list.parts.clear();
            list.failed = nullptr;
        } else if (list.running == 0
                   && list.parts.size() == list.division.calls()) {
            finish(list);
            return;
        }
        if (!add_parts(list)) {
            no_memory(list);
        }

    } catch (const std::bad_alloc &) {
        no_memory(list);
    }
}

// The request ends: its subrequests' upstreams are gone by now, each with what
// it has cost.
void request_ended(void *data) noexcept {
    auto ctx = static_cast<ngx_http_llm_ctx_t *>(data);
    if (ctx->list == nullptr || ctx->list->over) {
        return;
    }
    List &list = *ctx->list;
    list.over = true;
    release(list);
    try {
        take_account(list, list.parts.empty() ? nullptr
                                              : list.parts.front().get());
    } catch (const std::bad_alloc &) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "llm: no memory at the end of a list");
    }
}

}  // namespace

void ngx_http_llm_list_deleter_t::operator()(List *list) const noexcept {
    delete list;
}

bool ngx_http_llm_list_is_needed(ngx_http_request_t *r,
                                 ngx_http_llm_ctx_t *ctx) {
    if (!ctx->exchange->is_list()) {
        return false;
    }
    auto members = members_of(ctx->pool);
    for (ngx_uint_t i = 0; i < ctx->pool->members.nelts; ++i) {
        if (!members[i].down
            && ctx->exchange
                       ->divide(ngx_http_llm_peer_target(r, *ctx, members[i]))
                       .calls()
                   > 1) {
            return true;
        }
    }
    return false;
}

ngx_int_t ngx_http_llm_list_start(ngx_http_request_t *r,
                                  ngx_http_llm_ctx_t *ctx) {
    // Before the cleanups of the subrequests' upstreams: theirs run first.
    auto cln = ngx_http_cleanup_add(r, 0);
    if (cln == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    cln->handler = request_ended;
    cln->data = ctx;

    ctx->list.reset(new List(r, ctx));
    List &list = *ctx->list;
    if (!choose(list)) {
        list.over = true;
        ngx_http_llm_peer_none(ctx->pool, ctx);
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "llm: no live model of \"%V\"", &ctx->pool->name);
        return NGX_HTTP_BAD_GATEWAY;
    }
    if (!add_parts(list)) {
        cancel(list);
        list.over = true;
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    // Notices a client that goes away.
    r->main->count++;
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = go_on;
    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);
    }
    return NGX_DONE;
}
