// What a format has no words for. Whatever is not in these tables, every
// format must carry from any client to any provider.
#pragma once

#include <string_view>

#include "llm/format.hpp"
#include "matrix_meaning.hpp"

namespace llm::testing {

struct Abilities {
    std::string_view format;
    Carries answers{};
    // Names of features (matrix_test.cpp), separated by commas: those that a
    // client cannot ask for in this API, and those that a provider of it
    // refuses as unsupported.
    std::string_view cannot_ask = {};
    std::string_view refuses = {};
    // Those that a provider gets in other words, which its clients would mean
    // literally: they cannot ask for them either.
    std::string_view imitates = {};
};

// Of a format without a row: it has words for everything.
const Abilities &abilities(const Format &format);

bool is_in(std::string_view list, std::string_view name);

}  // namespace llm::testing
