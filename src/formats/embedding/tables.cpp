// Words of the APIs for what embeddings are for. Sources: the pages that
// llm/embedding_format.hpp names.
#include <algorithm>
#include <iterator>

#include "formats/embedding/shared.hpp"

namespace llm::embedding {

namespace {

constexpr PurposeWords table[] = {
    {Purpose::unset, "", "", "", ""},
    {Purpose::query, "search_query", "RETRIEVAL_QUERY", "query", "query"},
    {Purpose::document, "search_document", "RETRIEVAL_DOCUMENT", "document",
     "passage"},
    // Both sides alike. NVIDIA's models know only two sides: "query" is the
    // shorter text's.
    {Purpose::similarity, "clustering", "SEMANTIC_SIMILARITY", "", "query"},
    {Purpose::classification, "classification", "CLASSIFICATION", "",
     "passage"},
    {Purpose::clustering, "clustering", "CLUSTERING", "", "passage"},
    {Purpose::question_answering, "search_query", "QUESTION_ANSWERING",
     "query", "query"},
    {Purpose::fact_verification, "search_query", "FACT_VERIFICATION", "query",
     "query"},
    {Purpose::code_query, "search_query", "CODE_RETRIEVAL_QUERY", "query",
     "query"},
};

bool equal_nocase(std::string_view a, std::string_view b) noexcept {
    auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

const PurposeWords &purpose_words(Purpose purpose) noexcept {
    return *std::find_if(
        std::begin(table), std::end(table),
        [&](const PurposeWords &row) { return row.purpose == purpose; });
}

std::optional<Purpose> find_purpose(std::string_view word) noexcept {
    if (word.empty()) {
        return std::nullopt;
    }
    // An API's own word for a purpose before one that stands in for another.
    for (auto name : {&PurposeWords::gemini, &PurposeWords::voyage,
                      &PurposeWords::nvidia, &PurposeWords::cohere}) {
        for (const auto &row : table) {
            if (equal_nocase(row.*name, word)) {
                return row.purpose;
            }
        }
    }
    return std::nullopt;
}

}  // namespace llm::embedding
