#include "account/cost.hpp"

#include <new>
#include <span>

#include "cache/request.hpp"

namespace {

using llm::price::Price;
using llm::price::Table;

const Price *find_in(const Table &table,
                     const ngx_http_llm_provider_t *provider,
                     std::string_view model) noexcept {
    if (provider == nullptr) {
        return table.find({}, model);
    }
    const Price *own = table.find(to_view(provider->name), model);
    if (provider->preset.len == 0 || (own && own->provider != "*")) {
        return own;
    }
    return table.find(to_view(provider->preset), model);
}

bool has_image_rate(const Price &price) noexcept {
    constexpr auto image = static_cast<size_t>(llm::price::Item::image);
    for (const auto &tier : price.tiers) {
        if (tier.rates[image]) {
            return true;
        }
    }
    return false;
}

std::int64_t images_of(llm::Exchange &exchange) {
    std::int64_t count = 0;
    if (auto request = exchange.request()) {
        for (const auto &message : (*request)->messages) {
            for (const auto &part : message.parts) {
                count += part.type == llm::chat::PartType::image;
            }
        }
    }
    return count;
}

std::int64_t cost_of(ngx_http_llm_ctx_t &ctx, const Price *price) noexcept try {
    if (price == nullptr) {
        return 0;
    }
    // A request is read for its images only where they cost something.
    return llm::price::cost(
        *price, ctx.exchange->account().usage,
        has_image_rate(*price) ? images_of(*ctx.exchange) : 0);

} catch (const std::bad_alloc &) {
    return llm::price::cost(*price, ctx.exchange->account().usage);
}

bool has_usage(const ngx_http_llm_ctx_t &ctx) noexcept {
    if (!ctx.exchange) {
        return false;
    }
    const auto &usage = ctx.exchange->account().usage;
    return usage.known || usage.estimated;
}

std::span<const ngx_http_llm_member_t> candidates_of(
    const ngx_http_llm_ctx_t &ctx) noexcept {
    if (ctx.pool == nullptr) {
        return {};
    }
    auto members =
        static_cast<const ngx_http_llm_member_t *>(ctx.pool->members.elts);
    if (ctx.member >= 0) {
        return {members + ctx.member, 1};
    }
    return {members, ctx.pool->members.nelts};
}

// Of an answer from the cache: who gave it once is not kept, but the model is.
// The one of the pool's members that has it, else the only one that was asked.
const Price *price_of_cached(const ngx_http_llm_ctx_t &ctx) noexcept {
    std::string_view model = ctx.exchange->account().response_model;
    auto members = candidates_of(ctx);
    if (members.empty()) {
        return ngx_http_llm_find_price(ctx.conf, nullptr, model);
    }
    for (const auto &member : members) {
        // "gpt-4o" answers as "gpt-4o-2024-08-06".
        if (member.model.len && model.starts_with(to_view(member.model))) {
            if (auto price = ngx_http_llm_find_price(
                    ctx.conf, member.provider, to_view(member.model))) {
                return price;
            }
        }
    }
    for (const auto &member : members) {
        if (auto price = ngx_http_llm_find_price(ctx.conf, member.provider,
                                                 model)) {
            return price;
        }
    }
    std::string_view asked = members[0].model.len ? to_view(members[0].model)
                                                  : ctx.model;
    return members.size() == 1
               ? ngx_http_llm_find_price(ctx.conf, members[0].provider, asked)
               : nullptr;
}

}  // namespace

const Price *ngx_http_llm_find_price(const ngx_http_llm_loc_conf_t *llcf,
                                     const ngx_http_llm_provider_t *provider,
                                     std::string_view model) noexcept {
    if (llcf == nullptr || llcf->account.prices == nullptr || model.empty()) {
        return nullptr;
    }
    auto tables = static_cast<const Table **>(llcf->account.prices->elts);
    for (ngx_uint_t i = 0; i < llcf->account.prices->nelts; ++i) {
        if (auto price = find_in(*tables[i], provider, model)) {
            return price;
        }
    }
    return nullptr;
}

const Price *ngx_http_llm_price_of(const ngx_http_llm_ctx_t &ctx) noexcept {
    if (!ctx.exchange) {
        return nullptr;
    }
    const auto *provider = ctx.answered ? ctx.answered->provider : nullptr;
    if (auto price = ngx_http_llm_find_price(ctx.conf, provider,
                                             to_view(ctx.answered_model))) {
        return price;
    }
    return ngx_http_llm_find_price(ctx.conf, provider,
                                   ctx.exchange->account().response_model);
}

std::optional<std::int64_t> ngx_http_llm_cost(ngx_http_llm_ctx_t &ctx)
    noexcept {
    if (ctx.conf == nullptr || ctx.conf->account.prices == nullptr
        || !has_usage(ctx)) {
        return std::nullopt;
    }
    if (ngx_http_llm_cache_is_hit(ctx)) {
        return 0;
    }
    return cost_of(ctx, ngx_http_llm_price_of(ctx));
}

std::int64_t ngx_http_llm_saved_cost(ngx_http_llm_ctx_t &ctx) noexcept {
    if (ctx.conf == nullptr || ctx.conf->account.prices == nullptr
        || !has_usage(ctx)) {
        return 0;
    }
    return cost_of(ctx, price_of_cached(ctx));
}
