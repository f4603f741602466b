#include "formats/openai/tables.hpp"

#include "formats/finish_words.hpp"
#include "text/hash.hpp"

namespace llm::openai {

namespace {

using chat::FinishReason;
using chat::Request;
using chat::Role;
using chat::Usage;
using json::Kind;

constexpr ScalarMember scalars[] = {
    {"temperature", ScalarMember::Raw{&Request::temperature, Kind::number}},
    {"top_p", ScalarMember::Raw{&Request::top_p, Kind::number}},
    {"top_k", ScalarMember::Raw{&Request::top_k, Kind::number}, true},
    {"frequency_penalty",
     ScalarMember::Raw{&Request::frequency_penalty, Kind::number}},
    {"presence_penalty",
     ScalarMember::Raw{&Request::presence_penalty, Kind::number}},
    {"seed", ScalarMember::Raw{&Request::seed, Kind::number}},
    {"logit_bias", ScalarMember::Raw{&Request::logit_bias, Kind::object}},
    {"n", ScalarMember::Count{&Request::n, 1}},
    {"logprobs", ScalarMember::Flag{&Request::logprobs}},
    {"top_logprobs", ScalarMember::Count{&Request::top_logprobs, 0}},
    {"verbosity", ScalarMember::Text{&Request::verbosity}},
    {"modalities", ScalarMember::Raw{&Request::modalities, Kind::array}},
    {"audio", ScalarMember::Raw{&Request::audio, Kind::object}},
    {"prediction", ScalarMember::Raw{&Request::prediction, Kind::object}},
    {"web_search_options",
     ScalarMember::Raw{&Request::web_search_options, Kind::object}},
    {"metadata", ScalarMember::Raw{&Request::metadata, Kind::object}},
    {"user", ScalarMember::Text{&Request::user}},
    {"store", ScalarMember::Raw{&Request::store, Kind::boolean}},
};

struct RoleWord {
    std::string_view word;
    Role role;
};

constexpr RoleWord roles[] = {
    {"system", Role::system},       {"developer", Role::developer},
    {"user", Role::user},           {"assistant", Role::assistant},
    {"tool", Role::tool},
};

// OpenAI's words first; then those of servers that claim its API: Mistral
// (model_length, error), Together (eos), TGI (eos_token, stop_sequence),
// DeepSeek (insufficient_system_resource), OpenRouter (error), and of
// gateways that let another API's word through.
constexpr FinishWord finishes[] = {
    {"stop", FinishReason::stop},
    {"length", FinishReason::length},
    {"tool_calls", FinishReason::tool_calls},
    {"content_filter", FinishReason::content_filter},
    {"function_call", FinishReason::tool_calls},
    {"eos", FinishReason::stop},
    {"eos_token", FinishReason::stop},
    {"stop_sequence", FinishReason::stop},
    {"end_turn", FinishReason::stop},
    {"model_length", FinishReason::length},
    {"max_tokens", FinishReason::length},
    {"tool_use", FinishReason::tool_calls},
    {"refusal", FinishReason::content_filter},
    {"error", FinishReason::error},
    {"insufficient_system_resource", FinishReason::error},
};

struct KindWords {
    ErrorKind kind;
    ErrorWords words;
};

// OpenAI's error types are not published as a list; these are the ones that
// its API and its SDKs' documentation show.
constexpr KindWords kinds[] = {
    {ErrorKind::invalid_request, {"invalid_request_error", ""}},
    {ErrorKind::unsupported,
     {"invalid_request_error", "unsupported_parameter"}},
    {ErrorKind::authentication, {"authentication_error", "invalid_api_key"}},
    {ErrorKind::quota, {"insufficient_quota", "insufficient_quota"}},
    {ErrorKind::permission, {"permission_error", "permission_denied"}},
    {ErrorKind::not_found, {"invalid_request_error", ""}},
    {ErrorKind::conflict, {"conflict_error", ""}},
    {ErrorKind::too_large, {"invalid_request_error", "request_too_large"}},
    {ErrorKind::rate_limit, {"rate_limit_error", "rate_limit_exceeded"}},
    {ErrorKind::server, {"server_error", ""}},
    {ErrorKind::bad_gateway, {"server_error", "bad_gateway"}},
    {ErrorKind::unavailable, {"server_error", "unavailable"}},
    {ErrorKind::overloaded, {"server_error", "overloaded"}},
    {ErrorKind::timeout, {"timeout_error", "timeout"}},
};

constexpr std::string_view error_types[] = {
    "invalid_request_error", "authentication_error", "permission_error",
    "insufficient_quota",    "rate_limit_error",     "requests",
    "tokens",                "server_error",         "conflict_error",
    "timeout_error",
};

struct KindWord {
    std::string_view word;
    ErrorKind kind;
};

// Codes before types: "insufficient_quota" is a code under several types.
constexpr KindWord kind_words[] = {
    {"insufficient_quota", ErrorKind::quota},
    {"billing_error", ErrorKind::quota},
    {"model_not_found", ErrorKind::not_found},
    {"not_found_error", ErrorKind::not_found},
    {"DeploymentNotFound", ErrorKind::not_found},
    {"rate_limit_exceeded", ErrorKind::rate_limit},
    {"rate_limit_error", ErrorKind::rate_limit},
    {"requests", ErrorKind::rate_limit},
    {"tokens", ErrorKind::rate_limit},
    {"capacity_exceeded", ErrorKind::rate_limit},
    {"invalid_api_key", ErrorKind::authentication},
    {"authentication_error", ErrorKind::authentication},
    {"permission_error", ErrorKind::permission},
    {"permission_denied", ErrorKind::permission},
    {"context_length_exceeded", ErrorKind::invalid_request},
    {"content_filter", ErrorKind::invalid_request},
    {"content_policy_violation", ErrorKind::invalid_request},
    {"invalid_prompt", ErrorKind::invalid_request},
    {"BadRequestError", ErrorKind::invalid_request},
    {"invalid_request_error", ErrorKind::invalid_request},
    {"overloaded", ErrorKind::overloaded},
    {"overloaded_error", ErrorKind::overloaded},
    {"timeout", ErrorKind::timeout},
    {"timeout_error", ErrorKind::timeout},
    {"server_error", ErrorKind::server},
    {"api_error", ErrorKind::server},
    {"internal_error", ErrorKind::server},
    {"InternalServerError", ErrorKind::server},
    {"service_unavailable", ErrorKind::unavailable},
    // Text Generation Inference (router/src/server.rs), in streams.
    {"validation", ErrorKind::invalid_request},
    {"template_error", ErrorKind::invalid_request},
    {"tool_error", ErrorKind::invalid_request},
    {"generation", ErrorKind::server},
    {"incomplete_generation", ErrorKind::server},
};

struct AudioFormat {
    std::string_view format;
    std::string_view media_type;
};

constexpr AudioFormat audio_formats[] = {
    {"wav", "audio/wav"},
    {"mp3", "audio/mpeg"},
};

struct Effort {
    std::int64_t tokens;
    std::string_view word;
};

// Our own steps: no API says how many tokens a word stands for.
constexpr Effort efforts[] = {
    {1024, "low"},
    {4096, "medium"},
};

// Of several names for one field the last one that is there counts. OpenAI's
// names come last; before them those of DeepSeek, Mistral, DashScope and
// Databricks.
constexpr UsageMember usage[] = {
    {"", "prompt_tokens", &Usage::prompt_tokens},
    {"", "completion_tokens", &Usage::completion_tokens},
    {"", "total_tokens", &Usage::total_tokens},
    {"", "prompt_cache_hit_tokens", &Usage::cached_tokens},
    {"", "num_cached_tokens", &Usage::cached_tokens},
    {"", "cached_tokens", &Usage::cached_tokens},
    {"prompt_token_details", "cached_tokens", &Usage::cached_tokens},
    {"prompt_tokens_details", "cached_tokens", &Usage::cached_tokens},
    {"", "cache_creation_input_tokens", &Usage::cache_write_tokens},
    {"prompt_tokens_details", "cache_creation_input_tokens",
     &Usage::cache_write_tokens},
    {"prompt_tokens_details", "cache_write_tokens",
     &Usage::cache_write_tokens},
    {"prompt_tokens_details", "audio_tokens", &Usage::audio_prompt_tokens},
    {"", "reasoning_tokens", &Usage::reasoning_tokens},
    {"completion_tokens_details", "reasoning_tokens",
     &Usage::reasoning_tokens},
    {"completion_tokens_details", "audio_tokens",
     &Usage::audio_completion_tokens},
};

}  // namespace

std::span<const ScalarMember> scalar_members() noexcept {
    return scalars;
}

std::optional<Role> role_of(std::string_view word) noexcept {
    for (const auto &row : roles) {
        if (row.word == word) {
            return row.role;
        }
    }
    return std::nullopt;
}

FinishReason finish_reason_of(std::string_view word) noexcept {
    return llm::finish_reason_of(finishes, word);
}

ErrorWords error_words(ErrorKind kind) noexcept {
    for (const auto &row : kinds) {
        if (row.kind == kind) {
            return row.words;
        }
    }
    return {"server_error", ""};
}

bool is_error_type(std::string_view type) noexcept {
    for (std::string_view known : error_types) {
        if (known == type) {
            return true;
        }
    }
    return false;
}

std::optional<ErrorKind> error_kind_of_word(std::string_view word) noexcept {
    for (const auto &row : kind_words) {
        if (row.word == word) {
            return row.kind;
        }
    }
    return std::nullopt;
}

std::string_view audio_media_type(std::string_view format) noexcept {
    for (const auto &row : audio_formats) {
        if (row.format == format) {
            return row.media_type;
        }
    }
    return {};
}

std::string_view audio_format(std::string_view media_type) noexcept {
    for (const auto &row : audio_formats) {
        if (row.media_type == media_type) {
            return row.format;
        }
    }
    return {};
}

std::string_view effort_of_budget(std::int64_t tokens) noexcept {
    for (const auto &row : efforts) {
        if (tokens <= row.tokens) {
            return row.word;
        }
    }
    return "high";
}

std::string end_user(std::string_view id) {
    constexpr std::size_t longest = 64;
    if (id.size() <= longest) {
        return std::string(id);
    }
    // The same in every call, so that it still tells users apart.
    std::string mapped = "user_";
    append_hex(mapped, fnv1a(id));
    return mapped;
}

std::span<const UsageMember> usage_members() noexcept {
    return usage;
}

}  // namespace llm::openai
