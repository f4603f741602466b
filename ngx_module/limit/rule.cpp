#include "limit/rule.hpp"

namespace {

using Concern = ngx_http_llm_limit_concern_t;
using Rule = ngx_http_llm_limit_rule_t;

bool matches(const Rule &rule, std::string_view model) noexcept {
    auto models = static_cast<ngx_str_t *>(rule.models.elts);
    for (ngx_uint_t i = 0; i < rule.models.nelts; ++i) {
        std::string_view pattern = to_view(models[i]);
        if (pattern.ends_with('*')
                ? model.starts_with(pattern.substr(0, pattern.size() - 1))
                : model == pattern) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool ngx_http_llm_limit_matches(const Rule &rule,
                                const ngx_http_llm_member_t &member,
                                std::string_view model) noexcept {
    return matches(rule, to_view(member.name))
           || (member.alias.len && matches(rule, to_view(member.alias)))
           || matches(rule, member.model.len ? to_view(member.model) : model);
}

ngx_http_llm_limit_concern_t ngx_http_llm_limit_concern(
    const Rule &rule, const ngx_http_llm_ctx_t &ctx) noexcept {
    if (rule.models.nelts == 0) {
        return Concern::by_name;
    }
    const auto &named = ctx.exchange->head().model;
    if (ctx.pool == nullptr) {
        return matches(rule, named) ? Concern::by_name : Concern::none;
    }
    auto members = static_cast<ngx_http_llm_member_t *>(
        ctx.pool->members.elts);
    bool chosen = ctx.member >= 0;
    if (!chosen && matches(rule, named)) {
        return Concern::by_name;
    }

    Concern concern = Concern::none;
    for (ngx_int_t i = 0;
         i < static_cast<ngx_int_t>(ctx.pool->members.nelts); ++i) {
        if (!ngx_http_llm_limit_matches(rule, members[i], ctx.model)) {
            continue;
        }
        bool first = chosen ? i == ctx.member
                            : !members[i].backup && !members[i].down;
        if (first) {
            return Concern::asked;
        }
        concern = Concern::watched;
    }
    return concern;
}
