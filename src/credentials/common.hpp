// What the clouds have in common: requests of one form, answers of one shape.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>

#include "llm/credentials.hpp"

namespace llm::credentials {

// What ends so soon is of no use any more: a call may wait before it is sent.
constexpr Time margin = 10;

Error trouble(std::string message);

// "a=1&b=2", values percent-encoded (application/x-www-form-urlencoded).
using Field = std::pair<std::string_view, std::string_view>;
std::string form(std::initializer_list<Field> fields);
// A post of such fields, whose answer is to be JSON.
HttpRequest post_form(std::size_t server, std::string path, std::string body);

// A text to send in a header: no control characters, and not empty.
bool is_sendable(std::string_view text) noexcept;

// A word that may be repeated to anybody: "invalid_client".
bool is_code(std::string_view text) noexcept;

// The words of a server for a log. See Fetch::detail().
std::string log_text(std::string_view text);

// "WHO answered 401 (CODE)", as an error.
Error refused(std::string_view who, int status, std::string_view code);

// RFC 3339 in UTC: "2026-01-02T03:04:05Z", with a fraction or without.
std::optional<Time> parse_time(std::string_view text) noexcept;

// Whether the credential is worth having.
Result<Credential> check_life(std::string_view who, Credential credential,
                              Time now);

// An answer of an OAuth token endpoint (RFC 6749, 5.1 and 5.2), or of one of
// the metadata servers, which answer likewise.
Result<Credential> read_token(std::string_view who, const Outcome &outcome,
                              std::string &detail);

// A source that needs one request, and maybe a file's text for it.
class TokenSource final : public Source {
public:
    using Make = std::function<Result<HttpRequest>(std::string_view file,
                                                   Time now)>;

    // `file` empty: none is read. `who`: what answers, for messages.
    TokenSource(std::string_view who, std::string server, std::string file,
                Make make);

    std::unique_ptr<Fetch> begin() const override;

private:
    class Run;

    std::string_view who_;
    Make make_;
};

}  // namespace llm::credentials
