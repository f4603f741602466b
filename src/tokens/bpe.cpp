#include "llm/bpe.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "text/hash.hpp"

namespace llm::tokens {

namespace {

constexpr std::string_view magic = "LLMB\r\n\x1a\n";
constexpr std::uint32_t file_version = 1;
constexpr std::size_t checksum_at = 56;
constexpr std::size_t header_size = 64;

constexpr std::uint32_t last_bit = 1U << 31;
constexpr std::uint32_t token_bit = 1U << 8;
constexpr std::uint32_t no_rank = UINT32_MAX;
constexpr std::uint32_t no_unit = UINT32_MAX;   // a last one of rank 2^18 - 1
constexpr unsigned char value_label = 0xFF;

constexpr std::uint32_t base(std::uint32_t unit) noexcept {
    return unit >> 9 & 0xFFFFF;
}

template <typename T>
T get(std::span<const std::byte> file, std::size_t at) noexcept {
    T value;
    std::memcpy(&value, file.data() + at, sizeof(value));
    return value;
}

}  // namespace

Result<Vocabulary> Vocabulary::open(std::span<const std::byte> file) {
    auto bad = [](const char *what) {
        return invalid_request(std::string("the vocabulary ") + what);
    };

    if constexpr (std::endian::native != std::endian::little) {
        return bad("needs a little-endian machine");
    }
    std::string_view bytes(reinterpret_cast<const char *>(file.data()),
                           file.size());
    if (bytes.size() < header_size || !bytes.starts_with(magic)) {
        return bad("is not an .llmb file");
    }
    if (reinterpret_cast<std::uintptr_t>(file.data()) % 4 != 0) {
        return bad("is not aligned to 4 bytes");
    }
    if (get<std::uint32_t>(file, 8) != file_version) {
        return bad("is of another version");
    }
    const auto pattern = get<std::uint32_t>(file, 12);
    if (pattern != 1 && pattern != 2) {
        return bad("has an unknown split pattern");
    }
    const auto tokens = get<std::uint32_t>(file, 16);
    const auto units = get<std::uint32_t>(file, 20);
    if (tokens <= 256 || tokens > 1U << 18 || units < 256 ||
        units % 256 != 0 || units > 1U << 20) {
        return bad("has sizes out of range");
    }
    if (bytes.size() != header_size + std::size_t{units} * 4) {
        return bad("is cut off or too long");
    }
    std::uint64_t sum = fnv1a(bytes.substr(header_size),
                              fnv1a(bytes.substr(0, checksum_at)));
    if (get<std::uint64_t>(file, checksum_at) != sum) {
        return bad("is damaged: its checksum differs");
    }

    Vocabulary vocabulary;
    vocabulary.units_ = {
        reinterpret_cast<const std::uint32_t *>(file.data() + header_size),
        units};
    for (std::uint32_t unit : vocabulary.units_) {
        bool is_node = !(unit & last_bit) && (unit & 0xFF) != value_label;
        if (is_node && base(unit) >= units) {
            return bad("has a node outside of it");
        }
    }
    vocabulary.name_ = bytes.substr(24, 32);
    vocabulary.name_ =
        vocabulary.name_.substr(0, vocabulary.name_.find('\0'));
    vocabulary.pattern_ = static_cast<Pattern>(pattern);
    vocabulary.tokens_ = tokens;
    return vocabulary;
}

std::uint32_t Counter::child(std::uint32_t unit,
                             unsigned char byte) const noexcept {
    if (unit & last_bit) {
        return no_unit;
    }
    std::uint32_t next = vocabulary_.units_[base(unit) ^ byte];
    // The value of a node is its child by name only.
    bool found = (next & 0xFF) == byte && (byte != value_label || unit == 0);
    return found ? next : no_unit;
}

bool Counter::is_token(std::uint32_t unit) noexcept {
    return (unit & (last_bit | token_bit)) != 0;
}

Counter::Token Counter::token(std::uint32_t unit,
                              std::size_t size) const noexcept {
    std::uint32_t left;
    if (unit & last_bit) {
        left = unit >> 26 & 31;
    } else {
        left = (unit >> 29 & 1) << 6;
        unit = vocabulary_.units_[base(unit) ^ value_label];
        left |= unit >> 26;
    }
    std::uint32_t rank = unit >> 8 & 0x3FFFF;
    return {rank << 14 | static_cast<std::uint32_t>(size - 1) << 7 | left};
}

void Counter::start(std::string_view text,
                    std::vector<std::uint32_t> *tokens) noexcept {
    text_ = text;
    tokens_ = tokens;
    count_ = 0;
    work_ = 0;
    piece_ = size_ = at_ = 0;
    found_.clear();
}

std::int64_t Counter::count() const noexcept {
    return count_ + static_cast<std::int64_t>(found_.size());
}

std::int64_t Counter::count(std::string_view text) {
    start(text);
    advance(SIZE_MAX);
    return count();
}

const unsigned char *Counter::here() const noexcept {
    return reinterpret_cast<const unsigned char *>(text_.data()) + piece_ + at_;
}

// All tokens at the present place of at most `limit` bytes.
void Counter::match(std::size_t limit) noexcept {
    auto p = here();
    limit = std::min({limit, size_ - at_, longest});
    matches_ = 0;
    levels_.clear();
    merges_.clear();
    std::uint32_t unit = 0;     // the root
    for (std::size_t i = 0; i < limit; i++) {
        work_++;
        unit = child(unit, p[i]);
        if (unit == no_unit) {
            return;
        }
        if (is_token(unit)) {
            match_size_[matches_++] = static_cast<std::uint8_t>(i + 1);
            match_[i + 1] = token(unit, i + 1);
        }
    }
}

// `left` ends here: the next of levels_, with all that it could merge with.
void Counter::add_level(Token left) {
    Level level{left, static_cast<std::uint32_t>(merges_.size()), 0};
    std::uint32_t unit = 0;
    for (auto p = here() - left.size(); p != here(); p++) {
        unit = child(unit, *p);
    }
    // The size of a half is known, but not its rank.
    level.token = token(unit, left.size());
    const std::size_t most = match_size_[matches_ - 1];
    for (std::size_t i = 0; i < most; i++) {
        unit = child(unit, here()[i]);
        if (unit == no_unit) {
            break;
        }
        merges_.push_back(is_token(unit) ? token(unit, 1).rank() : no_rank);
        level.reach++;
    }
    work_ += left.size() + level.reach;
    levels_.push_back(level);
}

// Whether merging leaves the border between `left`, which ends here, and the
// longest of the matches alone. Backwards in time: of the two tokens at the
// border the one made later is taken apart, and its half at the border takes
// its place, until two bytes meet. Two that met would have merged, had their
// token's turn come before something else consumed one of them: `turn`. Of
// equal ranks the leftmost goes first.
bool Counter::fits(Token left) {
    Token right = match_[match_size_[matches_ - 1]];
    std::uint32_t turn = no_rank;

    for (std::size_t i = 0;; i++) {
        if (i == levels_.size()) {
            add_level(left);
        }
        // From here on the left one stays, and the right one gets shorter.
        const Level level = levels_[i];
        left = level.token;
        for (;;) {
            work_++;
            if (right.size() <= level.reach &&
                merges_[level.merges + right.size() - 1] < turn) {
                return false;
            }
            if (left.rank() > right.rank()) {
                break;
            }
            if (right.size() == 1) {
                return true;
            }
            turn = right.rank() + 1;
            right = match_[right.left()];
        }

        if (left.size() == 1) {
            return true;
        }
        turn = left.rank();
        left.packed = static_cast<std::uint32_t>(
                          left.size() - left.left() - 1) << 7;
    }
}

// The next piece; true: it is done already, since all of it is one token.
bool Counter::open_piece() {
    size_ = piece_end(vocabulary_.pattern_, text_, piece_) - piece_;
    at_ = 0;
    match(longest);
    if (matches_ > 0 && match_size_[matches_ - 1] == size_) {
        if (tokens_) {
            tokens_->push_back(match_[size_].rank());
        }
        count_++;
        piece_ += size_;
        size_ = 0;
        return true;
    }
    dead_.assign(size_ / 64 + 1, 0);
    return false;
}

// One token more, or one less. False: the piece is done.
bool Counter::step() {
    for (; matches_ > 0; matches_--) {
        std::size_t size = match_size_[matches_ - 1];
        std::size_t end = at_ + size;
        bool dead = dead_[end / 64] >> end % 64 & 1;
        if (!dead && (found_.empty() || fits(found_.back()))) {
            found_.push_back(match_[size]);
            at_ = end;
            match(longest);
            return at_ < size_;
        }
    }

    // There is always a way: bytes are tokens, and merging ends somewhere.
    dead_[at_ / 64] |= std::uint64_t{1} << at_ % 64;
    std::size_t size = found_.back().size();
    found_.pop_back();
    at_ -= size;
    match(size - 1);
    return true;
}

void Counter::close_piece() {
    if (tokens_) {
        for (Token token : found_) {
            tokens_->push_back(token.rank());
        }
    }
    count_ += static_cast<std::int64_t>(found_.size());
    found_.clear();
    piece_ += size_;
    size_ = at_ = 0;
}

bool Counter::advance(std::size_t work) {
    const std::size_t before = work_;
    while (piece_ < text_.size()) {
        if (size_ == 0) {
            if (!open_piece()) {
                continue;
            }
        } else if (!step()) {
            close_piece();
        }
        if (work_ - before >= work) {
            break;
        }
    }
    return piece_ == text_.size();
}

}  // namespace llm::tokens
