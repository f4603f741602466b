#include "llm/jwt.hpp"

#include <climits>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace llm::jwt {

namespace {

constexpr int min_bits = 2048;

// What OpenSSL leaves in its queue, which is the thread's, would be taken for
// the errors of somebody else's connections.
struct CleanErrors {
    CleanErrors() = default;
    ~CleanErrors() { ERR_clear_error(); }
    CleanErrors(const CleanErrors &) = delete;
    CleanErrors &operator=(const CleanErrors &) = delete;
};

template <auto free>
struct Free {
    template <typename T>
    void operator()(T *object) const noexcept {
        free(object);
    }
};

// Instead of asking on a terminal: an encrypted key is none for us.
int no_passphrase(char *, int, int, void *) noexcept {
    return -1;
}

Error cannot_sign() {
    Error error;
    error.kind = ErrorKind::server;
    error.message = "the key cannot sign";
    return error;
}

}  // namespace

std::string base64url(std::string_view bytes) {
    constexpr char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    unsigned held = 0;
    int bits = 0;
    for (char c : bytes) {
        held = (held << 8 | static_cast<unsigned char>(c)) & 0xFFFF;
        for (bits += 8; bits >= 6;) {
            bits -= 6;
            out += alphabet[(held >> bits) & 63];
        }
    }
    if (bits > 0) {
        out += alphabet[(held << (6 - bits)) & 63];
    }
    return out;
}

Result<RsaKey> RsaKey::parse(std::string_view pem) {
    CleanErrors clean;
    if (pem.size() > INT_MAX) {
        return invalid_request("is too long for a key");
    }
    std::unique_ptr<BIO, Free<BIO_free>> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (bio == nullptr) {
        throw std::bad_alloc();
    }
    std::shared_ptr<EVP_PKEY> key(
        PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr),
        Free<EVP_PKEY_free>());
    if (key == nullptr) {
        return invalid_request("is not a private key in PEM without a "
                               "passphrase");
    }
    if (EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
        return invalid_request("is not an RSA key");
    }
    if (EVP_PKEY_bits(key.get()) < min_bits) {
        return invalid_request("is an RSA key of less than 2048 bits");
    }
    return RsaKey(std::move(key));
}

Result<std::string> RsaKey::sign(std::string_view bytes) const {
    CleanErrors clean;
    std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> context(
        EVP_MD_CTX_new());
    if (context == nullptr) {
        throw std::bad_alloc();
    }
    auto *data = reinterpret_cast<const unsigned char *>(bytes.data());
    size_t size = 0;
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                           key_.get()) != 1
        || EVP_DigestSign(context.get(), nullptr, &size, data, bytes.size())
               != 1) {
        return cannot_sign();
    }
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(),
                       reinterpret_cast<unsigned char *>(signature.data()),
                       &size, data, bytes.size()) != 1) {
        return cannot_sign();
    }
    signature.resize(size);
    return signature;
}

Result<std::string> sign(std::string_view header, std::string_view claims,
                         const RsaKey &key) {
    std::string token = base64url(header);
    token.append(".").append(base64url(claims));
    auto signature = key.sign(token);
    if (!signature) {
        return std::move(signature.error());
    }
    token.append(".").append(base64url(*signature));
    return token;
}

}  // namespace llm::jwt
