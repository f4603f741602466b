#include "formats/bedrock/tables.hpp"

#include <algorithm>
#include <iterator>

#include "formats/finish_words.hpp"

namespace llm::bedrock {

namespace {

using chat::FinishReason;

// The first row of a reason is the word that is written for it.
constexpr FinishWord stop_reasons[] = {
    {"end_turn", FinishReason::stop},
    {"stop_sequence", FinishReason::stop},
    {"max_tokens", FinishReason::length},
    {"model_context_window_exceeded", FinishReason::length},
    {"tool_use", FinishReason::tool_calls},
    {"content_filtered", FinishReason::content_filter},
    {"guardrail_intervened", FinishReason::content_filter},
    {"malformed_model_output", FinishReason::error},
    {"malformed_tool_use", FinishReason::error},
};

// The first row of a kind is what a client gets for it. The statuses are the
// service model's; those of the last rows are of AWS' common errors, which
// concern the credentials that the gateway has, or the signature.
constexpr ErrorRow errors[] = {
    {"ValidationException", ErrorKind::invalid_request, 400},
    {"ValidationException", ErrorKind::unsupported, 400},
    {"ConflictException", ErrorKind::conflict, 400},
    {"UnrecognizedClientException", ErrorKind::authentication, 403},
    {"ServiceQuotaExceededException", ErrorKind::quota, 400},
    {"AccessDeniedException", ErrorKind::permission, 403},
    {"ResourceNotFoundException", ErrorKind::not_found, 404},
    {"ValidationException", ErrorKind::too_large, 400},
    {"ThrottlingException", ErrorKind::rate_limit, 429},
    {"InternalServerException", ErrorKind::server, 500},
    {"ModelErrorException", ErrorKind::bad_gateway, 424},
    {"ServiceUnavailableException", ErrorKind::unavailable, 503},
    {"ServiceUnavailableException", ErrorKind::overloaded, 503},
    {"ModelTimeoutException", ErrorKind::timeout, 408},
    {"ModelStreamErrorException", ErrorKind::server, 424},
    {"ModelNotReadyException", ErrorKind::unavailable, 429},
    {"InvalidSignatureException", ErrorKind::authentication, 403},
    {"SignatureDoesNotMatch", ErrorKind::authentication, 403},
    {"IncompleteSignatureException", ErrorKind::authentication, 400},
    {"InvalidClientTokenId", ErrorKind::authentication, 403},
    {"MissingAuthenticationTokenException", ErrorKind::authentication, 403},
    {"ExpiredTokenException", ErrorKind::authentication, 403},
    {"ExpiredToken", ErrorKind::authentication, 403},
    {"RequestExpired", ErrorKind::authentication, 400},
    {"UnknownOperationException", ErrorKind::not_found, 404},
};

// ConverseStreamOutput. What is none of these is internalServerException.
struct StreamExceptionRow {
    ErrorKind kind;
    std::string_view name;
};

constexpr StreamExceptionRow stream_exceptions[] = {
    {ErrorKind::invalid_request, "validationException"},
    {ErrorKind::unsupported, "validationException"},
    {ErrorKind::too_large, "validationException"},
    {ErrorKind::quota, "throttlingException"},
    {ErrorKind::rate_limit, "throttlingException"},
    {ErrorKind::bad_gateway, "modelStreamErrorException"},
    {ErrorKind::timeout, "modelStreamErrorException"},
    {ErrorKind::unavailable, "serviceUnavailableException"},
    {ErrorKind::overloaded, "serviceUnavailableException"},
};

// Of the formats that several media types name, the first is written. The
// media types are IANA's, and names that clients use for them.
constexpr MediaRow media[] = {
    {"image", "png", "image/png", "png"},
    {"image", "jpeg", "image/jpeg", "jpeg"},
    {"image", "jpeg", "image/jpg", "jpg"},
    {"image", "gif", "image/gif", "gif"},
    {"image", "webp", "image/webp", "webp"},
    {"document", "pdf", "application/pdf", "pdf"},
    {"document", "csv", "text/csv", "csv"},
    {"document", "doc", "application/msword", "doc"},
    {"document", "docx",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     "docx"},
    {"document", "xls", "application/vnd.ms-excel", "xls"},
    {"document", "xlsx",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
     "xlsx"},
    {"document", "html", "text/html", "html"},
    {"document", "md", "text/markdown", "md"},
    {"document", "md", "text/x-markdown", "markdown"},
    {"document", "txt", "text/plain", "txt"},
    {"audio", "mp3", "audio/mpeg", ""},
    {"audio", "mp3", "audio/mp3", ""},
    {"audio", "opus", "audio/opus", ""},
    {"audio", "wav", "audio/wav", ""},
    {"audio", "wav", "audio/x-wav", ""},
    {"audio", "aac", "audio/aac", ""},
    {"audio", "flac", "audio/flac", ""},
    {"audio", "mp4", "audio/mp4", ""},
    {"audio", "ogg", "audio/ogg", ""},
    {"audio", "mka", "audio/x-matroska", ""},
    {"audio", "mkv", "audio/x-mkv", ""},
    {"audio", "x-aac", "audio/x-aac", ""},
    {"audio", "m4a", "audio/m4a", ""},
    {"audio", "mpeg", "audio/x-mpeg", ""},
    {"audio", "mpga", "audio/x-mpga", ""},
    {"audio", "pcm", "audio/pcm", ""},
    {"audio", "webm", "audio/webm", ""},
    {"video", "mp4", "video/mp4", "mp4"},
    {"video", "mov", "video/quicktime", "mov"},
    {"video", "mkv", "video/x-matroska", "mkv"},
    {"video", "webm", "video/webm", "webm"},
    {"video", "flv", "video/x-flv", "flv"},
    {"video", "mpeg", "video/mpeg", "mpeg"},
    {"video", "mpg", "video/mpg", "mpg"},
    {"video", "wmv", "video/x-ms-wmv", "wmv"},
    {"video", "three_gp", "video/3gpp", "3gp"},
};

struct TierRow {
    std::string_view bedrock;
    std::string_view openai;
};

constexpr TierRow tiers[] = {
    {"default", "default"},
    {"flex", "flex"},
    {"priority", "priority"},
    {"reserved", "scale"},
};

// The first row whose word the model's id contains: ids come with regions and
// versions around the name, and as ARNs. Of a profile that an operator has
// named nothing is known. Sources: Bedrock User Guide, inference request
// parameters of each vendor; its pages on prompt caching and on structured
// output. What Claude can do besides, by version, Anthropic's own table says
// (formats/anthropic/tables.cpp).
constexpr ModelTraits models[] = {
    {"claude", Thinking::claude, Schema::format, true, "top_k"},
    {"amazon.nova-2", Thinking::nova, Schema::tool, true,
     "inferenceConfig.topK"},
    {"amazon.nova", Thinking::none, Schema::tool, true,
     "inferenceConfig.topK"},
    {"amazon.titan", Thinking::none, Schema::none, false, ""},
    {"openai.gpt-oss", Thinking::effort, Schema::format, false, ""},
    {"mistral.mistral-large-2402", Thinking::none, Schema::tool, false, ""},
    {"mistral.mistral-7b", Thinking::none, Schema::none, false, "top_k"},
    {"mistral.mixtral", Thinking::none, Schema::none, false, "top_k"},
    {"meta.llama", Thinking::none, Schema::none, false, ""},
    {"cohere.command", Thinking::none, Schema::none, false, "k"},
    {"ai21.", Thinking::none, Schema::none, false, ""},
    {"deepseek.r1", Thinking::none, Schema::none, false, ""},
    {"", Thinking::none, Schema::format, false, ""},
};

}  // namespace

FinishReason finish_reason(std::string_view stop_reason) noexcept {
    return finish_reason_of(stop_reasons, stop_reason);
}

std::string_view stop_reason(FinishReason reason,
                             std::string_view native) noexcept {
    std::string_view word = finish_word_of(stop_reasons, reason, native);
    // The member is one that a client's SDK demands.
    return word.empty() ? "end_turn" : word;
}

const ErrorRow &error_row(ErrorKind kind) noexcept {
    for (const ErrorRow &row : errors) {
        if (row.kind == kind) {
            return row;
        }
    }
    return error_row(ErrorKind::server);
}

const ErrorRow *find_exception(std::string_view name) noexcept {
    auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    for (const ErrorRow &row : errors) {
        if (!name.empty() && name.size() == row.name.size()
            && lower(name.front()) == lower(row.name.front())
            && name.substr(1) == row.name.substr(1)) {
            return &row;
        }
    }
    return nullptr;
}

std::string_view stream_exception(ErrorKind kind) noexcept {
    for (const StreamExceptionRow &row : stream_exceptions) {
        if (row.kind == kind) {
            return row.name;
        }
    }
    return "internalServerException";
}

const MediaRow *find_format(std::string_view block,
                            std::string_view format) noexcept {
    auto row = std::find_if(
        std::begin(media), std::end(media), [&](const MediaRow &row) {
            return row.block == block && row.format == format;
        });
    return row == std::end(media) ? nullptr : row;
}

const MediaRow *find_media_type(std::string_view block,
                                std::string_view media_type) noexcept {
    // "text/plain; charset=utf-8"
    media_type = media_type.substr(0, media_type.find(';'));
    auto row = std::find_if(
        std::begin(media), std::end(media), [&](const MediaRow &row) {
            return row.block == block && row.media_type == media_type;
        });
    return row == std::end(media) ? nullptr : row;
}

const MediaRow *find_file(std::string_view name) noexcept {
    std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || dot + 1 == name.size()) {
        return nullptr;
    }
    auto row = std::find_if(
        std::begin(media), std::end(media), [&](const MediaRow &row) {
            return row.extension == name.substr(dot + 1);
        });
    return row == std::end(media) ? nullptr : row;
}

std::string_view openai_tier(std::string_view tier) noexcept {
    for (const TierRow &row : tiers) {
        if (row.bedrock == tier) {
            return row.openai;
        }
    }
    return {};
}

std::string_view bedrock_tier(std::string_view openai_tier) noexcept {
    for (const TierRow &row : tiers) {
        if (row.openai == openai_tier) {
            return row.bedrock;
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

}  // namespace llm::bedrock
