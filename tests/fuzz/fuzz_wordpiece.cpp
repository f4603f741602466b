// Any bytes have tokens, and a space cuts them as it cuts the bytes.
#include <vector>

#include "fuzz.hpp"
#include "llm/wordpiece.hpp"

using namespace llm;
using embedding::Token;

namespace {

constexpr std::string_view text = "[UNK]a##a##bb?中ᄒ##ᅡaabe";
constexpr std::uint32_t offsets[] = {0,  5,  6,  9,  12, 13,
                                     14, 17, 20, 25, 27, 29};

std::vector<Token> encode(std::string_view bytes) {
    static const auto pieces =
        embedding::WordPiece::make({offsets, text});
    fuzz::promise(static_cast<bool>(pieces), "the vocabulary is good");
    std::vector<Token> tokens;
    pieces->encode(bytes, tokens);
    fuzz::promise(tokens.size() <= bytes.size() * 3,
                  "at most three tokens for a byte");
    return tokens;
}

bool same(const std::vector<Token> &a, const std::vector<Token> &b,
          std::size_t from) {
    for (std::size_t i = 0; i < b.size(); i++) {
        if (a[from + i].id != b[i].id || a[from + i].word != b[i].word) {
            return false;
        }
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view bytes(reinterpret_cast<const char *>(data), size);
    auto whole = encode(bytes);
    for (std::size_t cut = bytes.find(' '); cut != bytes.npos && cut < 64;
         cut = bytes.find(' ', cut + 1)) {
        auto left = encode(bytes.substr(0, cut));
        auto right = encode(bytes.substr(cut));
        fuzz::promise(left.size() + right.size() == whole.size() &&
                          same(whole, left, 0) &&
                          same(whole, right, left.size()),
                      "words do not depend on their neighbours");
    }
    return 0;
}
