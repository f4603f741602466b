// What is a part of the module (tables.S): data/*_base.llmb, data/prices.json.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

std::span<const std::byte> ngx_http_llm_o200k_table() noexcept;
std::span<const std::byte> ngx_http_llm_cl100k_table() noexcept;
std::string_view ngx_http_llm_builtin_prices() noexcept;
