// What the tests of credentials share.
#pragma once

#include "catch.hpp"

#include "llm/credentials.hpp"

namespace llm::testing {

// 2026-01-02T03:04:05Z
constexpr llm::credentials::Time now = 1767323045;

inline llm::credentials::HttpRequest request_of(
    llm::Result<llm::credentials::Step> step) {
    INFO((step ? std::string() : step.error().message));
    REQUIRE(step);
    auto *request = std::get_if<llm::credentials::HttpRequest>(&*step);
    REQUIRE(request);
    return *request;
}

// "(none)" where there is none.
inline std::string header_of(const llm::credentials::HttpRequest &request,
                             std::string_view name) {
    for (const auto &[key, value] : request.headers) {
        if (key == name) {
            return value;
        }
    }
    return "(none)";
}

}  // namespace llm::testing
