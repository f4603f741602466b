#include "formats/gemini/tables.hpp"

#include <algorithm>

#include "formats/finish_words.hpp"

namespace llm::gemini {

namespace {

using chat::FinishReason;

// The first row of a reason is the word that is written for it. Source:
// FinishReason and BlockedReason.
constexpr FinishWord finishes[] = {
    {"STOP", FinishReason::stop},
    {"MAX_TOKENS", FinishReason::length},
    {"CONTINUATION", FinishReason::length},
    {"SAFETY", FinishReason::content_filter},
    {"RECITATION", FinishReason::content_filter},
    {"LANGUAGE", FinishReason::content_filter},
    {"BLOCKLIST", FinishReason::content_filter},
    {"PROHIBITED_CONTENT", FinishReason::content_filter},
    {"SPII", FinishReason::content_filter},
    {"MODEL_ARMOR", FinishReason::content_filter},
    {"ESCALATION", FinishReason::content_filter},
    {"PUP_LIMITED_DISABLED", FinishReason::content_filter},
    {"IMAGE_SAFETY", FinishReason::content_filter},
    {"IMAGE_PROHIBITED_CONTENT", FinishReason::content_filter},
    {"IMAGE_RECITATION", FinishReason::content_filter},
    {"OTHER", FinishReason::error},
    {"MALFORMED_FUNCTION_CALL", FinishReason::error},
    {"UNEXPECTED_TOOL_CALL", FinishReason::error},
    {"TOO_MANY_TOOL_CALLS", FinishReason::error},
    {"MISSING_THOUGHT_SIGNATURE", FinishReason::error},
    {"MALFORMED_RESPONSE", FinishReason::error},
    {"NO_IMAGE", FinishReason::error},
    {"IMAGE_OTHER", FinishReason::error},
    {"FINISH_REASON_UNSPECIFIED", FinishReason::none},
};

// One row a kind. Source: google.rpc.Code; Gemini API docs, Troubleshooting.
// The word of a 502, which has none, is that of what to try again.
constexpr ErrorRow errors[] = {
    {ErrorKind::invalid_request, 400, "INVALID_ARGUMENT"},
    {ErrorKind::unsupported, 400, "INVALID_ARGUMENT"},
    {ErrorKind::authentication, 401, "UNAUTHENTICATED"},
    {ErrorKind::quota, 429, "RESOURCE_EXHAUSTED"},
    {ErrorKind::permission, 403, "PERMISSION_DENIED"},
    {ErrorKind::not_found, 404, "NOT_FOUND"},
    {ErrorKind::conflict, 409, "ABORTED"},
    {ErrorKind::too_large, 413, "INVALID_ARGUMENT"},
    {ErrorKind::rate_limit, 429, "RESOURCE_EXHAUSTED"},
    {ErrorKind::server, 500, "INTERNAL"},
    {ErrorKind::bad_gateway, 502, "UNAVAILABLE"},
    {ErrorKind::unavailable, 503, "UNAVAILABLE"},
    {ErrorKind::overloaded, 503, "UNAVAILABLE"},
    {ErrorKind::timeout, 504, "DEADLINE_EXCEEDED"},
};

struct ErrorWord {
    std::string_view word;
    ErrorKind kind;
};

// Source: google.rpc.Code. UNAVAILABLE is how an overloaded model says so.
constexpr ErrorWord error_words[] = {
    {"INVALID_ARGUMENT", ErrorKind::invalid_request},
    {"FAILED_PRECONDITION", ErrorKind::invalid_request},
    {"OUT_OF_RANGE", ErrorKind::invalid_request},
    {"UNIMPLEMENTED", ErrorKind::invalid_request},
    {"UNAUTHENTICATED", ErrorKind::authentication},
    {"PERMISSION_DENIED", ErrorKind::permission},
    {"NOT_FOUND", ErrorKind::not_found},
    {"ALREADY_EXISTS", ErrorKind::conflict},
    {"ABORTED", ErrorKind::conflict},
    {"RESOURCE_EXHAUSTED", ErrorKind::rate_limit},
    {"CANCELLED", ErrorKind::server},
    {"UNKNOWN", ErrorKind::server},
    {"INTERNAL", ErrorKind::server},
    {"DATA_LOSS", ErrorKind::server},
    {"UNAVAILABLE", ErrorKind::overloaded},
    {"DEADLINE_EXCEEDED", ErrorKind::timeout},
};

struct WordPair {
    std::string_view openai;
    std::string_view google;
};

// Source: ServiceTier.
constexpr WordPair tiers[] = {
    {"default", "standard"},
    {"flex", "flex"},
    {"priority", "priority"},
};

// Source: Modality.
constexpr WordPair modalities[] = {
    {"text", "TEXT"},
    {"image", "IMAGE"},
    {"audio", "AUDIO"},
};

// Source: Gemini API docs, Audio understanding.
constexpr WordPair media_types[] = {
    {"audio/mpeg", "audio/mp3"},
    {"image/jpeg", "image/jpg"},
};

struct Extension {
    std::string_view end;
    std::string_view media_type;
};

// Source: Gemini API docs, Image, Video, Audio and Document understanding.
constexpr Extension extensions[] = {
    {".jpg", "image/jpeg"},      {".jpeg", "image/jpeg"},
    {".png", "image/png"},       {".webp", "image/webp"},
    {".gif", "image/gif"},       {".heic", "image/heic"},
    {".heif", "image/heif"},     {".pdf", "application/pdf"},
    {".txt", "text/plain"},      {".md", "text/markdown"},
    {".html", "text/html"},      {".csv", "text/csv"},
    {".xml", "text/xml"},        {".json", "application/json"},
    {".wav", "audio/wav"},       {".mp3", "audio/mp3"},
    {".aac", "audio/aac"},       {".ogg", "audio/ogg"},
    {".flac", "audio/flac"},     {".mp4", "video/mp4"},
    {".mov", "video/mov"},       {".webm", "video/webm"},
    {".mpeg", "video/mpeg"},
};

// The first row that fits. Source: Gemini API docs, Thinking (levels and
// budgets), Structured output and Function calling (what goes together),
// Thought signatures. The last row is for names that nobody has heard of,
// which are newer ones or aliases.
constexpr ModelTraits models[] = {
    {"gemini-1", Thinking::none, 0, 0, false, false, false, false, false},
    {"gemini-2.0", Thinking::none, 0, 0, false, false, false, false, false},
    {"gemma", Thinking::none, 0, 0, false, false, false, false, false},
    {"gemini-2.5-flash-image", Thinking::none, 0, 0, false, false, true,
     false, false},
    {"gemini-2.5-flash-lite", Thinking::budget, 0, 24576, false, false, true,
     false, false},
    {"gemini-2.5-flash", Thinking::budget, 0, 24576, false, false, true,
     false, false},
    {"gemini-2.5", Thinking::budget, 128, 32768, false, false, true, false,
     false},
    {"gemini-3-pro", Thinking::level, 0, 0, false, false, true, true, true},
    {"-pro", Thinking::level, 0, 0, false, true, true, true, true},
    {"", Thinking::level, 0, 0, true, true, true, true, true},
};

struct EffortRow {
    std::string_view effort;
    std::string_view level;
    std::int64_t budget;
};

// Source: Gemini API docs, OpenAI compatibility; beyond them our own steps.
constexpr EffortRow efforts[] = {
    {"none", "MINIMAL", 0},      {"minimal", "MINIMAL", 1024},
    {"low", "LOW", 1024},        {"medium", "MEDIUM", 8192},
    {"high", "HIGH", 24576},     {"xhigh", "HIGH", 32768},
    {"max", "HIGH", 32768},
};

struct LevelRow {
    std::string_view level;
    std::string_view effort;
};

constexpr LevelRow levels[] = {
    {"MINIMAL", "minimal"}, {"LOW", "low"},     {"MEDIUM", "medium"},
    {"HIGH", "high"},       {"XHIGH", "xhigh"},
};

bool equal_ignoring_case(std::string_view text,
                         std::string_view other) noexcept {
    return std::equal(text.begin(), text.end(), other.begin(), other.end(),
                      [](char a, char b) {
                          auto lower = [](char c) {
                              return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
                          };
                          return lower(a) == lower(b);
                      });
}

}  // namespace

FinishReason finish_reason(std::string_view word) noexcept {
    return finish_reason_of(finishes, word);
}

std::string_view finish_word(FinishReason reason,
                             std::string_view native) noexcept {
    // A model that calls has stopped.
    if (reason == FinishReason::tool_calls || reason == FinishReason::none) {
        reason = FinishReason::stop;
    }
    return finish_word_of(finishes, reason, native);
}

const ErrorRow &error_row(ErrorKind kind) noexcept {
    for (const ErrorRow &row : errors) {
        if (row.kind == kind) {
            return row;
        }
    }
    return error_row(ErrorKind::server);
}

std::optional<ErrorKind> error_kind(std::string_view word) noexcept {
    for (const ErrorWord &row : error_words) {
        if (row.word == word) {
            return row.kind;
        }
    }
    return std::nullopt;
}

std::string_view openai_tier(std::string_view tier) noexcept {
    for (const WordPair &row : tiers) {
        if (equal_ignoring_case(tier, row.google)) {
            return row.openai;
        }
    }
    return {};
}

std::string_view google_tier(std::string_view openai_tier) noexcept {
    for (const WordPair &row : tiers) {
        if (row.openai == openai_tier) {
            return row.google;
        }
    }
    return {};
}

std::string_view google_modality(std::string_view openai) noexcept {
    for (const WordPair &row : modalities) {
        if (row.openai == openai) {
            return row.google;
        }
    }
    return {};
}

std::string_view openai_modality(std::string_view google) noexcept {
    for (const WordPair &row : modalities) {
        if (equal_ignoring_case(google, row.google)) {
            return row.openai;
        }
    }
    return {};
}

std::string_view google_media_type(std::string_view media_type) noexcept {
    // Of images it is the common word that Google takes.
    for (const WordPair &row : media_types) {
        bool image = row.openai.starts_with("image/");
        if (media_type == (image ? row.google : row.openai)) {
            return image ? row.openai : row.google;
        }
    }
    return media_type;
}

std::string_view common_media_type(std::string_view media_type) noexcept {
    for (const WordPair &row : media_types) {
        if (media_type == row.google) {
            return row.openai;
        }
    }
    return media_type;
}

std::string_view media_type_of_url(std::string_view url) noexcept {
    url = url.substr(0, url.find_first_of("?#"));
    for (const Extension &row : extensions) {
        if (url.size() > row.end.size()
            && equal_ignoring_case(url.substr(url.size() - row.end.size()),
                                   row.end)) {
            return row.media_type;
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

std::string_view thinking_level(std::string_view effort,
                                const ModelTraits &traits) noexcept {
    std::string_view level = "HIGH";
    for (const EffortRow &row : efforts) {
        if (row.effort == effort) {
            level = row.level;
        }
    }
    if (level == "MINIMAL" && !traits.minimal) {
        return "LOW";
    }
    if (level == "MEDIUM" && !traits.medium) {
        return "HIGH";
    }
    return level;
}

std::int64_t thinking_budget(std::string_view effort) noexcept {
    for (const EffortRow &row : efforts) {
        if (row.effort == effort) {
            return row.budget;
        }
    }
    return thinking_budget("high");
}

std::string_view effort_of_level(std::string_view level) noexcept {
    for (const LevelRow &row : levels) {
        if (equal_ignoring_case(level, row.level)) {
            return row.effort;
        }
    }
    return {};
}

std::string_view effort_of_budget(std::int64_t tokens) noexcept {
    for (std::string_view effort : {"low", "medium"}) {
        if (tokens <= thinking_budget(effort)) {
            return effort;
        }
    }
    return "high";
}

}  // namespace llm::gemini
