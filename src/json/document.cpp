#include "llm/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#if defined(__SSE4_2__)
#define RAPIDJSON_SSE42
#elif defined(__SSE2__)
#define RAPIDJSON_SSE2
#elif defined(__ARM_NEON)
#define RAPIDJSON_NEON
#endif
#define RAPIDJSON_HAS_STDSTRING 0
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include "json/shape.hpp"
#include "llm/utf8.hpp"

namespace llm::json {

using detail::Node;

namespace {

std::optional<std::int64_t> to_integer(std::string_view digits) noexcept {
    std::int64_t value = 0;
    auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return value;
}

// The value of a JSON number, if it is whole and fits: digit by digit, since
// a double is exact only up to 2^53.
std::optional<std::int64_t> exact_integer(std::string_view text) noexcept {
    if (auto value = to_integer(text)) {
        return value;
    }

    // Up to 19 digits of an int64, a sign, and room to notice one too many.
    char digits[24];
    std::size_t size = 0;
    int exponent = 0;
    bool fraction = false;

    if (text[0] == '-') {
        digits[size++] = '-';
        text.remove_prefix(1);
    }
    const std::size_t first = size;

    std::size_t zeros = 0;      // seen and not yet written: maybe the last
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '.') {
            fraction = true;
            continue;
        }
        if (c == 'e' || c == 'E') {
            auto written = text.substr(i + (text[i + 1] == '+' ? 2 : 1));
            auto value = to_integer(written);
            if (!value || *value > 1000 || *value < -1000000) {
                return size == first ? std::optional<std::int64_t>(0)
                                     : std::nullopt;
            }
            exponent += static_cast<int>(*value);
            break;
        }
        exponent -= fraction;
        if (c == '0') {
            zeros += size != first;
            continue;
        }
        if (size + zeros + 1 > sizeof(digits)) {
            return std::nullopt;
        }
        while (zeros > 0) {
            digits[size++] = '0';
            --zeros;
        }
        digits[size++] = c;
    }
    if (size == first) {
        return 0;
    }

    // What is left of the zeros is worth as much as the exponent says.
    std::int64_t tail = exponent + static_cast<std::int64_t>(zeros);
    if (tail < 0
        || tail > static_cast<std::int64_t>(sizeof(digits) - size)) {
        return std::nullopt;
    }
    while (tail-- > 0) {
        digits[size++] = '0';
    }
    return to_integer({digits, size});
}

}  // namespace

// Value

std::optional<std::int64_t> Value::integer() const noexcept {
    if (!is_number()) {
        return std::nullopt;
    }
    return exact_integer(raw());
}

std::optional<double> Value::number() const noexcept {
    if (!is_number()) {
        return std::nullopt;
    }

    auto text = raw();
    double value = 0;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

Value Value::operator[](std::string_view name) const noexcept {
    for (auto member : members()) {
        if (member.name == name) {
            return member.value;
        }
    }
    return {};
}

// Document

namespace {

// The first of the bytes 0x1A to 0x1F, which JSON allows nowhere; npos where
// there is none. RapidJSON 1.1.0 takes them in strings, where it looks at
// blocks of bytes: there it takes 0x19 for the last control character.
std::size_t find_late_control(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    std::size_t position = 0;

    for (; text.size() - position >= 8; position += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + position, 8);
        // Without the top bits no sum reaches the next byte.
        std::uint64_t low = word & (ones * 0x7F);
        std::uint64_t from_1a = low + ones * (0x80 - 0x1A);
        std::uint64_t from_20 = low + ones * (0x80 - 0x20);
        if (from_1a & ~from_20 & ~word & (ones * 0x80)) {
            break;
        }
    }
    for (; position < text.size(); ++position) {
        if (text[position] >= 0x1A && text[position] <= 0x1F) {
            return position;
        }
    }
    return std::string_view::npos;
}

}  // namespace

// Receives RapidJSON's events. The text is parsed in place in a copy, so that
// a string costs no allocation; positions in the copy are positions in the
// original, since the reader never moves bytes to the right.
struct Document::Builder {
    using Size = rapidjson::SizeType;

    struct Open {
        std::uint32_t node;         // the container
        std::uint32_t last = 0;     // its last child so far
    };

    Builder(Document &document, std::string_view text,
            const ParseLimits &limits, rapidjson::InsituStringStream &stream)
        : nodes(document.nodes_), text(text), limits(limits), stream(stream) {
        stack.reserve(16);      // few calls are deeper
    }

    bool Null() { return literal(Kind::null, 4); }
    bool Bool(bool value) { return literal(Kind::boolean, value ? 4 : 5); }

    // Not called: the reader is told to leave numbers as text.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }

    // Inside strings and numbers the reader works on a copy of the stream, so
    // that Tell() still names the first byte of the token.
    bool RawNumber(const char *, Size size, bool) {
        if (limits.pack_numbers && !stack.empty()
            && nodes[stack.back().node].kind == Kind::array) {
            return true;
        }
        return add(Kind::number, stream.Tell(), size) != nullptr;
    }

    bool String(const char *string, Size size, bool) {
        std::size_t start = stream.Tell();
        Node *node = add(Kind::string, start, string_size(start, size));
        if (!node) {
            return false;
        }
        node->string = string;
        node->string_size = size;
        return true;
    }

    bool Key(const char *string, Size size, bool) {
        name = {string, size};
        name_start = stream.Tell();
        return limits.duplicates || !is_duplicate();
    }

    bool StartObject() { return open(Kind::object); }
    bool StartArray() { return open(Kind::array); }
    bool EndObject(Size size) { return close(size); }
    bool EndArray(Size size) { return close(size); }

    // After the literal's last byte.
    bool literal(Kind kind, std::size_t size) {
        return add(kind, stream.Tell() - size, size) != nullptr;
    }

    bool open(Kind kind) {
        if (stack.size() >= limits.depth) {
            reason = "nested deeper than " + std::to_string(limits.depth) +
                     " levels";
            return false;
        }
        if (!add(kind, stream.Tell(), 0)) {
            return false;
        }
        stack.push_back(Open{static_cast<std::uint32_t>(nodes.size() - 1)});
        return true;
    }

    bool close(Size size) {
        Node &node = nodes[stack.back().node];
        node.size = size;
        node.packed = limits.pack_numbers && node.kind == Kind::array
                      && size != 0 && stack.back().last == 0;
        node.raw_size = static_cast<std::uint32_t>(
            stream.Tell() + 1 - static_cast<std::size_t>(node.raw - text.data()));
        stack.pop_back();
        return true;
    }

    Node *add(Kind kind, std::size_t start, std::size_t size) {
        if (nodes.size() >= limits.nodes) {
            reason = "more than " + std::to_string(limits.nodes) + " values";
            return nullptr;
        }

        auto index = static_cast<std::uint32_t>(nodes.size());
        Node node{};
        node.kind = kind;
        node.raw = text.data() + start;
        node.raw_size = static_cast<std::uint32_t>(size);

        if (!stack.empty()) {
            Open &parent = stack.back();
            if (parent.last) {
                nodes[parent.last].next = index - parent.last;
            }
            parent.last = index;

            if (nodes[parent.node].kind == Kind::object) {
                node.name = name.data();
                node.name_size = static_cast<std::uint32_t>(name.size());
                node.name_gap = static_cast<std::uint32_t>(start - name_start);
            }
        }

        return &nodes.emplace_back(node);
    }

    // Bytes of the string literal at `start` whose decoded size is `decoded`.
    std::size_t string_size(std::size_t start, std::size_t decoded) const {
        const char *body = text.data() + start + 1;
        if (std::memchr(body, '\\', decoded) == nullptr
            && body[decoded] == '"') {
            return decoded + 2;
        }
        const char *p = body;
        while (*p != '"') {
            p += *p == '\\' ? 2 : 1;
        }
        return static_cast<std::size_t>(p - body) + 2;
    }

    // Looks back over the members of the open object: a few on the wire; over
    // that a sorted list pays.
    bool is_duplicate() {
        Open &parent = stack.back();
        if (parent.last == 0) {
            return false;
        }

        std::size_t seen = 0;
        std::uint32_t i = parent.node + 1;
        for (;; i += nodes[i].next) {
            if (std::string_view(nodes[i].name, nodes[i].name_size) == name) {
                reason = "duplicate member \"" + std::string(name.substr(0, 64))
                         + "\"";
                return true;
            }
            if (++seen > max_members) {
                reason = "an object of more than " +
                         std::to_string(max_members) + " members";
                return true;
            }
            if (nodes[i].next == 0) {
                return false;
            }
        }
    }

    // Looking back is quadratic; no client API has objects of this size.
    static constexpr std::size_t max_members = 4096;

    std::pmr::vector<Node> &nodes;
    std::string_view text;
    const ParseLimits &limits;
    rapidjson::InsituStringStream &stream;
    std::vector<Open> stack;
    std::string_view name;
    std::size_t name_start = 0;
    std::string reason;
};

namespace {

// Values that the text has, about: its members, and half as many again for
// the objects that hold them in arrays. A colon within a string may count, too,
// but a text of nothing else must not take many times its own size.
std::size_t estimate_nodes(std::string_view text) {
    std::size_t members = 0;
    for (auto colon = text.find(':'); colon != text.npos;
         colon = text.find(':', colon + 1)) {
        members += colon != 0 && text[colon - 1] == '"';
    }
    return std::min(members + members / 2, text.size() / 16) + 4;
}

}  // namespace

Document::Document(std::pmr::memory_resource *memory)
    : nodes_(memory), decoded_(memory) {}

Document::~Document() = default;
Document::Document(Document &&) noexcept = default;

Result<void> Document::parse_next(std::string_view text,
                                  const ParseLimits &limits) {
    if (shape_ && !nodes_.empty() && shape_->read(text, nodes_)) {
        return {};
    }

    // The first event of a stream is like none of the others.
    const bool first = !shape_ && nodes_.empty();
    auto outcome = parse(text, limits);
    if (outcome && !first) {
        if (!shape_) {
            shape_ = std::make_unique<Shape>();
        }
        shape_->learn(text, nodes_);
    }
    return outcome;
}

std::uint64_t Document::form() const noexcept {
    return shape_ ? shape_->form() : 0;
}

bool Document::varies_only(std::initializer_list<Value> values) const noexcept {
    return shape_ && shape_->varies_only([&](std::size_t node) {
        return std::any_of(values.begin(), values.end(), [&](Value value) {
            return value.node_ == &nodes_[node];
        });
    });
}

Result<void> Document::parse(std::string_view text, const ParseLimits &limits) {
    nodes_.clear();
    if (shape_) {
        shape_->forget();
    }

    auto fail = [&](std::string_view reason, std::size_t offset) -> Error {
        nodes_.clear();
        return invalid_request("invalid JSON: " + std::string(reason) +
                               " at byte " + std::to_string(offset));
    };

    // Sizes in a Node, and in RapidJSON, have 32 bits.
    if (text.size() >= std::size_t{1} << 31) {
        return fail("text over 2 GiB", 0);
    }
    if (std::size_t valid = utf8::valid_prefix(text); valid != text.size()) {
        return fail("invalid UTF-8", valid);
    }
    if (std::size_t control = find_late_control(text);
        control != std::string_view::npos) {
        return fail("a control character", control);
    }

    // The reader takes blocks of 16 bytes, the last of which may start at the
    // NUL that ends the text.
    decoded_.resize(text.size() + 16);
    std::copy(text.begin(), text.end(), decoded_.begin());
    decoded_[text.size()] = '\0';

    // Else they would be moved again and again as they become more, and an
    // arena would keep every old place.
    if (nodes_.capacity() == 0) {
        nodes_.reserve(estimate_nodes(text));
    }

    rapidjson::InsituStringStream stream(decoded_.data());
    Builder builder(*this, text, limits, stream);
    rapidjson::Reader reader;
    constexpr unsigned flags = rapidjson::kParseInsituFlag
                               | rapidjson::kParseIterativeFlag
                               | rapidjson::kParseNumbersAsStringsFlag;
    auto outcome = reader.Parse<flags>(stream, builder);

    if (outcome.IsError()) {
        if (!builder.reason.empty()) {
            return fail(builder.reason, outcome.Offset());
        }
        if (outcome.Code() == rapidjson::kParseErrorDocumentEmpty) {
            return fail("empty", 0);
        }
        std::string reason = rapidjson::GetParseError_En(outcome.Code());
        if (!reason.empty() && reason.back() == '.') {
            reason.pop_back();
        }
        if (!reason.empty() && reason[0] >= 'A' && reason[0] <= 'Z') {
            reason[0] = static_cast<char>(reason[0] - 'A' + 'a');
        }
        return fail(reason, outcome.Offset());
    }

    // The reader takes a NUL for the end of the text.
    if (stream.Tell() != text.size()) {
        return fail("a NUL byte", stream.Tell());
    }

    return {};
}

Value Document::root() const noexcept {
    return Value(nodes_.empty() ? nullptr : nodes_.data());
}

}  // namespace llm::json
