// Any bytes have tokens, the same ones in whatever slices they are counted; and
// any bytes may be an image.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "llm/bpe.hpp"
#include "llm/tokens.hpp"

using namespace llm;
using tokens::Counter;
using tokens::Vocabulary;

namespace {

struct Tokenizer {
    explicit Tokenizer(const char *path) {
        std::ifstream in(path, std::ios::binary);
        file.assign(std::istreambuf_iterator<char>(in), {});
        auto opened = Vocabulary::open(std::as_bytes(std::span(file)));
        fuzz::promise(static_cast<bool>(opened), "the vocabulary is good");
        vocabulary.push_back(*opened);
    }

    std::string file;
    std::vector<Vocabulary> vocabulary;     // one
};

std::vector<std::uint32_t> encode(Counter &counter, std::string_view text,
                                  std::size_t slice) {
    std::vector<std::uint32_t> ranks;
    counter.start(text, &ranks);
    while (!counter.advance(slice)) {
        fuzz::promise(counter.position() < text.size(), "it is not done");
    }
    return ranks;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    static const Tokenizer tokenizers[] = {
        Tokenizer(LLM_SOURCE_DIR "/data/o200k_base.llmb"),
        Tokenizer(LLM_SOURCE_DIR "/data/cl100k_base.llmb"),
    };
    std::string_view text(reinterpret_cast<const char *>(data), size);

    for (const auto &tokenizer : tokenizers) {
        Counter counter(tokenizer.vocabulary.front());
        const auto pattern = tokenizer.vocabulary.front().pattern();
        auto whole = encode(counter, text, SIZE_MAX);
        fuzz::promise(whole.size() <= size, "a token has a byte or more");
        fuzz::promise(encode(counter, text, 3) == whole,
                      "slices do not change the tokens");

        std::size_t pieces = 0;
        for (std::size_t i = 0; i < size; pieces++) {
            std::size_t end = tokens::piece_end(pattern, text, i);
            fuzz::promise(end > i && end <= size, "a piece has a byte or more");
            i = end;
        }
        fuzz::promise(pieces <= whole.size(), "no token is in two pieces");
    }

    tokens::estimate_tokens(text, tokens::Family::claude);
    if (auto image = tokens::image_size(text)) {
        for (std::string_view model : {"gpt-4o", "gpt-5-mini", "gpt-6",
                                       "claude-3", "gemini-2"}) {
            auto cost = tokens::image_tokens(model, image, "high");
            fuzz::promise(cost > 0 && cost < 100000, "an image costs tokens");
        }
    }
    return 0;
}
