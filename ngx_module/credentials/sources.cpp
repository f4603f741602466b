#include "credentials/sources.hpp"

#include <algorithm>
#include <cstring>

#include "block.hpp"
#include "credentials/file.hpp"
#include "secret.hpp"

namespace credentials = llm::credentials;

using Reader = ngx_http_llm_auth_reader_t;
using Result = ngx_http_llm_source_ptr_t;
using Wrong = ngx_http_llm_auth_error_t;

namespace {

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

[[noreturn]] void unreadable(const std::string &path, const char *what) {
    std::string reason(what);
    if (ngx_errno) {
        reason.append(": ").append(std::strerror(ngx_errno));
    }
    throw Wrong("file " + quoted(path) + " cannot be read, " + reason);
}

}  // namespace

std::string Reader::env(const char *name) const {
    std::string value(ngx_http_llm_find_env(cf, name));
    // The line end of a secret's file, mostly; it would end a header.
    if (ngx_http_llm_has_control(value)) {
        throw Wrong("environment variable " + quoted(name)
                    + " has control characters");
    }
    return value;
}

std::string Reader::require(std::string_view word,
                            const char *variable) const {
    std::string value(words.get(word));
    if (value.empty()) {
        value = env(variable);
    }
    if (value.empty()) {
        throw Wrong("no " + quoted(word) + ", and " + variable
                    + " is not in the environment");
    }
    return value;
}

void Reader::check_url(std::string_view what, std::string_view text) {
    if (auto parts = credentials::split_url(text); !parts) {
        throw Wrong(quoted(what) + " " + parts.error().message);
    }
}

std::string Reader::url(std::string_view word,
                        std::string_view otherwise) const {
    std::string text(words.get(word, otherwise));
    if (!text.empty()) {
        check_url(word, text);
    }
    return text;
}

std::string Reader::path(std::string_view name) const {
    // Strings of the configuration end with a NUL.
    std::string copy(name);
    ngx_str_t full = to_ngx(copy);
    if (ngx_conf_full_name(cf->cycle, &full, 1) != NGX_OK) {
        throw std::bad_alloc();
    }
    return std::string(to_view(full));
}

std::string Reader::text_of(const std::string &path) {
    std::string text;
    if (const char *what = ngx_http_llm_credentials_read(path, text)) {
        unreadable(path, what);
    }
    return text;
}

void Reader::check_file(const std::string &path) {
    if (const char *what = ngx_http_llm_credentials_probe(path)) {
        unreadable(path, what);
    }
}

std::string Reader::secret_of(const std::string &path) const {
    auto text = text_of(path);
    if (ngx_http_llm_credentials_public(path)) {
        auto name = to_ngx(path);
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" holds a secret and is readable by others",
                           &name);
    }
    return text;
}

std::string_view Reader::source(
    std::initializer_list<std::string_view> known) const {
    auto name = words.get("source");
    if (name.empty()
        || std::find(known.begin(), known.end(), name) != known.end()) {
        return name;
    }
    throw Wrong("unknown source " + quoted(name));
}

Result ngx_http_llm_google_source(const Reader &reader) {
    namespace google = credentials::google;

    auto scope = reader.words.get("scope", google::default_scope);
    auto source = reader.source({"file", "metadata"});
    std::string file(reader.words.get("file"));
    if (file.empty() && source != "metadata" && !reader.has("metadata_url")) {
        file = reader.env("GOOGLE_APPLICATION_CREDENTIALS");
    }
    if (source == "file" && file.empty()) {
        throw Wrong("no \"file\", and GOOGLE_APPLICATION_CREDENTIALS is not "
                    "in the environment");
    }
    if (!file.empty()) {
        auto path = reader.path(file);
        auto made = google::from_file(reader.secret_of(path), scope,
                                      reader.url("token_url", {}));
        if (!made) {
            throw Wrong("file " + quoted(path) + " " + made.error().message);
        }
        return made;
    }

    auto host = reader.env("GCE_METADATA_HOST");
    std::string server(google::default_metadata_url);
    if (!host.empty()) {
        server = "http://" + host;
        Reader::check_url("GCE_METADATA_HOST", server);
    }
    return google::from_metadata(
        reader.url("metadata_url", server),
        reader.words.get("service_account", "default"),
        // By itself, the server gives what the account may do.
        reader.words.get("scope"));
}

namespace {

Result azure_application(const Reader &reader) {
    namespace azure = credentials::azure;

    auto authority = reader.env("AZURE_AUTHORITY_HOST");
    if (authority.empty()) {
        authority = azure::default_authority;
    } else if (authority.find("://") == authority.npos) {
        authority.insert(0, "https://");
    }
    authority = reader.url("authority", authority);
    auto url = reader.url("token_url", {});
    if (url.empty()) {
        url = azure::token_url(authority,
                               reader.require("tenant", "AZURE_TENANT_ID"));
        Reader::check_url("authority", url);
    }
    auto client_id = reader.require("client_id", "AZURE_CLIENT_ID");

    azure::Application application;
    application.token_url = url;
    application.client_id = client_id;
    application.scope = reader.words.get("scope", azure::default_scope);

    // Which proof: what the words say before what the environment does.
    std::string secret(reader.words.get("client_secret"));
    std::string file(reader.words.get("token_file"));
    auto source = reader.source({"secret", "workload", "machine",
                                 "app_service"});
    if (!secret.empty() && !file.empty()) {
        throw Wrong("\"client_secret\" and \"token_file\" exclude each other");
    }
    if (secret.empty() && file.empty() && source != "workload") {
        secret = reader.env("AZURE_CLIENT_SECRET");
    }
    if (secret.empty() && file.empty() && source != "secret") {
        file = reader.env("AZURE_FEDERATED_TOKEN_FILE");
    }
    if (secret.empty() && file.empty()) {
        throw Wrong("no \"client_secret\" and no \"token_file\"");
    }
    std::string path = file.empty() ? std::string() : reader.path(file);
    application.client_secret = secret;
    application.token_file = path;
    return azure::from_application(application);
}

// What Azure's own credential chain would take.
std::string_view azure_source(const Reader &reader) {
    auto source = reader.source({"secret", "workload", "machine",
                                 "app_service"});
    if (!source.empty()) {
        return source;
    }
    if (reader.has("client_secret") || reader.has("token_file")
        || reader.has("tenant") || reader.has("token_url")) {
        return "application";
    }
    if (reader.has("metadata_url")) {
        return "machine";
    }
    if (!reader.env("AZURE_CLIENT_SECRET").empty()
        || !reader.env("AZURE_FEDERATED_TOKEN_FILE").empty()) {
        return "application";
    }
    return reader.env("IDENTITY_ENDPOINT").empty() ? "machine" : "app_service";
}

}  // namespace

Result ngx_http_llm_azure_source(const Reader &reader) {
    namespace azure = credentials::azure;

    if (reader.words.has_variable("client_secret")) {
        throw Wrong("\"client_secret\" may have no variables, since it serves "
                    "all requests");
    }
    auto source = azure_source(reader);
    if (source != "machine" && source != "app_service") {
        return azure_application(reader);
    }
    auto scope = reader.words.get("scope", azure::default_scope);
    std::string client_id(reader.words.get("client_id"));
    if (client_id.empty()) {
        client_id = reader.env("AZURE_CLIENT_ID");
    }
    if (source == "machine") {
        return azure::from_machine(
            reader.url("metadata_url", azure::default_metadata_url), client_id,
            scope);
    }
    auto endpoint = reader.env("IDENTITY_ENDPOINT");
    auto header = reader.env("IDENTITY_HEADER");
    if (endpoint.empty() || header.empty()) {
        throw Wrong("IDENTITY_ENDPOINT and IDENTITY_HEADER are not both in "
                    "the environment");
    }
    Reader::check_url("IDENTITY_ENDPOINT", endpoint);
    return azure::from_app_service(endpoint, header, client_id, scope);
}
