// What an answer says about limits: header fields that clients know.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/limit.hpp"
#include "llm/limit_spec.hpp"

namespace llm::limit {

// One limit that a request was held to.
struct Held {
    std::string_view name;      // of the zone; for RateLimit
    Count count = Count::total;
    Limit limit;
    Decision decision;          // with the present request
};

struct HeaderField {
    std::string_view name;      // lower case; lasts for ever
    std::string value;
    bool operator==(const HeaderField &) const = default;
};

struct HeaderOptions {
    bool openai = true;         // x-ratelimit-*
    bool ietf = false;          // RateLimit, RateLimit-Policy
};

// A time as OpenAI writes it: "0s", "120ms", "8.64s", "6m0s", "1h0m30s".
// (platform.openai.com/docs/guides/rate-limits, "Rate limits in headers".)
std::string openai_duration(std::int64_t ms);

// The one that will refuse first, as far as that can be told: of those that
// refused the one that does so for longest; else the one with least remaining.
// nullptr without limits.
const Held *tightest(std::span<const Held> limits) noexcept;

// ms until all of them would grant; 0: all did; -1: one never will.
std::int64_t retry_after(std::span<const Held> limits) noexcept;

// x-ratelimit-{limit,remaining,reset}-{tokens,requests} of the tightest limit
// of either kind (limits on money are nobody's business); RateLimit-Policy
// and RateLimit of all (draft-ietf-httpapi-ratelimit-headers-10); and of a
// request that was refused, Retry-After (RFC 9110, section 10.2.3, seconds)
// and retry-after-ms, which the SDKs of OpenAI and Anthropic prefer; or
// x-should-retry: false, which they obey, if it never will be granted.
std::vector<HeaderField> limit_headers(std::span<const Held> limits,
                                       const HeaderOptions &options);

}  // namespace llm::limit
