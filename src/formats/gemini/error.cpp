// Errors. Source: google.rpc.Status and google/rpc/error_details.proto in
// JSON; Gemini API docs, Troubleshooting.
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "formats/gemini/gemini.hpp"
#include "formats/gemini/tables.hpp"
#include "llm/utf8.hpp"

namespace llm::gemini {

namespace {

// Of a provider's words, what a person reads.
constexpr std::size_t longest_message = 2048;

// What the details of an error add to its status.
struct Details {
    bool key = false;               // it is the API key
    bool per_day = false;           // no waiting within reason helps
    std::int64_t retry_after = -1;  // seconds
};

bool is_type(json::Value detail, std::string_view name) {
    return detail["@type"].string().ends_with(name);
}

// google.protobuf.Duration in JSON: "45.837906927s". Rounded up.
std::int64_t seconds(std::string_view text) {
    double value = 0;
    const char *end = text.data() + text.size();
    auto [last, error] = std::from_chars(text.data(), end, value);
    bool whole = error == std::errc() && last + 1 == end && *last == 's';
    if (!whole || !(value >= 0 && value <= 86400)) {
        return -1;
    }
    return static_cast<std::int64_t>(std::ceil(value));
}

Details read_details(json::Value list) {
    Details details;
    for (json::Value one : list.elements()) {
        if (is_type(one, "google.rpc.ErrorInfo")) {
            details.key |= one["reason"].string() == "API_KEY_INVALID";
        } else if (is_type(one, "google.rpc.RetryInfo")) {
            details.retry_after = seconds(one["retryDelay"].string());
        } else if (is_type(one, "google.rpc.QuotaFailure")) {
            for (json::Value violation : one["violations"].elements()) {
                details.per_day |=
                    violation["quotaId"].string().find("PerDay")
                    != std::string_view::npos;
            }
        }
    }
    return details;
}

std::string shortened(std::string_view text) {
    text = text.substr(0, longest_message);
    return std::string(text.substr(0, utf8::valid_prefix(text)));
}

Error without_reason(int status) {
    Error error;
    error.status = status;
    error.kind = error_kind_of_status(status);
    error.message = "the provider answered with status "
                    + std::to_string(status) + " and without a reason";
    return error;
}

}  // namespace

Error read_error(json::Value value, int status) {
    Details details = read_details(value["details"]);

    Error error;
    error.status = status;
    if (status < 400) {
        // In a stream, or under a good status, the object knows better.
        std::int64_t code = value["code"].integer().value_or(0);
        error.status = code >= 400 && code < 600 ? static_cast<int>(code) : 0;
    }
    error.type = value["status"].string();
    error.message = shortened(value.is_string() ? value.string()
                                                : value["message"].string());
    error.retry_after = details.retry_after;

    auto kind = error_kind(error.type);
    error.kind = kind ? *kind
                      : error_kind_of_status(error.status ? error.status
                                                          : 500);
    // Google reports a wrong key as an invalid argument.
    if (details.key) {
        error.kind = ErrorKind::authentication;
        error.status = 401;
    }
    if (details.per_day && error.kind == ErrorKind::rate_limit) {
        error.kind = ErrorKind::quota;
    }

    // The provider's own words about a key may repeat it.
    if (error.kind == ErrorKind::authentication) {
        error.message = "the provider refused the API key";
    } else if (error.message.empty()) {
        error.message = "the provider gave no reason";
    }
    return error;
}

Error parse_error(int status, std::string_view body) {
    json::Document document;
    if (!document.parse(body, {.duplicates = true})) {
        return without_reason(status);
    }
    // Where a stream was asked for it is an array of one.
    json::Value root = document.root();
    if (root.is_array() && root.size() != 0) {
        root = *root.elements().begin();
    }
    if (json::Value error = root["error"];
        error.is_object() || error.is_string()) {
        return read_error(error, status);
    }
    if (root["message"].is_string()) {
        return read_error(root, status);
    }
    return without_reason(status);
}

void write_error(const Error &error, std::string &out) {
    // There is no member for the parameter: the message has to name it.
    std::string message;
    if (!error.param.empty()
        && error.message.find(error.param) == std::string::npos) {
        message = error.param + ": ";
    }
    message.append(error.message);

    const ErrorRow &row = error_row(error.kind);
    json::Writer writer(out);
    writer.begin_object().key("error").begin_object()
        .member("code", error_status(error))
        .member("message", message)
        .member("status", row.word);
    if (error.retry_after >= 0) {
        writer.key("details").begin_array().begin_object()
            .member("@type", "type.googleapis.com/google.rpc.RetryInfo")
            .member("retryDelay", std::to_string(error.retry_after) + "s")
            .end_object().end_array();
    }
    writer.end_object().end_object();
}

int error_status(const Error &error) noexcept {
    return error_row(error.kind).status;
}

}  // namespace llm::gemini
