#include "digest.hpp"

#include <memory>

#include <openssl/evp.h>

bool ngx_http_llm_digest(std::initializer_list<std::string_view> texts,
                         ngx_http_llm_digest_t &digest) noexcept {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
        EVP_MD_CTX_new(), EVP_MD_CTX_free);
    bool good = context
                && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
    for (auto text : texts) {
        std::uint64_t size = text.size();
        good = good
               && EVP_DigestUpdate(context.get(), &size, sizeof(size)) == 1
               && EVP_DigestUpdate(context.get(), text.data(), text.size())
                      == 1;
    }
    return good
           && EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
}
