#include "cache/sha256.hpp"

#include <memory>
#include <new>

#include <openssl/evp.h>
#include <openssl/opensslv.h>

namespace llm::cache {

namespace {

// EVP_sha256() of OpenSSL 3 only names the algorithm: each digest would look
// for who provides it, under locks, which takes as long as the digest of a
// usual call. Whoever is found once is kept as long as this library is loaded,
// and given back before OpenSSL cleans up at the process' end: it was there
// earlier.
const EVP_MD *algorithm() {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L && !defined(LIBRESSL_VERSION_NUMBER)
    struct Release {
        void operator()(EVP_MD *found) const noexcept { EVP_MD_free(found); }
    };
    static const std::unique_ptr<EVP_MD, Release> found(
        EVP_MD_fetch(nullptr, "SHA256", nullptr));
    return found ? found.get() : EVP_sha256();
#else
    return EVP_sha256();
#endif
}

void require(int outcome) {
    // With a digest that is built in nothing else can fail.
    if (outcome != 1) {
        throw std::bad_alloc();
    }
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_) {
        throw std::bad_alloc();
    }
    if (EVP_DigestInit_ex(context_, algorithm(), nullptr) != 1) {
        EVP_MD_CTX_free(context_);
        throw std::bad_alloc();
    }
}

Sha256::~Sha256() {
    EVP_MD_CTX_free(context_);
}

void Sha256::update_large(std::string_view bytes) {
    flush();
    if (bytes.size() > sizeof(held_)) {
        require(EVP_DigestUpdate(context_, bytes.data(), bytes.size()));
    } else {
        update(bytes);
    }
}

void Sha256::flush() {
    require(EVP_DigestUpdate(context_, held_, size_));
    size_ = 0;
}

Digest Sha256::finish() {
    flush();
    Digest digest;
    require(EVP_DigestFinal_ex(context_, digest.bytes.data(), nullptr));
    require(EVP_DigestInit_ex(context_, nullptr, nullptr));
    return digest;
}

std::string Digest::hex() const {
    std::string out;
    out.reserve(2 * bytes.size());
    for (std::uint8_t byte : bytes) {
        out.push_back("0123456789abcdef"[byte >> 4]);
        out.push_back("0123456789abcdef"[byte & 0xF]);
    }
    return out;
}

}  // namespace llm::cache
