#include "account/tables.hpp"

extern "C" {

// tables.S
extern const std::byte ngx_http_llm_o200k[];
extern const std::byte ngx_http_llm_o200k_end[];
extern const std::byte ngx_http_llm_cl100k[];
extern const std::byte ngx_http_llm_cl100k_end[];
extern const char ngx_http_llm_prices[];
extern const char ngx_http_llm_prices_end[];

}

std::span<const std::byte> ngx_http_llm_o200k_table() noexcept {
    return {ngx_http_llm_o200k, ngx_http_llm_o200k_end};
}

std::span<const std::byte> ngx_http_llm_cl100k_table() noexcept {
    return {ngx_http_llm_cl100k, ngx_http_llm_cl100k_end};
}

std::string_view ngx_http_llm_builtin_prices() noexcept {
    return {ngx_http_llm_prices, ngx_http_llm_prices_end};
}
