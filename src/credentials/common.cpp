#include "credentials/common.hpp"

#include <algorithm>
#include <charconv>

#include "llm/json.hpp"
#include "llm/time_zone.hpp"
#include "llm/url.hpp"

namespace llm::credentials {

namespace {

constexpr std::size_t max_code = 64;
constexpr std::size_t max_detail = 300;

// Where a server does not say how long its token lasts: not long, so that
// nobody is shown one that has ended.
constexpr Time unknown_life = 300;
constexpr Time longest_life = 366 * 86400;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_alnum(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// 8-4-4-4-12: the name of a tenant, an application or a request.
bool is_guid(std::string_view text) noexcept {
    constexpr std::string_view pattern =
        "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return text.size() == pattern.size()
           && std::equal(text.begin(), text.end(), pattern.begin(),
                         [](char c, char p) {
                             return p == '-' ? c == '-' : is_hex(c);
                         });
}

// Keys and tokens are long, of these characters and never without a digit.
bool may_be_secret(std::string_view word) noexcept {
    constexpr std::size_t shortest = 20;
    return word.size() >= shortest
           && std::any_of(word.begin(), word.end(), is_digit)
           && !is_guid(word);
}

bool is_secret_char(char c) noexcept {
    return is_alnum(c)
           || std::string_view("+/=_~-").find(c) != std::string_view::npos;
}

// A number, or a string of digits, as Azure has it.
std::optional<std::int64_t> whole_number(json::Value value) noexcept {
    if (value.is_number()) {
        if (auto integer = value.integer()) {
            return integer;
        }
        auto number = value.number();
        if (number && *number > 0 && *number < 1e15) {
            return static_cast<std::int64_t>(*number);
        }
        return std::nullopt;
    }
    auto text = value.string();
    std::int64_t number = 0;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{}
        || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

Time end_of_life(json::Value root, Time now) noexcept {
    if (auto life = whole_number(root["expires_in"])) {
        return now + std::clamp(*life, std::int64_t{0}, longest_life);
    }
    if (auto end = whole_number(root["expires_on"])) {
        return std::min(*end, now + longest_life);
    }
    return now + unknown_life;
}

bool is_bearer(std::string_view type) noexcept {
    constexpr std::string_view bearer = "bearer";
    return std::equal(type.begin(), type.end(), bearer.begin(), bearer.end(),
                      [](char a, char b) { return (a | 0x20) == b; });
}

// RFC 6749: {"error", "error_description"}; Google's other APIs: {"error":
// {"status", "message"}}.
Error read_refusal(std::string_view who, int status, json::Value root,
                   std::string &detail) {
    auto error = root["error"];
    auto code = error.is_object() ? error["status"] : error;
    auto text = error.is_object() ? error["message"]
                                  : root["error_description"];
    detail = log_text(text.string());
    return refused(who, status, code.string());
}

}  // namespace

Error trouble(std::string message) {
    Error error;
    error.kind = ErrorKind::bad_gateway;
    error.message = std::move(message);
    return error;
}

std::string form(std::initializer_list<Field> fields) {
    std::string out;
    for (const auto &[name, value] : fields) {
        if (value.empty()) {
            continue;
        }
        if (!out.empty()) {
            out += '&';
        }
        out.append(name) += '=';
        append_segment(out, value);
    }
    return out;
}

HttpRequest post_form(std::size_t server, std::string path, std::string body) {
    HttpRequest request;
    request.method = HttpRequest::Method::post;
    request.server = server;
    request.path = std::move(path);
    request.headers.emplace_back("Content-Type",
                                 "application/x-www-form-urlencoded");
    request.headers.emplace_back("Accept", "application/json");
    request.body = std::move(body);
    return request;
}

bool is_sendable(std::string_view text) noexcept {
    return !text.empty()
           && std::none_of(text.begin(), text.end(), [](unsigned char c) {
                  return c <= 0x20 || c == 0x7F;
              });
}

bool is_code(std::string_view text) noexcept {
    return !text.empty() && text.size() <= max_code
           && std::all_of(text.begin(), text.end(), [](char c) {
                  return is_alnum(c) || c == '_' || c == '.' || c == '-';
              })
           && !may_be_secret(text);
}

std::string log_text(std::string_view text) {
    std::string out;
    bool cut = false;
    while (!text.empty() && !cut) {
        auto end = std::find_if_not(text.begin(), text.end(), is_secret_char);
        auto word = text.substr(0, static_cast<std::size_t>(
                                       end - text.begin()));
        if (!word.empty()) {
            out.append(may_be_secret(word) ? "***" : word);
            text.remove_prefix(word.size());
        } else {
            auto c = static_cast<unsigned char>(text.front());
            out += c < 0x20 || c == 0x7F ? ' ' : text.front();
            text.remove_prefix(1);
        }
        cut = out.size() >= max_detail;
    }
    if (cut) {
        out.resize(max_detail);
        out.append("...");
    }
    return out;
}

Error refused(std::string_view who, int status, std::string_view code) {
    std::string message(who);
    message.append(" answered ").append(std::to_string(status));
    if (is_code(code)) {
        message.append(" (").append(code).append(")");
    }
    return trouble(std::move(message));
}

std::optional<Time> parse_time(std::string_view text) noexcept {
    constexpr std::string_view pattern = "dddd-dd-ddTdd:dd:dd";
    if (text.size() <= pattern.size() || text.back() != 'Z') {
        return std::nullopt;
    }
    int fields[6] = {};
    int field = 0;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == 'd') {
            if (!is_digit(text[i])) {
                return std::nullopt;
            }
            fields[field] = fields[field] * 10 + (text[i] - '0');
        } else {
            if (text[i] != pattern[i]) {
                return std::nullopt;
            }
            ++field;
        }
    }
    auto fraction = text.substr(pattern.size());
    fraction.remove_suffix(1);
    if (!fraction.empty()
        && (fraction.front() != '.' || fraction.size() == 1
            || !std::all_of(fraction.begin() + 1, fraction.end(), is_digit))) {
        return std::nullopt;
    }
    auto [year, month, day, hour, minute, second] = fields;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23
        || minute > 59 || second > 60) {
        return std::nullopt;
    }
    Date date{year, month, day};
    if (date_of(days_of(date)) != date) {
        return std::nullopt;
    }
    return days_of(date) * 86400 + hour * 3600 + minute * 60 + second;
}

Result<Credential> check_life(std::string_view who, Credential credential,
                              Time now) {
    if (credential.expires - margin <= now) {
        std::string message(who);
        return trouble(message.append(
            " gave credentials that have expired already, or this machine's "
            "clock is wrong"));
    }
    return credential;
}

Result<Credential> read_token(std::string_view who, const Outcome &outcome,
                              std::string &detail) {
    json::Document document;
    bool is_json = static_cast<bool>(document.parse(outcome.text));
    auto root = document.root();

    if (outcome.status != 200) {
        return read_refusal(who, outcome.status,
                            is_json ? root : json::Value(), detail);
    }
    auto nonsense = [who](std::string_view why) {
        std::string message(who);
        return trouble(message.append(" sent no token: ").append(why));
    };
    if (!is_json || !root.is_object()) {
        return nonsense("its answer is not a JSON object");
    }
    auto token = root["access_token"].string();
    if (token.empty()) {
        // Some servers say 200 to anything.
        if (root["error"]) {
            return read_refusal(who, outcome.status, root, detail);
        }
        return nonsense("its answer has no \"access_token\"");
    }
    if (!is_sendable(token)) {
        return nonsense("its \"access_token\" cannot be sent");
    }
    if (auto type = root["token_type"];
        !type.is_null() && !is_bearer(type.string())) {
        return nonsense("its \"token_type\" is not \"Bearer\"");
    }
    Credential credential;
    credential.token = token;
    credential.expires = end_of_life(root, outcome.now);
    return check_life(who, std::move(credential), outcome.now);
}

class TokenSource::Run final : public Fetch {
public:
    explicit Run(const TokenSource &source) : source_(source) {
        reading_ = !source.files_.empty();
    }

    Result<Step> next(const Outcome &outcome) override {
        if (asked_) {
            auto credential = read_token(source_.who_, outcome, detail_);
            if (!credential) {
                return std::move(credential.error());
            }
            return Step(std::move(*credential));
        }
        if (reading_) {
            reading_ = false;
            return Step(ReadFile{source_.files_.front()});
        }
        if (!source_.files_.empty() && !is_sendable(outcome.text)) {
            return trouble("the file of the token holds none");
        }
        asked_ = true;
        auto request = source_.make_(outcome.text, outcome.now);
        if (!request) {
            return std::move(request.error());
        }
        return Step(std::move(*request));
    }

private:
    const TokenSource &source_;
    bool reading_;
    bool asked_ = false;
};

TokenSource::TokenSource(std::string_view who, std::string server,
                         std::string file, Make make)
    : who_(who), make_(std::move(make)) {
    servers_.push_back(std::move(server));
    if (!file.empty()) {
        files_.push_back(std::move(file));
    }
}

std::unique_ptr<Fetch> TokenSource::begin() const {
    return std::make_unique<Run>(*this);
}

Result<Url> split_url(std::string_view text) {
    auto scheme = text.find("://");
    auto slash = scheme == text.npos ? text.npos
                                     : text.find_first_of("/?#", scheme + 3);
    auto server = text.substr(0, slash);
    auto path = slash == text.npos ? std::string_view() : text.substr(slash);

    auto base = parse_base_url(server);
    if (!base) {
        return std::move(base.error());
    }
    if (!path.empty()
        && (path.front() != '/' || !is_sendable(path)
            || path.find('#') != path.npos)) {
        return invalid_request("has an invalid path");
    }
    return Url{std::string(server), std::string(path)};
}

}  // namespace llm::credentials
