#include <algorithm>
#include <iterator>

#include "llm/pass_through.hpp"

namespace llm::pass_through {

namespace {

constexpr Group table[] = {
    {"images", 1U << 0, "images"},
    {"audio", 1U << 1, "audio"},
    {"videos", 1U << 2, "videos"},
    {"moderations", 1U << 3, "moderations"},
    {"rerank", 1U << 4, "rerank"},
    {"files", 1U << 5, "files uploads"},
    {"batches", 1U << 6, "batches"},
    {"fine_tuning", 1U << 7, "fine_tuning"},
    {"realtime", 1U << 8, "realtime"},
};

// "v1", "v1beta", "v2".
bool is_version(std::string_view segment) noexcept {
    return segment.size() >= 2 && segment.size() <= 8 && segment[0] == 'v'
           && segment[1] >= '0' && segment[1] <= '9'
           && std::all_of(segment.begin() + 1, segment.end(), [](char c) {
                  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
              });
}

// What stands between the first slash and the next.
std::string_view first_segment(std::string_view path) noexcept {
    path.remove_prefix(path.starts_with('/') ? 1 : 0);
    return path.substr(0, path.find('/'));
}

std::string_view last_segment(std::string_view path) noexcept {
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return path.substr(path.rfind('/') + 1);
}

bool is_plain(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z')
           || std::string_view("-._~/:@").find(c) != std::string_view::npos;
}

}  // namespace

std::span<const Group> groups() noexcept {
    return table;
}

Path split_path(std::string_view path, std::string_view prefix) noexcept {
    if (!path.starts_with(prefix)) {
        prefix = {};
    }
    Path split;
    if (std::string_view last = last_segment(prefix); is_version(last)) {
        split.version = last;
    }
    path.remove_prefix(prefix.ends_with('/') ? prefix.size() - 1
                                             : prefix.size());
    // Not after "location /api": there "/apiv1" is no version.
    if (std::string_view first = first_segment(path);
        path.starts_with('/') && is_version(first))
    {
        split.version = first;
        path.remove_prefix(1 + first.size());
    }
    split.rest = path;
    return split;
}

std::uint32_t group_of(const Path &path) noexcept {
    std::string_view segment = first_segment(path.rest);
    if (segment.empty()) {
        return 0;
    }
    for (const Group &group : table) {
        std::string_view names = group.segments;
        while (!names.empty()) {
            std::string_view name = names.substr(0, names.find(' '));
            if (name == segment) {
                return group.bit;
            }
            names.remove_prefix(std::min(name.size() + 1, names.size()));
        }
    }
    return 0;
}

bool append_path(const Path &path, std::string_view base, std::string &out) {
    if (!path.rest.starts_with('/') || path.rest.size() == 1) {
        return false;
    }
    std::string_view left = path.rest;
    while (!left.empty()) {
        std::string_view segment = first_segment(left);
        left.remove_prefix(segment.size() + 1);
        // A slash may end the path.
        bool end = segment.empty() && left.empty();
        if ((segment.empty() && !end) || segment == "." || segment == "..") {
            return false;
        }
    }

    out += base;
    if (!path.version.empty() && !is_version(last_segment(base))) {
        out.append("/").append(path.version);
    }
    constexpr char digits[] = "0123456789ABCDEF";
    for (char c : path.rest) {
        if (is_plain(c)) {
            out.push_back(c);
        } else {
            auto byte = static_cast<unsigned char>(c);
            out.push_back('%');
            out.push_back(digits[byte >> 4]);
            out.push_back(digits[byte & 15]);
        }
    }
    return true;
}

bool is_query(std::string_view query) noexcept {
    return std::all_of(query.begin(), query.end(), [](char c) {
        return c > 0x20 && c < 0x7F && c != '#';
    });
}

Result<std::optional<Found>> find_argument(std::string_view query,
                                           std::string_view name) {
    std::optional<Found> found;
    for (std::size_t at = 0; at < query.size();) {
        std::size_t end = std::min(query.find('&', at), query.size());
        std::size_t equals = std::min(query.find('=', at), end);
        if (decode_argument(query.substr(at, equals - at)) == name) {
            if (found) {
                return invalid_request("the argument \"" + std::string(name)
                                           + "\" is there twice",
                                       std::string(name));
            }
            std::size_t value = std::min(equals + 1, end);
            found = Found{value, end - value};
        }
        at = end + 1;
    }
    return found;
}

std::string decode_argument(std::string_view text) {
    auto digit = [](char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
    };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0
            && digit(text[i + 2]) >= 0) {
            out.push_back(static_cast<char>(digit(text[i + 1]) * 16
                                            + digit(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return out;
}

}  // namespace llm::pass_through
