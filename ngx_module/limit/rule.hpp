// Which calls a rule is about: llm_limit ... model=PATTERN.
#pragma once

#include "context.hpp"

#include "limit/conf.hpp"

#include <cstdint>
#include <string_view>

enum class ngx_http_llm_limit_concern_t : std::uint8_t {
    none,
    watched,    // another model is asked, but one of the rule's may answer
    asked,      // one of the rule's models is asked, or may be the first
    by_name,    // it is about what the client calls the model, or about all
};

// Of a call that is routed.
ngx_http_llm_limit_concern_t ngx_http_llm_limit_concern(
    const ngx_http_llm_limit_rule_t &rule,
    const ngx_http_llm_ctx_t &ctx) noexcept;

// Whether a rule is about a pool's member. model: what a member without one
// of its own is asked for.
bool ngx_http_llm_limit_matches(const ngx_http_llm_limit_rule_t &rule,
                                const ngx_http_llm_member_t &member,
                                std::string_view model) noexcept;
