#include "provider/conf.hpp"

#include <algorithm>
#include <span>

#include "setter.hpp"

namespace provider {

namespace {

struct QuirkRow {
    ngx_flag_t Conf::*flag;
    bool llm::Quirks::*quirk;
};

constexpr QuirkRow quirks[] = {
    {&Conf::max_completion_tokens, &llm::Quirks::max_completion_tokens},
    {&Conf::developer_role, &llm::Quirks::developer_role},
    {&Conf::stream_options, &llm::Quirks::stream_options},
    {&Conf::parallel_tool_calls, &llm::Quirks::parallel_tool_calls},
    {&Conf::output_config, &llm::Quirks::output_config},
    {&Conf::mistral_messages, &llm::Quirks::mistral_messages},
    {&Conf::null_content, &llm::Quirks::null_content},
    {&Conf::reasoning_content, &llm::Quirks::reasoning_content},
};

// Members that the gateway itself writes, or that are no request without.
constexpr std::string_view own_members[] = {
    "messages", "model", "stream", "stream_options",
};

char *add_member_rule(ngx_conf_t *cf, Conf *conf, const ngx_str_t &name,
                      std::string_view to) {
    for (std::string_view text : {to_view(name), to}) {
        for (auto own : own_members) {
            if (text == own) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "member \"%*s\" may not be changed",
                                   text.size(), text.data());
                return conf_error();
            }
        }
    }
    auto *rules = static_cast<llm::MemberRule *>(conf->members.elts);
    for (ngx_uint_t i = 0; i < conf->members.nelts; i++) {
        if (rules[i].name == to_view(name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate member \"%V\"", &name);
            return conf_error();
        }
    }
    auto *rule = static_cast<llm::MemberRule *>(
        ngx_array_push(&conf->members));
    if (rule == nullptr) {
        return conf_error();
    }
    *rule = {to_view(name), to};
    return NGX_CONF_OK;
}

// The preset's rules, where the block has none for the same member, and the
// block's own.
ngx_int_t complete_members(ngx_conf_t *cf, Conf *conf) {
    auto &known = conf->provider.quirks.members;
    if (conf->members.nelts == 0) {
        return NGX_OK;
    }
    auto *own = static_cast<llm::MemberRule *>(conf->members.elts);
    std::span<llm::MemberRule> rules(own, conf->members.nelts);
    auto *all = static_cast<llm::MemberRule *>(ngx_palloc(
        cf->pool, (known.size() + rules.size()) * sizeof(llm::MemberRule)));
    if (all == nullptr) {
        return NGX_ERROR;
    }
    auto *end = std::copy(rules.begin(), rules.end(), all);
    for (const auto &rule : known) {
        bool ours = std::any_of(rules.begin(), rules.end(),
                                [&](const llm::MemberRule &one) {
                                    return one.name == rule.name;
                                });
        if (!ours) {
            *end++ = rule;
        }
    }
    known = {all, static_cast<size_t>(end - all)};
    return NGX_OK;
}

}  // namespace

void unset_quirks(Conf *conf) noexcept {
    conf->hosting = NGX_CONF_UNSET_UINT;
    conf->schema = NGX_CONF_UNSET_UINT;
    for (const auto &row : quirks) {
        conf->*row.flag = NGX_CONF_UNSET;
    }
}

// To be sent in a query as it is.
char *set_api_version(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *version = arguments(cf) + 1;
    auto text = to_view(*version);
    if (!is_token(text) || text.find_first_of("#&%+") != text.npos) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid version \"%V\"",
                           version);
        return conf_error();
    }
    conf_of(conf)->api_version = *version;
    return NGX_CONF_OK;
}

char *set_prompt_template(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    conf_of(conf)->prompt_template =
        llm::find_prompt_template(to_view(*name));
    if (conf_of(conf)->prompt_template == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown prompt template \"%V\"", name);
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *drop_members(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *args = arguments(cf);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        if (args[i].len == 0) {
            return conf_error("has an empty name");
        }
        if (add_member_rule(cf, conf_of(conf), args[i], {}) != NGX_CONF_OK) {
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

char *rename_member(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *args = arguments(cf);
    if (args[1].len == 0 || args[2].len == 0) {
        return conf_error("has an empty name");
    }
    return add_member_rule(cf, conf_of(conf), args[1], to_view(args[2]));
}

ngx_int_t complete_quirks(ngx_conf_t *cf, Conf *conf) {
    auto &provider = conf->provider;
    for (const auto &row : quirks) {
        if (conf->*row.flag != NGX_CONF_UNSET) {
            provider.quirks.*row.quirk = conf->*row.flag != 0;
        }
    }

    if (complete_members(cf, conf) != NGX_OK) {
        return NGX_ERROR;
    }
    if (conf->schema != NGX_CONF_UNSET_UINT) {
        provider.quirks.schema = static_cast<llm::SchemaForm>(conf->schema);
    }
    if (conf->hosting != NGX_CONF_UNSET_UINT) {
        provider.quirks.hosting = static_cast<llm::Hosting>(conf->hosting);
    }
    if (conf->api_version.len) {
        provider.quirks.api_version = to_view(conf->api_version);
    }

    if (conf->prompt_template) {
        if (provider.format != &llm::completions_format()) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"prompt_template\" of llm_provider \"%V\" "
                               "needs format \"completions\"",
                               &provider.name);
            return NGX_ERROR;
        }
        provider.quirks.prompt_template = conf->prompt_template->name;
    }
    return NGX_OK;
}

}  // namespace provider
