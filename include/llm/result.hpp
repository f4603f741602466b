// Errors are values in the core library: a function that can fail returns
// Result<T>. No exception crosses a public header, except std::bad_alloc from
// a memory resource.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace llm {

// What went wrong, in terms that every client API can express. Each format
// maps a kind to its own error type and HTTP status in one table.
enum class ErrorKind : unsigned char {
    invalid_request,    // 400
    unsupported,        // 400, code "unsupported_parameter"
    authentication,     // 401
    quota,              // 402 or 429: do not retry
    permission,         // 403
    not_found,          // 404
    conflict,           // 409
    too_large,          // 413
    rate_limit,         // 429
    server,             // 500
    bad_gateway,        // 502: the provider's answer makes no sense
    unavailable,        // 503: no provider can be reached
    overloaded,         // 529 (Anthropic), 503 elsewhere
    timeout,            // 504
};

struct Error {
    ErrorKind kind = ErrorKind::invalid_request;
    // For a person: what is wrong and what would be right. Never a secret.
    std::string message;
    // The JSON member at fault, "messages[2].content" say; may be empty.
    std::string param;
    // OpenAI's machine-readable code, "model_not_found" say; may be empty.
    std::string code;
    // HTTP status as the provider sent it; 0: the kind's own status.
    int status = 0;
    // The provider's own error type, "insufficient_quota" say; may be empty.
    std::string type;
    // Seconds to wait before another try, where the provider says so in the
    // error itself, as Google does; -1: not said.
    std::int64_t retry_after = -1;
};

// The HTTP status that a kind stands for, 400..504 (overloaded: 503).
int http_status(ErrorKind kind) noexcept;

// The kind that best describes an HTTP status from a provider
// (status.cpp has the table); 200..399 map to bad_gateway.
ErrorKind error_kind_of_status(int status) noexcept;

inline Error invalid_request(std::string message, std::string param = {}) {
    return Error{ErrorKind::invalid_request, std::move(message),
                 std::move(param), {}, 0, {}};
}

inline Error unsupported(std::string message, std::string param) {
    return Error{ErrorKind::unsupported, std::move(message), std::move(param),
                 "unsupported_parameter", 0, {}};
}

inline Error model_not_found(std::string_view model) {
    return Error{ErrorKind::not_found,
                 "the model \"" + std::string(model.substr(0, 128)) +
                     "\" does not exist here; GET .../models lists those "
                     "that do",
                 "model", "model_not_found", 0, {}};
}

// Either a value or an Error, in the manner of C++23's std::expected.
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const noexcept { return state_.index() == 0; }
    T &operator*() { return std::get<0>(state_); }
    const T &operator*() const { return std::get<0>(state_); }
    T *operator->() { return &std::get<0>(state_); }
    const T *operator->() const { return &std::get<0>(state_); }
    Error &error() { return std::get<1>(state_); }
    const Error &error() const { return std::get<1>(state_); }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const noexcept { return !error_.has_value(); }
    Error &error() { return *error_; }
    const Error &error() const { return *error_; }

private:
    std::optional<Error> error_;
};

}  // namespace llm
