#include "credentials/common.hpp"
#include "llm/url.hpp"

namespace llm::credentials::azure {

namespace {

constexpr std::string_view endpoint = "Azure's token endpoint";
constexpr std::string_view identity_server = "Azure's identity endpoint";

// RFC 7523, 2.2.
constexpr std::string_view assertion_type =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

// What the identity endpoints want: the scope's resource.
std::string_view resource_of(std::string_view scope) noexcept {
    constexpr std::string_view all = "/.default";
    if (scope.ends_with(all)) {
        scope.remove_suffix(all.size());
    }
    return scope;
}

// A managed identity's token is there for the asking: for who can reach the
// endpoint and send the header.
Result<std::unique_ptr<Source>> managed_identity(
    std::string_view text, std::string_view path, std::string_view version,
    std::string_view client_id, std::string_view scope,
    std::pair<std::string, std::string> header) {
    auto url = split_url(text);
    if (!url) {
        return std::move(url.error());
    }
    std::string target = url->path;
    if (!path.empty()) {
        if (target.ends_with('/')) {
            target.pop_back();
        }
        target.append(path);
    }
    target.append(target.find('?') == target.npos ? "?" : "&")
        .append(form({{"api-version", version},
                      {"resource", resource_of(scope)},
                      {"client_id", client_id}}));
    return std::unique_ptr<Source>(std::make_unique<TokenSource>(
        identity_server, url->server, std::string(),
        [target = std::move(target),
         header = std::move(header)](std::string_view, Time) {
            HttpRequest request;
            request.path = target;
            request.headers.push_back(header);
            return Result<HttpRequest>(std::move(request));
        }));
}

}  // namespace

std::string token_url(std::string_view authority, std::string_view tenant) {
    while (authority.ends_with('/')) {
        authority.remove_suffix(1);
    }
    std::string url(authority);
    url += '/';
    append_segment(url, tenant);
    return url.append("/oauth2/v2.0/token");
}

Result<std::unique_ptr<Source>> from_application(
    const Application &application) {
    auto url = split_url(application.token_url);
    if (!url) {
        return std::move(url.error());
    }
    auto fields = form({{"grant_type", "client_credentials"},
                        {"client_id", application.client_id},
                        {"scope", application.scope},
                        {"client_secret", application.client_secret}});
    bool by_file = application.client_secret.empty();
    return std::unique_ptr<Source>(std::make_unique<TokenSource>(
        endpoint, url->server,
        std::string(by_file ? application.token_file : std::string_view()),
        [path = url->path, fields = std::move(fields),
         by_file](std::string_view token, Time) {
            std::string body = fields;
            if (by_file) {
                body.append("&").append(
                    form({{"client_assertion_type", assertion_type},
                          {"client_assertion", token}}));
            }
            return Result<HttpRequest>(post_form(0, path, std::move(body)));
        }));
}

Result<std::unique_ptr<Source>> from_machine(std::string_view metadata_url,
                                             std::string_view client_id,
                                             std::string_view scope) {
    return managed_identity(metadata_url, "/metadata/identity/oauth2/token",
                            "2018-02-01", client_id, scope,
                            {"Metadata", "true"});
}

Result<std::unique_ptr<Source>> from_app_service(std::string_view url,
                                                 std::string_view header,
                                                 std::string_view client_id,
                                                 std::string_view scope) {
    if (!is_sendable(header)) {
        return invalid_request("has an invalid header");
    }
    return managed_identity(url, {}, "2019-08-01", client_id, scope,
                            {"X-IDENTITY-HEADER", std::string(header)});
}

}  // namespace llm::credentials::azure
