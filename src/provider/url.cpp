#include "llm/url.hpp"

#include <algorithm>
#include <charconv>

namespace llm {

namespace {

struct Scheme {
    std::string_view prefix;
    bool tls;
    std::uint16_t port;
};

constexpr Scheme schemes[] = {
    {"http://", false, 80},
    {"https://", true, 443},
};

constexpr bool is_alnum(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9');
}

constexpr bool is_hex(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
           || (c >= 'A' && c <= 'F');
}

bool starts_with_nocase(std::string_view text,
                        std::string_view prefix) noexcept {
    return text.size() >= prefix.size()
           && std::equal(prefix.begin(), prefix.end(), text.begin(),
                         [](char a, char b) {
                             return a == (b >= 'A' && b <= 'Z' ? b + 32 : b);
                         });
}

// Labels of letters, digits, hyphens and underscores, none of them empty.
bool is_name(std::string_view host) noexcept {
    if (host.empty() || host.size() > 253) {
        return false;
    }
    char last = '.';
    for (char c : host) {
        if (c == '.' ? last == '.' : !is_alnum(c) && c != '-' && c != '_') {
            return false;
        }
        last = c;
    }
    return last != '.';
}

// Whether it can be an IPv6 address; whether it is one, whoever makes a
// socket address of it finds out.
bool is_address(std::string_view host) noexcept {
    return std::count(host.begin(), host.end(), ':') >= 2
           && std::all_of(host.begin(), host.end(), [](char c) {
                  return is_hex(c) || c == ':' || c == '.';
              });
}

}  // namespace

Result<BaseUrl> parse_base_url(std::string_view text) {
    for (unsigned char c : text) {
        if (c <= 0x20 || c >= 0x7f) {
            return invalid_request(
                "must not have spaces, control or non-ASCII characters");
        }
    }

    const auto *scheme = std::find_if(
        std::begin(schemes), std::end(schemes),
        [text](const Scheme &s) { return starts_with_nocase(text, s.prefix); });
    if (scheme == std::end(schemes)) {
        return invalid_request("must begin with \"http://\" or \"https://\"");
    }

    auto rest = text.substr(scheme->prefix.size());
    auto authority = rest.substr(0, rest.find_first_of("/?#"));
    auto path = rest.substr(authority.size());

    if (authority.find('@') != authority.npos) {
        return invalid_request("must not have a user name or password, "
                               "use \"api_key\" or \"header\"");
    }
    if (path.find_first_of("?#") != path.npos) {
        return invalid_request("must not have a query or fragment");
    }

    BaseUrl url;
    url.tls = scheme->tls;
    url.port = scheme->port;
    url.authority = authority;

    std::string_view port;
    if (authority.starts_with('[')) {
        auto end = authority.find(']');
        if (end == authority.npos) {
            return invalid_request("has an IPv6 address without \"]\"");
        }
        url.host = authority.substr(1, end - 1);
        port = authority.substr(end + 1);
        if (!is_address(url.host)) {
            return invalid_request("has an invalid IPv6 address");
        }
        if (!port.empty() && port.front() != ':') {
            return invalid_request("has an invalid port");
        }
    } else {
        auto colon = authority.find(':');
        url.host = authority.substr(0, colon);
        if (colon != authority.npos) {
            port = authority.substr(colon);
        }
        if (url.host.empty()) {
            return invalid_request("has no host");
        }
        if (!is_name(url.host)) {
            return invalid_request("has an invalid host");
        }
    }

    if (!port.empty()) {
        port.remove_prefix(1);
        const auto *end = port.data() + port.size();
        auto [last, error] = std::from_chars(port.data(), end, url.port);
        if (error != std::errc{} || last != end || url.port == 0) {
            return invalid_request("has an invalid port");
        }
        url.explicit_port = true;
    }

    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    url.path = path;
    return url;
}

void append_path(std::string &out, std::string_view base,
                 std::string_view path) {
    constexpr std::string_view version = "/v1";
    if (base.ends_with(version) && path.starts_with("/v1/")) {
        path.remove_prefix(version.size());
    }
    out.append(base).append(path);
}

void append_segment(std::string &out, std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    for (char c : text) {
        if (is_alnum(c) || c == '-' || c == '_' || c == '~' || c == '.') {
            out += c;
        } else {
            auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
}

bool is_step(std::string_view text) noexcept {
    return text == "." || text == "..";
}

}  // namespace llm
