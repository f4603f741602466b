// AWS Signature Version 4: the headers that prove to an AWS service who sends
// a request, made from the request and a secret key. Source: AWS General
// Reference / IAM User Guide, "Create a signed AWS API request"; checked with
// the test suite that AWS publishes with its SDKs (aws-c-auth).
//
// Pure: whoever fetches credentials, knows the time and sends the request is
// the caller. Sign after the last change to the body, and anew for each try:
// AWS refuses a signature whose time is more than five minutes off.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/format.hpp"

namespace llm {

struct SigV4Credentials {
    std::string_view access_key;
    std::string_view secret_key;
    std::string_view session_token = {};    // of temporary ones; else empty
};

struct SigV4Scope {
    std::string_view region;    // "us-east-1"
    std::string_view service;   // "bedrock", also where the host says
                                // bedrock-runtime; "sts"
};

// All of it as it goes over the wire.
struct SigV4Request {
    std::string_view method = "POST";
    // The Host header, with the port where the request's has one.
    std::string_view host;
    // Percent-encoded as sent ("/model/x%3A0/converse"): services other than
    // S3 encode it once more for the signature, which is done here.
    std::string_view path;
    std::string_view query = {};    // as sent, without "?"
    // Others to sign, content-type at least; in any order, a name may come
    // more than once. Not those that a proxy on the way may change, and none
    // of "host", "authorization" and what sign_sigv4() adds.
    std::span<const HeaderField> headers = {};
    std::span<const std::string_view> payload = {};     // pieces of the body
};

struct SigV4Header {
    std::string_view name;      // lower case, static
    std::string value;
};

// The headers to add to the request: x-amz-date, x-amz-security-token where
// there is a session token, and authorization. `now`: Unix seconds, UTC.
std::vector<SigV4Header> sign_sigv4(const SigV4Request &request,
                                    const SigV4Credentials &credentials,
                                    const SigV4Scope &scope,
                                    std::int64_t now);

}  // namespace llm
