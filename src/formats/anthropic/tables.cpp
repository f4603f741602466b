#include "formats/anthropic/tables.hpp"

#include "formats/finish_words.hpp"

namespace llm::anthropic {

namespace {

using chat::FinishReason;

// The first row of a reason is the word that is written for it.
constexpr FinishWord stop_reasons[] = {
    {"end_turn", FinishReason::stop},
    {"stop_sequence", FinishReason::stop},
    {"pause_turn", FinishReason::stop},
    {"max_tokens", FinishReason::length},
    {"model_context_window_exceeded", FinishReason::length},
    {"tool_use", FinishReason::tool_calls},
    {"refusal", FinishReason::content_filter},
};

// One row a kind. Of rows with the same type, the first is what the type
// means when it is read.
constexpr ErrorRow errors[] = {
    {ErrorKind::invalid_request, 400, "invalid_request_error"},
    {ErrorKind::unsupported, 400, "invalid_request_error"},
    {ErrorKind::conflict, 409, "invalid_request_error"},
    {ErrorKind::authentication, 401, "authentication_error"},
    {ErrorKind::quota, 402, "billing_error"},
    {ErrorKind::permission, 403, "permission_error"},
    {ErrorKind::not_found, 404, "not_found_error"},
    {ErrorKind::too_large, 413, "request_too_large"},
    {ErrorKind::rate_limit, 429, "rate_limit_error"},
    {ErrorKind::server, 500, "api_error"},
    {ErrorKind::bad_gateway, 502, "api_error"},
    {ErrorKind::overloaded, 529, "overloaded_error"},
    {ErrorKind::unavailable, 503, "overloaded_error"},
    {ErrorKind::timeout, 504, "timeout_error"},
};

struct TierRow {
    std::string_view request;
    std::string_view answer;
    std::string_view openai;
};

constexpr TierRow tiers[] = {
    {"auto", "", "auto"},
    {"standard_only", "standard", "default"},
    {"", "priority", "priority"},
};

// The first row whose word the model's name contains: names come with dates,
// and with prefixes on other platforms. Output limits: Anthropic's model
// overview. A model that is not known is taken for a current one.
constexpr ModelTraits models[] = {
    {"opus-5", Thinking::adaptive, Effort::xhigh, true, false, 128000},
    {"sonnet-5", Thinking::adaptive, Effort::xhigh, true, false, 128000},
    {"fable-5", Thinking::adaptive, Effort::xhigh, true, false, 128000},
    {"opus-4-8", Thinking::adaptive, Effort::xhigh, true, false, 128000},
    {"opus-4-7", Thinking::adaptive, Effort::xhigh, true, false, 128000},
    {"opus-4-6", Thinking::both, Effort::max, true, true, 128000},
    {"sonnet-4-6", Thinking::both, Effort::max, true, true, 128000},
    {"opus-4-5", Thinking::budget, Effort::high, true, true, 64000},
    {"sonnet-4-5", Thinking::budget, Effort::none, true, true, 64000},
    {"haiku-4-5", Thinking::budget, Effort::none, true, true, 64000},
    {"opus-4", Thinking::budget, Effort::none, false, true, 32000},
    {"sonnet-4", Thinking::budget, Effort::none, false, true, 64000},
    {"claude-3-7", Thinking::budget, Effort::none, false, true, 64000},
    {"claude-3-5", Thinking::none, Effort::none, false, true, 8192},
    {"claude-3-", Thinking::none, Effort::none, false, true, 4096},
    {"claude-2", Thinking::none, Effort::none, false, true, 4096},
    {"claude-instant", Thinking::none, Effort::none, false, true, 4096},
    {"", Thinking::both, Effort::xhigh, true, true, 0},
};

struct VersionRow {
    Hosting hosting;
    std::string_view version;
};

constexpr VersionRow versions[] = {
    {Hosting::vertex, "vertex-2023-10-16"},
    {Hosting::bedrock, "bedrock-2023-05-31"},
};

struct BudgetRow {
    std::string_view effort;
    std::int64_t tokens;
};

constexpr BudgetRow budgets[] = {
    {"minimal", 1024}, {"low", 1024},   {"medium", 2048},
    {"high", 4096},    {"xhigh", 8192}, {"max", 16384},
};

}  // namespace

std::string_view body_version(Hosting hosting) noexcept {
    for (const VersionRow &row : versions) {
        if (row.hosting == hosting) {
            return row.version;
        }
    }
    return {};
}

FinishReason finish_reason(std::string_view stop_reason) noexcept {
    return finish_reason_of(stop_reasons, stop_reason);
}

std::string_view stop_reason(FinishReason reason,
                             std::string_view native) noexcept {
    return finish_word_of(stop_reasons, reason, native);
}

const ErrorRow &error_row(ErrorKind kind) noexcept {
    for (const ErrorRow &row : errors) {
        if (row.kind == kind) {
            return row;
        }
    }
    return error_row(ErrorKind::server);
}

const ErrorRow *find_error_type(std::string_view type) noexcept {
    for (const ErrorRow &row : errors) {
        if (row.type == type) {
            return &row;
        }
    }
    return nullptr;
}

std::string_view openai_tier(std::string_view tier) noexcept {
    for (const TierRow &row : tiers) {
        if (!tier.empty() && (row.request == tier || row.answer == tier)) {
            return row.openai;
        }
    }
    return {};
}

std::string_view request_tier(std::string_view openai_tier) noexcept {
    for (const TierRow &row : tiers) {
        if (row.openai == openai_tier) {
            return row.request;
        }
    }
    return {};
}

std::string_view answer_tier(std::string_view openai_tier) noexcept {
    for (const TierRow &row : tiers) {
        if (row.openai == openai_tier) {
            return row.answer;
        }
    }
    return {};
}

const ModelTraits &model_traits(std::string_view model) noexcept {
    const ModelTraits *row = models;
    while (model.find(row->contains) == std::string_view::npos) {
        ++row;
    }
    return *row;
}

std::int64_t thinking_budget(std::string_view effort) noexcept {
    for (const BudgetRow &row : budgets) {
        if (row.effort == effort) {
            return row.tokens;
        }
    }
    return thinking_budget("high");
}

}  // namespace llm::anthropic
