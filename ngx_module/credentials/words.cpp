#include "credentials/words.hpp"

#include <iterator>

#include "block.hpp"
#include "secret.hpp"
#include "setter.hpp"

namespace {

enum : unsigned { google = 1, azure = 2, aws = 4, all = 7 };

struct Row {
    std::string_view name;
    unsigned clouds;
    bool secret = false;        // NAME_env and NAME_file say it, too
};

constexpr Row rows[] = {
    {"source", all},
    {"timeout", all},
    {"fail_timeout", all},
    {"trusted_certificate", all},
    {"metadata_url", all},

    {"file", google},
    {"service_account", google},
    {"scope", google | azure},
    {"token_url", google | azure},
    {"token_file", azure | aws},

    {"tenant", azure},
    {"client_id", azure},
    {"client_secret", azure, true},
    {"authority", azure},

    {"region", aws},
    {"service", aws},
    {"access_key", aws, true},
    {"secret_key", aws, true},
    {"session_token", aws, true},
    {"profile", aws},
    {"credentials_file", aws},
    {"container_url", aws},
    {"web_identity_role", aws},
    {"role", aws},
    {"session_name", aws},
    {"external_id", aws},
    {"duration", aws},
    {"sts_url", aws},
};

// Where the value of a secret comes from, by the end of the word's name.
using Reader = ngx_int_t(ngx_conf_t *, ngx_str_t *, ngx_str_t *) noexcept;

ngx_int_t read_literal(ngx_conf_t *, ngx_str_t *text, ngx_str_t *value)
    noexcept {
    *value = *text;
    return NGX_OK;
}

struct Ending {
    std::string_view text;
    Reader *read;
};

constexpr Ending endings[] = {
    {"", read_literal},
    {"_env", ngx_http_llm_secret_env},
    {"_file", ngx_http_llm_secret_file},
};

bool is_word(std::string_view name, const Row &row, const Ending &ending) {
    return name.size() == row.name.size() + ending.text.size()
           && name.starts_with(row.name) && name.ends_with(ending.text);
}

std::size_t index_of(std::string_view name) noexcept {
    std::size_t i = 0;
    while (rows[i].name != name) {
        ++i;
    }
    return i;
}

}  // namespace

ngx_int_t ngx_http_llm_auth_words_t::read_word(ngx_conf_t *cf, unsigned cloud,
                                               ngx_str_t word) {
    static_assert(std::size(rows) <= max_rows);

    auto text = to_view(word);
    auto equals = text.find('=');
    ngx_str_t name = to_ngx(text.substr(0, equals));
    for (std::size_t i = 0; equals != text.npos && i < std::size(rows); ++i) {
        const auto &row = rows[i];
        for (const auto &ending : endings) {
            if (!(row.clouds & cloud) || !is_word(to_view(name), row, ending)
                || (!row.secret && !ending.text.empty())) {
                continue;
            }
            if (values_[i]) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "duplicate parameter \"%V\"", &name);
                return NGX_ERROR;
            }
            ngx_str_t rest = to_ngx(text.substr(equals + 1));
            ngx_str_t value = ngx_null_string;
            if (rest.len && ending.read(cf, &rest, &value) != NGX_OK) {
                return NGX_ERROR;
            }
            if (value.len == 0 || ngx_http_llm_has_control(to_view(value))) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   value.len ? "parameter \"%V\" has control "
                                               "characters"
                                             : "parameter \"%V\" is empty",
                                   &name);
                return NGX_ERROR;
            }
            values_[i] = {std::string(to_view(value)), ending.text.empty()};
            return NGX_OK;
        }
    }
    // What follows may be a secret whose name is mistyped.
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       &name);
    return NGX_ERROR;
}

ngx_int_t ngx_http_llm_auth_words_t::read(
    ngx_conf_t *cf, ngx_http_llm_credentials_t::Cloud cloud) {
    auto *args = arguments(cf);
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        if (read_word(cf, 1u << static_cast<unsigned>(cloud), args[i])
            != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

const std::string *ngx_http_llm_auth_words_t::find(std::string_view name)
    const noexcept {
    const auto &value = values_[index_of(name)];
    return value ? &value->text : nullptr;
}

std::string_view ngx_http_llm_auth_words_t::get(std::string_view name,
                                                std::string_view otherwise)
    const noexcept {
    const auto *text = find(name);
    return text ? *text : otherwise;
}

bool ngx_http_llm_auth_words_t::has_variable(std::string_view name)
    const noexcept {
    const auto &value = values_[index_of(name)];
    return value && value->literal
           && value->text.find('$') != std::string::npos;
}
