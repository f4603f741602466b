#include "cache/tokens.hpp"

#include <algorithm>
#include <limits>

#include "text/hash.hpp"

namespace llm::cache {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_high(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || is_high(c);
}

bool is_alnum(char c) {
    return is_letter(c) || is_digit(c);
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'
           || c == '\v' || c == '\0';
}

// Characters of several bytes that have a meaning here, as one character. The
// signs of currencies and the degree get control characters of their own.
struct Plain {
    std::string_view utf8;
    char plain;         // '\0': nothing at all
};

constexpr char euro_sign = '\x01';
constexpr char pound_sign = '\x02';
constexpr char yen_sign = '\x03';
constexpr char rupee_sign = '\x04';
constexpr char degree_sign = '\x05';

constexpr Plain plain_forms[] = {
    {"\xC2\xA0", ' '},          // no-break space
    {"\xC2\xA1", ' '},          // inverted exclamation mark
    {"\xC2\xBF", ' '},          // inverted question mark
    {"\xC2\xAB", '"'},          // guillemets
    {"\xC2\xBB", '"'},
    {"\xC2\xA3", pound_sign},
    {"\xC2\xA5", yen_sign},
    {"\xC2\xB0", degree_sign},
    {"\xC3\x97", '*'},          // multiplication sign
    {"\xC3\xB7", '/'},          // division sign
    {"\xE2\x80\x8B", '\0'},     // zero-width space
    {"\xE2\x80\x91", '-'},      // non-breaking hyphen
    {"\xE2\x80\x93", '-'},      // en dash
    {"\xE2\x80\x94", ' '},      // em dash
    {"\xE2\x80\x98", '\''},     // quotation marks
    {"\xE2\x80\x99", '\''},
    {"\xE2\x80\x9A", '\''},
    {"\xE2\x80\x9C", '"'},
    {"\xE2\x80\x9D", '"'},
    {"\xE2\x80\x9E", '"'},
    {"\xE2\x80\xA6", ' '},      // ellipsis
    {"\xE2\x80\xAF", ' '},      // narrow no-break space
    {"\xE2\x82\xAC", euro_sign},
    {"\xE2\x82\xB9", rupee_sign},
    {"\xE2\x88\x92", '-'},      // minus sign
    {"\xE3\x80\x80", ' '},      // ideographic space
    {"\xE3\x80\x81", ','},
    {"\xE3\x80\x82", '.'},
    {"\xEF\xBB\xBF", '\0'},     // byte order mark
};

struct Sign {
    char plain;
    std::string_view text;      // as the lexicon has it
};

constexpr Sign unit_signs[] = {
    {'$', "$"},
    {'%', "%"},
    {euro_sign, "\xE2\x82\xAC"},
    {pound_sign, "\xC2\xA3"},
    {yen_sign, "\xC2\xA5"},
    {rupee_sign, "\xE2\x82\xB9"},
    {degree_sign, "\xC2\xB0"},
};

// The lower case of a letter of two bytes, of Latin-1, Latin Extended-A,
// Greek and Cyrillic; the letter itself where it has none.
unsigned lower(unsigned code) {
    if ((code >= 0xC0 && code <= 0xDE) || (code >= 0x391 && code <= 0x3A9)
        || (code >= 0x410 && code <= 0x42F)) {
        return code + 0x20;
    }
    if (code >= 0x400 && code <= 0x40F) {
        return code + 0x50;
    }
    bool even_pairs = (code >= 0x100 && code <= 0x137)
                      || (code >= 0x14A && code <= 0x177);
    bool odd_pairs = (code >= 0x139 && code <= 0x148)
                     || (code >= 0x179 && code <= 0x17E);
    if ((even_pairs && code % 2 == 0) || (odd_pairs && code % 2 == 1)) {
        return code + 1;
    }
    return code;
}

// Endings of English that are words of their own: what is left of the word
// after them stays, and this word follows.
struct Ending {
    std::string_view ending;
    std::string_view word;
};

constexpr Ending endings[] = {
    {"n't", "not"}, {"'re", "are"}, {"'m", "am"},
    {"'ve", "have"}, {"'ll", "will"}, {"'d", "'d"},
};

// Before "n't".
constexpr Ending irregular[] = {{"ca", "can"}, {"wo", "will"}, {"sha", "shall"}};

// After these 's is "is"; after any other word it is not.
constexpr std::string_view before_is[] = {
    "what", "who", "where", "how", "when", "why", "that", "it", "there",
    "he", "she", "here",
};

constexpr std::uint64_t most_mantissa =
    std::numeric_limits<std::uint64_t>::max() / 10 - 1;

}  // namespace

std::uint64_t text_key(std::string_view text) noexcept {
    return fnv1a(text);
}

std::uint64_t sign_key(char sign) noexcept {
    return value_key(4, static_cast<unsigned char>(sign));
}

std::uint64_t value_key(unsigned space, std::uint64_t value) noexcept {
    // A finalizer in the manner of SplitMix64, so that small values of
    // different spaces are far apart.
    std::uint64_t x = value + (std::uint64_t{space} + 1) * 0x9E3779B97F4A7C15;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
}

std::uint64_t number_key(const Token &number) noexcept {
    if (!number.exact) {
        return text_key(number.text);
    }
    std::uint64_t mantissa = number.mantissa;
    int exponent = number.exponent;
    while (mantissa != 0 && mantissa % 10 == 0) {
        mantissa /= 10;
        ++exponent;
    }
    if (mantissa == 0) {
        exponent = 0;
    }
    auto low = static_cast<std::uint64_t>(exponent + 0x8000)
               + (number.negative ? 0x100000 : 0);
    return value_key(1, mantissa) ^ value_key(2, low);
}

std::string_view Tokens::raw(std::size_t begin, std::size_t end) const {
    return text_.substr(from_[begin], from_[end] - from_[begin]);
}

bool Tokens::put(char c, std::size_t at, bool upper) {
    if (size_ == verify_max_text) {
        return false;
    }
    chars_[size_] = c;
    upper_[size_] = upper;
    from_[size_] = static_cast<std::uint16_t>(at);
    ++size_;
    return true;
}

void Tokens::normalize() {
    std::size_t i = 0;
    while (i < text_.size()) {
        char c = text_[i];
        if (!is_high(c)) {
            bool upper = c >= 'A' && c <= 'Z';
            // Control characters are used otherwise.
            bool control = c >= 0 && c < 0x20;
            put(upper ? static_cast<char>(c | 0x20)
                      : control && c != '\n' ? ' ' : c,
                i, upper);
            ++i;
            continue;
        }

        auto form = std::find_if(
            std::begin(plain_forms), std::end(plain_forms),
            [&](const Plain &row) {
                return text_.substr(i).starts_with(row.utf8);
            });
        if (form != std::end(plain_forms)) {
            if (form->plain != '\0') {
                put(form->plain, i);
            }
            i += form->utf8.size();
            continue;
        }

        auto byte = [&](std::size_t k) {
            return k < text_.size() ? static_cast<unsigned char>(text_[k])
                                    : 0U;
        };
        bool two = byte(i) >= 0xC3 && byte(i) <= 0xDF
                   && (byte(i + 1) & 0xC0) == 0x80;
        if (two) {
            unsigned code = (byte(i) & 0x1F) << 6 | (byte(i + 1) & 0x3F);
            unsigned small = lower(code);
            put(static_cast<char>(0xC0 | small >> 6), i, small != code);
            put(static_cast<char>(0x80 | (small & 0x3F)), i + 1);
            i += 2;
            continue;
        }
        // Full-width forms of ASCII.
        unsigned wide = byte(i) == 0xEF && (byte(i + 1) == 0xBC
                                            || byte(i + 1) == 0xBD)
                            ? (byte(i + 1) - 0xBCU) * 0x40
                                  + (byte(i + 2) & 0x3F) + 0x20
                            : 0;
        if (wide > 0x20 && wide < 0x7F && (byte(i + 2) & 0xC0) == 0x80) {
            bool upper = wide >= 'A' && wide <= 'Z';
            put(static_cast<char>(upper ? wide | 0x20 : wide), i, upper);
            i += 3;
            continue;
        }
        put(c, i);
        ++i;
    }
    from_[size_] = static_cast<std::uint16_t>(text_.size());
}

bool Tokens::read(std::string_view text) noexcept {
    text_ = text;
    size_ = i_ = count_ = 0;
    overflow_ = quoted_ = joined_ = false;
    starts_ = true;
    if (text.size() > verify_max_text) {
        return false;
    }
    normalize();
    read_all();
    return !overflow_;
}

void Tokens::drop(std::size_t index) noexcept {
    std::copy(tokens_.begin() + static_cast<std::ptrdiff_t>(index) + 1,
              tokens_.begin() + static_cast<std::ptrdiff_t>(count_),
              tokens_.begin() + static_cast<std::ptrdiff_t>(index));
    --count_;
}

// Whether capital letters say nothing, since most words have them.
bool Tokens::title_case() const noexcept {
    std::size_t words = 0;
    std::size_t capitals = 0;
    for (const Token &token : all()) {
        if (token.type == TokenType::word && !token.starts
            && token.text != "i") {
            ++words;
            capitals += token.capital;
        }
    }
    return words >= 3 && capitals * 3 > words * 2;
}

Token *Tokens::add(TokenType type, std::size_t begin, std::size_t end) {
    if (count_ == most) {
        overflow_ = true;
        i_ = size_;
        return nullptr;
    }
    Token &token = tokens_[count_++];
    token = Token();
    token.type = type;
    token.raw = raw(begin, end);
    token.text = view(begin, end);
    token.starts = starts_;
    token.joined = joined_;
    token.quoted = quoted_;
    token.capital = begin < size_ && upper_[begin];
    starts_ = false;
    joined_ = true;
    return &token;
}

void Tokens::add_word(std::string_view text, std::size_t begin,
                      std::size_t end) {
    Token *token = add(TokenType::word, begin, end);
    if (!token) {
        return;
    }
    token->text = text;
    token->key = text_key(text);
    std::size_t letters = 0;
    std::size_t capitals = 0;
    for (std::size_t k = begin; k < end; ++k) {
        letters += is_letter(chars_[k]);
        capitals += upper_[k];
    }
    token->capitals = letters >= 2 && capitals == letters;
}

// A word of its own that is written as a part of another.
void Tokens::add_ending(std::string_view text, std::size_t begin,
                        std::size_t end) {
    add_word(text, begin, end);
    if (!overflow_) {
        tokens_[count_ - 1].capital = tokens_[count_ - 1].capitals = false;
    }
}

void Tokens::add_literal(std::size_t begin, std::size_t end,
                         bool exact_case) {
    if (Token *token = add(TokenType::literal, begin, end)) {
        token->key = exact_case ? value_key(3, text_key(token->raw))
                                : value_key(3, text_key(token->text));
    }
}

void Tokens::add_number(std::uint64_t mantissa, int exponent,
                        std::size_t begin, std::size_t end) {
    if (Token *token = add(TokenType::number, begin, end)) {
        token->mantissa = mantissa;
        token->exponent = static_cast<std::int16_t>(exponent);
        token->exact = true;
    }
}

void Tokens::read_all() {
    while (i_ < size_) {
        char c = chars_[i_];
        if (is_space(c)) {
            starts_ |= c == '\n';
            joined_ &= c != '\n';
            ++i_;
        } else if (c == '`') {
            read_code();
        } else if (c == '"') {
            read_quotation('"', i_);
        } else if (c == '\'' && !is_alnum(at(i_ + 1))) {
            ++i_;
        } else if (c == '\'' && read_single_quotation()) {
            // Done.
        } else {
            std::size_t end = i_;
            while (end < size_ && !is_space(chars_[end]) && chars_[end] != '"'
                   && chars_[end] != '`') {
                ++end;
            }
            read_chunk(end);
        }
    }
}

// One word in quotation marks is that word, which must be there; several are
// a text that must be there.
void Tokens::read_quotation(char quote, std::size_t opening) {
    std::string_view rest = view(opening + 1, size_);
    std::size_t length = rest.find(quote);
    if (length == std::string_view::npos) {
        i_ = opening + 1;
        return;
    }

    std::size_t begin = opening + 1;
    std::size_t end = begin + length;
    while (begin < end && is_space(chars_[begin])) {
        ++begin;
    }
    while (end > begin && !is_alnum(chars_[end - 1])
           && (is_space(chars_[end - 1])
               || std::string_view(".,!?").find(chars_[end - 1])
                      != std::string_view::npos)) {
        --end;
    }
    std::string_view inner = view(begin, end);
    bool plain = !inner.empty()
                 && std::all_of(inner.begin(), inner.end(), is_letter);
    if (plain) {
        quoted_ = true;
        add_word(inner, begin, end);
        quoted_ = false;
    } else if (!inner.empty()) {
        add_literal(begin, end, false);
    }
    i_ = opening + 1 + length + 1;
}

// 'like this', where the marks are not apostrophes.
bool Tokens::read_single_quotation() {
    std::size_t end = i_ + 1;
    while (end < size_ && chars_[end] != '\n') {
        if (chars_[end] == '\'' && !is_alnum(at(end + 1))) {
            read_quotation('\'', i_);
            return true;
        }
        if (chars_[end] == '\'') {
            return false;
        }
        ++end;
    }
    return false;
}

void Tokens::read_code() {
    std::size_t marks = view(i_, size_).starts_with("```") ? 3 : 1;
    std::size_t begin = i_ + marks;
    std::size_t length =
        view(std::min(begin, size_), size_).find(view(i_, i_ + marks));
    std::size_t end = length == std::string_view::npos ? size_
                                                       : begin + length;
    i_ = std::min(end + marks, size_);
    while (begin < end && is_space(chars_[begin])) {
        ++begin;
    }
    while (end > begin && is_space(chars_[end - 1])) {
        --end;
    }
    if (begin < end) {
        std::size_t next = i_;
        add_literal(begin, end, true);
        i_ = overflow_ ? size_ : next;
    }
}

// What stands between blanks.
void Tokens::read_chunk(std::size_t end) {
    auto among = [](char c, std::string_view set) {
        return set.find(c) != std::string_view::npos;
    };
    std::size_t begin = i_;
    std::size_t last = end;
    while (begin < last && among(chars_[begin], "([{,;")) {
        ++begin;
    }
    while (last > begin && among(chars_[last - 1], ".,;:!?)]}'")
           && !view(begin, last).ends_with("()")) {
        --last;
    }
    if (last > begin && read_literal(begin, last)) {
        i_ = std::max(i_, last);
    }
    read_words(end);
}

bool Tokens::read_literal(std::size_t begin, std::size_t end) {
    std::string_view chunk = view(begin, end);
    auto inside = [&](std::string_view what) {
        return chunk.find(what) != std::string_view::npos;
    };
    auto inside_any = [&](std::string_view set) {
        return chunk.find_first_of(set) != std::string_view::npos;
    };
    auto literal = [&](bool exact_case) {
        add_literal(begin, end, exact_case);
        i_ = std::max(i_, end);
        return true;
    };
    bool letters = std::any_of(chunk.begin(), chunk.end(), is_letter);
    bool digits = std::any_of(chunk.begin(), chunk.end(), is_digit);

    // Addresses.
    if (inside("://") || chunk.starts_with("www.")) {
        return literal(false);
    }
    if (inside("@") && chunk.size() > 1 && letters) {
        return literal(false);
    }

    // Paths; a/b is two words.
    auto slashes = std::count(chunk.begin(), chunk.end(), '/');
    if (letters && (inside("\\") || slashes >= 2 || chunk.starts_with("./")
                    || chunk.starts_with("~/")
                    || (chunk.size() > 1 && chunk[0] == '/'))) {
        return literal(true);
    }

    // Code, options, languages like C++ and C#.
    if (letters && (inside_any("_(){}[]|=<>") || inside("::")
                    || inside("->"))) {
        return literal(true);
    }
    if (chunk.size() > 1 && chunk[0] == '-' && letters
        && !is_digit(chunk[1])) {
        return literal(true);
    }
    if (letters && (chunk.ends_with("+") || inside("#"))) {
        return literal(false);
    }

    if (read_date(begin, end)) {
        return true;
    }

    // Dots: files, hosts, versions, Node.js; but numbers and u.s. are not.
    if (inside(".")) {
        std::string_view version = chunk;
        if (version.size() > 1 && version[0] == 'v' && is_digit(version[1])) {
            version.remove_prefix(1);
        }
        bool numeric = std::all_of(version.begin(), version.end(), [](char c) {
            return is_digit(c) || c == '.';
        });
        auto dots = std::count(chunk.begin(), chunk.end(), '.');
        if (numeric && dots >= 2) {
            begin = end - version.size();
            return literal(false);
        }
        if (numeric && version.size() < chunk.size()) {
            i_ = begin + 1;     // v1.2 is 1.2
            return false;
        }
        bool single = true;
        for (std::size_t k = 0; k < chunk.size(); ++k) {
            single &= chunk[k] == '.' ? k % 2 == 1 : k % 2 == 0;
        }
        if (letters && !single && !is_digit(chunk[0])) {
            return literal(false);
        }
    }

    // COVID-19, GPT-4, 4-methyl.
    if (letters && digits && inside("-")) {
        return literal(false);
    }
    return false;
}

// 2021-03-09, as the day, the month and the year.
bool Tokens::read_date(std::size_t begin, std::size_t end) {
    std::string_view text = view(begin, end);
    constexpr std::string_view shape = "dddd-dd-dd";
    if (text.size() != shape.size()) {
        return false;
    }
    for (std::size_t k = 0; k < shape.size(); ++k) {
        if (shape[k] == 'd' ? !is_digit(text[k]) : text[k] != '-') {
            return false;
        }
    }
    auto digits = [&](std::size_t from, std::size_t to) {
        std::uint64_t value = 0;
        for (std::size_t k = from; k < to; ++k) {
            value = value * 10 + static_cast<std::uint64_t>(text[k] - '0');
        }
        return value;
    };
    add_number(digits(8, 10), 0, begin + 8, end);
    if (Token *month = add(TokenType::word, begin + 5, begin + 7)) {
        month->cls = WordClass::month;
        month->value = static_cast<std::uint16_t>(digits(5, 7));
    }
    add_number(digits(0, 4), 0, begin, begin + 4);
    i_ = std::max(i_, end);
    return true;
}

void Tokens::read_words(std::size_t end) {
    while (i_ < end) {
        char c = chars_[i_];
        bool fraction = c == '.' && is_digit(at(i_ + 1))
                        && (i_ == 0 || !is_alnum(at(i_ - 1)));
        if (is_digit(c) || fraction) {
            read_number(end);
        } else if (is_letter(c)) {
            read_word(end);
        } else {
            read_punctuation();
        }
    }
}

void Tokens::read_word(std::size_t end) {
    std::size_t begin = i_;

    // Letters, digits after them, and what joins two of them.
    auto scan = [&](std::string_view joints, std::size_t limit) {
        std::size_t k = begin;
        while (k < limit) {
            bool joint = joints.find(chars_[k]) != std::string_view::npos
                         && k > begin && k + 1 < limit
                         && is_alnum(chars_[k - 1]) && is_alnum(chars_[k + 1]);
            if (!is_alnum(chars_[k]) && !joint) {
                break;
            }
            ++k;
        }
        return k;
    };
    // No compound in the lexicon is longer.
    constexpr std::size_t longest = 24;
    std::size_t stop = scan(".&'-", std::min(end, begin + longest));
    if (view(begin, stop).find('-') == std::string_view::npos
        || look_up(Language::english, view(begin, stop)).cls
               == WordClass::unlisted) {
        stop = scan(".&'", end);
    }
    // French: l'eau, qu'est. English has only I'm and the like.
    std::string_view word = view(begin, stop);
    std::size_t mark = word.find('\'');
    if ((mark == 1 && word[0] != 'i' && word[0] != 'o') || word.starts_with("qu'")) {
        add_word(view(begin, begin + mark + 1), begin, begin + mark + 1);
        begin += mark + 1;
        word.remove_prefix(mark + 1);
    }
    i_ = stop;
    if (overflow_) {
        i_ = size_;
        return;
    }

    if (word.ends_with("'s")) {
        std::string_view base = word.substr(0, word.size() - 2);
        add_word(base, begin, stop);
        if (std::find(std::begin(before_is), std::end(before_is), base)
            != std::end(before_is)) {
            add_ending("is", begin, stop);
        }
        return;
    }
    for (const Ending &row : endings) {
        if (!word.ends_with(row.ending) || word.size() == row.ending.size()) {
            continue;
        }
        std::string_view base = word.substr(0,
                                            word.size() - row.ending.size());
        for (const Ending &odd : irregular) {
            if (row.word == "not" && base == odd.ending) {
                base = odd.word;
            }
        }
        add_word(base, begin, stop);
        add_ending(row.word, begin, stop);
        return;
    }
    add_word(word, begin, stop);
}

void Tokens::read_number(std::size_t end) {
    std::size_t begin = i_;
    std::uint64_t mantissa = 0;
    int exponent = 0;
    bool exact = true;
    bool fraction = false;

    while (i_ < end) {
        char c = chars_[i_];
        if (is_digit(c)) {
            if (mantissa > most_mantissa) {
                exact = false;
            } else {
                mantissa = mantissa * 10 + static_cast<std::uint64_t>(c - '0');
                exponent -= fraction;
            }
            ++i_;
            continue;
        }
        // 1,000 is a thousand; 1.5 and 1,5 are the same.
        bool digit_follows = is_digit(at(i_ + 1));
        bool group = c == ',' && digit_follows && is_digit(at(i_ + 2))
                     && is_digit(at(i_ + 3)) && !is_digit(at(i_ + 4));
        if (group && !fraction) {
            ++i_;
        } else if ((c == '.' || c == ',') && digit_follows && !fraction) {
            fraction = true;
            ++i_;
        } else if (c == ':' && digit_follows && is_digit(at(i_ + 2))
                   && !is_digit(at(i_ + 3)) && !fraction && mantissa < 25) {
            read_time(mantissa, begin);
            return;
        } else {
            break;
        }
    }

    std::size_t stop = i_;
    // A minus sign, where it does not stand between two things.
    bool negative = begin > 0 && at(begin - 1) == '-'
                    && (begin == 1 || is_space(at(begin - 2))
                        || at(begin - 2) == '(')
                    && count_ > 0
                    && tokens_[count_ - 1].type != TokenType::number;
    negative |= begin == 1 && at(0) == '-';

    // What follows without a blank: 5km, 3rd, 5pm.
    std::string_view rest = view(stop, end);
    for (std::string_view ordinal : {"st", "nd", "rd", "th"}) {
        if (rest.starts_with(ordinal)
            && (rest.size() == 2 || !is_alnum(rest[2]))) {
            i_ = stop + 2;
            if (Token *token = add(TokenType::word, begin, i_)) {
                token->cls = WordClass::ordinal;
                token->value = static_cast<std::uint16_t>(
                    std::min<std::uint64_t>(mantissa, 0xFFFF));
                token->key = text_key(token->text);
            }
            return;
        }
    }

    add_number(mantissa, exponent, begin, stop);
    if (count_ > 0 && !overflow_) {
        tokens_[count_ - 1].negative = negative;
        tokens_[count_ - 1].exact = exact;
    }
    i_ = overflow_ ? size_ : stop;
}

// 5:30, of which the hours were read.
void Tokens::read_time(std::uint64_t hours, std::size_t begin) {
    std::uint64_t minutes = static_cast<std::uint64_t>(at(i_ + 1) - '0') * 10
                            + static_cast<std::uint64_t>(at(i_ + 2) - '0');
    std::size_t stop = i_ + 3;
    if (Token *token = add(TokenType::time, begin, stop)) {
        token->mantissa = hours * 60 + minutes;
    }
    i_ = overflow_ ? size_ : stop;
}

void Tokens::read_punctuation() {
    char c = chars_[i_];
    std::size_t begin = i_++;

    auto sign = std::find_if(std::begin(unit_signs), std::end(unit_signs),
                             [&](const Sign &row) { return row.plain == c; });
    if (sign != std::end(unit_signs)) {
        add_word(sign->text, begin, i_);
        return;
    }

    bool after_number = count_ > 0
                        && tokens_[count_ - 1].type == TokenType::number;
    switch (c) {
    case '+':
    case '*':
    case '^':
    case '=':
    case '<':
    case '>':
        break;
    case '/':
        if (!after_number || !is_digit(at(i_ + (at(i_) == ' ')))) {
            return;
        }
        break;
    case '-':
        // Between numbers: a difference or a range. Else a dash, or a minus
        // sign, which the number sees.
        if (!after_number || !is_digit(at(i_ + (at(i_) == ' ')))) {
            return;
        }
        break;
    case '&':
        add_word("&", begin, i_);
        return;
    case '.':
    case '!':
    case '?':
    case ':':
        starts_ = true;
        joined_ = false;
        return;
    default:
        joined_ = false;
        return;
    }
    if (Token *token = add(TokenType::sign, begin, i_)) {
        token->key = sign_key(c);
    }
}

}  // namespace llm::cache
