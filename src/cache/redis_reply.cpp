#include "cache/redis_reply.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace llm::cache::remote {

using redis::Reply;

namespace {

constexpr std::size_t longest_detail = 200;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out(text.substr(0, longest_detail));
    for (char &c : out) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = '?';
        }
    }
    return out;
}

Error error_of(const Reply &reply) {
    Error error;
    error.kind = ErrorKind::server;
    error.message = reply.text.empty() ? "an error without a reason"
                                       : printable(reply.text);
    // Before Redis 7, what fails inside of a script is told by an ERR with the
    // script's line in front.
    if (reply.text.find("WRONGTYPE ") != std::string::npos) {
        error.code = code_wrong_type;
    }
    return error;
}

Error unexpected(std::string_view what) {
    Error error;
    error.kind = ErrorKind::server;
    error.message = "the reply is no " + std::string(what);
    return error;
}

const Reply *field(const Reply &reply, std::string_view name) noexcept {
    if (reply.type != Reply::Type::map && reply.type != Reply::Type::array) {
        return nullptr;
    }
    for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
        if (reply.elements[i].is_text()
            && equal_words(reply.elements[i].text, name))
        {
            return &reply.elements[i + 1];
        }
    }
    return nullptr;
}

std::optional<double> number(const Reply &reply) noexcept {
    double value;
    switch (reply.type) {
    case Reply::Type::integer:
        return static_cast<double>(reply.integer);
    case Reply::Type::real:
        value = reply.real;
        break;
    case Reply::Type::string:
    case Reply::Type::status: {
        auto end = reply.text.data() + reply.text.size();
        auto result = std::from_chars(reply.text.data(), end, value);
        if (reply.text.empty() || result.ec != std::errc()
            || result.ptr != end)
        {
            return std::nullopt;
        }
        break;
    }
    default:
        return std::nullopt;
    }
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

bool equal_words(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

bool mentions(std::string_view text, std::string_view words) noexcept {
    auto found = std::search(
        text.begin(), text.end(), words.begin(), words.end(),
        [](char x, char y) { return lower(x) == y; });
    return found != text.end();
}

std::string blob(std::span<const float> vector) {
    static_assert(std::endian::native == std::endian::little
                      && sizeof(float) == 4,
                  "the bytes in memory are those on the wire");
    return {reinterpret_cast<const char *>(vector.data()),
            vector.size_bytes()};
}

Command script(std::string_view text, std::vector<std::string> keys,
               std::vector<std::string> arguments) {
    Command command;
    command.key = keys.front();
    command.words.reserve(3 + keys.size() + arguments.size());
    command.words.emplace_back("EVAL");
    command.words.emplace_back(text);
    command.words.push_back(std::to_string(keys.size()));
    std::move(keys.begin(), keys.end(), std::back_inserter(command.words));
    std::move(arguments.begin(), arguments.end(),
              std::back_inserter(command.words));
    return command;
}

void sort_neighbours(std::vector<Neighbour> &neighbours) {
    std::stable_sort(neighbours.begin(), neighbours.end(),
                     [](const Neighbour &a, const Neighbour &b) {
                         return a.similarity > b.similarity;
                     });
}

}  // namespace llm::cache::remote
