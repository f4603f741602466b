// Errors.
// Source: Anthropic API docs, Errors.
#include <string>
#include <string_view>

#include "formats/anthropic/anthropic.hpp"
#include "formats/anthropic/tables.hpp"

namespace llm::anthropic {

namespace {

// How the API says that the prompt does not fit, which it has no type for;
// clients look for these words.
constexpr std::string_view too_long = "prompt is too long";
constexpr std::string_view too_long_code = "context_length_exceeded";

constexpr std::string_view no_reason = "the provider gave no reason";

// The text of an error that is not in the API's own shape, as proxies before
// it answer.
std::string_view foreign_message(json::Value root) {
    for (std::string_view name : {"error", "message", "detail"}) {
        if (root[name].is_string()) {
            return root[name].string();
        }
    }
    return root["error"]["message"].string();
}

// A provider's own words about a key may repeat it.
void hide_key(Error &error) {
    if (error.kind == ErrorKind::authentication) {
        error.message = "the provider refused the API key";
    }
}

}  // namespace

Error read_error(json::Value value, int status) {
    Error error;
    error.status = status;
    error.type = value["type"].string();
    error.message = value["message"].string();
    if (error.message.empty()) {
        error.message = value.is_string() ? value.string() : no_reason;
    }

    const ErrorRow *row = find_error_type(error.type);
    error.kind = row ? row->kind
                     : error_kind_of_status(status ? status : 500);
    // A general type says less than the status does.
    if (row && ((row->kind == ErrorKind::server && status >= 500)
                || (row->kind == ErrorKind::invalid_request && status > 400
                    && status < 500))) {
        error.kind = error_kind_of_status(status);
    }
    if (error.kind == ErrorKind::invalid_request
        && error.message.find(too_long) != std::string::npos) {
        error.code = too_long_code;
    }
    // A budget that is used up looks like a rate limit, but no waiting helps.
    if (value["details"]["error_code"].string()
        == "enforced_spend_limit_reached") {
        error.kind = ErrorKind::quota;
    }
    hide_key(error);
    return error;
}

Error parse_error(int status, std::string_view body) {
    json::Document document;
    json::ParseLimits limits;
    limits.duplicates = true;
    if (document.parse(body, limits)) {
        json::Value root = document.root();
        if (root["error"].is_object()) {
            return read_error(root["error"], status);
        }
        if (std::string_view text = foreign_message(root); !text.empty()) {
            Error error;
            error.kind = error_kind_of_status(status);
            error.status = status;
            error.message = text;
            hide_key(error);
            return error;
        }
    }

    Error error;
    error.kind = error_kind_of_status(status);
    error.status = status;
    error.message = "the provider answered with status "
                    + std::to_string(status) + " and without a reason";
    return error;
}

void write_error(const Error &error, std::string &out) {
    // There is no member for the parameter: the message has to name it.
    std::string message;
    if (!error.param.empty()
        && error.message.find(error.param) == std::string::npos) {
        message = error.param + ": ";
    }
    if (error.code == too_long_code
        && error.message.find(too_long) == std::string::npos) {
        message.append(too_long).append(": ");
    }
    message.append(error.message);

    json::Writer writer(out);
    writer.begin_object().member("type", "error").key("error");
    writer.begin_object()
        .member("type", error_row(error.kind).type)
        .member("message", message)
        .end_object();
    writer.end_object();
}

int error_status(const Error &error) noexcept {
    return error_row(error.kind).status;
}

}  // namespace llm::anthropic
