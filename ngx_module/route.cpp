#include "route.hpp"
#include "auth/auth.hpp"
#include "client_header.hpp"

#include <algorithm>

#include "llm/url.hpp"

namespace {

// The member that goes by this name: alias first, then "provider/model", then
// the model alone.
ngx_int_t find_member(const ngx_http_llm_pool_t *pool, std::string_view name) {
    auto members = members_of(pool);
    auto count = static_cast<ngx_int_t>(pool->members.nelts);

    for (auto text : {&ngx_http_llm_member_t::alias,
                      &ngx_http_llm_member_t::name,
                      &ngx_http_llm_member_t::model}) {
        for (ngx_int_t i = 0; i < count; ++i) {
            const ngx_str_t &own = members[i].*text;
            if (own.len != 0 && to_view(own) == name) {
                return i;
            }
        }
    }
    return -1;
}

// Only Anthropic's SDKs say which version of the API they speak, only Google's
// send their key like this, and Cohere's say whose they are.
llm::ClientHints client_hints(ngx_http_request_t *r) noexcept {
    ngx_str_t key;
    llm::ClientHints hints;
    hints.anthropic_version =
        !ngx_http_llm_client_header(r, "anthropic-version").empty();
    hints.google_key =
        !ngx_http_llm_client_header(r, "x-goog-api-key").empty()
        || ngx_http_arg(r, to_ngx("key").data, 3, &key) == NGX_OK;

    hints.cohere_sdk = ngx_http_llm_client_header(r, "x-fern-sdk-name")
                           .starts_with("cohere");
    return hints;
}

}  // namespace

llm::RouteMatch ngx_http_llm_match_route(ngx_http_request_t *r) noexcept {
    auto match = llm::match_route(to_view(r->uri), client_hints(r));
    match.query = to_view(r->args);
    return match;
}

const llm::Format &ngx_http_llm_client_format(ngx_http_request_t *r) noexcept {
    llm::ClientHints hints = client_hints(r);
    if (auto match = llm::match_route(to_view(r->uri), hints); match.format) {
        return *match.format;
    }
    const llm::Format *format = llm::recognise(hints);
    return format ? *format : llm::openai_format();
}

llm::Result<void> ngx_http_llm_route(ngx_http_request_t *r,
                                     ngx_http_llm_ctx_t *ctx,
                                     ngx_http_llm_loc_conf_t *llcf) {
    auto pass = llcf->pass;
    std::string_view model = ctx->exchange->head().model;
    ctx->model = model;
    ctx->member = -1;

    bool modelless = ctx->route.operation == llm::Operation::pass_through
                     && model.empty();

    if (pass->value == nullptr) {
        ctx->pool = pass->pool;
        if (modelless) {
            // Files and the like are where they were put: always there.
            ctx->member = 0;
            return {};
        }
        if (ctx->pool->implicit) {
            ctx->member = 0;
            return {};
        }
        ctx->member = find_member(ctx->pool, model);
        if (ctx->member == -1 && pass->strict) {
            return llm::model_not_found(model);
        }
        return {};
    }

    ngx_str_t value;
    if (ngx_http_complex_value(r, pass->value, &value) != NGX_OK) {
        return llm::Error{llm::ErrorKind::server, "no memory", {}, {}, 0, {}};
    }
    std::string_view name = to_view(value);

    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_llm_module));

    if (auto pool = ngx_http_llm_find_pool(mcf, name)) {
        ctx->pool = pool;
        if (modelless) {
            ctx->member = 0;
            return {};
        }
        ctx->member = find_member(pool, model);
        if (ctx->member == -1 && pass->strict && model != name) {
            return llm::model_not_found(model);
        }
        return {};
    }

    auto pools = pools_of(mcf);

    for (ngx_uint_t i = 0; modelless && i < mcf->pools.nelts; ++i) {
        if (pools[i]->implicit && to_view(pools[i]->name) == name) {
            ctx->pool = pools[i];
            ctx->member = 0;
            return {};
        }
    }

    // What is a step in a path is no model behind a provider's name, either.
    if (auto slash = name.find('/'); slash != name.npos
                                     && slash + 1 != name.size()
                                     && !llm::is_step(name.substr(slash + 1)))
    {
        std::string_view provider = name.substr(0, slash);
        for (ngx_uint_t i = 0; i < mcf->pools.nelts; ++i) {
            if (pools[i]->implicit && to_view(pools[i]->name) == provider) {
                ctx->pool = pools[i];
                ctx->member = 0;
                ctx->model = name.substr(slash + 1);
                return {};
            }
        }
    }

    for (ngx_uint_t i = 0; i < mcf->pools.nelts; ++i) {
        auto members = members_of(pools[i]);
        for (ngx_uint_t n = 0; n < pools[i]->members.nelts; ++n) {
            if (members[n].alias.len != 0
                && to_view(members[n].alias) == name) {
                ctx->pool = pools[i];
                ctx->member = static_cast<ngx_int_t>(n);
                return {};
            }
        }
    }

    return llm::model_not_found(name);
}

ngx_int_t ngx_http_llm_reachable_models(
    ngx_http_request_t *r, ngx_http_llm_loc_conf_t *llcf,
    std::pmr::vector<std::string_view> &names) {
    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_llm_module));
    auto pools = pools_of(mcf);

    ngx_http_llm_model_rules_t rules(r, llcf);

    auto add = [&](const ngx_str_t &name,
                   std::initializer_list<std::string_view> all_names) {
        if (!rules.allow(all_names)) {
            return;
        }
        auto view = to_view(name);
        if (!view.empty()
            && std::find(names.begin(), names.end(), view) == names.end()) {
            names.push_back(view);
        }
    };
    auto add_members = [&](const ngx_http_llm_pool_t *pool) {
        auto members = members_of(pool);
        for (ngx_uint_t n = 0; n < pool->members.nelts; ++n) {
            const auto &member = members[n];
            if (member.model.len == 0) {
                continue;
            }
            if (member.alias.len) {
                add(member.alias, {to_view(member.alias), to_view(member.name),
                                   to_view(member.model)});
            } else {
                add(member.name,
                    {to_view(member.name), to_view(member.model)});
            }
        }
    };

    // What a provider offers by itself only the provider knows: a pool of one
    // provider lists nothing.
    if (llcf->pass->value == nullptr) {
        add_members(llcf->pass->pool);
        return NGX_OK;
    }
    for (ngx_uint_t i = 0; i < mcf->pools.nelts; ++i) {
        if (!pools[i]->implicit) {
            add(pools[i]->name, {to_view(pools[i]->name)});
        }
    }
    for (ngx_uint_t i = 0; i < mcf->pools.nelts; ++i) {
        add_members(pools[i]);
    }
    return NGX_OK;
}

bool ngx_http_llm_lists_model(ngx_http_request_t *r,
                              ngx_http_llm_loc_conf_t *llcf,
                              std::string_view model) {
    std::pmr::vector<std::string_view> names;
    ngx_http_llm_reachable_models(r, llcf, names);
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        // "provider/model" goes by the model alone, too.
        std::size_t rest = name.size() - std::min(name.size(), model.size());
        return name.substr(rest) == model
               && (rest == 0 || name[rest - 1] == '/');
    });
}

llm::Result<void> ngx_http_llm_find_model(ngx_http_request_t *r,
                                          ngx_http_llm_loc_conf_t *llcf,
                                          std::string_view model) {
    if (ngx_http_llm_lists_model(r, llcf, model)) {
        return {};
    }

    // A provider's own models only it knows, and a pool may take any name.
    auto pass = llcf->pass;
    bool any = pass->value == nullptr
               && (pass->pool->implicit || !pass->strict);
    if (pass->value) {
        auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
            ngx_http_get_module_main_conf(r, ngx_http_llm_module));
        std::string_view provider = model.substr(0, model.find('/'));
        for (const auto *pool : pools_of(mcf)) {
            any = any || (pool->implicit && provider != model
                          && to_view(pool->name) == provider);
        }
    }
    if (any && ngx_http_llm_model_rules_t(r, llcf).allow({&model, 1})) {
        return {};
    }
    return llm::model_not_found(model);
}
