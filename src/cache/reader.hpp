// The reader of a question: gives the tokens their classes and finds what is
// asked. Its parts are in words.cpp (classes, numbers, dates), requests.cpp
// (words that ask for an answer) and meaning.cpp (all else).
#pragma once

#include "cache/meaning.hpp"

namespace llm::cache {

// Spaces of value_key() that tokens.cpp does not use.
enum Space : unsigned {
    group_space = 8,
    opposite_space,
    month_space,
    weekday_space,
    unit_space,
    ordinal_space,
    time_space,
    role_space,
    capitals_space,
};

inline bool is_word(const Token &token, WordClass cls) {
    return token.type == TokenType::word && token.cls == cls;
}

template <typename Enum>
Enum value_as(const Token &token) {
    return static_cast<Enum>(token.value);
}

inline bool is_auxiliary(WordClass cls) {
    return cls == WordClass::present || cls == WordClass::past
           || cls == WordClass::future || cls == WordClass::modal;
}

Weight weight_of(WordClass cls) noexcept;

class Reader {
public:
    Reader(Tokens &tokens, Language language)
        : tokens_(tokens), language_(language) {}

    Meaning understand();

private:
    std::span<Token> all() { return tokens_.all(); }
    // The token that many places further on; one without a class at the end.
    const Token &peek(std::size_t index) {
        static constexpr Token none{};
        return index < all().size() ? all()[index] : none;
    }

    void classify();
    void classify_word(Token &token);
    bool join_phrase(std::size_t index);
    void settle_requests();
    bool is_request(std::size_t index);
    void lighten_verbs();
    void settle_guides();
    void combine_numbers();
    bool multiply(Token &number, Scale scale);
    void find_dates();
    void find_units();
    void raise_names();
    void raise_nouns();
    void find_kind();
    Kind kind_of_question(std::size_t index);
    void find_orders();
    void find_traits();
    void find_voice();
    void find_stranded();
    void set_keys();
    void set_roles();

    bool english() const { return language_ == Language::english; }

    Tokens &tokens_;
    Language language_;
    Meaning meaning_;
};

}  // namespace llm::cache
