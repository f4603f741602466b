// What the cache knows of one request, from the look-up to what is kept of the
// answer.
#pragma once

#include "context.hpp"

#include "cache/conf.hpp"
#include "cache/zone.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/assemble.hpp"
#include "llm/cache_control.hpp"
#include "llm/cache_key.hpp"
#include "llm/cache_verify.hpp"
#include "llm/exchange.hpp"

enum class ngx_http_llm_cache_status_t : std::uint8_t {
    none,
    hit,        // answered from the cache
    miss,
    bypass,     // the configuration or the client's Cache-Control says no
    refresh,    // there is an answer, but it is too old
};

enum class ngx_http_llm_cache_match_t : std::uint8_t { none, exact, semantic };

struct ngx_http_llm_cache_ctx_t final : llm::AnswerObserver {
    ngx_http_llm_cache_ctx_t(ngx_http_llm_ctx_t *ctx,
                             const ngx_http_llm_cache_conf_t *conf)
        : ctx(ctx),
          conf(conf),
          zone(conf->use.zone),
          bounds(conf->similarity.at >= 0 ? conf->similarity
                                          : conf->use.zone->similarity) {}
    // Gives back the right to make the call, if it is still held.
    ~ngx_http_llm_cache_ctx_t();

    // The provider's answer, to be kept (store.cpp).
    void on_begin() override;
    void on_event(const llm::chat::Event &event) override;
    void on_response(const llm::chat::Response &response) override;
    // Those who wait for this call need not wait any longer.
    void release() noexcept;

    ngx_http_llm_ctx_t *ctx;
    const ngx_http_llm_cache_conf_t *conf;
    ngx_http_llm_cache_zone_t *zone;
    ngx_http_llm_cache_similarity_t bounds;

    ngx_http_llm_cache_status_t status = ngx_http_llm_cache_status_t::none;
    ngx_http_llm_cache_match_t match = ngx_http_llm_cache_match_t::none;

    llm::cache::Key key;
    // Under which entries with vectors of this zone's embedding are together.
    llm::cache::ZoneKey partition = {};
    // The entry that the answer is, or will be kept as.
    llm::cache::ZoneKey entry = {};
    llm::cache::RequestPolicy policy;
    std::span<const float> vector;      // of the question; in the pool

    // Of a hit.
    double similarity = -1;             // of a semantic one
    std::int64_t age = -1;              // seconds
    std::int64_t ttl = -1;              // seconds left
    std::int64_t saved_prompt_tokens = 0;
    std::int64_t saved_completion_tokens = 0;
    std::int64_t saved_nanodollars = 0;
    // What verification found to differ in the nearest question.
    llm::cache::Difference difference = llm::cache::Difference::none;
    double nearest = -1;                // its similarity

    // The memory has a stand-in for the call's own entry: Redis has it.
    bool elsewhere = false;

    // An expired entry that answers where the provider does not.
    std::string stale;

    // llm_cache_learn: the entry that would have answered.
    struct Lesson {
        llm::cache::ZoneKey entry;
        double similarity;
        std::string answer;             // its text
    };
    std::optional<Lesson> lesson;

    // What is kept.
    llm::cache::CacheControl answer_control;    // the provider's
    std::optional<llm::Assembler> assembler;
    std::string_view not_stored;        // why; empty: it was, or not yet
    bool store = false;                 // it may be
    bool stored = false;
    bool leased = false;                // others wait for this call
    bool expired = false;               // there is an entry, over its time
    bool headers_added = false;

private:
    void keep(const llm::chat::Response &response);
    void learn(const llm::chat::Response &response);
};

// From the precontent phase, once the call is read and routed. NGX_OK: the
// answer is at hand, in ctx->exchange, and r->content_handler will send it.
// NGX_DECLINED: on to the provider. Else a status.
task::Task ngx_http_llm_cache_lookup(ngx_http_request_t *r,
                                     ngx_http_llm_ctx_t *ctx,
                                     const ngx_http_llm_loc_conf_t *llcf);

// The client is to hear this status. Whether it means that the provider failed
// and an expired entry answers instead: then that is in ctx->exchange.
bool ngx_http_llm_cache_rescue(ngx_http_llm_ctx_t *ctx, ngx_uint_t status);

// Whether the answer came from the cache: nobody has to be paid for it.
inline bool ngx_http_llm_cache_is_hit(const ngx_http_llm_ctx_t &ctx) noexcept {
    return ctx.cache && ctx.cache->status == ngx_http_llm_cache_status_t::hit;
}

// X-Cache-Status and its companions. NGX_OK or NGX_ERROR.
ngx_int_t ngx_http_llm_cache_answer_headers(ngx_http_request_t *r,
                                            ngx_http_llm_ctx_t *ctx) noexcept;

ngx_int_t ngx_http_llm_cache_add_variables(ngx_conf_t *cf) noexcept;

std::string_view ngx_http_llm_cache_word(
    ngx_http_llm_cache_status_t status) noexcept;
