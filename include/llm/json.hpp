// JSON for a gateway: a read-only tree of views into the text that came in,
// and a writer that appends to a string.
//
// Every value knows the exact bytes it was written with (raw()), so that what
// a gateway does not need to understand is passed on byte for byte: numbers
// keep all their digits, objects keep the order of their members.
//
// The tokenizer is RapidJSON's SAX reader (iterative: nesting costs no stack).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/result.hpp"

namespace llm::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

namespace detail {

// Offsets to other nodes count nodes; 0 means none. Sizes are in bytes.
struct Node {
    const char *raw;        // in the caller's text
    const char *string;     // decoded, for strings
    const char *name;       // decoded, for members
    std::uint32_t raw_size;
    std::uint32_t string_size;
    std::uint32_t name_size;
    std::uint32_t name_gap; // from the name's opening quote to raw
    std::uint32_t next;     // sibling
    std::uint32_t size;     // elements or members; the first is this + 1
    Kind kind;
    bool packed;            // an array whose elements are no nodes
};

}  // namespace detail

class MemberIterator;
class ElementIterator;

// A value of a parsed Document: a handle, cheap to copy, valid as long as the
// Document and the text it was parsed from. A default-constructed Value is
// "absent" (false in a condition); every accessor of an absent value is safe
// and answers like a null.
class Value {
public:
    Value() = default;

    explicit operator bool() const noexcept { return node_ != nullptr; }
    Kind kind() const noexcept {            // absent: Kind::null
        return node_ ? node_->kind : Kind::null;
    }
    bool is_null() const noexcept {         // null or absent
        return kind() == Kind::null;
    }
    bool is_bool() const noexcept { return is(Kind::boolean); }
    bool is_number() const noexcept { return is(Kind::number); }
    bool is_string() const noexcept { return is(Kind::string); }
    bool is_array() const noexcept { return is(Kind::array); }
    bool is_object() const noexcept { return is(Kind::object); }
    // An array of numbers, one at least, that ParseLimits::pack_numbers has
    // kept from being elements: raw() has them, size() counts them.
    bool is_packed() const noexcept { return node_ && node_->packed; }

    // The decoded text of a string; empty for anything else.
    std::string_view string() const noexcept {
        return is_string()
                   ? std::string_view(node_->string, node_->string_size)
                   : std::string_view();
    }
    bool boolean(bool otherwise = false) const noexcept {
        return is_bool() ? node_->raw[0] == 't' : otherwise;
    }
    // An integer that fits, written without a fraction or exponent
    // (1.0 and 1e2 count as integers, too: some SDKs send such).
    std::optional<std::int64_t> integer() const noexcept;
    std::optional<double> number() const noexcept;

    // The bytes as they came in, without white space around them.
    std::string_view raw() const noexcept {
        return node_ ? std::string_view(node_->raw, node_->raw_size)
                     : std::string_view();
    }

    // Number of elements or members; 0 for a scalar.
    std::size_t size() const noexcept { return node_ ? node_->size : 0; }
    // The member of an object by its decoded name; absent where there is none
    // or this is no object. Linear: objects on the wire are small.
    Value operator[](std::string_view name) const noexcept;

    class Members;
    class Elements;
    Members members() const noexcept;       // empty unless an object
    Elements elements() const noexcept;     // empty unless an array

private:
    friend class Document;
    friend class MemberIterator;
    friend class ElementIterator;
    explicit Value(const detail::Node *node) : node_(node) {}
    bool is(Kind kind) const noexcept { return node_ && node_->kind == kind; }

    const detail::Node *node_ = nullptr;
};

struct Member {
    std::string_view name;      // decoded
    Value value;
    // From the opening quote of the name to the end of the value.
    std::string_view raw;
};

class ElementIterator {
public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    ElementIterator() = default;
    explicit ElementIterator(const detail::Node *node) : node_(node) {}
    Value operator*() const noexcept { return Value(node_); }
    ElementIterator &operator++() noexcept {
        node_ = node_->next ? node_ + node_->next : nullptr;
        return *this;
    }
    ElementIterator operator++(int) noexcept {
        auto old = *this;
        ++*this;
        return old;
    }
    bool operator==(const ElementIterator &) const = default;

private:
    const detail::Node *node_ = nullptr;
};

class MemberIterator {
public:
    using value_type = Member;
    using difference_type = std::ptrdiff_t;
    MemberIterator() = default;
    explicit MemberIterator(const detail::Node *node) : node_(node) {}
    Member operator*() const noexcept {
        return {{node_->name, node_->name_size},
                Value(node_),
                {node_->raw - node_->name_gap,
                 node_->name_gap + node_->raw_size}};
    }
    MemberIterator &operator++() noexcept {
        node_ = node_->next ? node_ + node_->next : nullptr;
        return *this;
    }
    MemberIterator operator++(int) noexcept {
        auto old = *this;
        ++*this;
        return old;
    }
    bool operator==(const MemberIterator &) const = default;

private:
    const detail::Node *node_ = nullptr;
};

class Value::Elements {
public:
    explicit Elements(const detail::Node *first) : first_(first) {}
    ElementIterator begin() const noexcept { return ElementIterator(first_); }
    ElementIterator end() const noexcept { return {}; }

private:
    const detail::Node *first_;
};

class Value::Members {
public:
    explicit Members(const detail::Node *first) : first_(first) {}
    MemberIterator begin() const noexcept { return MemberIterator(first_); }
    MemberIterator end() const noexcept { return {}; }

private:
    const detail::Node *first_;
};

inline Value::Members Value::members() const noexcept {
    return Members(is_object() && node_->size ? node_ + 1 : nullptr);
}

inline Value::Elements Value::elements() const noexcept {
    return Elements(is_array() && node_->size && !node_->packed ? node_ + 1
                                                                 : nullptr);
}

struct ParseLimits {
    std::size_t depth = 128;                    // nesting of arrays and objects
    std::size_t nodes = std::size_t{4} << 20;   // values in all
    // A client's body: the same member twice in one object is refused, since
    // two readers could understand it differently, a way around policies. A
    // provider's answer: tolerated, the first one counts.
    bool duplicates = false;
    // Numbers in arrays become no values of their own, so that vectors cost
    // no more memory than their text: see Value::is_packed(). Of an array
    // with other values, too, elements() has only those.
    bool pack_numbers = false;
};

class Shape;

// Owns the tree; the text stays the caller's and must outlive it. A Document
// can be parsed again: its memory is kept, which makes one Document per
// stream cheap.
class Document {
public:
    explicit Document(
        std::pmr::memory_resource *memory = std::pmr::get_default_resource());
    ~Document();
    Document(const Document &) = delete;
    Document &operator=(const Document &) = delete;
    Document(Document &&) noexcept;
    Document &operator=(Document &&) = delete;

    // Parses exactly one JSON value, white space around it allowed. Refused:
    // anything after it, invalid UTF-8, raw control characters in strings,
    // and what is over the limits. The error's message names the reason and
    // the byte offset.
    Result<void> parse(std::string_view text, const ParseLimits &limits = {});

    // The same, for the texts of a stream, most of which are like the one
    // before but for the contents of some strings and numbers: such a text
    // costs a small part of parsing it. The limits are those of all its calls.
    Result<void> parse_next(std::string_view text,
                            const ParseLimits &limits = {});
    // Of what parse_next() has read last. Texts of the same form, which come
    // one after the other, have their values at the same handles and differ
    // only in some strings and numbers. 0: this text has none, as the first.
    std::uint64_t form() const noexcept;
    // Whether all in which texts of this form differ is among `values`.
    bool varies_only(std::initializer_list<Value> values) const noexcept;

    Value root() const noexcept;

private:
    struct Builder;

    // In document order: a container is followed by its children.
    std::pmr::vector<detail::Node> nodes_;
    // The text once more, its strings decoded in place.
    std::pmr::vector<char> decoded_;
    std::unique_ptr<Shape> shape_;      // of the last text; parse_next()'s
};

// Appends the JSON string literal of text, quotes included. Invalid UTF-8 is
// replaced by U+FFFD, so that the output is JSON whatever the input is.
void append_string(std::string &out, std::string_view text);

// Writes JSON without white space. Commas and colons are its own business;
// that the calls nest properly is the caller's.
class Writer {
public:
    explicit Writer(std::string &out) : out_(out) {}

    Writer &begin_object();
    Writer &end_object();
    Writer &begin_array();
    Writer &end_array();
    Writer &key(std::string_view name);     // name needs no escaping check
    Writer &string(std::string_view text);
    Writer &integer(std::int64_t value);
    Writer &number(double value);
    Writer &boolean(bool value);
    Writer &null();
    Writer &raw(std::string_view json);     // must be one JSON value

    // key() and value in one.
    Writer &member(std::string_view name, std::string_view text) {
        return key(name).string(text);
    }
    Writer &member(std::string_view name, const char *text) {
        return key(name).string(text);
    }
    Writer &member(std::string_view name, std::int64_t value) {
        return key(name).integer(value);
    }
    Writer &member(std::string_view name, int value) {
        return key(name).integer(value);
    }
    Writer &member(std::string_view name, bool value) {
        return key(name).boolean(value);
    }
    Writer &member(std::string_view name, Value value) {
        return key(name).raw(value.raw());
    }

private:
    void separate();

    std::string &out_;
    bool comma_ = false;
};

// One change of a text: bytes [offset, offset + length) become `text`.
struct Edit {
    std::size_t offset = 0;
    std::size_t length = 0;
    std::string text;
};

// Appends text with the edits applied; edits must be sorted and disjoint.
void apply_edits(std::string_view text, std::span<const Edit> edits,
                 std::string &out);

// The edit that sets a member of the object `object` (a value parsed from
// `text`) to the JSON `json`: replaces the value where the member exists,
// else inserts the member first.
Edit set_member(std::string_view text, Value object, std::string_view name,
                std::string_view json);

// The edit that removes a member together with the comma it no longer needs;
// an edit that changes nothing where there is no such member.
Edit remove_member(std::string_view text, Value object, std::string_view name);

}  // namespace llm::json
