#include "llm/wordpiece.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "embedding/fold.hpp"
#include "llm/utf8.hpp"
#include "text/hash.hpp"

namespace llm::embedding {

namespace {

constexpr std::string_view continued = "##";
constexpr std::size_t max_bytes = 4 * WordPiece::max_word;

std::uint32_t tag_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> 32);
}

bool is_alphanumeric(unsigned char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

// Bytes of the sequence that a lead byte announces; 0: it is none.
std::size_t announced(unsigned char lead) noexcept {
    return lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
}

// `text` is one valid sequence of two bytes or more.
char32_t decode(std::string_view text) noexcept {
    auto byte = [&](std::size_t i) {
        return static_cast<unsigned char>(text[i]);
    };
    char32_t code = byte(0) & (0x7F >> text.size());
    for (std::size_t i = 1; i < text.size(); i++) {
        code = code << 6 | (byte(i) & 0x3F);
    }
    return code;
}

}  // namespace

// Gathers characters to words, and splits each word into pieces.
class WordPiece::Words {
public:
    Words(const WordPiece &pieces, std::vector<Token> &tokens)
        : pieces_(pieces), tokens_(tokens) {}

    void add_ascii(char c) noexcept {
        if (characters_ < max_word) {
            starts_[characters_] = static_cast<std::uint16_t>(bytes_);
            word_[bytes_++] = c;
        }
        hash_ = fnv1a({&c, 1}, hash_);
        characters_++;
    }

    void add(char32_t code) noexcept {
        if (code < 0x80) {
            add_ascii(static_cast<char>(code));
            return;
        }
        char out[4];
        std::size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        char32_t rest = code;
        for (std::size_t i = size - 1; i > 0; i--) {
            out[i] = static_cast<char>(0x80 | (rest & 0x3F));
            rest >>= 6;
        }
        out[0] = static_cast<char>((0xF00 >> size & 0xFF) | rest);
        if (characters_ < max_word) {
            starts_[characters_] = static_cast<std::uint16_t>(bytes_);
            std::copy_n(out, size, word_ + bytes_);
            bytes_ += size;
        }
        hash_ = fnv1a({out, size}, hash_);
        characters_++;
    }

    void end() {
        if (characters_ == 0) {
            return;
        }
        std::uint32_t word = tag_of(hash_);
        std::size_t first = tokens_.size();
        if (characters_ > max_word || !split(word)) {
            tokens_.resize(first);
            tokens_.push_back({pieces_.unknown_, word});
        }
        characters_ = 0;
        bytes_ = 0;
        hash_ = fnv1a_basis;
    }

private:
    // False: some part of the word is in no piece.
    bool split(std::uint32_t word) {
        starts_[characters_] = static_cast<std::uint16_t>(bytes_);
        std::size_t first = 0;
        while (first < characters_) {
            auto prefix = first > 0 ? continued : std::string_view();
            // hashes[i]: of the candidate that ends before character i.
            std::uint64_t hashes[max_word + 1];
            std::uint64_t hash = fnv1a(prefix);
            std::size_t last = first;
            while (last < characters_ &&
                   starts_[last + 1] - starts_[first] + prefix.size() <=
                       pieces_.longest_) {
                hash = fnv1a(part(last, last + 1), hash);
                hashes[++last] = hash;
            }
            std::uint32_t id = none;
            for (; last > first; last--) {
                id = pieces_.find(hashes[last], prefix, part(first, last));
                if (id != none) {
                    break;
                }
            }
            if (id == none) {
                return false;
            }
            tokens_.push_back({id, word});
            first = last;
        }
        return true;
    }

    std::string_view part(std::size_t first, std::size_t last) const noexcept {
        return {word_ + starts_[first],
                static_cast<std::size_t>(starts_[last] - starts_[first])};
    }

    const WordPiece &pieces_;
    std::vector<Token> &tokens_;
    std::uint64_t hash_ = fnv1a_basis;
    std::size_t characters_ = 0;    // of the word, also those not kept
    std::size_t bytes_ = 0;
    std::uint16_t starts_[max_word + 1];
    char word_[max_bytes];
};

Result<WordPiece> WordPiece::make(Vocabulary vocabulary) {
    const auto &offsets = vocabulary.offsets;
    if (offsets.size() < 2 || offsets.front() != 0 ||
        offsets.back() != vocabulary.text.size() ||
        !std::is_sorted(offsets.begin(), offsets.end())) {
        return invalid_request("the offsets of the vocabulary make no sense");
    }

    WordPiece made;
    made.vocabulary_ = vocabulary;
    made.unknown_ = none;
    made.slots_.resize(std::bit_ceil(2 * vocabulary.size()));
    const std::size_t mask = made.slots_.size() - 1;

    for (std::size_t id = 0; id < vocabulary.size(); id++) {
        auto piece = vocabulary.piece(id);
        std::uint64_t hash = fnv1a(piece);
        std::uint32_t other = made.find(hash, {}, piece);
        if (other != none) {
            return invalid_request(
                "piece " + std::to_string(id) + " of the vocabulary, \"" +
                std::string(piece) + "\", is piece " + std::to_string(other) +
                " again");
        }
        std::size_t at = hash & mask;
        while (made.slots_[at].next_id != 0) {
            at = (at + 1) & mask;
        }
        made.slots_[at] = {static_cast<std::uint32_t>(id + 1), tag_of(hash)};
        made.longest_ = std::max(made.longest_, piece.size());
        if (piece == "[UNK]") {
            made.unknown_ = static_cast<std::uint32_t>(id);
        }
    }

    if (made.unknown_ == none) {
        return invalid_request("the vocabulary has no piece \"[UNK]\"");
    }
    return made;
}

std::uint32_t WordPiece::find(std::uint64_t hash, std::string_view prefix,
                              std::string_view text) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    // At most half of the slots are taken, so there is a free one.
    for (std::size_t at = hash & mask; slots_[at].next_id != 0;
         at = (at + 1) & mask) {
        if (slots_[at].tag != tag_of(hash)) {
            continue;
        }
        std::uint32_t id = slots_[at].next_id - 1;
        auto piece = vocabulary_.piece(id);
        if (piece.starts_with(prefix) && piece.substr(prefix.size()) == text) {
            return id;
        }
    }
    return none;
}

void WordPiece::encode(std::string_view text,
                       std::vector<Token> &tokens) const {
    Words words(*this, tokens);

    for (std::size_t i = 0; i < text.size();) {
        auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) {
            i++;
            if (is_alphanumeric(c)) {
                words.add_ascii(
                    static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
            } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                words.end();
            } else if (c > ' ' && c < 0x7F) {
                words.end();
                words.add_ascii(static_cast<char>(c));
                words.end();
            }
            continue;
        }

        auto sequence = text.substr(i, announced(c));
        if (sequence.empty() || !utf8::is_valid(sequence)) {
            i++;
            continue;
        }
        i += sequence.size();

        Folded folded = fold(decode(sequence));
        bool alone = folded.kind == Kind::punctuation ||
                     folded.kind == Kind::ideograph;
        if (alone || folded.kind == Kind::space) {
            words.end();
        }
        for (std::size_t k = 0; k < folded.size; k++) {
            words.add(folded.becomes[k]);
        }
        if (alone) {
            words.end();
        }
    }
    words.end();
}

}  // namespace llm::embedding
