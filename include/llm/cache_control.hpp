// Cache-Control (RFC 9111, section 5.2; RFC 5861 for the stale-* extensions)
// as far as a cache of answers honours it: what a client demands of an answer
// from the cache, and what a provider allows to be kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace llm::cache {

// The directives of one message; times in seconds, 0 .. 2^31. Of a directive
// that is there twice the stricter value counts; a value that is no number is
// the strictest one.
struct CacheControl {
    bool no_store = false;
    bool no_cache = false;          // with field names: the same here
    bool is_private = false;        // likewise
    bool only_if_cached = false;
    std::optional<std::int64_t> max_age;
    std::optional<std::int64_t> s_maxage;
    std::optional<std::int64_t> max_stale;      // without a value: 2^31
    std::optional<std::int64_t> min_fresh;
    std::optional<std::int64_t> stale_if_error;
    std::optional<std::int64_t> stale_while_revalidate;

    // Adds the directives of a Cache-Control header; there may be several.
    void add(std::string_view header) noexcept;
    // Of a Pragma header, where there is no Cache-Control at all.
    void add_pragma(std::string_view header) noexcept;
};

// What a request's directives mean.
struct RequestPolicy {
    bool read = true;       // an answer from the cache will do
    bool store = true;      // the answer may be kept
    bool must_hit = false;  // only-if-cached: no call, 504 where there is none
    // An entry serves while age <= max_age, at least min_fresh seconds are
    // left of its time, and it is at most max_stale seconds over it.
    std::int64_t max_age = std::int64_t{1} << 31;
    std::int64_t min_fresh = 0;
    std::int64_t max_stale = 0;
    std::optional<std::int64_t> stale_if_error;

    // Seconds since the entry was stored, and how many it was stored for.
    bool accepts(std::int64_t age, std::int64_t ttl) const noexcept;
};

RequestPolicy request_policy(const CacheControl &request) noexcept;

// What an answer's directives mean.
struct AnswerPolicy {
    bool store = true;
    std::int64_t ttl = 0;                       // seconds
    // How long over its time it may be served while it is fetched anew, and
    // while the provider fails.
    std::int64_t stale_while_revalidate = 0;
    std::int64_t stale_if_error = 0;
};

// `ttl`: the operator's, for an answer that names no time of its own. An
// answer that may be kept for no time at all is not kept.
AnswerPolicy answer_policy(const CacheControl &answer,
                           std::int64_t ttl) noexcept;

}  // namespace llm::cache
