#include "formats/tool_name.hpp"

#include <algorithm>
#include <utility>

#include "formats/tool_plan.hpp"
#include "llm/arena.hpp"
#include "text/hash.hpp"

namespace llm {

namespace {

constexpr std::size_t longest = 64;

// Behind it, each byte that is not legal, and "-" itself, is "-" and two
// hexadecimal digits.
constexpr std::string_view escaped_prefix = "llm_name_";
constexpr std::string_view digits = "0123456789abcdef";

// Behind it are the digest of the name, "_" and its beginning, for the model.
constexpr std::string_view cut_prefix = "llm_cut_";

bool is_legal(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

void cut_name(std::string_view name, std::string &out) {
    out.append(cut_prefix);
    append_hex(out, fnv1a(name));
    out.push_back('_');
    for (char c : name.substr(0, longest - out.size())) {
        out.push_back(is_legal(c) ? c : '_');
    }
}

}  // namespace

std::optional<std::string> encode_tool_name(std::string_view name,
                                            bool custom) {
    std::string out(custom ? custom_prefix : std::string_view());
    if (std::all_of(name.begin(), name.end(), is_legal)) {
        out.append(name);
    } else {
        out.append(escaped_prefix);
        for (char c : name) {
            if (is_legal(c) && c != '-') {
                out.push_back(c);
                continue;
            }
            auto byte = static_cast<unsigned char>(c);
            out.push_back('-');
            out.push_back(digits[byte >> 4]);
            out.push_back(digits[byte & 15]);
        }
    }
    if (name.empty()) {
        return std::nullopt;
    }
    if (out.size() > longest) {
        out = custom ? custom_prefix : std::string_view();
        cut_name(name, out);
    }
    return out;
}

std::string legal_tool_name(std::string_view name, bool custom) {
    auto encoded = encode_tool_name(name, custom);
    return encoded ? std::move(*encoded) : sent_tool_name(name, custom);
}

std::string_view whole_tool_name(std::string_view name,
                                 const chat::Request &request) {
    std::string_view cut = name;
    take_custom_prefix(cut);
    if (!cut.starts_with(cut_prefix)) {
        return name;
    }
    cut.remove_prefix(cut_prefix.size());
    for (const chat::Tool &tool : request.tools) {
        std::string digest;
        append_hex(digest, fnv1a(tool.name));
        if (cut.starts_with(digest)) {
            return tool.name;
        }
    }
    return name;
}

ToolName decode_tool_name(std::string_view encoded) {
    ToolName out;
    out.custom = take_custom_prefix(encoded);
    plain_tool_name(encoded, out.name);
    if (out.name.empty()) {
        out.name = encoded;
    }
    return out;
}

std::string_view plain_tool_name(std::string_view encoded,
                                 std::pmr::memory_resource *memory) {
    std::string text;
    std::string_view name = plain_tool_name(encoded, text);
    return name.data() == text.data() ? arena_copy(memory, text) : name;
}

std::string_view plain_tool_name(std::string_view encoded, std::string &out) {
    if (!encoded.starts_with(escaped_prefix)) {
        return encoded;
    }
    encoded.remove_prefix(escaped_prefix.size());
    out.clear();
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        std::size_t high = digits.npos;
        std::size_t low = digits.npos;
        if (encoded[i] == '-' && i + 2 < encoded.size()) {
            high = digits.find(encoded[i + 1]);
            low = digits.find(encoded[i + 2]);
        }
        if (high == digits.npos || low == digits.npos) {
            out.push_back(encoded[i]);
        } else {
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        }
    }
    return out;
}

}  // namespace llm
