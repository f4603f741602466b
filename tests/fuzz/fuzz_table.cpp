// A table of embeddings is refused, or usable: whatever is in its file.
#include <cmath>
#include <cstring>
#include <vector>

#include "fuzz.hpp"
#include "llm/static_embedding.hpp"
#include "text/hash.hpp"

using namespace llm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    constexpr std::size_t checksum_at = 56;
    // A copy of its own, so that what is read beyond it is noticed.
    std::vector<std::uint8_t> file(data, data + size);
    std::string_view bytes(reinterpret_cast<const char *>(data), size);
    if (size >= 64) {
        // With the checksum that nobody would guess.
        std::uint64_t sum =
            fnv1a(bytes.substr(64), fnv1a(bytes.substr(0, checksum_at)));
        std::memcpy(file.data() + checksum_at, &sum, sizeof(sum));
    }

    auto table =
        embedding::StaticTable::open(std::as_bytes(std::span(file)));
    if (!table) {
        fuzz::promise(!table.error().message.empty(), "errors say something");
        return 0;
    }

    std::vector<float> out(table->dimensions());
    embedding::StaticTable::Scratch scratch;
    bool some = table->embed(bytes, out, scratch) > 0;
    double squares = 0;
    for (float value : out) {
        squares += double{value} * value;
    }
    fuzz::promise(std::fabs(squares - (some ? 1 : 0)) < 1e-3,
                  "an embedding has unit length, or none");
    for (const auto &token : scratch.tokens) {
        fuzz::promise(token.id < table->rows(), "each token has a row");
    }
    return 0;
}
