#include <algorithm>
#include <charconv>

#include "credentials/sources.hpp"

namespace aws = llm::credentials::aws;

using Credential = llm::credentials::Credential;
using Reader = ngx_http_llm_auth_reader_t;
using Result = ngx_http_llm_source_ptr_t;
using Wrong = ngx_http_llm_auth_error_t;

namespace {

// The names of sources, each with the words and variables of the environment
// that speak for it, in the order of the SDKs' own chain.
struct Choice {
    std::string_view source;
    std::string_view words[2];
    const char *variables[2];
};

constexpr Choice choices[] = {
    {"keys", {"access_key", "secret_key"}, {}},
    {"container", {"container_url", ""}, {}},
    {"web_identity", {"token_file", "web_identity_role"}, {}},
    {"profile", {"profile", "credentials_file"}, {}},
    {"instance", {"metadata_url", ""}, {}},
    {"environment", {}, {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}},
    {"web_identity", {}, {"AWS_WEB_IDENTITY_TOKEN_FILE", nullptr}},
    {"profile", {}, {"AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"}},
    {"container", {}, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI"}},
};

std::string_view choose(const Reader &reader) {
    auto source = reader.source({"keys", "environment", "profile",
                                 "web_identity", "container", "instance"});
    if (!source.empty()) {
        return source;
    }
    for (const auto &choice : choices) {
        for (auto word : choice.words) {
            if (!word.empty() && reader.has(word)) {
                return choice.source;
            }
        }
        for (const auto *variable : choice.variables) {
            if (variable && !reader.env(variable).empty()) {
                return choice.source;
            }
        }
    }
    return "instance";
}

Credential keys_of(std::string access_key, std::string secret_key,
                   std::string token) {
    Credential keys;
    keys.kind = Credential::Kind::aws;
    keys.access_key = std::move(access_key);
    keys.secret_key = std::move(secret_key);
    keys.token = std::move(token);
    return keys;
}

Result from_words(const Reader &reader) {
    if (!reader.has("access_key") || !reader.has("secret_key")) {
        throw Wrong("\"access_key\" and \"secret_key\" need each other");
    }
    return aws::from_keys(keys_of(
        std::string(reader.words.get("access_key")),
        std::string(reader.words.get("secret_key")),
        std::string(reader.words.get("session_token"))));
}

Result from_environment(const Reader &reader) {
    auto access_key = reader.env("AWS_ACCESS_KEY_ID");
    auto secret_key = reader.env("AWS_SECRET_ACCESS_KEY");
    if (access_key.empty() || secret_key.empty()) {
        throw Wrong("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both "
                    "in the environment");
    }
    return aws::from_keys(keys_of(std::move(access_key), std::move(secret_key),
                                  reader.env("AWS_SESSION_TOKEN")));
}

Result from_profile(const Reader &reader) {
    std::string file(reader.words.get("credentials_file"));
    if (file.empty()) {
        file = reader.env("AWS_SHARED_CREDENTIALS_FILE");
    }
    if (file.empty()) {
        file = reader.require("credentials_file", "HOME")
               + "/.aws/credentials";
    }
    std::string profile(reader.words.get("profile"));
    if (profile.empty()) {
        profile = reader.env("AWS_PROFILE");
    }
    auto path = reader.path(file);
    auto keys = aws::read_profile(reader.secret_of(path),
                                  profile.empty() ? "default" : profile);
    if (!keys) {
        throw Wrong("file \"" + path + "\" " + keys.error().message);
    }
    return aws::from_keys(std::move(*keys));
}

aws::Role role_of(const Reader &reader, std::string_view arn,
                  std::string_view sts_url, std::string_view region) {
    aws::Role role;
    role.arn = arn;
    role.sts_url = sts_url;
    role.region = region;
    role.session_name =
        reader.words.get("session_name", aws::default_session_name);
    // Seconds; the API's bounds.
    if (auto text = reader.words.get("duration"); !text.empty()) {
        auto copy = to_ngx(text);
        auto seconds = ngx_parse_time(&copy, 1);
        if (seconds < 900 || seconds > 43200) {
            throw Wrong("\"duration\" must be between 15m and 12h");
        }
        role.duration = static_cast<int>(seconds);
    }
    return role;
}

Result from_web_identity(const Reader &reader, std::string_view sts_url,
                         std::string_view region) {
    auto arn = reader.require("web_identity_role", "AWS_ROLE_ARN");
    auto file = reader.path(
        reader.require("token_file", "AWS_WEB_IDENTITY_TOKEN_FILE"));
    auto role = role_of(reader, arn, sts_url, region);
    auto name = reader.env("AWS_ROLE_SESSION_NAME");
    if (!reader.has("session_name") && !name.empty()) {
        role.session_name = name;
    }
    return aws::from_web_identity(role, file);
}

Result from_container(const Reader &reader) {
    auto token = reader.env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    std::string file(reader.words.get("token_file"));
    if (file.empty()) {
        file = reader.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    }
    auto url = reader.url("container_url", {});
    if (url.empty()) {
        auto relative = reader.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        auto full = reader.env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        if (relative.starts_with('/')) {
            url = std::string(aws::container_server) + relative;
        } else if (!full.empty()) {
            // The environment shall not send the token anywhere.
            if (!aws::is_container_url(full)) {
                throw Wrong("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither of "
                            "HTTPS nor of a container's agent");
            }
            url = full;
        } else {
            throw Wrong("no \"container_url\", and the environment names no "
                        "container's credentials");
        }
    }
    return aws::from_container(url, file.empty() ? token : std::string(),
                               file.empty() ? file : reader.path(file));
}

}  // namespace

Result ngx_http_llm_aws_source(const Reader &reader,
                               std::string_view region) {
    auto sts_url = reader.url("sts_url", aws::sts_url(region));
    auto name = choose(reader);
    if (name == "instance" && !reader.has("metadata_url")
        && reader.env("AWS_EC2_METADATA_DISABLED") == "true") {
        throw Wrong("no source of credentials is known: "
                    "AWS_EC2_METADATA_DISABLED leaves none");
    }

    auto made = name == "keys"           ? from_words(reader)
                : name == "environment"  ? from_environment(reader)
                : name == "profile"      ? from_profile(reader)
                : name == "web_identity" ? from_web_identity(reader, sts_url,
                                                             region)
                : name == "container"    ? from_container(reader)
                : aws::from_instance(reader.url("metadata_url",
                                                aws::default_metadata_url));
    if (!made || !reader.has("role")) {
        return made;
    }
    auto role = role_of(reader, reader.words.get("role"), sts_url, region);
    role.external_id = reader.words.get("external_id");
    return aws::assume_role(role, std::move(*made));
}
