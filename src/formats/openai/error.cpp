#include <algorithm>

#include "formats/openai/openai.hpp"
#include "formats/openai/tables.hpp"
#include "llm/utf8.hpp"

namespace llm::openai {

namespace {

using json::Value;

// Of a provider's words, what a person reads; a page of them helps nobody.
constexpr std::size_t longest_message = 2048;

std::string shortened(std::string_view text) {
    text = text.substr(0, longest_message);
    return std::string(text.substr(0, utf8::valid_prefix(text)));
}

bool is_error_status(std::int64_t status) {
    return status >= 400 && status <= 599;
}

// What an error object says, under any of the names in use.
struct Report {
    std::string_view message;
    std::string_view type;
    std::string_view code;
    std::string_view param;
    std::int64_t status = 0;        // a numeric code
    // It is called an error: what has only the members of one may as well be
    // an answer that makes no sense.
    bool named = true;
};

// FastAPI's form: a text, or a list of {loc, msg, type}.
std::string_view detail_text(Value detail) {
    if (detail.is_string()) {
        return detail.string();
    }
    for (Value first : detail.elements()) {
        return first["msg"].string();
    }
    return detail["message"].string();
}

void read_object(Value object, Report &report) {
    report.message = object["message"].string();
    if (report.message.empty()) {
        report.message = detail_text(object["message"]["detail"]);
    }
    if (report.message.empty()) {
        report.message = detail_text(object["detail"]);
    }
    report.type = object["type"].string();
    // Text Generation Inference.
    if (report.type.empty()) {
        report.type = object["error_type"].string();
    }
    report.param = object["param"].string();

    for (std::string_view name : {"code", "status", "status_code"}) {
        Value code = object[name];
        if (report.code.empty()) {
            report.code = code.string();
        }
        if (report.status == 0) {
            report.status = code.integer().value_or(0);
        }
    }
}

bool read_report(Value root, Report &report) {
    // Gemini, where a list of chunks was asked for.
    if (root.is_array()) {
        for (Value first : root.elements()) {
            return read_report(first, report);
        }
        return false;
    }

    Value error = root["error"];
    if (error.is_null()) {
        error = root["x_groq"]["error"];
    }
    if (error.is_object() && error.size() > 0) {
        read_object(error, report);
        // Cerebras, in streams.
        if (report.status == 0) {
            report.status = root["status_code"].integer().value_or(0);
        }
        return true;
    }
    if (!error.string().empty()) {
        // xAI's form: the code is a neighbour.
        read_object(root, report);
        report.message = error.string();
        return true;
    }

    // An answer may have members of the names below, too.
    if (root["choices"].is_array()) {
        return false;
    }

    for (Value first : root["errors"].elements()) {
        if (first.is_string()) {
            report.message = first.string();
        } else {
            read_object(first, report);
        }
        return true;
    }

    // A bare object: vLLM's older form, Mistral's, FastAPI's.
    report.named = root["object"].string() == "error";
    bool bare = report.named || !root["message"].is_null()
                || !root["detail"].is_null();
    if (bare) {
        read_object(root, report);
    }
    return bare;
}

Error make_error(int status, const Report &report) {
    Error error;
    // Under a good status, or in a stream, the body knows better.
    error.status = status;
    if (!is_error_status(status)) {
        error.status = is_error_status(report.status)
                           ? static_cast<int>(report.status)
                           : 0;
    }
    error.type = report.type;
    error.code = report.code;
    error.param = report.param;

    auto kind = error_kind_of_word(report.code);
    if (!kind) {
        kind = error_kind_of_word(report.type);
    }
    // The status decides, save that the words tell an empty account from a
    // rate limit.
    if (error.status != 0) {
        error.kind = error_kind_of_status(error.status);
        if (kind == ErrorKind::quota) {
            error.kind = ErrorKind::quota;
        }
    } else {
        error.kind = kind.value_or(report.named ? ErrorKind::server
                                                : ErrorKind::bad_gateway);
    }

    // The provider's own words about a key may repeat it.
    if (error.kind == ErrorKind::authentication) {
        error.message = "the provider refused the API key";
    } else if (!report.message.empty()) {
        error.message = shortened(report.message);
    } else if (error.status != 0) {
        error.message = "the provider answered with status " +
                        std::to_string(error.status);
    } else {
        error.message = "the provider reported an error";
    }
    return error;
}

// The start of a plain text; nothing of a page of HTML.
std::string_view plain_text(std::string_view body) {
    constexpr std::size_t longest = 300;
    constexpr std::string_view space = " \t\r\n";

    std::size_t start = body.find_first_not_of(space);
    if (start == std::string_view::npos || body[start] == '<'
        || body[start] == '{' || body[start] == '[') {
        return {};
    }
    body = body.substr(start, longest);
    body = body.substr(0, utf8::valid_prefix(body));
    bool printable = std::all_of(body.begin(), body.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t'
               || c == '\r';
    });
    return printable ? body : std::string_view();
}

}  // namespace

std::optional<Error> find_error(int status, Value root) {
    Report report;
    if (!read_report(root, report)) {
        return std::nullopt;
    }
    return make_error(status, report);
}

Error parse_error(int status, std::string_view body) {
    json::Document document;
    if (document.parse(body, {.duplicates = true})) {
        if (auto error = find_error(status, document.root())) {
            return std::move(*error);
        }
    }

    Report report;
    report.message = plain_text(body);
    Error error = make_error(status, report);
    if (error.status == 0) {
        error.kind = ErrorKind::bad_gateway;
    }
    return error;
}

void write_error(const Error &error, std::string &out) {
    ErrorWords words = error_words(error.kind);
    std::string_view type = is_error_type(error.type) ? error.type : words.type;
    std::string_view code = error.code.empty() ? words.code : error.code;
    // Of a provider's 404, since its only resource is the model.
    if (code.empty() && error.kind == ErrorKind::not_found
        && error.status == 404) {
        code = "model_not_found";
    }

    json::Writer w(out);
    auto text_or_null = [&](std::string_view name, std::string_view text) {
        w.key(name);
        if (text.empty()) {
            w.null();
        } else {
            w.string(text);
        }
    };
    w.begin_object().key("error").begin_object()
        .member("message", error.message)
        .member("type", type);
    text_or_null("param", error.param);
    text_or_null("code", code);
    w.end_object().end_object();
}

int error_status(const Error &error) noexcept {
    // Statuses that the SDKs know, or that say more than the kind's own.
    constexpr int known[] = {400, 401, 403, 404, 408, 409, 413, 422,
                             429, 500, 502, 503, 504};
    for (int status : known) {
        if (status == error.status) {
            return status;
        }
    }
    return http_status(error.kind);
}

}  // namespace llm::openai
