#include "llm/sigv4.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <utility>

#include "cache/sha256.hpp"
#include "llm/url.hpp"

namespace llm {

namespace {

using cache::Digest;
using cache::Sha256;

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

std::string_view bytes_of(const Digest &digest) noexcept {
    return {reinterpret_cast<const char *>(digest.bytes.data()),
            digest.bytes.size()};
}

// HMAC (RFC 2104) with SHA-256.
Digest hmac(std::string_view key, std::string_view message) {
    Sha256 hash;
    Digest long_key;
    std::array<char, 64> block{};
    if (key.size() > block.size()) {
        hash.update(key);
        long_key = hash.finish();
        key = bytes_of(long_key);
    }
    std::copy(key.begin(), key.end(), block.begin());

    auto pad = [&](unsigned char with) {
        auto padded = block;
        for (char &c : padded) {
            c = static_cast<char>(static_cast<unsigned char>(c) ^ with);
        }
        hash.update({padded.data(), padded.size()});
    };
    pad(0x36);
    hash.update(message);
    Digest inner = hash.finish();
    pad(0x5c);
    hash.update(bytes_of(inner));
    return hash.finish();
}

// "20150830T123600Z"; its first eight characters are the date.
std::string timestamp(std::int64_t now) {
    namespace chrono = std::chrono;
    chrono::sys_seconds at{chrono::seconds(now)};
    auto day = chrono::floor<chrono::days>(at);
    chrono::year_month_day date(day);
    chrono::hh_mm_ss time(at - day);

    std::string out;
    auto append = [&](long value, std::size_t digits) {
        std::string text = std::to_string(value);
        out.append(digits - std::min(digits, text.size()), '0').append(text);
    };
    append(static_cast<int>(date.year()), 4);
    append(static_cast<unsigned>(date.month()), 2);
    append(static_cast<unsigned>(date.day()), 2);
    out.push_back('T');
    append(time.hours().count(), 2);
    append(time.minutes().count(), 2);
    append(time.seconds().count(), 2);
    out.push_back('Z');
    return out;
}

// The path without "." and ".." and without empty segments (RFC 3986, 5.2.4),
// each segment encoded as if it were not yet.
std::string canonical_path(std::string_view path) {
    bool slash = path.ends_with('/');
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        auto end = std::min(path.find('/'), path.size());
        auto segment = path.substr(0, end);
        path.remove_prefix(std::min(end + 1, path.size()));
        if (segment == "..") {
            if (!segments.empty()) {
                segments.pop_back();
            }
        } else if (!segment.empty() && segment != ".") {
            segments.push_back(segment);
        }
    }

    std::string out;
    for (std::string_view segment : segments) {
        out.push_back('/');
        append_segment(out, segment);
    }
    if (slash || segments.empty()) {
        out.push_back('/');
    }
    return out;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Every byte that needs it is encoded, and none twice.
std::string canonical_query_text(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()
            && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            plain.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16
                                              + hex_digit(text[i + 2])));
            i += 2;
        } else {
            plain.push_back(text[i]);
        }
    }
    std::string out;
    append_segment(out, plain);
    return out;
}

std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    while (!query.empty()) {
        auto end = std::min(query.find('&'), query.size());
        auto parameter = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (parameter.empty()) {
            continue;
        }
        auto equals = std::min(parameter.find('='), parameter.size());
        parameters.emplace_back(
            canonical_query_text(parameter.substr(0, equals)),
            canonical_query_text(
                parameter.substr(std::min(equals + 1, parameter.size()))));
    }
    std::sort(parameters.begin(), parameters.end());

    std::string out;
    for (const auto &[name, value] : parameters) {
        if (!out.empty()) {
            out.push_back('&');
        }
        out.append(name).append("=").append(value);
    }
    return out;
}

// Appends the value with no white space around it and one space for each run
// of it within.
void append_trimmed(std::string &out, std::string_view value) {
    constexpr std::string_view white_space = " \t\r\n";
    bool first = true;
    for (;;) {
        value.remove_prefix(
            std::min(value.find_first_not_of(white_space), value.size()));
        if (value.empty()) {
            return;
        }
        if (!first) {
            out.push_back(' ');
        }
        first = false;
        auto word = value.substr(0, value.find_first_of(white_space));
        out.append(word);
        value.remove_prefix(word.size());
    }
}

// The headers in both forms in which the canonical request has them.
struct CanonicalHeaders {
    explicit CanonicalHeaders(std::vector<HeaderField> headers) {
        // Of one name they stay in their order.
        std::stable_sort(headers.begin(), headers.end(),
                         [](const HeaderField &a, const HeaderField &b) {
                             return a.name < b.name;
                         });
        std::string_view last;
        for (const HeaderField &header : headers) {
            if (header.name == last) {
                lines.back() = ',';
            } else {
                last = header.name;
                if (!names.empty()) {
                    names.push_back(';');
                }
                names.append(header.name);
                lines.append(header.name).push_back(':');
            }
            append_trimmed(lines, header.value);
            lines.push_back('\n');
        }
    }

    std::string lines;
    std::string names;
};

}  // namespace

std::vector<SigV4Header> sign_sigv4(const SigV4Request &request,
                                    const SigV4Credentials &credentials,
                                    const SigV4Scope &scope,
                                    std::int64_t now) {
    std::vector<SigV4Header> added;
    std::string time = timestamp(now);
    std::string_view date = std::string_view(time).substr(0, 8);

    std::vector<HeaderField> headers(request.headers.begin(),
                                     request.headers.end());
    headers.push_back({"host", request.host});
    headers.push_back({"x-amz-date", time});
    if (!credentials.session_token.empty()) {
        headers.push_back(
            {"x-amz-security-token", credentials.session_token});
        added.push_back({"x-amz-security-token",
                         std::string(credentials.session_token)});
    }
    CanonicalHeaders canonical(std::move(headers));

    Sha256 hash;
    for (std::string_view piece : request.payload) {
        hash.update(piece);
    }
    std::string payload = hash.finish().hex();
    std::string path = canonical_path(request.path);
    std::string query = canonical_query(request.query);
    for (std::string_view line : std::initializer_list<std::string_view>{
             request.method, path, query, canonical.lines, canonical.names}) {
        hash.update(line);
        hash.update("\n");
    }
    hash.update(payload);
    std::string canonical_request = hash.finish().hex();

    std::string credential_scope(date);
    for (std::string_view part : {scope.region, scope.service}) {
        credential_scope.append("/").append(part);
    }
    credential_scope.append("/aws4_request");

    std::string to_sign(algorithm);
    for (std::string_view line : std::initializer_list<std::string_view>{
             time, credential_scope, canonical_request}) {
        to_sign.append("\n").append(line);
    }

    std::string secret("AWS4");
    secret.append(credentials.secret_key);
    Digest key = hmac(secret, date);
    for (std::string_view step :
         {scope.region, scope.service, std::string_view("aws4_request"),
          std::string_view(to_sign)}) {
        key = hmac(bytes_of(key), step);
    }

    std::string authorization(algorithm);
    authorization.append(" Credential=")
        .append(credentials.access_key)
        .append("/")
        .append(credential_scope)
        .append(", SignedHeaders=")
        .append(canonical.names)
        .append(", Signature=")
        .append(key.hex());

    added.push_back({"x-amz-date", std::move(time)});
    added.push_back({"authorization", std::move(authorization)});
    return added;
}

}  // namespace llm
