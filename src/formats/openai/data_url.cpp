#include "formats/openai/data_url.hpp"

namespace llm::openai {

namespace {

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c - 'A' + 'a');
        }
        if (c != lower[i]) {
            return false;
        }
    }
    return true;
}

constexpr std::string_view scheme = "data:";
constexpr std::string_view encoding = ";base64";

}  // namespace

bool is_data_url(std::string_view url) noexcept {
    return equal_ignoring_case(url.substr(0, scheme.size()), scheme);
}

std::optional<DataUrl> parse_data_url(std::string_view url) noexcept {
    if (!is_data_url(url)) {
        return std::nullopt;
    }
    url.remove_prefix(scheme.size());

    std::size_t comma = url.find(',');
    if (comma == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view type = url.substr(0, comma);
    if (type.size() < encoding.size()
        || !equal_ignoring_case(type.substr(type.size() - encoding.size()),
                                encoding)) {
        return std::nullopt;
    }
    type = type.substr(0, type.find(';'));
    return DataUrl{type.empty() ? "text/plain" : type, url.substr(comma + 1)};
}

}  // namespace llm::openai
