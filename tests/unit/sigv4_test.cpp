#include "catch.hpp"
#include "llm/sigv4.hpp"

using namespace llm;

namespace {

struct Vector {
    std::string_view name;
    std::string_view method = "GET";
    std::string_view path = "/";
    std::string_view query = {};
    std::vector<HeaderField> headers = {};
    std::string_view body = {};
    std::string_view token = {};
    std::string_view signed_headers = "host;x-amz-date";
    std::string_view signature = {};
};

// The test suite that AWS publishes (aws-c-auth, tests/aws-signing-test-suite,
// v4), all but what is for S3 alone ("unnormalized") and for folded headers,
// which HTTP has no more. All for 2015-08-30 12:36:00 UTC.
const Vector aws_suite[] = {
    {.name = "get-header-key-duplicate",
     .headers = {{"my-header1", "value2"},
                 {"my-header1", "value2"},
                 {"my-header1", "value1"}},
     .signed_headers = "host;my-header1;x-amz-date",
     .signature = "c9d5ea9f3f72853aea855b47ea873832"
                  "890dbdd183b4468f858259531a5138ea"},
    {.name = "get-header-value-order",
     .headers = {{"my-header1", "value4"},
                 {"my-header1", "value1"},
                 {"my-header1", "value3"},
                 {"my-header1", "value2"}},
     .signed_headers = "host;my-header1;x-amz-date",
     .signature = "08c7e5a9acfcfeb3ab6b2185e75ce8b1"
                  "deb5e634ec47601a50643f830c755c01"},
    {.name = "get-header-value-trim",
     .headers = {{"my-header1", " value1"},
                 {"my-header2", " \"a   b   c\""}},
     .signed_headers = "host;my-header1;my-header2;x-amz-date",
     .signature = "acc3ed3afb60bb290fc8d2dd0098b991"
                  "1fcaa05412b367055dee359757a9c736"},
    {.name = "get-relative-normalized",
     .path = "/example/..",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-relative-relative-normalized",
     .path = "/example1/example2/../..",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-slash-dot-slash-normalized",
     .path = "/./",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-slash-normalized",
     .path = "//",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-slash-pointless-dot-normalized",
     .path = "/./example",
     .signature = "ef75d96142cf21edca26f06005da7988"
                  "e4f8dc83a165a80865db7089db637ec5"},
    {.name = "get-slashes-normalized",
     .path = "//example//",
     .signature = "9a624bd73a37c9a373b5312afbebe7a7"
                  "14a789de108f0bdfe846570885f57e84"},
    {.name = "get-space-normalized",
     .path = "/example space/",
     .signature = "652487583200325589f1fba4c7e578f7"
                  "2c47cb61beeca81406b39ddec1366741"},
    {.name = "get-unreserved",
     .path = 
         "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     .signature = "07ef7494c76fa4850883e2b006601f94"
                  "0f8a34d404d0cfa977f52a65bbf5f24f"},
    {.name = "get-utf8",
     .path = "/ሴ",
     .signature = "8318018e0b0f223aa2bbf98705b62bb7"
                  "87dc9c0e678f255a891fd03141be5d85"},
    {.name = "get-vanilla",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-vanilla-empty-query-key",
     .query = "Param1=value1",
     .signature = "a67d582fa61cc504c4bae71f336f98b9"
                  "7f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {.name = "get-vanilla-query",
     .signature = "5fa00fa31553b73ebf1942676e86291e"
                  "8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-vanilla-query-order-encoded",
     .query = "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
     .signature = "371d3713e185cc334048618a97f809c9"
                  "ffe339c62934c032af5a0e595648fcac"},
    {.name = "get-vanilla-query-order-key-case",
     .query = "Param2=value2&Param1=value1",
     .signature = "b97d918cfa904a5beff61c982a1b6f45"
                  "8b799221646efd99d3219ec94cdf2500"},
    {.name = "get-vanilla-query-unreserved",
     .query = 
         "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
         "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     .signature = "9c3e54bfcdf0b19771a7f523ee5669cd"
                  "f59bc7cc0884027167c21bb143a40197"},
    {.name = "get-vanilla-utf8-query",
     .query = "ሴ=bar",
     .signature = "2cdec8eed098649ff3a119c94853b13c"
                  "643bcf08f8b0a1d91e12c9027818dd04"},
    {.name = "get-vanilla-with-session-token",
     .token = 
         "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
     .signed_headers = "host;x-amz-date;x-amz-security-token",
     .signature = "07ec1639c89043aa0e3e2de82b96708f"
                  "198cceab042d4a97044c66dd9f74e7f8"},
    {.name = "post-header-key-case",
     .method = "POST",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544"
                  "621c30862966e37dddb68e92efbe5d6b"},
    {.name = "post-header-key-sort",
     .method = "POST",
     .headers = {{"my-header1", "value1"}},
     .signed_headers = "host;my-header1;x-amz-date",
     .signature = "c5410059b04c1ee005303aed430f6e66"
                  "45f61f4dc9e1461ec8f8916fdf18852c"},
    {.name = "post-header-value-case",
     .method = "POST",
     .headers = {{"my-header1", "VALUE1"}},
     .signed_headers = "host;my-header1;x-amz-date",
     .signature = "cdbc9802e29d2942e5e10b5bccfdd67c"
                  "5f22c7c4e8ae67b53629efa58b974b7d"},
    {.name = "post-sts-header-after",
     .method = "POST",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544"
                  "621c30862966e37dddb68e92efbe5d6b"},
    {.name = "post-sts-header-before",
     .method = "POST",
     .token = 
         "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW"
         "LWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGd"
         "QrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU"
         "9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz"
         "+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA="
         "=",
     .signed_headers = "host;x-amz-date;x-amz-security-token",
     .signature = "85d96828115b5dc0cfc3bd16ad9e210d"
                  "d772bbebba041836c64533a82be05ead"},
    {.name = "post-vanilla",
     .method = "POST",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544"
                  "621c30862966e37dddb68e92efbe5d6b"},
    {.name = "post-vanilla-empty-query-value",
     .method = "POST",
     .query = "Param1=value1",
     .signature = "28038455d6de14eafc1f9222cf5aa6f1"
                  "a96197d7deb8263271d420d138af7f11"},
    {.name = "post-vanilla-query",
     .method = "POST",
     .query = "Param1=value1",
     .signature = "28038455d6de14eafc1f9222cf5aa6f1"
                  "a96197d7deb8263271d420d138af7f11"},
    {.name = "post-x-www-form-urlencoded",
     .method = "POST",
     .headers = {{"content-type", "application/x-www-form-urlencoded"},
                 {"content-length", "13"},
                 {"x-amz-content-sha256",
                  "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106"
                  "275f4c7b24d0b6e"}},
     .body = "Param1=value1",
     .signed_headers = 
         "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
     .signature = "d3875051da38690788ef43de4db0d8f2"
                  "80229d82040bfac253562e56c3f20e0b"},
    {.name = "post-x-www-form-urlencoded-parameters",
     .method = "POST",
     .headers = {{"content-type",
                  "application/x-www-form-urlencoded; charset=utf-8"},
                 {"content-length", "13"},
                 {"x-amz-content-sha256",
                  "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106"
                  "275f4c7b24d0b6e"}},
     .body = "Param1=value1",
     .signed_headers = 
         "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
     .signature = "328d1b9eaadca9f5818ef05e8392801e"
                  "091653bafec24fcab71e7344e7f51422"},
};

constexpr std::int64_t suite_time = 1440938160;

constexpr SigV4Credentials example = {
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

std::string_view header(const std::vector<SigV4Header> &headers,
                        std::string_view name) {
    for (const auto &header : headers) {
        if (header.name == name) {
            return header.value;
        }
    }
    return {};
}

constexpr std::string_view bedrock_body =
    R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})";
constexpr std::int64_t bedrock_time = 1767323045;   // 2026-01-02 03:04:05 UTC

std::vector<SigV4Header> sign_bedrock(
    std::string_view path, const SigV4Credentials &credentials,
    std::span<const std::string_view> payload) {
    const HeaderField headers[] = {{"content-type", "application/json"}};
    SigV4Request request;
    request.host = "bedrock-runtime.us-east-1.amazonaws.com";
    request.path = path;
    request.headers = headers;
    request.payload = payload;
    return sign_sigv4(request, credentials, {"us-east-1", "bedrock"},
                      bedrock_time);
}

}  // namespace

TEST_CASE("SigV4: signatures are those of AWS' own test suite") {
    for (const Vector &vector : aws_suite) {
        INFO(vector.name);
        SigV4Credentials credentials = example;
        credentials.session_token = vector.token;
        SigV4Request request;
        request.method = vector.method;
        request.host = "example.amazonaws.com";
        request.path = vector.path;
        request.query = vector.query;
        request.headers = vector.headers;
        request.payload = {&vector.body, 1};

        auto headers = sign_sigv4(request, credentials,
                                  {"us-east-1", "service"}, suite_time);
        CHECK(header(headers, "x-amz-date") == "20150830T123600Z");
        CHECK(header(headers, "x-amz-security-token") == vector.token);
        CHECK(header(headers, "authorization")
              == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
                 "service/aws4_request, SignedHeaders="
                     + std::string(vector.signed_headers)
                     + ", Signature=" + std::string(vector.signature));
    }
}

// What follows was computed with botocore's SigV4Auth on the same requests.

TEST_CASE("SigV4: a model's name in the path is encoded twice") {
    std::string_view payload[] = {bedrock_body};
    auto headers = sign_bedrock(
        "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream",
        example, payload);
    CHECK(headers.size() == 2);
    CHECK(header(headers, "x-amz-date") == "20260102T030405Z");
    CHECK(header(headers, "authorization")
          == "AWS4-HMAC-SHA256 "
             "Credential=AKIDEXAMPLE/20260102/us-east-1/bedrock/aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date, "
             "Signature=dca7d916846a433d15135bcc882264ba"
             "5e0f42c6133c2dad1b842cada95e1b21");
}

TEST_CASE("SigV4: an ARN in the path and a session token") {
    SigV4Credentials credentials = example;
    credentials.session_token = "SESSIONTOKENEXAMPLE";
    // The body in pieces, as a spliced call has it.
    std::string_view payload[] = {bedrock_body.substr(0, 10), {},
                                  bedrock_body.substr(10)};
    auto headers = sign_bedrock(
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3A"
        "inference-profile%2Fus.anthropic.claude-sonnet-4-20250514-v1%3A0/"
        "converse",
        credentials, payload);
    CHECK(headers.size() == 3);
    CHECK(header(headers, "x-amz-security-token") == "SESSIONTOKENEXAMPLE");
    CHECK(header(headers, "authorization")
          == "AWS4-HMAC-SHA256 "
             "Credential=AKIDEXAMPLE/20260102/us-east-1/bedrock/aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date;"
             "x-amz-security-token, "
             "Signature=9a4622c21bc184a26b07ec46f906755c"
             "6c117e77614cc2079d247b6e9a21f2a5");
}

TEST_CASE("SigV4: a secret that is longer than a block of the digest") {
    // RFC 2104: longer keys are hashed first.
    std::string secret(100, 'k');
    std::string_view payload[] = {bedrock_body};
    auto headers = sign_bedrock("/model/m/converse",
                                {"AKIDEXAMPLE", secret}, payload);
    CHECK(header(headers, "authorization").ends_with(
        "Signature=23016d41cb9ed26e9d7cdbca6fd9f818"
        "fd2a47c5a21df6efbde7ada167c5e608"));
}
