#include "credentials/common.hpp"
#include "llm/json.hpp"
#include "llm/jwt.hpp"
#include "llm/url.hpp"

namespace llm::credentials::google {

namespace {

constexpr std::string_view endpoint = "Google's token endpoint";
constexpr std::string_view metadata_server = "Google's metadata server";

// Google takes assertions of an hour at most.
constexpr Time assertion_life = 3600;

Result<std::string> member(json::Value root, std::string_view name) {
    auto text = root[name].string();
    if (text.empty()) {
        std::string message("has no \"");
        return invalid_request(message.append(name).append("\""));
    }
    return std::string(text);
}

struct ServiceAccount {
    std::string email;
    std::string header;         // of the JWT
    std::string scope;
    std::string audience;
    std::string path;           // of the token endpoint
    jwt::RsaKey key;
};

std::string claims(const ServiceAccount &account, Time now) {
    std::string out;
    json::Writer(out)
        .begin_object()
        .member("iss", account.email)
        .member("scope", account.scope)
        .member("aud", account.audience)
        .member("iat", now)
        .member("exp", now + assertion_life)
        .end_object();
    return out;
}

Result<HttpRequest> exchange(const ServiceAccount &account, Time now) {
    auto assertion =
        jwt::sign(account.header, claims(account, now), account.key);
    if (!assertion) {
        return std::move(assertion.error());
    }
    return post_form(
        0, account.path,
        form({{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
              {"assertion", *assertion}}));
}

Result<std::unique_ptr<Source>> service_account(json::Value root,
                                                std::string_view scope,
                                                const Url &url,
                                                std::string_view audience) {
    auto email = member(root, "client_email");
    auto pem = member(root, "private_key");
    for (auto *found : {&email, &pem}) {
        if (!*found) {
            return std::move(found->error());
        }
    }
    auto key = jwt::RsaKey::parse(*pem);
    if (!key) {
        return invalid_request("has a \"private_key\" that "
                               + key.error().message);
    }
    std::string header;
    json::Writer writer(header);
    writer.begin_object().member("alg", "RS256").member("typ", "JWT");
    if (auto id = root["private_key_id"].string(); !id.empty()) {
        writer.member("kid", id);
    }
    writer.end_object();

    ServiceAccount account{std::move(*email), std::move(header),
                           std::string(scope), std::string(audience),
                           url.path, std::move(*key)};
    return std::unique_ptr<Source>(std::make_unique<TokenSource>(
        endpoint, url.server, std::string(),
        [account = std::move(account)](std::string_view, Time now) {
            return exchange(account, now);
        }));
}

Result<std::unique_ptr<Source>> authorized_user(json::Value root,
                                                const Url &url) {
    auto id = member(root, "client_id");
    auto secret = member(root, "client_secret");
    auto token = member(root, "refresh_token");
    for (auto *found : {&id, &secret, &token}) {
        if (!*found) {
            return std::move(found->error());
        }
    }
    auto body = form({{"grant_type", "refresh_token"},
                      {"client_id", *id},
                      {"client_secret", *secret},
                      {"refresh_token", *token}});
    return std::unique_ptr<Source>(std::make_unique<TokenSource>(
        endpoint, url.server, std::string(),
        [path = url.path, body = std::move(body)](std::string_view, Time) {
            return Result<HttpRequest>(post_form(0, path, body));
        }));
}

}  // namespace

Result<std::unique_ptr<Source>> from_file(std::string_view text,
                                          std::string_view scope,
                                          std::string_view token_url) {
    json::Document document;
    if (!document.parse(text) || !document.root().is_object()) {
        return invalid_request("is not a JSON object");
    }
    auto root = document.root();
    auto audience = root["token_uri"].string();
    if (audience.empty()) {
        audience = default_token_url;
    }
    auto url = split_url(token_url.empty() ? audience : token_url);
    if (!url) {
        return invalid_request("has a token endpoint whose URL "
                               + url.error().message);
    }

    auto type = root["type"].string();
    if (type == "service_account") {
        return service_account(root, scope, *url, audience);
    }
    if (type == "authorized_user") {
        return authorized_user(root, *url);
    }
    return invalid_request(
        "has a \"type\" other than \"service_account\" and "
        "\"authorized_user\"");
}

Result<std::unique_ptr<Source>> from_metadata(std::string_view metadata_url,
                                              std::string_view account,
                                              std::string_view scope) {
    auto url = split_url(metadata_url);
    if (!url) {
        return std::move(url.error());
    }
    if (!is_sendable(account) || account == "." || account == "..") {
        return invalid_request("has an invalid service account");
    }
    std::string path = url->path;
    if (path.ends_with('/')) {
        path.pop_back();
    }
    path.append("/computeMetadata/v1/instance/service-accounts/");
    append_segment(path, account);
    path.append("/token");
    // The server wants commas between them.
    std::string scopes(scope);
    for (char &c : scopes) {
        c = c == ' ' ? ',' : c;
    }
    if (auto query = form({{"scopes", scopes}}); !query.empty()) {
        path.append("?").append(query);
    }
    return std::unique_ptr<Source>(std::make_unique<TokenSource>(
        metadata_server, url->server, std::string(),
        [path = std::move(path)](std::string_view, Time) {
            HttpRequest request;
            request.path = path;
            // Without it the server refuses what may be a forged request.
            request.headers.emplace_back("Metadata-Flavor", "Google");
            return Result<HttpRequest>(std::move(request));
        }));
}

}  // namespace llm::credentials::google
