#include <algorithm>

#include "credentials/aws.hpp"

namespace llm::credentials::aws {

namespace {

class KeySource final : public Source {
public:
    explicit KeySource(Credential keys) : keys_(std::move(keys)) {}

    std::unique_ptr<Fetch> begin() const override {
        return std::make_unique<Run>(keys_);
    }

private:
    class Run final : public Fetch {
    public:
        explicit Run(const Credential &keys) : keys_(keys) {}
        Result<Step> next(const Outcome &) override { return Step(keys_); }

    private:
        const Credential &keys_;
    };

    Credential keys_;
};

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    return text.substr(0, text.find_last_not_of(blank) + 1);
}

// "[name]"; in a config file it is "[profile name]".
std::string_view profile_of(std::string_view line) noexcept {
    line.remove_prefix(1);
    line = trim(line.substr(0, line.find(']')));
    constexpr std::string_view prefix = "profile ";
    return line.starts_with(prefix) ? trim(line.substr(prefix.size())) : line;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) {
                          return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y;
                      });
}

struct Key {
    std::string_view name;
    std::string Credential::*member;
    bool required;
};

constexpr Key keys[] = {
    {"aws_access_key_id", &Credential::access_key, true},
    {"aws_secret_access_key", &Credential::secret_key, true},
    {"aws_session_token", &Credential::token, false},
};

}  // namespace

std::unique_ptr<Source> from_keys(Credential keys) {
    return std::make_unique<KeySource>(std::move(keys));
}

Result<Credential> read_profile(std::string_view text,
                                std::string_view profile) {
    Credential credential;
    credential.kind = Credential::Kind::aws;
    bool found = false;
    bool inside = false;

    while (!text.empty()) {
        auto end = text.find('\n');
        auto line = trim(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (line.empty() || line.front() == '#' || line.front() == ';') {
            continue;
        }
        if (line.front() == '[') {
            inside = profile_of(line) == profile;
            found = found || inside;
            continue;
        }
        auto equals = line.find('=');
        if (!inside || equals == line.npos) {
            continue;
        }
        auto name = trim(line.substr(0, equals));
        for (const auto &key : keys) {
            if (same_name(name, key.name)) {
                credential.*key.member = trim(line.substr(equals + 1));
            }
        }
    }

    std::string where("profile \"");
    where.append(profile).append("\"");
    if (!found) {
        return invalid_request("has no " + where);
    }
    for (const auto &key : keys) {
        const auto &value = credential.*key.member;
        if (value.empty() && !key.required) {
            continue;
        }
        if (!is_sendable(value)) {
            return invalid_request("has no valid \"" + std::string(key.name)
                                   + "\" in " + where);
        }
    }
    return credential;
}

}  // namespace llm::credentials::aws
