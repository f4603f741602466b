// Which models a location, and a key, may use.
#include "auth/auth.hpp"

#include <algorithm>
#include <new>

namespace {

using Patterns = std::pmr::vector<std::string_view>;

// A variable may hold several.
void split(std::string_view text, Patterns &patterns) {
    constexpr std::string_view between = ", \t";
    for (;;) {
        text.remove_prefix(
            std::min(text.find_first_not_of(between), text.size()));
        if (text.empty()) {
            return;
        }
        std::string_view pattern = text.substr(0, text.find_first_of(between));
        patterns.push_back(pattern);
        text.remove_prefix(pattern.size());
    }
}

void evaluate(ngx_http_request_t *r, const ngx_array_t *values,
              Patterns &patterns) {
    if (values == nullptr) {
        return;
    }
    auto value = static_cast<ngx_http_complex_value_t *>(values->elts);
    for (ngx_uint_t i = 0; i < values->nelts; ++i) {
        ngx_str_t text;
        if (ngx_http_complex_value(r, &value[i], &text) != NGX_OK) {
            throw std::bad_alloc();
        }
        split(to_view(text), patterns);
    }
}

template <typename List>
bool any_matches(const List &patterns,
                 std::span<const std::string_view> names) {
    return std::any_of(
        patterns.begin(), patterns.end(), [&](std::string_view pattern) {
            return std::any_of(names.begin(), names.end(),
                               [&](std::string_view name) {
                                   return llm::matches_model(pattern, name);
                               });
        });
}

llm::Error not_allowed(std::string message) {
    return llm::Error{llm::ErrorKind::permission, std::move(message), "model",
                      "model_not_allowed", 0, {}};
}

// The models that a server behind asks when the first one fails, as
// OpenRouter ("models") and LiteLLM ("fallbacks") take them: they go to a
// provider of the client's API as they came.
llm::Result<void> check_fallbacks(const ngx_http_llm_model_rules_t &rules,
                                  llm::json::Value body) {
    for (std::string_view list : {"models", "fallbacks"}) {
        for (llm::json::Value entry : body[list].elements()) {
            std::string_view name = entry.is_object()
                                        ? entry["model"].string()
                                        : entry.string();
            if (!name.empty() && !rules.allow({&name, 1})) {
                auto error = not_allowed(
                    "the model \"" + std::string(name.substr(0, 128))
                    + "\" is not allowed here");
                error.param = list;
                return error;
            }
        }
    }
    return {};
}

}  // namespace

ngx_http_llm_model_rules_t::ngx_http_llm_model_rules_t(
    ngx_http_request_t *r, const ngx_http_llm_loc_conf_t *llcf)
    : allowed_(&ngx_http_llm_find_ctx(r)->memory),
      denied_(&ngx_http_llm_find_ctx(r)->memory),
      restricted_(llcf->auth.allowed_models != nullptr),
      consumer_(ngx_http_llm_auth_consumer(r)) {
    evaluate(r, llcf->auth.allowed_models, allowed_);
    evaluate(r, llcf->auth.denied_models, denied_);
}

bool ngx_http_llm_model_rules_t::any() const noexcept {
    return restricted_ || !denied_.empty()
           || (consumer_
               && !(consumer_->models.empty()
                    && consumer_->denied_models.empty()));
}

bool ngx_http_llm_model_rules_t::allow(
    std::span<const std::string_view> names) const {
    if (any_matches(denied_, names)
        || (restricted_ && !any_matches(allowed_, names))) {
        return false;
    }
    return consumer_ == nullptr
           || (!any_matches(consumer_->denied_models, names)
               && (consumer_->models.empty()
                   || any_matches(consumer_->models, names)));
}

llm::Result<void> ngx_http_llm_check_model(
    ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx,
    const ngx_http_llm_loc_conf_t *llcf) {
    ngx_http_llm_model_rules_t rules(r, llcf);
    if (!rules.any()) {
        return {};
    }

    std::string_view asked = ctx->exchange->head().model;
    std::pmr::vector<std::string_view> names(&ctx->memory);
    names.push_back(asked);
    if (ctx->pool && !ctx->model.empty()) {
        names.push_back(ctx->model);
    }
    if (ctx->pool && ctx->member >= 0) {
        const auto &member =
            members_of(ctx->pool)[static_cast<size_t>(ctx->member)];
        for (const auto &name : {member.alias, member.name, member.model}) {
            if (name.len) {
                names.push_back(to_view(name));
            }
        }
    }
    if (!rules.allow(names)) {
        return not_allowed("the model \"" + std::string(asked.substr(0, 128))
                           + "\" is not allowed here");
    }
    return check_fallbacks(rules, ctx->exchange->body());
}

llm::Result<void> ngx_http_llm_check_unknown_call(
    ngx_http_request_t *r, const ngx_http_llm_loc_conf_t *llcf) {
    if (!ngx_http_llm_model_rules_t(r, llcf).any()) {
        return {};
    }
    return not_allowed("only some models are allowed here, and on this path "
                       "the gateway cannot tell which one is meant");
}
