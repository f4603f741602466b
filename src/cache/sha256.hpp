// SHA-256 (FIPS 180-4), fed in pieces.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "llm/cache_key.hpp"

struct evp_md_ctx_st;

namespace llm::cache {

// Throws std::bad_alloc where libcrypto has no memory.
class Sha256 {
public:
    Sha256();
    Sha256(const Sha256 &) = delete;
    Sha256 &operator=(const Sha256 &) = delete;
    ~Sha256();

    void update(std::string_view bytes) {
        if (bytes.size() > sizeof(held_) - size_) {
            update_large(bytes);
        } else if (!bytes.empty()) {
            std::memcpy(held_ + size_, bytes.data(), bytes.size());
            size_ += bytes.size();
        }
    }
    // May be fed anew afterwards, for another digest.
    Digest finish();

private:
    void update_large(std::string_view bytes);
    void flush();

    evp_md_ctx_st *context_;
    // Small pieces are collected: a call of libcrypto costs more than they.
    char held_[512];
    std::size_t size_ = 0;
};

}  // namespace llm::cache
