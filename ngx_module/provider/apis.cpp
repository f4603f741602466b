#include "provider/conf.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "llm/url.hpp"
#include "setter.hpp"

namespace provider {

namespace {

// The parts of a URL, copied to strings that end with a NUL.
ngx_int_t copy(ngx_conf_t *cf, std::string_view text, ngx_str_t *copy) {
    copy->data = static_cast<u_char *>(ngx_pnalloc(cf->pool, text.size() + 1));
    if (copy->data == nullptr) {
        return NGX_ERROR;
    }
    *ngx_cpymem(copy->data, text.data(), text.size()) = '\0';
    copy->len = text.size();
    return NGX_OK;
}

ngx_int_t use_url(ngx_conf_t *cf, Conf *conf, const llm::BaseUrl &url) {
    auto &provider = conf->provider;
    provider.ssl = url.tls;
    provider.port = url.port;
    conf->explicit_port = url.explicit_port;
    if (copy(cf, url.host, &provider.host) != NGX_OK
        || copy(cf, url.authority, &provider.host_header) != NGX_OK
        || copy(cf, url.path, &provider.path) != NGX_OK)
    {
        return NGX_ERROR;
    }
    return NGX_OK;
}

// "FORMAT" or "FORMAT=PATH". nullptr: done, else what is wrong with the word.
const char *speak_also(ngx_conf_t *cf, Conf *conf,
                       std::string_view word) noexcept {
    auto name = word.substr(0, word.find('='));
    const auto *format = llm::find_format(name);
    if (format == nullptr) {
        return "unknown format";
    }
    auto *also = static_cast<ngx_http_llm_also_t *>(
        ngx_array_push(&conf->provider.also));
    if (also == nullptr) {
        return "no memory for";
    }
    *also = {};
    also->format = format;
    if (name.size() == word.size()) {
        return nullptr;
    }

    // A path, as a URL has it.
    auto path = word.substr(name.size() + 1);
    std::string url = "http://h";
    url += path;
    auto parsed = llm::parse_base_url(url);
    if (!path.starts_with('/') || !parsed) {
        return "invalid path in";
    }
    return copy(cf, parsed->path, &also->path) == NGX_OK ? nullptr
                                                         : "no memory for";
}

// The formats of a preset's row.
ngx_int_t speak_words(ngx_conf_t *cf, Conf *conf,
                      std::string_view words) noexcept {
    while (!words.empty()) {
        auto word = words.substr(0, words.find(' '));
        words.remove_prefix(std::min(word.size() + 1, words.size()));
        if (speak_also(cf, conf, word)) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

// By the preset's name, since some differ from what their chats speak.
const llm::embedding::Api *embeddings_of(const Conf &conf) noexcept {
    const llm::embedding::Api *api = nullptr;
    const auto &provider = conf.provider;
    if (conf.preset
        && provider.format == llm::find_format(conf.preset->format))
    {
        api = llm::embedding::find_api(conf.preset->name);
    }
    return api ? api : llm::embedding::find_api(provider.format->name());
}

}  // namespace

char *set_preset(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    conf_of(conf)->preset = llm::find_preset(to_view(*name));
    if (conf_of(conf)->preset == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown preset \"%V\"",
                           name);
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *set_format(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    conf_of(conf)->provider.format = llm::find_format(to_view(*name));
    if (conf_of(conf)->provider.format == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown format \"%V\"",
                           name);
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *set_also(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *args = arguments(cf);
    conf_of(conf)->also_set = 1;
    if (cf->args->nelts == 2 && to_view(args[1]) == "off") {
        return NGX_CONF_OK;
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        if (const char *wrong = speak_also(cf, conf_of(conf),
                                           to_view(args[i]))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s \"%V\"", wrong,
                               &args[i]);
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

char *set_embeddings(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    conf_of(conf)->embeddings_set = 1;
    if (to_view(*name) == "off") {
        return NGX_CONF_OK;
    }
    const auto *api = llm::embedding::find_api(to_view(*name));
    conf_of(conf)->provider.embeddings = api;
    if (api == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown API of embeddings \"%V\"", name);
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *set_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    auto *text = arguments(cf) + 1;
    auto url = llm::parse_base_url(to_view(*text));
    if (!url) {
        const auto &reason = url.error().message;
        // With an "@" in it the text may hold a password.
        if (to_view(*text).find('@') != std::string_view::npos) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %*s", &cmd->name,
                               reason.size(), reason.data());
        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %*s: \"%V\"",
                               &cmd->name, reason.size(), reason.data(), text);
        }
        return conf_error();
    }
    if (use_url(cf, conf_of(conf), *url) != NGX_OK) {
        return conf_error();
    }
    return NGX_CONF_OK;
}

ngx_int_t use_preset(ngx_conf_t *cf, Conf *conf) {
    auto &provider = conf->provider;
    if (conf->preset == nullptr) {
        conf->preset = llm::find_preset(to_view(provider.name));
    }
    if (const auto *preset = conf->preset) {
        provider.preset = to_ngx(preset->name);
        const auto *format = llm::find_format(preset->format);
        if (provider.format == nullptr) {
            provider.format = format;
        }
        // Quirks are those of one wire API.
        if (provider.format == format) {
            provider.quirks = preset->quirks;
            if (provider.key_header.len == 0) {
                provider.key_header = to_ngx(preset->key_header);
            }
            if (!conf->also_set
                && speak_words(cf, conf, preset->also) != NGX_OK) {
                return NGX_ERROR;
            }
        }
        if (provider.host.len == 0 && !preset->url.empty()) {
            auto url = llm::parse_base_url(preset->url);
            if (!url || use_url(cf, conf, *url) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }
    return NGX_OK;
}

ngx_int_t complete_apis(ngx_conf_t *cf, Conf *conf) {
    auto &provider = conf->provider;
    for (auto [missing, directive] :
         {std::pair{provider.host.len == 0, "url"},
          std::pair{provider.format == nullptr, "format"}})
    {
        if (missing) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no \"%s\" in llm_provider \"%V\"", directive,
                               &provider.name);
            return NGX_ERROR;
        }
    }

    if (!conf->embeddings_set) {
        provider.embeddings = embeddings_of(*conf);
    }
    return NGX_OK;
}

}  // namespace provider
