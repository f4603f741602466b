// Errors.
// Source: the service model of bedrock-runtime; the AWS restJson1 protocol in
// the Smithy specification (where an error's type is); AWS' common errors.
#include <string>
#include <string_view>

#include "formats/bedrock/bedrock.hpp"
#include "formats/bedrock/tables.hpp"
#include "llm/credentials.hpp"
#include "llm/utf8.hpp"

namespace llm::bedrock {

namespace {

// Of a provider's words, what a person reads.
constexpr std::size_t longest_message = 2048;

// How models on Bedrock say that the prompt does not fit.
constexpr std::string_view too_long[] = {
    "Input is too long",
    "prompt is too long",
    "maximum context length",
    "exceeds the maximum number of input tokens",
};
constexpr std::string_view too_long_code = "context_length_exceeded";

// "com.amazon.coral.service#ValidationException:http://internal.amazon.com/"
// is a ValidationException.
std::string_view bare_type(std::string_view type) noexcept {
    type = type.substr(0, type.find(':'));
    std::size_t hash = type.rfind('#');
    return hash == type.npos ? type : type.substr(hash + 1);
}

std::string_view text_of(json::Value root,
                         std::initializer_list<std::string_view> names) {
    for (std::string_view name : names) {
        if (std::string_view text = root[name].string(); !text.empty()) {
            return text;
        }
    }
    return {};
}

void set_message(Error &error, std::string_view message) {
    if (error.kind == ErrorKind::authentication) {
        // AWS says 403 or 400 where all others say 401, for which SDKs have
        // an exception.
        error.status = http_status(error.kind);
        // Its words may repeat the key or the request that was signed; why it
        // was refused the operator must know.
        error.message = "the provider refused the gateway's credentials";
        if (const char *meaning =
                credentials::aws::explain_refusal(error.type, message)) {
            error.message.append(": ").append(meaning);
        }
        return;
    }
    message = message.substr(0, longest_message);
    error.message = message.substr(0, utf8::valid_prefix(message));
    if (error.kind != ErrorKind::invalid_request) {
        return;
    }
    for (std::string_view words : too_long) {
        if (message.find(words) != message.npos) {
            error.code = too_long_code;
        }
    }
}

}  // namespace

Error parse_error(const AnswerHead &head, std::string_view body) {
    json::Document document;
    json::ParseLimits limits;
    limits.duplicates = true;
    json::Value root;
    if (document.parse(body, limits)) {
        root = document.root();
    }

    Error error;
    error.status = head.status;
    error.type = bare_type(head.error_type.empty()
                               ? text_of(root, {"__type", "code"})
                               : head.error_type);
    const ErrorRow *row = find_exception(error.type);
    error.kind = row ? row->kind : error_kind_of_status(head.status);
    set_message(error, text_of(root, {"message", "Message", "errorMessage"}));
    if (error.message.empty()) {
        error.message = "the provider answered with status "
                        + std::to_string(head.status);
        if (!error.type.empty()) {
            error.message += " (" + error.type + ")";
        } else {
            error.message += " and without a reason";
        }
    }
    return error;
}

Error read_exception(std::string_view type, std::string_view payload) {
    json::Document document;
    json::ParseLimits limits;
    limits.duplicates = true;
    bool parsed = static_cast<bool>(document.parse(payload, limits))
                  && document.root().is_object();

    Error error;
    error.type = bare_type(type);
    const ErrorRow *row = find_exception(error.type);
    error.kind = row ? row->kind : ErrorKind::server;
    // The model's own status says more than that it failed.
    if (parsed && row && row->status == 424) {
        auto status = document.root()["originalStatusCode"].integer();
        if (status && *status >= 400 && *status <= 599) {
            error.kind = error_kind_of_status(static_cast<int>(*status));
        }
    }
    // An "error" message has plain text, not JSON.
    set_message(error, parsed ? text_of(document.root(),
                                        {"message", "Message",
                                         "originalMessage"})
                              : payload);
    if (error.message.empty()) {
        error.message = "the provider's stream failed";
        if (!error.type.empty()) {
            error.message += " (" + error.type + ")";
        }
    }
    return error;
}

void write_error(const Error &error, std::string &out) {
    // There is no member for the parameter: the message has to name it.
    std::string message;
    if (!error.param.empty()
        && error.message.find(error.param) == std::string::npos) {
        message = error.param + ": ";
    }
    if (error.code == too_long_code) {
        bool said = false;
        for (std::string_view words : too_long) {
            said |= error.message.find(words) != std::string::npos;
        }
        if (!said) {
            message.append(too_long[0]).append(": ");
        }
    }
    message.append(error.message);
    // SDKs take the type from the header x-amzn-errortype, or from here.
    json::Writer(out)
        .begin_object()
        .member("__type", error_type(error))
        .member("message", message)
        .end_object();
}

std::string_view error_type(const Error &error) noexcept {
    return error_row(error.kind).name;
}

int error_status(const Error &error) noexcept {
    return error_row(error.kind).status;
}

}  // namespace llm::bedrock
