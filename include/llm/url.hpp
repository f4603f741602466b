// The base URL of a provider, as SDKs take it: where requests go, and the
// prefix of their paths (RFC 3986, of which only what HTTP needs is accepted).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llm/result.hpp"

namespace llm {

// Views into the text that was parsed.
struct BaseUrl {
    bool tls = false;           // https
    std::string_view host;      // name or address; no brackets around IPv6
    std::string_view authority; // host and port as written: "[::1]:8000"
    std::uint16_t port = 0;     // the scheme's own where none is written
    bool explicit_port = false;
    std::string_view path;      // "" or "/v1": no slash at its end
};

// Error: says what is wrong and never quotes the text, which may hold a
// password.
Result<BaseUrl> parse_base_url(std::string_view text);

// Appends the path of a request below a base URL's. Vendors differ in which of
// the two names the API's version ("https://api.openai.com/v1" and
// "/chat/completions", "https://api.anthropic.com" and "/v1/messages"); where
// both do, at a provider that speaks several APIs, it stands once.
void append_path(std::string &out, std::string_view base,
                 std::string_view path);

// Appends the text as one segment of a path (RFC 3986, 3.3): all but
// unreserved characters percent-encoded, so that it can neither end the
// segment nor begin a query. Not for what is a step, see below.
void append_segment(std::string &out, std::string_view text);

// Whether the text is "." or "..", which no encoding keeps from being a step
// in the path.
bool is_step(std::string_view text) noexcept;

}  // namespace llm
