#include "simulate/words.hpp"

#include <algorithm>

namespace llm::simulate {

namespace {

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_word_byte(char c) {
    return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9')
           || static_cast<unsigned char>(c) >= 0x80;
}

char lower(char c) {
    return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

// Words that stand in many tools' names and say nothing about what they do.
constexpr std::string_view empty_words[] = {
    "get", "set", "the", "and",  "for",  "use",  "run",
    "has", "you", "can", "what", "tool", "call", "with",
};

// The words of a name: underscores, dashes, dots and capitals part them.
std::vector<std::string_view> split_name(std::string_view name) {
    std::vector<std::string_view> parts;
    for (std::string_view word : split_words(name)) {
        std::size_t start = 0;
        for (std::size_t i = 1; i < word.size(); ++i) {
            if (is_upper(word[i]) && is_lower(word[i - 1])) {
                parts.push_back(word.substr(start, i - start));
                start = i;
            }
        }
        parts.push_back(word.substr(start));
    }
    return parts;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> words;
    std::size_t i = 0;
    while (i < text.size()) {
        std::size_t start = i;
        while (i < text.size() && is_word_byte(text[i])) {
            ++i;
        }
        if (i != start) {
            words.push_back(text.substr(start, i - start));
        } else {
            ++i;
        }
    }
    return words;
}

std::string_view last_name(std::string_view text) {
    auto words = split_words(text);
    auto is_name = [](std::string_view word) {
        return is_upper(word[0]) && word != "I";
    };

    auto last = std::find_if(words.rbegin(), words.rend(), is_name);
    if (last == words.rend()) {
        return {};
    }
    const char *end = last->data() + last->size();
    auto first = last;
    for (auto before = first + 1; before != words.rend(); first = before++) {
        bool beside = before->data() + before->size() + 1 == first->data()
                      && first->data()[-1] == ' ';
        // A sentence's first word has its capital for that.
        bool sentence = before + 1 == words.rend();
        if (!beside || sentence || !is_name(*before)) {
            break;
        }
    }
    return {first->data(), static_cast<std::size_t>(end - first->data())};
}

bool contains(std::string_view text, std::string_view needle) {
    return std::search(text.begin(), text.end(), needle.begin(), needle.end(),
                       [](char x, char y) { return lower(x) == lower(y); })
           != text.end();
}

bool mentions(std::string_view text, std::string_view tool_name) {
    constexpr std::size_t shortest = 3;
    if (contains(text, tool_name)) {
        return true;
    }
    auto words = split_words(text);
    for (std::string_view part : split_name(tool_name)) {
        bool says_nothing =
            part.size() < shortest
            || std::any_of(std::begin(empty_words), std::end(empty_words),
                           [part](auto word) { return equal(word, part); });
        if (!says_nothing
            && std::any_of(words.begin(), words.end(),
                           [part](auto word) { return equal(word, part); })) {
            return true;
        }
    }
    return false;
}

}  // namespace llm::simulate
