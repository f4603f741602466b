#include "formats/ollama/ollama.hpp"
#include "formats/openai/openai.hpp"

namespace llm::ollama {

// The API says no more than {"error":"text"}, in streams too, which is one of
// the shapes that servers of OpenAI's API answer with.
std::optional<Error> find_error(int status, json::Value root) {
    json::Value error = root["error"];
    if (error.is_null() || (error.is_string() && error.string().empty())) {
        return std::nullopt;
    }
    if (auto known = openai::find_error(status, root)) {
        return known;
    }
    return Error{ErrorKind::server, "the provider reported an error", {}, {},
                 0, {}};
}

Error parse_error(int status, std::string_view body) {
    return openai::parse_error(status, body);
}

void write_error(const Error &error, std::string &out) {
    // There is no member for the parameter: the message has to name it.
    std::string message;
    if (!error.param.empty()
        && error.message.find(error.param) == std::string::npos) {
        message = error.param + ": ";
    }
    message.append(error.message);
    json::Writer(out).begin_object().member("error", message).end_object();
}

}  // namespace llm::ollama
