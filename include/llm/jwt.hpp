// Signed JSON Web Tokens, as service accounts send them: RS256, compact
// (RFC 7515, RFC 7518 section 3.3).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "llm/result.hpp"

struct evp_pkey_st;

namespace llm::jwt {

// Base64url without padding (RFC 7515, section 2).
std::string base64url(std::string_view bytes);

// A private key that RS256 can sign with. Cheap to copy.
class RsaKey {
public:
    // PEM, "BEGIN PRIVATE KEY" or "BEGIN RSA PRIVATE KEY", not encrypted, of
    // 2048 bits at least (RFC 7518 asks for that). The error says what is
    // wrong and nothing of the text.
    static Result<RsaKey> parse(std::string_view pem);

    // RSASSA-PKCS1-v1_5 with SHA-256.
    Result<std::string> sign(std::string_view bytes) const;

private:
    explicit RsaKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

    std::shared_ptr<evp_pkey_st> key_;
};

// header.claims.signature. Both are JSON, signed byte for byte as they are;
// that the header says "alg":"RS256" is the caller's business.
Result<std::string> sign(std::string_view header, std::string_view claims,
                         const RsaKey &key);

}  // namespace llm::jwt
