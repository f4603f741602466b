// What calls cost, by llm_prices. Amounts are nano-dollars.
#pragma once

#include "context.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

#include "llm/price.hpp"

// What a model of a provider costs: by the provider's name, else by its
// preset's. `provider` NULL: another content handler, of which only prices for
// any provider ("*") are true. NULL: no price is known, or there is no
// llm_prices.
const llm::price::Price *ngx_http_llm_find_price(
    const ngx_http_llm_loc_conf_t *llcf,
    const ngx_http_llm_provider_t *provider, std::string_view model) noexcept;

// The price of who answered: by the model's name as it was sent, else as the
// provider says it. NULL: not known, or nobody answered.
const llm::price::Price *ngx_http_llm_price_of(
    const ngx_http_llm_ctx_t &ctx) noexcept;

// What the call cost, as far as its usage is known by now: final once the
// answer is over. Of who answered, be it after a fallback; 0 for a hit of the
// cache and for a model without a price. None: there is no llm_prices, or no
// answer yet.
std::optional<std::int64_t> ngx_http_llm_cost(ngx_http_llm_ctx_t &ctx)
    noexcept;

// What an answer from the cache would have cost; 0 where nobody knows.
std::int64_t ngx_http_llm_saved_cost(ngx_http_llm_ctx_t &ctx) noexcept;
