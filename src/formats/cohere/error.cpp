#include "formats/cohere/cohere.hpp"
#include "formats/openai/openai.hpp"

namespace llm::cohere {

namespace {

// Cohere's own: the token is not valid (API reference, "Errors").
constexpr int invalid_token = 498;

Error corrected(Error error) {
    if (error.status == invalid_token) {
        error.kind = ErrorKind::authentication;
        error.message = "the provider refused the API key";
    }
    return error;
}

}  // namespace

std::optional<Error> find_error(int status, json::Value root) {
    // An answer's "message" is an object.
    if (root["message"].is_object()) {
        return std::nullopt;
    }
    if (auto error = openai::find_error(status, root)) {
        return corrected(std::move(*error));
    }
    // Errors of the network before the API: {"data":"text"}.
    if (root["data"].is_string()) {
        Error error = openai::parse_error(status, root["data"].string());
        return corrected(std::move(error));
    }
    return std::nullopt;
}

Error parse_error(int status, std::string_view body) {
    json::Document document;
    if (document.parse(body, {.duplicates = true})) {
        if (auto error = find_error(status, document.root())) {
            return std::move(*error);
        }
    }
    return corrected(openai::parse_error(status, body));
}

void write_error(const Error &error, std::string &out) {
    // There is no member for the parameter: the message has to name it.
    std::string message;
    if (!error.param.empty()
        && error.message.find(error.param) == std::string::npos) {
        message = error.param + ": ";
    }
    message.append(error.message);
    json::Writer(out).begin_object().member("message", message).end_object();
}

Error incomplete_answer(std::string_view reason) {
    bool timeout = reason == "TIMEOUT";
    return Error{timeout ? ErrorKind::timeout : ErrorKind::server,
                 timeout ? "the provider ran out of time before the answer "
                           "was complete"
                         : "the provider failed before the answer was "
                           "complete",
                 {}, {}, 0, {}};
}

}  // namespace llm::cohere
