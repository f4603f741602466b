// Whether a call is answered from the cache: the way from its key to a stored
// answer.
#include "cache/request.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "account/cost.hpp"
#include "answer.hpp"
#include "cache/redis_tier.hpp"
#include "cache/wait.hpp"
#include "client_header.hpp"
#include "consumer.hpp"
#include "embedding/embedding.hpp"
#include "llm/cache_entry.hpp"
#include "llm/cache_redis.hpp"
#include "llm/cache_renditions.hpp"
#include "precontent.hpp"

namespace {

using Cache = ngx_http_llm_cache_ctx_t;
using Conf = ngx_http_llm_cache_conf_t;
using Counts = ngx_http_llm_cache_counts_t;
using MatchKind = ngx_http_llm_cache_match_t;
using Status = ngx_http_llm_cache_status_t;
using llm::cache::Access;
using llm::cache::Match;
using llm::cache::ZoneKey;

namespace remote = llm::cache::remote;

// How many of the nearest questions are looked at: the nearest may be refused
// by verification, where one a bit further away is not.
constexpr size_t max_candidates = 4;

// Of those who wait for a call of another worker.
constexpr ngx_msec_t look_again = 50;

// How long at least an old answer is served while one call fetches a new one:
// without any time nobody would be asked to.
constexpr ngx_msec_t least_refresh = 1000;

// Where entries are copied to while the lock is held: used up before the
// worker does anything else.
std::string_view copy_of(Cache &cache, const ZoneKey &key, Access access,
                         llm::cache::Found &found,
                         std::int64_t refresh_lease = 0) {
    static std::vector<char> buffer(64 * 1024);
    std::int64_t now = ngx_http_llm_cache_now();

    for (;;) {
        {
            ngx_http_llm_cache_locked_t locked(cache.zone);
            found = locked->get(key, now, buffer, access, refresh_lease);
        }
        if (found.match == Match::miss || found.copied) {
            return {buffer.data(), found.size};
        }
        buffer.resize(found.size);
    }
}

// The name of what would answer.
std::string_view answerer(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) {
    auto join = [&](std::initializer_list<std::string_view> parts) {
        size_t size = 0;
        for (auto part : parts) {
            size += part.size();
        }
        auto start = static_cast<u_char *>(ngx_pnalloc(r->pool, size));
        if (start == nullptr) {
            throw std::bad_alloc();
        }
        u_char *p = start;
        for (auto part : parts) {
            p = std::copy(part.begin(), part.end(), p);
        }
        return std::string_view(reinterpret_cast<char *>(start), size);
    };

    if (ctx->pool == nullptr) {
        // Another content handler: all we know of it is where it is. Servers
        // without a name are told apart by where they listen. The path may
        // name a deployment or a tenant; its last part is the API's.
        auto cscf = static_cast<ngx_http_core_srv_conf_t *>(
            ngx_http_get_module_srv_conf(r, ngx_http_core_module));
        auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
            ngx_http_get_module_loc_conf(r, ngx_http_core_module));
        std::string_view uri = to_view(r->uri);
        return join({"location\n", to_view(cscf->server_name), "\n",
                     to_view(r->connection->listening->addr_text), "\n",
                     to_view(clcf->name), "\n",
                     uri.substr(0, uri.rfind('/')), "\n",
                     ctx->exchange->head().model});
    }
    if (ctx->member < 0) {
        return join({"pool\n", to_view(ctx->pool->name)});
    }
    const auto &member =
        members_of(ctx->pool)[static_cast<size_t>(ctx->member)];
    return join({"model\n", to_view(member.name), "\n",
                 member.model.len ? std::string_view() : ctx->model});
}

void read_cache_control(ngx_http_request_t *r, Cache &cache) {
    llm::cache::CacheControl control;
    bool said = false;
    ngx_http_llm_each_client_header(r, "cache-control",
                                    [&](std::string_view value) {
                                        said = true;
                                        control.add(value);
                                    });
    if (!said) {
        ngx_http_llm_each_client_header(
            r, "pragma",
            [&](std::string_view value) { control.add_pragma(value); });
    }
    cache.policy = llm::cache::request_policy(control);
}

void make_key(ngx_http_request_t *r, Cache &cache,
              const ngx_http_llm_loc_conf_t *llcf,
              const llm::chat::Request &request) {
    const Conf &conf = *cache.conf;
    llm::cache::KeyOptions options;

    options.model = answerer(r, cache.ctx);
    options.shared = conf.shared;
    if (!conf.shared) {
        options.consumer = ngx_http_llm_consumer_identity(r, llcf);
        if (options.consumer.data() == nullptr) {
            throw std::bad_alloc();
        }
    }
    ngx_str_t own;
    if (conf.key) {
        if (ngx_http_complex_value(r, conf.key, &own) != NGX_OK) {
            throw std::bad_alloc();
        }
        options.partition = to_view(own);
    }
    options.messages = static_cast<size_t>(conf.messages);
    options.ignored.system = conf.ignore & NGX_HTTP_LLM_CACHE_IGNORE_SYSTEM;
    options.ignored.assistant =
        conf.ignore & NGX_HTTP_LLM_CACHE_IGNORE_ASSISTANT;
    options.ignored.tool = conf.ignore & NGX_HTTP_LLM_CACHE_IGNORE_TOOL;
    options.max_temperature = conf.max_temperature;

    cache.key = llm::cache::make_key(request, options, &cache.ctx->memory);
    cache.entry = cache.key.exact.bytes;
    // Vectors of two embeddings do not compare: never in one partition. A
    // digest stays one when another is added to it.
    cache.partition = cache.key.partition.bytes;
    if (cache.zone->embedding) {
        for (size_t i = 0; i < cache.partition.size(); ++i) {
            cache.partition[i] ^= cache.zone->embedding->identity[i];
        }
    }
}

// Of this worker: at most 8 MB, where every answer were as large as it may be;
// of usual answers about 1 MB.
llm::cache::Renditions &renditions() {
    static llm::cache::Renditions known(512, 16 * 1024);
    return known;
}

enum class Served : std::uint8_t { yes, too_old, broken };

Served answered(Cache &cache, const ZoneKey &key, std::int64_t age,
                std::int64_t ttl) {
    cache.entry = key;
    cache.age = age;
    cache.ttl = ngx_max(ttl - age, 0);

    const auto &usage = cache.ctx->exchange->account().usage;
    cache.saved_prompt_tokens = usage.prompt_tokens;
    cache.saved_completion_tokens = usage.completion_tokens;
    cache.saved_nanodollars = ngx_http_llm_saved_cost(*cache.ctx);
    return Served::yes;
}

// Makes the answer of a stored entry.
Served serve(Cache &cache, const ZoneKey &key, std::string_view value,
             bool even_stale = false) {
    ngx_http_llm_ctx_t *ctx = cache.ctx;
    llm::Exchange &exchange = *ctx->exchange;

    auto known = renditions().find(key, value, exchange.head().stream);
    if (known) {
        std::int64_t age = known->head.age(ngx_time());
        if (!even_stale && !cache.policy.accepts(age, known->head.ttl)) {
            return Served::too_old;
        }
        if (exchange.answer(known->rendition)) {
            return answered(cache, key, age, known->head.ttl);
        }
    }

    llm::json::Document document(&ctx->memory);

    auto parsed = document.parse(value);
    auto entry = parsed ? llm::cache::read_entry(document, &ctx->memory)
                        : llm::Result<llm::cache::Entry>(parsed.error());
    if (!entry) {
        ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                      "llm: an entry of llm_cache_zone \"%V\" is broken: %s",
                      &cache.zone->name, entry.error().message.c_str());
        return Served::broken;
    }

    const auto &head = entry->head;
    std::int64_t age = head.age(ngx_time());
    if (!even_stale && !cache.policy.accepts(age, head.ttl)) {
        return Served::too_old;
    }

    // Another answer than the one that was given first: it has its own id.
    entry->response.id = {};
    exchange.answer(entry->response);
    renditions().offer(key, value, head, exchange);
    return answered(cache, key, age, head.ttl);
}

ngx_int_t send_handler(ngx_http_request_t *r) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    llm::Exchange &exchange = *ctx->exchange;
    return ngx_http_llm_send(r, ctx,
                             static_cast<ngx_uint_t>(exchange.status()),
                             exchange.content_type(),
                             std::move(exchange.output()));
}

void count_hit(Cache &cache, bool stale, bool from_redis) {
    ngx_http_llm_cache_locked_t locked(cache.zone);
    Counts &counts = locked.counts();
    counts.hits += 1;
    counts.semantic_hits += cache.match == MatchKind::semantic;
    counts.stale_hits += stale;
    counts.redis_hits += from_redis;
    counts.saved_prompt_tokens +=
        static_cast<std::uint64_t>(cache.saved_prompt_tokens);
    counts.saved_completion_tokens +=
        static_cast<std::uint64_t>(cache.saved_completion_tokens);
    counts.saved_nanodollars +=
        static_cast<std::uint64_t>(cache.saved_nanodollars);
}

// The answer is at hand: the content phase sends it.
ngx_int_t hit(Cache &cache, MatchKind match, bool stale = false,
              bool from_redis = false) {
    ngx_http_llm_ctx_t *ctx = cache.ctx;
    cache.status = Status::hit;
    cache.match = match;
    cache.store = false;
    count_hit(cache, stale, from_redis);

    ctx->request->content_handler = send_handler;
    ctx->first_msec = ctx->end_msec = ngx_current_msec;
    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "llm: %s cache hit in \"%V\"%s",
                  match == MatchKind::semantic ? "semantic" : "exact",
                  &cache.zone->name, stale ? ", stale" : "");
    return NGX_OK;
}

void forget(Cache &cache, const ZoneKey &key) {
    {
        ngx_http_llm_cache_locked_t locked(cache.zone);
        (void) locked->remove(key);
    }
    if (cache.zone->redis) {
        ngx_http_llm_cache_redis_remove(cache.zone, key, cache.partition);
    }
}

// An entry that came from Redis goes into the memory in front of it. With its
// vector where the memory is searched for all gateways: else it would take the
// place of what can be found by meaning.
void remember(Cache &cache, const ZoneKey &key, std::string_view value) {
    std::int64_t now = ngx_http_llm_cache_now();
    llm::cache::NewEntry created;
    created.key = key;
    created.partition = &cache.partition;
    created.value = value;
    if (cache.zone->index == NGX_HTTP_LLM_INDEX_MEMORY
        && cache.zone->embedding) {
        if (key != cache.entry
            || (cache.elsewhere && cache.vector.empty())) {
            return;
        }
        created.vector = cache.vector;
    }
    created.ttl = cache.ttl * 1000;
    if (created.ttl == 0) {
        return;
    }
    ngx_http_llm_cache_locked_t locked(cache.zone);
    (void) locked->put(created, now, ngx_http_llm_cache_scratch());
}

// The entry with the call's own key, in the workers' memory.
ngx_int_t exact_in_memory(Cache &cache) {
    const Conf &conf = *cache.conf;
    bool updating = conf.stale_for & NGX_HTTP_LLM_CACHE_STALE_UPDATING;

    llm::cache::Found found;
    std::string_view value = copy_of(
        cache, cache.entry, Access::exact, found,
        updating ? static_cast<std::int64_t>(
                       ngx_max(conf.lock_timeout, least_refresh)) : 0);

    if (found.match == Match::miss) {
        return NGX_DECLINED;
    }
    if (remote::is_stand_in(value)) {
        cache.elsewhere = true;
        return NGX_DECLINED;
    }
    if (found.match == Match::stale) {
        // The client may have said how stale it takes an answer.
        if (cache.policy.max_stale > 0
            && serve(cache, cache.entry, value) == Served::yes) {
            return hit(cache, MatchKind::exact, true);
        }
        if (updating && !found.refresh
            && serve(cache, cache.entry, value, true) == Served::yes) {
            return hit(cache, MatchKind::exact, true);
        }
        cache.status = Status::refresh;
        cache.expired = true;
        if (conf.stale_for & NGX_HTTP_LLM_CACHE_STALE_ERROR) {
            cache.stale = value;
        }
        return NGX_DECLINED;
    }

    switch (serve(cache, cache.entry, value)) {
    case Served::yes:
        return hit(cache, MatchKind::exact);
    case Served::too_old:
        cache.status = Status::refresh;
        break;
    case Served::broken:
        forget(cache, cache.entry);
        break;
    }
    return NGX_DECLINED;
}

// Whether the answer to a stored question answers this one, too.
bool agrees(Cache &cache, double similarity, std::string_view question) {
    const Conf &conf = *cache.conf;

    if (!conf.verify) {
        return similarity >= cache.bounds.at;
    }
    auto verdict = llm::cache::verify(cache.key.question, question,
                                      similarity >= cache.bounds.at
                                          ? llm::cache::Strictness::normal
                                          : llm::cache::Strictness::strict);
    if (verdict.agrees()) {
        return true;
    }
    if (cache.difference == llm::cache::Difference::none) {
        // Of the nearest.
        cache.difference = verdict.difference;
    }
    ngx_http_llm_cache_count(cache.zone, &Counts::refused);
    return false;
}

// llm_cache_learn: whether this entry may answer, or is to be tried against a
// new answer.
bool is_trusted(Cache &cache, const ZoneKey &key, double similarity,
                std::string_view value) {
    if (cache.conf->learn == 0) {
        return true;
    }
    llm::cache::Observations seen;
    std::span<char> bytes(reinterpret_cast<char *>(&seen), sizeof(seen));
    {
        ngx_http_llm_cache_locked_t locked(cache.zone);
        auto found = locked.learned().get(key, ngx_http_llm_cache_now(), bytes,
                                          Access::exact);
        if (found.match == Match::miss || found.size != sizeof(seen)) {
            seen = {};
        }
    }
    double draw = static_cast<double>(ngx_random() & 0xFFFFFF) / 0x1000000;
    if (llm::cache::serve(seen, similarity, cache.conf->learn, draw)) {
        return true;
    }

    llm::json::Document document(&cache.ctx->memory);
    if (document.parse(value)) {
        if (auto entry =
                llm::cache::read_entry(document, &cache.ctx->memory)) {
            cache.lesson = {key, similarity,
                            llm::cache::answer_text(entry->response)};
        }
    }
    return false;
}

std::string question_of(Cache &cache, const ZoneKey &key,
                        std::string_view value) {
    auto known = renditions().find(key, value,
                                   cache.ctx->exchange->head().stream);
    if (known) {
        return known->question;
    }
    if (remote::is_stand_in(value)) {
        return std::string(remote::question_of(value));
    }
    llm::json::Document document(&cache.ctx->memory);
    if (!document.parse(value)) {
        return {};
    }
    return std::string(document.root()["question"].string());
}

// Serves a candidate that verification has let through.
ngx_int_t serve_semantic(Cache &cache, const ZoneKey &key, double similarity,
                         std::string_view value, bool from_redis) {
    if (!is_trusted(cache, key, similarity, value)) {
        return NGX_DECLINED;
    }
    switch (serve(cache, key, value)) {
    case Served::yes:
        cache.similarity = similarity;
        return hit(cache, MatchKind::semantic, false, from_redis);
    case Served::too_old:
        cache.status = Status::refresh;
        break;
    case Served::broken:
        forget(cache, key);
        break;
    }
    return NGX_DECLINED;
}

// Entries of Redis by key: those found by meaning, too.
task::Task from_redis(ngx_http_request_t *r, Cache &cache, ZoneKey key,
                      std::string &value) {
    co_return co_await ngx_http_llm_cache_redis_get(r, cache.zone, key, value);
}

task::Task exact_in_redis(ngx_http_request_t *r, Cache &cache) {
    std::string value;
    if (co_await from_redis(r, cache, cache.entry, value) != NGX_OK) {
        co_return NGX_DECLINED;
    }
    switch (serve(cache, cache.entry, value)) {
    case Served::yes:
        remember(cache, cache.entry, value);
        co_return hit(cache, MatchKind::exact, false, true);
    case Served::too_old:
        cache.status = Status::refresh;
        if (cache.conf->stale_for & NGX_HTTP_LLM_CACHE_STALE_ERROR) {
            cache.stale = value;
        }
        break;
    case Served::broken:
        // What is stored next takes its place.
        break;
    }
    co_return NGX_DECLINED;
}

// What an entry in memory stands for.
task::Task behind_stand_in(ngx_http_request_t *r, Cache &cache, ZoneKey key,
                           double similarity) {
    std::string value;
    ngx_int_t rc = co_await from_redis(r, cache, key, value);
    if (rc == NGX_DECLINED) {
        ngx_http_llm_cache_locked_t locked(cache.zone);
        (void) locked->remove(key);
    }
    if (rc != NGX_OK) {
        co_return NGX_DECLINED;
    }
    co_return serve_semantic(cache, key, similarity, value, true);
}

task::Task semantic_in_memory(ngx_http_request_t *r, Cache &cache) {
    llm::cache::Candidate found[max_candidates];
    llm::cache::SearchOptions options;
    options.min_similarity = static_cast<float>(cache.bounds.grey);

    size_t count;
    {
        ngx_http_llm_cache_locked_t locked(cache.zone);
        count = locked->search(cache.partition, cache.vector,
                               ngx_http_llm_cache_now(), options,
                               ngx_http_llm_cache_scratch(), found);
    }
    if (count) {
        cache.nearest = found[0].similarity;
    }

    for (size_t i = 0; i < count; ++i) {
        const auto &candidate = found[i];
        llm::cache::Found copied;
        std::string_view value =
            copy_of(cache, candidate.key, Access::peek, copied);
        if (copied.match != Match::fresh
            || !agrees(cache, candidate.similarity,
                       question_of(cache, candidate.key, value))) {
            continue;
        }
        value = copy_of(cache, candidate.key, Access::semantic, copied);
        if (copied.match != Match::fresh) {
            continue;
        }
        ngx_int_t rc;
        if (remote::is_stand_in(value)) {
            rc = co_await behind_stand_in(r, cache, candidate.key,
                                          candidate.similarity);
        } else {
            rc = serve_semantic(cache, candidate.key, candidate.similarity,
                                value, false);
        }
        if (rc == NGX_OK) {
            co_return NGX_OK;
        }
        if (cache.lesson) {
            break;
        }
    }
    co_return NGX_DECLINED;
}

task::Task semantic_in_redis(ngx_http_request_t *r, Cache &cache) {
    std::vector<ngx_http_llm_cache_neighbour_t> found;
    if (co_await ngx_http_llm_cache_redis_search(
            r, cache.zone, cache.partition, cache.vector,
            static_cast<float>(cache.bounds.grey), found)
        != NGX_OK) {
        co_return NGX_DECLINED;
    }
    if (!found.empty()) {
        cache.nearest = ngx_max(cache.nearest,
                                static_cast<double>(found[0].similarity));
    }
    for (const auto &neighbour : found) {
        if (!agrees(cache, neighbour.similarity, neighbour.question)) {
            continue;
        }
        std::string value;
        ngx_int_t rc = co_await from_redis(r, cache, neighbour.key, value);
        if (rc == NGX_DECLINED) {
            // Gone, but for its vector.
            ngx_http_llm_cache_redis_remove(cache.zone, neighbour.key,
                                            cache.partition);
        }
        if (rc != NGX_OK) {
            continue;
        }
        if (serve_semantic(cache, neighbour.key, neighbour.similarity, value,
                           true) == NGX_OK) {
            remember(cache, neighbour.key, value);
            co_return NGX_OK;
        }
        if (cache.lesson) {
            break;
        }
    }
    co_return NGX_DECLINED;
}

// Waits while another request makes the same call. NGX_OK: it has brought the
// answer.
task::Task wait_for_others(ngx_http_request_t *r, Cache &cache) {
    ngx_msec_t patience = cache.conf->lock_timeout;
    ngx_msec_t start = ngx_current_msec;
    {
        std::int64_t now = ngx_http_llm_cache_now();
        ngx_http_llm_cache_locked_t locked(cache.zone);
        cache.leased = locked->lease(
            cache.entry, now, now + static_cast<std::int64_t>(patience));
    }
    if (cache.leased && !cache.expired && exact_in_memory(cache) == NGX_OK) {
        // Stored between the look-up and now.
        cache.release();
        co_return NGX_OK;
    }
    while (!cache.leased) {
        ngx_msec_t waited = ngx_current_msec - start;
        if (waited >= patience) {
            break;
        }
        ngx_http_llm_cache_wait_t wait(r, cache.zone, cache.entry,
                                       ngx_min(look_again, patience - waited));
        co_await wait;

        if (exact_in_memory(cache) == NGX_OK) {
            co_return NGX_OK;
        }
        ngx_http_llm_cache_locked_t locked(cache.zone);
        if (!locked->is_leased(cache.entry, ngx_http_llm_cache_now())) {
            // There will be no answer: all who waited make their own calls,
            // rather than one after the other.
            break;
        }
    }
    co_return NGX_DECLINED;
}

task::Task embed_question(ngx_http_request_t *r, Cache &cache) {
    ngx_http_llm_embed_t embed(r, cache.zone->embedding, cache.key.question);
    auto vector = co_await embed;
    if (!vector.empty()) {
        auto own =
            static_cast<float *>(ngx_palloc(r->pool, vector.size_bytes()));
        if (own == nullptr) {
            throw std::bad_alloc();
        }
        std::memcpy(own, vector.data(), vector.size_bytes());
        cache.vector = {own, vector.size()};
    }
    co_return NGX_OK;
}

// All places, the cheapest first.
task::Task find(ngx_http_request_t *r, Cache &cache) {
    if (exact_in_memory(cache) == NGX_OK) {
        co_return NGX_OK;
    }
    bool semantic = cache.zone->embedding && cache.bounds.at <= 1
                    && cache.key.obstacle == llm::cache::Obstacle::none;
    bool ask_redis = cache.zone->redis && cache.status != Status::refresh;

    // A worker that has all vectors itself asks Redis at last, unless it knows
    // that the entry is there; a vector that has to be fetched is worth a look
    // at Redis before.
    if (ask_redis
        && (cache.elsewhere || cache.zone->index != NGX_HTTP_LLM_INDEX_MEMORY
            || (semantic && !cache.zone->embedding->local))) {
        ask_redis = false;
        if (cache.elsewhere && semantic && cache.zone->embedding->local) {
            // To remember what comes with its vector.
            (void) co_await embed_question(r, cache);
        }
        if (co_await exact_in_redis(r, cache) == NGX_OK) {
            co_return NGX_OK;
        }
    }

    if (semantic && cache.vector.empty()) {
        (void) co_await embed_question(r, cache);
    }
    bool search = !cache.vector.empty() && cache.status != Status::refresh;

    if (search && co_await semantic_in_memory(r, cache) == NGX_OK) {
        co_return NGX_OK;
    }
    if (ask_redis && cache.status != Status::refresh
        && co_await exact_in_redis(r, cache) == NGX_OK) {
        co_return NGX_OK;
    }
    if (search && !cache.lesson && cache.zone->redis
        && cache.zone->index != NGX_HTTP_LLM_INDEX_MEMORY
        && cache.status != Status::refresh
        && co_await semantic_in_redis(r, cache) == NGX_OK) {
        co_return NGX_OK;
    }
    co_return NGX_DECLINED;
}

llm::Error not_cached() {
    llm::Error error;
    error.kind = llm::ErrorKind::timeout;
    error.message = "the answer is not in the cache, and the request allows "
                    "nothing else (Cache-Control: only-if-cached)";
    error.code = "not_cached";
    return error;
}

}  // namespace

task::Task ngx_http_llm_cache_lookup(ngx_http_request_t *r,
                                     ngx_http_llm_ctx_t *ctx,
                                     const ngx_http_llm_loc_conf_t *llcf) {
    const Conf &conf = llcf->cache;
    if (conf.use.zone == nullptr
        || ctx->route.operation != llm::Operation::chat) {
        co_return NGX_DECLINED;
    }

    auto memory = ngx_palloc(r->pool, sizeof(Cache));
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    ctx->cache.reset(new (memory) Cache(ctx, &conf));
    Cache &cache = *ctx->cache;

    auto request = ctx->exchange->request();
    if (!request || llm::cache::runs_tools(**request)) {
        // Newer than this gateway, or wrong: the provider will tell. Or what
        // it does for the call is more than an answer.
        cache.status = Status::bypass;
        ngx_http_llm_cache_count(cache.zone, &Counts::bypasses);
        co_return NGX_DECLINED;
    }
    make_key(r, cache, llcf, **request);

    if (conf.control) {
        read_cache_control(r, cache);
    }
    cache.store = cache.policy.store;
    bool bypass = ngx_http_test_predicates(r, conf.bypass) != NGX_OK;

    if (bypass || (!cache.policy.read && !cache.policy.store)) {
        cache.status = Status::bypass;
        ngx_http_llm_cache_count(cache.zone, &Counts::bypasses);
    } else if (!cache.policy.read) {
        cache.status = Status::refresh;
    } else if (co_await find(r, cache) == NGX_OK) {
        co_return NGX_OK;
    }

    if (cache.policy.must_hit) {
        cache.status = Status::miss;
        ngx_http_llm_cache_count(cache.zone, &Counts::misses);
        co_return ngx_http_llm_refuse(ctx, not_cached());
    }
    if (conf.lock && cache.store && !cache.lesson
        && (cache.status == Status::none || cache.expired)
        && co_await wait_for_others(r, cache) == NGX_OK) {
        co_return NGX_OK;
    }

    if (cache.status == Status::none) {
        cache.status = Status::miss;
        ngx_http_llm_cache_count(cache.zone, &Counts::misses);
    } else if (cache.status == Status::refresh) {
        ngx_http_llm_cache_count(cache.zone, &Counts::refreshes);
    }
    if (cache.store) {
        ctx->exchange->observe(&cache);
    }
    co_return NGX_DECLINED;
}

bool ngx_http_llm_cache_rescue(ngx_http_llm_ctx_t *ctx, ngx_uint_t status) {
    bool failed = status >= 500 || status == NGX_HTTP_TOO_MANY_REQUESTS
                  || status == NGX_HTTP_REQUEST_TIME_OUT;
    if (!failed || !ctx->cache || ctx->cache->stale.empty()) {
        return false;
    }
    Cache &cache = *ctx->cache;
    std::string value = std::move(cache.stale);
    cache.stale.clear();
    if (serve(cache, cache.entry, value, true) != Served::yes) {
        return false;
    }
    cache.status = Status::hit;
    cache.match = MatchKind::exact;
    count_hit(cache, true, false);
    cache.release();
    ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                  "llm: the provider failed, an answer of %L seconds ago "
                  "takes its place", cache.age);
    return true;
}
