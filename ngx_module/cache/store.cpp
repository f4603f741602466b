// What is kept of a provider's answer.
#include "cache/request.hpp"

#include <new>
#include <optional>

#include "cache/redis_tier.hpp"
#include "cache/wait.hpp"
#include "embedding/embedding.hpp"
#include "llm/cache_entry.hpp"
#include "llm/vector.hpp"

namespace {

constexpr std::int64_t second = 1000;

// Two answers say the same from this similarity on: answers are longer than
// questions, and the same thing is said in many ways.
constexpr float same_answer = 0.9f;

// Of a long answer its beginning will do.
constexpr size_t compared_bytes = 8192;

// Whether two answers say the same, as far as an embedding in the worker can
// tell; nothing where it cannot.
std::optional<bool> are_same(ngx_http_request_t *r,
                             ngx_http_llm_embedding_t *judge,
                             std::string_view a, std::string_view b) {
    if (a == b) {
        return true;
    }
    ngx_http_llm_embed_t first(r, judge, a.substr(0, compared_bytes));
    ngx_http_llm_embed_t second(r, judge, b.substr(0, compared_bytes));
    if (!first.await_ready() || !second.await_ready()) {
        return std::nullopt;
    }
    auto x = first.await_resume();
    auto y = second.await_resume();
    if (x.empty() || y.size() != x.size()) {
        return std::nullopt;
    }
    return llm::vector::kernels().dot_f32(x.data(), y.data(), x.size())
           >= same_answer;
}

}  // namespace

ngx_http_llm_cache_ctx_t::~ngx_http_llm_cache_ctx_t() {
    release();
}

void ngx_http_llm_cache_ctx_t::release() noexcept {
    if (!leased) {
        return;
    }
    leased = false;
    {
        ngx_http_llm_cache_locked_t locked(zone);
        locked->release(entry);
    }
    ngx_http_llm_cache_wake(zone, entry);
}

void ngx_http_llm_cache_ctx_t::on_begin() {
    assembler.reset();
    not_stored = {};
    stored = false;
}

void ngx_http_llm_cache_ctx_t::on_event(const llm::chat::Event &event) {
    using State = llm::Assembler::State;

    if (!store || stored) {
        return;
    }
    if (!assembler) {
        assembler.emplace(conf->max_entry);
    }
    if (assembler->state() != State::open) {
        return;
    }
    assembler->on_event(event);

    switch (assembler->state()) {
    case State::open:
        return;
    case State::complete:
        keep(assembler->response(&ctx->memory));
        break;
    case State::failed:
        not_stored = "error";
        break;
    case State::too_large:
        not_stored = "too_large";
        break;
    }
    release();
}

void ngx_http_llm_cache_ctx_t::on_response(
    const llm::chat::Response &response) {
    if (store) {
        keep(response);
    }
    release();
}

// An answer that cannot be kept is an answer all the same.
void ngx_http_llm_cache_ctx_t::keep(const llm::chat::Response &response) try {
    stored = true;

    auto skip = [&](std::string_view why) {
        not_stored = why;
        ngx_http_llm_cache_count(zone, &ngx_http_llm_cache_counts_t::unstorable);
    };

    auto unstorable = llm::cache::storable(response, conf->truncated);
    if (unstorable != llm::cache::Unstorable::none) {
        return skip(llm::cache::to_string(unstorable));
    }
    if (lesson) {
        learn(response);
    }
    if (ngx_http_test_predicates(ctx->request, conf->no_store) != NGX_OK) {
        return skip("no_store");
    }

    std::int64_t ttl_seconds = conf->ttl ? conf->ttl : zone->ttl;
    std::int64_t stale_seconds = conf->stale;
    if (conf->control) {
        auto answer = llm::cache::answer_policy(answer_control, ttl_seconds);
        if (!answer.store) {
            return skip("cache_control");
        }
        ttl_seconds = answer.ttl;
        stale_seconds = ngx_max(
            stale_seconds,
            ngx_max(answer.stale_while_revalidate, answer.stale_if_error));
    }

    llm::cache::EntryHead head;
    head.question = key.question;
    if (zone->embedding && !vector.empty()) {
        head.embedding = to_view(zone->embedding->name);
    }
    head.stored = ngx_time();
    head.ttl = ttl_seconds;

    std::string value;
    llm::cache::write_entry(head, response, value);
    if (value.size() > conf->max_entry) {
        return skip("too_large");
    }

    std::int64_t now = ngx_http_llm_cache_now();
    llm::cache::NewEntry created;
    created.key = entry;
    created.partition = &partition;
    created.vector = vector;
    created.value = value;
    created.ttl = ttl_seconds * second;
    created.stale_for = stale_seconds * second;

    llm::cache::Stored outcome;
    {
        ngx_http_llm_cache_locked_t locked(zone);
        if (conf->min_uses > 1
            && locked->count_use(entry, now)
                   < static_cast<std::uint32_t>(conf->min_uses)) {
            not_stored = "min_uses";
            return;
        }
        outcome = locked->put(created, now, ngx_http_llm_cache_scratch());
        locked.counts().stores += outcome == llm::cache::Stored::stored;
    }
    if (outcome != llm::cache::Stored::stored && !zone->redis) {
        return skip(outcome == llm::cache::Stored::too_large ? "too_large"
                                                             : "no_memory");
    }

    if (zone->redis) {
        ngx_http_llm_cache_redis_put(
            zone, {.key = entry,
                   .partition = partition,
                   .vector = vector,
                   .question = key.question,
                   .value = value,
                   .ttl = created.ttl,
                   .stale_for = created.stale_for});
    }

} catch (const std::bad_alloc &) {
    not_stored = "no_memory";
}

// Whether the stored answer would have been right.
void ngx_http_llm_cache_ctx_t::learn(const llm::chat::Response &response) {
    auto right = are_same(ctx->request, zone->judge, lesson->answer,
                          llm::cache::answer_text(response));
    if (!right) {
        return;
    }

    llm::cache::Observations seen;
    std::span<char> bytes(reinterpret_cast<char *>(&seen), sizeof(seen));
    std::int64_t now = ngx_http_llm_cache_now();

    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "llm: the cached answer at similarity %.3f would have been "
                  "%s", lesson->similarity, *right ? "right" : "wrong");

    ngx_http_llm_cache_locked_t locked(zone);
    auto found = locked.learned().get(lesson->entry, now, bytes,
                                      llm::cache::Access::peek);
    if (found.match == llm::cache::Match::miss || found.size != sizeof(seen)) {
        seen = {};
    }
    seen.add(lesson->similarity, *right);

    llm::cache::NewEntry created;
    created.key = lesson->entry;
    created.value = {bytes.data(), bytes.size()};
    // As long as anybody asks: what is not used makes room.
    created.ttl = std::int64_t{1000} * 86400 * 365;
    (void) locked.learned().put(created, now, ngx_http_llm_cache_scratch());
}
