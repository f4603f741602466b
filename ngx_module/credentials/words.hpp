// The words of an "auth" directive: NAME=VALUE, of which each cloud knows some.
#pragma once

#include "credentials/credentials.hpp"

#include <array>
#include <optional>

class ngx_http_llm_auth_words_t {
public:
    // Reads all words after the cloud's name. NGX_ERROR: logged, without any
    // value of a secret.
    ngx_int_t read(ngx_conf_t *cf,
                   ngx_http_llm_credentials_t::Cloud cloud);

    // nullptr: it is not there. The text ends with a NUL.
    const std::string *find(std::string_view name) const noexcept;
    // Otherwise what stands in for it.
    std::string_view get(std::string_view name,
                         std::string_view otherwise = {}) const noexcept;
    // Whether a value was written in the configuration itself and has a "$".
    bool has_variable(std::string_view name) const noexcept;

private:
    ngx_int_t read_word(ngx_conf_t *cf, unsigned cloud, ngx_str_t word);

    static constexpr std::size_t max_rows = 32;
    struct Value {
        std::string text;
        bool literal = true;    // not of the environment or a file
    };
    std::array<std::optional<Value>, max_rows> values_;
};
