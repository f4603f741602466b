#include "variables.hpp"

#include "cache/request.hpp"
#include "consumer.hpp"
#include "variable.hpp"

namespace {

using Ctx = ngx_http_llm_ctx_t;

// What a variable is made of: text that exists already, or a number.
struct Text {
    bool found = false;
    std::string_view text;
};

Text found(std::string_view text) {
    return {true, text};
}

const llm::Account *account_of(const Ctx &ctx) {
    return ctx.exchange ? &ctx.exchange->account() : nullptr;
}

// Names and words.

Text provider(const Ctx &ctx) {
    return ctx.answered ? found(to_view(ctx.answered->provider->name)) : Text{};
}

Text model(const Ctx &ctx) {
    return ctx.answered_model.len ? found(to_view(ctx.answered_model)) : Text{};
}

Text request_model(const Ctx &ctx) {
    return ctx.exchange && !ctx.exchange->head().model.empty()
               ? found(ctx.exchange->head().model)
               : Text{};
}

Text response_model(const Ctx &ctx) {
    auto account = account_of(ctx);
    return account && !account->response_model.empty()
               ? found(account->response_model)
               : Text{};
}

Text finish_reason(const Ctx &ctx) {
    auto account = account_of(ctx);
    if (!account) {
        return {};
    }
    if (ctx.exchange->broken()) {
        return found("error");
    }
    if (account->finish_reason == llm::chat::FinishReason::none) {
        return {};
    }
    return found(llm::chat::to_string(account->finish_reason));
}

Text stream(const Ctx &ctx) {
    return ctx.exchange && ctx.route.operation == llm::Operation::chat
               ? found(ctx.exchange->head().stream ? "1" : "0")
                   : Text{};
}

Text usage_source(const Ctx &ctx) {
    auto account = account_of(ctx);
    if (account && ngx_http_llm_cache_is_hit(ctx)) {
        return found("cache");
    }
    if (account && account->usage.estimated) {
        return found("estimate");
    }
    if (account && account->usage.known) {
        return found("provider");
    }
    return {};
}

Text client_format(const Ctx &ctx) {
    if (ctx.route.embeddings) {
        return found(ctx.route.embeddings->name());
    }
    return ctx.route.format ? found(ctx.route.format->name()) : Text{};
}

using TextGetter = Text (*)(const Ctx &);

ngx_int_t get_text(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                   uintptr_t data) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    Text value;
    if (ctx) {
        value = reinterpret_cast<TextGetter>(data)(*ctx);
    }
    if (value.found) {
        ngx_http_llm_set_variable(v, value.text);
    } else {
        v->not_found = 1;
    }
    return NGX_OK;
}

// Tokens.

using Tokens = std::int64_t llm::chat::Usage::*;

constexpr Tokens token_members[] = {
    &llm::chat::Usage::prompt_tokens,   &llm::chat::Usage::completion_tokens,
    &llm::chat::Usage::total_tokens,    &llm::chat::Usage::cached_tokens,
    &llm::chat::Usage::reasoning_tokens,
};

ngx_int_t set_number(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                     const char *format, uint64_t a, uint64_t b) {
    ngx_str_t text;
    text.data = static_cast<u_char *>(
        ngx_pnalloc(r->pool, 2 * NGX_INT64_LEN + 2));
    if (text.data == nullptr) {
        return NGX_ERROR;
    }
    text.len = static_cast<size_t>(
        ngx_sprintf(text.data, format, a, b) - text.data);
    ngx_http_llm_set_variable(v, to_view(text));
    return NGX_OK;
}

ngx_int_t get_tokens(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                     uintptr_t data) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    auto account = ctx ? account_of(*ctx) : nullptr;
    if (!account || !(account->usage.known || account->usage.estimated)) {
        v->not_found = 1;
        return NGX_OK;
    }
    auto tokens = account->usage.*token_members[data];
    return set_number(r, v, "%uL", tokens < 0 ? 0
                                              : static_cast<uint64_t>(tokens),
                      0);
}

// Times, in seconds with milliseconds, as $request_time.

ngx_int_t get_time(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                   uintptr_t data) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    auto member = data == 0 ? &Ctx::first_msec : &Ctx::end_msec;
    if (!ctx || ctx->*member == 0) {
        v->not_found = 1;
        return NGX_OK;
    }
    auto ms = static_cast<ngx_msec_int_t>(ctx->*member - ctx->start_msec);
    ms = ngx_max(ms, 0);
    return set_number(r, v, "%uL.%03uL", static_cast<uint64_t>(ms / 1000),
                      static_cast<uint64_t>(ms % 1000));
}

// Of every request, be it a call or not.
ngx_int_t get_consumer(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                       uintptr_t) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
    return ngx_http_llm_set_found(v, ngx_http_llm_consumer(r, llcf));
}

ngx_int_t get_tries(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                    uintptr_t) noexcept {
    auto ctx = ngx_http_llm_find_ctx(r);
    if (!ctx || ctx->tries == 0) {
        v->not_found = 1;
        return NGX_OK;
    }
    return set_number(r, v, "%uL", ctx->tries, 0);
}

struct Variable {
    std::string_view name;
    ngx_http_get_variable_pt get;
    uintptr_t data;
};

uintptr_t text(TextGetter getter) {
    return reinterpret_cast<uintptr_t>(getter);
}

}  // namespace

ngx_int_t ngx_http_llm_add_variables(ngx_conf_t *cf) noexcept {
    const Variable variables[] = {
        {"llm_provider", get_text, text(provider)},
        {"llm_model", get_text, text(model)},
        {"llm_request_model", get_text, text(request_model)},
        {"llm_response_model", get_text, text(response_model)},
        {"llm_format", get_text, text(client_format)},
        {"llm_stream", get_text, text(stream)},
        {"llm_finish_reason", get_text, text(finish_reason)},
        {"llm_usage_source", get_text, text(usage_source)},
        {"llm_prompt_tokens", get_tokens, 0},
        {"llm_completion_tokens", get_tokens, 1},
        {"llm_total_tokens", get_tokens, 2},
        {"llm_cached_tokens", get_tokens, 3},
        {"llm_reasoning_tokens", get_tokens, 4},
        {"llm_ttft", get_time, 0},
        {"llm_latency", get_time, 1},
        {"llm_tries", get_tries, 0},
        {"llm_consumer", get_consumer, 0},
    };

    for (const auto &variable : variables) {
        if (ngx_http_llm_add_variable(cf, variable.name, variable.get,
                                      variable.data)
            != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
