// Who may call: virtual keys, of which only the SHA-256 is known here.
//
// A key file has one key on each line, so that a key is added with `>>`,
// revoked by taking its line away, and a diff says who changed what:
//
//   # NAME  SHA-256 of the key                 PARAMETER=VALUE ...
//   alice   9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//   bob     60303ae2...  group=research expires=2027-06-30 models=gpt-4o*,o3
//   bob     fd61a03a...  rate=200k/m rate.daily=2m/d meta.cost_center="R 17"
//
// A name may have several keys (the old one and the new one while it is
// changed); a key is on one line only. Lines are at most 64 KB.
//
//   group=NAME              $llm_consumer_group
//   expires=DATE            2027-06-30: valid through that day, UTC;
//                           2027-06-30T12:00:00Z: until then
//   models=PATTERN,...      no other models; * stands for any characters
//   deny_models=PATTERN,... never these
//   rate[.ZONE]=RATE        this key's rate, of all or of one limit
//   meta.NAME=VALUE         NAME of letters, digits and _
//
// A VALUE with white space is in "", where \" and \\ stand for " and \.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/result.hpp"

namespace llm {

using KeyDigest = std::array<std::uint8_t, 32>;

// Throws std::bad_alloc where libcrypto has no memory.
KeyDigest digest_of_key(std::string_view key);

// Takes the same time wherever they differ.
bool equal_in_constant_time(const KeyDigest &a, const KeyDigest &b) noexcept;

struct Consumer {
    std::string name;
    KeyDigest digest = {};
    std::string group;
    std::int64_t expires = 0;           // s since the epoch; 0: never
    std::vector<std::string> models;    // empty: any
    std::vector<std::string> denied_models;
    // Zone (empty: all) and rate, which limit::parse_rate() takes.
    std::vector<std::pair<std::string, std::string>> rates;
    std::vector<std::pair<std::string, std::string>> metadata;

    // now: s since the epoch.
    bool is_expired(std::int64_t now) const noexcept {
        return expires != 0 && now >= expires;
    }
    // That of the zone, or that of all; empty: none of its own.
    std::string_view rate_of(std::string_view zone) const noexcept;
    std::string_view meta(std::string_view name) const noexcept;
    bool may_use(std::string_view model) const noexcept;
};

// Reads the parameters of a line, or of a hash in Redis one by one. The
// error quotes the word.
Result<void> set_parameter(Consumer &consumer, std::string_view name,
                           std::string_view value);

// A consumer as a hash in Redis has it: names and values by turns, "name" and
// the parameters above. The error quotes the word.
Result<Consumer> consumer_of_fields(const KeyDigest &digest,
                                    std::span<const std::string_view> fields);

// Such fields as one string of bytes, and back: views into it. Empty: not
// written by that.
std::string pack_fields(std::span<const std::string_view> fields);
std::vector<std::string_view> unpack_fields(std::string_view packed);

// 64 digits, in lower case.
std::string to_hex(const KeyDigest &digest);

// All keys of a file, found by digest in constant time.
class ConsumerKeys {
public:
    // The error says which line it is.
    static Result<ConsumerKeys> parse(std::string_view text);

    // nullptr: no such key. Valid as long as this.
    const Consumer *find(const KeyDigest &digest) const noexcept;

    std::span<const Consumer> all() const noexcept { return consumers_; }

private:
    friend class ConsumerKeysReader;

    // The digest of a key is as good as random.
    std::size_t place_of(const KeyDigest &digest) const noexcept;

    std::vector<Consumer> consumers_;
    std::vector<std::uint32_t> places_;     // index + 1; 0: free
};

// Reads a key file some lines at a time, for who must not be busy for long:
//
//     ConsumerKeysReader reader(text);
//     while (!reader.done()) {
//         if (auto read = reader.read(1000); !read) { ... }
//         ...
//     }
//     use(reader.take());
class ConsumerKeysReader {
public:
    // The text must outlive this.
    explicit ConsumerKeysReader(std::string_view text);

    // At most so many lines, above 0. The error says which line it is, and
    // ends the reading.
    Result<void> read(std::size_t lines);
    bool done() const noexcept { return rest_.empty(); }
    // Once, and only of a file that was read to its end.
    ConsumerKeys take() noexcept { return std::move(keys_); }

private:
    Result<void> read_one(std::string_view line);

    std::string_view rest_;
    std::size_t number_ = 0;            // of the line that was read last
    ConsumerKeys keys_;
    std::vector<std::size_t> lines_;    // of each consumer
};

// * stands for any characters, also none. Letters of ASCII match without
// case: no provider has two models that differ in that alone, and a denied
// one must not be had by shouting.
bool matches_model(std::string_view pattern, std::string_view model) noexcept;

// Whether lists of allowed (empty: all) and of denied models let it through;
// what is in both is denied.
bool is_model_allowed(std::span<const std::string> allowed,
                      std::span<const std::string> denied,
                      std::string_view model) noexcept;

// Where clients put keys.
enum class CredentialSource : std::uint8_t {
    authorization,      // Authorization: Bearer KEY
    own_header,         // NAME: KEY, such as Anthropic's x-api-key
};

// The key in the value of such a header field; empty: none that is usable.
std::string_view credential_in(CredentialSource source,
                               std::string_view value) noexcept;

}  // namespace llm
