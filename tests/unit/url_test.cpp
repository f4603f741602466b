#include "catch.hpp"
#include "llm/url.hpp"

using namespace llm;

namespace {

std::string refusal(std::string_view text) {
    auto url = parse_base_url(text);
    return url ? "" : url.error().message;
}

}  // namespace

TEST_CASE("a base URL is scheme, host, port and the prefix of paths") {
    auto url = parse_base_url("https://api.openai.com/v1");
    REQUIRE(url);
    CHECK(url->tls);
    CHECK(url->host == "api.openai.com");
    CHECK(url->authority == "api.openai.com");
    CHECK(url->port == 443);
    CHECK_FALSE(url->explicit_port);
    CHECK(url->path == "/v1");

    url = parse_base_url("http://127.0.0.1:8000");
    REQUIRE(url);
    CHECK_FALSE(url->tls);
    CHECK(url->host == "127.0.0.1");
    CHECK(url->authority == "127.0.0.1:8000");
    CHECK(url->port == 8000);
    CHECK(url->explicit_port);
    CHECK(url->path == "");

    url = parse_base_url("HTTP://vllm_1/");
    REQUIRE(url);
    CHECK(url->port == 80);
    CHECK(url->host == "vllm_1");
    CHECK(url->path == "");
}

TEST_CASE("an IPv6 address stands in brackets") {
    auto url = parse_base_url("http://[::1]:8080/a/b//");
    REQUIRE(url);
    CHECK(url->host == "::1");
    CHECK(url->authority == "[::1]:8080");
    CHECK(url->port == 8080);
    CHECK(url->path == "/a/b");

    CHECK(parse_base_url("https://[2001:db8::a]")->port == 443);
    CHECK(refusal("http://[::1") == "has an IPv6 address without \"]\"");
    CHECK(refusal("http://[localhost]") == "has an invalid IPv6 address");
    CHECK(refusal("http://[]") == "has an invalid IPv6 address");
    CHECK(refusal("http://[::1]8080") == "has an invalid port");
    CHECK(refusal("http://::1/") == "has no host");
}

TEST_CASE("what cannot be a base URL is refused with the reason") {
    auto scheme = "must begin with \"http://\" or \"https://\"";
    CHECK(refusal("") == scheme);
    CHECK(refusal("api.openai.com/v1") == scheme);
    CHECK(refusal("ftp://api.openai.com") == scheme);
    CHECK(refusal("https:/api.openai.com") == scheme);

    CHECK(refusal("https://") == "has no host");
    CHECK(refusal("https:///v1") == "has no host");
    CHECK(refusal("https://:443") == "has no host");
    CHECK(refusal("https://a..b") == "has an invalid host");
    CHECK(refusal("https://.a") == "has an invalid host");
    CHECK(refusal("https://a./") == "has an invalid host");
    CHECK(refusal("https://a$b/") == "has an invalid host");

    for (auto port : {"0", "65536", "99999999999", "x", "80x", "-1", "+80", ""})
    {
        CAPTURE(port);
        CHECK(refusal("https://host:" + std::string(port) + "/")
              == "has an invalid port");
    }

    CHECK(refusal("https://host/v1?a=b")
          == "must not have a query or fragment");
    CHECK(refusal("https://host#a") == "must not have a query or fragment");

    auto bytes = "must not have spaces, control or non-ASCII characters";
    CHECK(refusal("https://host/a b") == bytes);
    CHECK(refusal("https://host/a\r\nx") == bytes);
    CHECK(refusal(std::string_view("https://ho\0st", 13)) == bytes);
    CHECK(refusal("https://h\xC3\xA4") == bytes);
}

TEST_CASE("a password in a URL is refused and not repeated") {
    auto reason = refusal("https://user:hunter2@api.openai.com/v1");
    CHECK(reason == "must not have a user name or password, "
                    "use \"api_key\" or \"header\"");
}

TEST_CASE("a segment of a path neither ends nor begins a query") {
    auto segment = [](std::string_view text) {
        std::string path = "/";
        append_segment(path, text);
        return path;
    };
    CHECK(segment("gpt-4.1_mini~x") == "/gpt-4.1_mini~x");
    CHECK(segment("a/../b?c#d%e") == "/a%2F..%2Fb%3Fc%23d%25e");
    CHECK(segment("arn:aws:1/x") == "/arn%3Aaws%3A1%2Fx");
    CHECK(segment(std::string_view("\0\xC3\xA4 ", 4)) == "/%00%C3%A4%20");
    CHECK(segment("").size() == 1);
}

TEST_CASE("the version of an API stands once in a path") {
    auto path = [](std::string_view base, std::string_view path) {
        std::string out = "POST ";
        append_path(out, base, path);
        return out;
    };
    CHECK(path("/v1", "/chat/completions") == "POST /v1/chat/completions");
    CHECK(path("", "/v1/messages") == "POST /v1/messages");
    CHECK(path("/v1", "/v1/messages") == "POST /v1/messages");
    CHECK(path("/api/v1", "/v1/messages") == "POST /api/v1/messages");
    CHECK(path("/v12", "/v1/messages") == "POST /v12/v1/messages");
    CHECK(path("/api", "/v1beta/models") == "POST /api/v1beta/models");
    CHECK(path("/v1", "/v10/x") == "POST /v1/v10/x");
}
