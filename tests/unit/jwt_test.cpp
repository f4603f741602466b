#include "catch.hpp"
#include "files.hpp"
#include "llm/jwt.hpp"

using namespace llm;

namespace {

std::string pem(const char *name) {
    return llm::testing::read_file("tests/unit/data/" + std::string(name));
}

std::string refusal(std::string_view text) {
    auto key = jwt::RsaKey::parse(text);
    return key ? "" : key.error().message;
}

}  // namespace

TEST_CASE("a token is signed as the RFC's own example is") {
    // RFC 7515, appendix A.2: the key, the texts and the signature.
    auto key = jwt::RsaKey::parse(pem("rfc7515-a2.pem"));
    REQUIRE(key);
    auto token = jwt::sign("{\"alg\":\"RS256\"}",
                           "{\"iss\":\"joe\",\r\n"
                           " \"exp\":1300819380,\r\n"
                           " \"http://example.com/is_root\":true}",
                           *key);
    REQUIRE(token);
    CHECK(*token ==
          "eyJhbGciOiJSUzI1NiJ9."
          "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
          "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
          "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
          "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
          "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
          "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
          "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
          "p0igcN_IoypGlUPQGe77Rw");
}

TEST_CASE("base64url has no padding and no characters of URLs") {
    // RFC 4648, section 10, and RFC 7515, appendix C.
    CHECK(jwt::base64url("") == "");
    CHECK(jwt::base64url("f") == "Zg");
    CHECK(jwt::base64url("fo") == "Zm8");
    CHECK(jwt::base64url("foo") == "Zm9v");
    CHECK(jwt::base64url("foob") == "Zm9vYg");
    CHECK(jwt::base64url("\x03\xec\xff\xe0\xc1") == "A-z_4ME");
}

TEST_CASE("what is no RSA key of enough bits is refused") {
    CHECK(refusal(pem("rsa-1024.pem"))
          == "is an RSA key of less than 2048 bits");
    CHECK(refusal(pem("ec-p256.pem")) == "is not an RSA key");

    const auto *none =
        "is not a private key in PEM without a passphrase";
    CHECK(refusal("") == none);
    CHECK(refusal("hello") == none);
    auto whole = pem("rfc7515-a2.pem");
    CHECK(refusal(whole.substr(0, whole.size() / 2)) == none);
    CHECK(refusal("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
                  "-----END ENCRYPTED PRIVATE KEY-----\n") == none);
}
