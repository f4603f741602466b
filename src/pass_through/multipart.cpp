#include <algorithm>

#include "llm/pass_through.hpp"

namespace llm::pass_through {

namespace {

// Of one part's headers: a name, a file's name and a type.
constexpr std::size_t longest_headers = 8192;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool starts_with_nocase(std::string_view text,
                        std::string_view prefix) noexcept {
    return text.size() >= prefix.size()
           && std::equal(prefix.begin(), prefix.end(), text.begin(),
                         [](char a, char b) { return a == lower(b); });
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

// Takes the next "; NAME=VALUE" off. False: there is none, or it is not well
// formed; then `text` is not empty.
bool next_parameter(std::string_view &text, std::string_view &name,
                    std::string_view &value) noexcept {
    text = trimmed(text);
    if (text.empty() || text.front() != ';') {
        return false;
    }
    std::string_view left = trimmed(text.substr(1));
    std::size_t equals = left.find('=');
    if (equals == left.npos) {
        return false;
    }
    name = trimmed(left.substr(0, equals));
    left = trimmed(left.substr(equals + 1));
    if (left.starts_with('"')) {
        // Browsers and SDKs write %22 for a quote within; some write \".
        std::size_t end = 1;
        while (end < left.size() && left[end] != '"') {
            end += left[end] == '\\' ? 2 : 1;
        }
        if (end >= left.size()) {
            return false;
        }
        value = left.substr(1, end - 1);
        left.remove_prefix(end + 1);
    } else {
        std::size_t end = std::min(left.find(';'), left.size());
        value = trimmed(left.substr(0, end));
        left.remove_prefix(end);
    }
    text = left;
    return true;
}

Error malformed(std::string_view what) {
    return invalid_request("the form is not well formed: "
                           + std::string(what));
}

struct Part {
    std::string_view name;
    bool named = false;
};

// One part's header lines.
Result<Part> read_headers(std::string_view headers) {
    Part part;
    while (!headers.empty()) {
        std::size_t end = headers.find("\r\n");
        std::string_view line = headers.substr(0, end);
        headers.remove_prefix(end == headers.npos ? headers.size() : end + 2);
        constexpr std::string_view disposition = "content-disposition:";
        if (!starts_with_nocase(line, disposition)) {
            continue;
        }
        if (part.named) {
            return malformed("a part with two names");
        }
        line = trimmed(line.substr(disposition.size()));
        std::string_view kind = trimmed(line.substr(0, line.find(';')));
        if (!starts_with_nocase(kind, "form-data") || kind.size() != 9) {
            return malformed("a part that is no field");
        }
        line.remove_prefix(kind.size());
        std::string_view name;
        std::string_view value;
        while (next_parameter(line, name, value)) {
            // RFC 7578, 4.2: "name*" is not to be used.
            if (starts_with_nocase(name, "name") && name.size() > 4) {
                return malformed("a name in a coding of its own");
            }
            if (starts_with_nocase(name, "name")) {
                if (part.named) {
                    return malformed("a part with two names");
                }
                part.named = true;
                part.name = value;
            }
        }
        if (!trimmed(line).empty() || !part.named) {
            return malformed("a part without a name");
        }
    }
    if (!part.named) {
        return malformed("a part without a name");
    }
    return part;
}

}  // namespace

std::string_view boundary_of(std::string_view content_type) noexcept {
    constexpr std::string_view form = "multipart/form-data";
    if (!starts_with_nocase(content_type, form)) {
        return {};
    }
    content_type.remove_prefix(form.size());
    std::string_view found;
    std::string_view name;
    std::string_view value;
    while (next_parameter(content_type, name, value)) {
        if (starts_with_nocase(name, "boundary") && name.size() == 8) {
            if (!found.empty()) {
                return {};
            }
            found = value;
        }
    }
    bool valid = !found.empty() && found.size() <= 70
                 && trimmed(content_type).empty()
                 && std::all_of(found.begin(), found.end(), [](char c) {
                        return c > 0x20 && c < 0x7F && c != '"' && c != '\\';
                    });
    return valid ? found : std::string_view();
}

Result<std::optional<Found>> find_field(std::string_view body,
                                        std::string_view boundary,
                                        std::string_view name, bool whole) {
    using Outcome = std::optional<Found>;

    Outcome found;
    const std::string delimiter = "\r\n--" + std::string(boundary);
    auto cut = [&]() -> Result<Outcome> {
        if (whole) {
            return malformed("it has no end");
        }
        return found;
    };

    // The first delimiter may begin the body: its CRLF is missing then.
    std::size_t at = 0;
    if (body.starts_with(std::string_view(delimiter).substr(2))) {
        at = delimiter.size() - 2;
    } else {
        std::size_t start = body.find(delimiter);
        if (start == body.npos) {
            return cut();
        }
        at = start + delimiter.size();
    }

    for (;;) {
        std::string_view left = body.substr(at);
        if (left.starts_with("--")) {
            // What follows the last delimiter is nobody's.
            return found;
        }
        if (left.size() < 2) {
            return cut();
        }
        if (!left.starts_with("\r\n")) {
            return malformed("a boundary that does not end its line");
        }
        std::size_t headers = at + 2;
        std::size_t end = body.find("\r\n\r\n", at);
        if (end == body.npos || end - headers > longest_headers) {
            if (end == body.npos && body.size() - headers <= longest_headers) {
                return cut();
            }
            return malformed("a part whose headers are too long");
        }
        auto part = read_headers(
            end < headers ? std::string_view()
                          : body.substr(headers, end - headers));
        if (!part) {
            return part.error();
        }
        std::size_t start = end + 4;
        // An empty value's delimiter begins with the CRLF before it.
        std::size_t next = body.find(delimiter, start - 2);
        if (next == body.npos) {
            return cut();
        }
        if (part->name == name) {
            if (found) {
                return invalid_request("the form has the field \""
                                           + std::string(name) + "\" twice",
                                       std::string(name));
            }
            found = Found{start, next > start ? next - start : 0};
        }
        at = next + delimiter.size();
    }
}

}  // namespace llm::pass_through
