#include <cstring>
#include <exception>
#include <new>

#include "block.hpp"
#include "credentials/file.hpp"
#include "credentials/sources.hpp"
#include "llm/url.hpp"
#include "provider_ssl.hpp"
#include "secret.hpp"
#include "setter.hpp"

namespace {

namespace credentials = llm::credentials;

using Credentials = ngx_http_llm_credentials_t;
using Cloud = Credentials::Cloud;
using Reader = ngx_http_llm_auth_reader_t;
using Wrong = ngx_http_llm_auth_error_t;

struct CloudName {
    std::string_view name;
    Cloud cloud;
};

constexpr CloudName clouds[] = {
    {"google", Cloud::google},
    {"azure", Cloud::azure},
    {"aws", Cloud::aws},
};

constexpr ngx_msec_t default_timeout = 10000;

void destroy(void *data) noexcept {
    auto *owner = static_cast<Credentials *>(data);
    ngx_http_llm_credentials_stop(owner);
    owner->~Credentials();
}

Credentials *allocate(ngx_conf_t *cf, Cloud cloud,
                      const ngx_str_t &provider) {
    auto *cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(Credentials));
    if (cleanup == nullptr) {
        throw std::bad_alloc();
    }
    auto *owner = new (cleanup->data) Credentials{};
    ngx_queue_init(&owner->waiters);
    cleanup->handler = destroy;
    owner->cloud = cloud;
    owner->provider = provider;
    return owner;
}

ngx_msec_t time_of(const Reader &reader, std::string_view word,
                   ngx_msec_t otherwise) {
    const auto *text = reader.words.find(word);
    if (text == nullptr) {
        return otherwise;
    }
    auto copy = to_ngx(*text);
    auto time = ngx_parse_time(&copy, 0);
    if (time == NGX_ERROR) {
        throw Wrong("invalid value of \"" + std::string(word) + "\"");
    }
    return static_cast<ngx_msec_t>(time);
}

// A file of authorities whose name lives as long as the configuration.
const char *trusted(const Reader &reader) {
    auto name = reader.words.get("trusted_certificate");
    if (name.empty()) {
        return ngx_http_llm_system_bundle();
    }
    auto path = reader.path(name);
    Reader::check_file(path);
    auto *copy = static_cast<char *>(
        ngx_pnalloc(reader.cf->pool, path.size() + 1));
    if (copy == nullptr) {
        throw std::bad_alloc();
    }
    std::memcpy(copy, path.c_str(), path.size() + 1);
    return copy;
}

ngx_http_complex_value_t *compile(const Reader &reader,
                                  std::string_view word) {
    const auto *text = reader.words.find(word);
    if (text == nullptr) {
        return nullptr;
    }
    auto *value = static_cast<ngx_http_complex_value_t *>(
        ngx_pcalloc(reader.cf->pool, sizeof(ngx_http_complex_value_t)));
    // What is no variable lives on in the value.
    auto *copy = static_cast<u_char *>(
        ngx_pnalloc(reader.cf->pool, text->size() + 1));
    if (value == nullptr || copy == nullptr) {
        throw std::bad_alloc();
    }
    std::memcpy(copy, text->c_str(), text->size() + 1);
    ngx_str_t source = {text->size(), copy};
    if (!reader.words.has_variable(word)) {
        // A "$" in a secret of the environment or a file is none.
        value->value = source;
        return value;
    }
    ngx_http_compile_complex_value_t ccv;
    ngx_memzero(&ccv, sizeof(ccv));
    ccv.cf = reader.cf;
    ccv.value = &source;
    ccv.complex_value = value;
    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        throw Wrong("invalid value of \"" + std::string(word) + "\"");
    }
    return value;
}

std::string region_of(const Reader &reader, const ngx_str_t &host) {
    std::string region(reader.words.get("region"));
    if (region.empty()) {
        region = credentials::aws::region_of_host(to_view(host));
    }
    if (region.empty()) {
        region = reader.env("AWS_REGION");
    }
    if (region.empty()) {
        region = reader.env("AWS_DEFAULT_REGION");
    }
    if (region.empty()) {
        throw Wrong("no \"region\", and neither a \"url\" before this line "
                    "nor AWS_REGION in the environment names one");
    }
    if (!credentials::aws::is_region(region)) {
        throw Wrong("invalid region \"" + region + "\"");
    }
    return region;
}

// True: the keys are each request's own, there is no source.
bool use_variables(const Reader &reader, Credentials *owner) {
    bool varies = false;
    for (auto word : {"access_key", "secret_key", "session_token"}) {
        varies = varies || reader.words.has_variable(word);
    }
    if (!varies) {
        return false;
    }
    if (!reader.has("access_key") || !reader.has("secret_key")) {
        throw Wrong("\"access_key\" and \"secret_key\" need each other");
    }
    if (reader.has("role")) {
        throw Wrong("keys with variables and \"role\" exclude each other");
    }
    owner->access_key = compile(reader, "access_key");
    owner->secret_key = compile(reader, "secret_key");
    owner->session_token = compile(reader, "session_token");
    return true;
}

void complete(const Reader &reader, Credentials *owner, const ngx_str_t &host,
              std::string_view cloud) {
    owner->timeout = time_of(reader, "timeout", default_timeout);
    auto pause = time_of(reader, "fail_timeout", 1000);
    owner->keeper = credentials::Keeper(
        static_cast<credentials::Time>((pause + 999) / 1000));
    owner->tls.trusted = trusted(reader);

    if (owner->cloud == Cloud::aws) {
        owner->region = region_of(reader, host);
        owner->service = reader.words.get(
            "service", credentials::aws::service_of_host(to_view(host)));
        if (use_variables(reader, owner)) {
            return;
        }
    }
    auto made = owner->cloud == Cloud::google
                    ? ngx_http_llm_google_source(reader)
                : owner->cloud == Cloud::azure
                    ? ngx_http_llm_azure_source(reader)
                    : ngx_http_llm_aws_source(reader, owner->region);
    if (!made) {
        throw Wrong("\"auth " + std::string(cloud) + "\" "
                    + made.error().message);
    }
    owner->source = std::move(*made);
    for (const auto &file : owner->source->files()) {
        Reader::check_file(file);
    }
}

}  // namespace

Credentials *ngx_http_llm_credentials_create(ngx_conf_t *cf,
                                             const ngx_str_t &provider,
                                             const ngx_str_t &host) noexcept
try {
    auto *args = arguments(cf);
    for (const auto &[name, cloud] : clouds) {
        if (to_view(args[1]) != name) {
            continue;
        }
        ngx_http_llm_auth_words_t words;
        if (words.read(cf, cloud) != NGX_OK) {
            return nullptr;
        }
        auto *owner = allocate(cf, cloud, provider);
        complete(Reader(cf, words), owner, host, name);
        return owner;
    }
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown auth \"%V\", it must be \"google\", \"azure\" "
                       "or \"aws\"", &args[1]);
    return nullptr;

} catch (const std::exception &e) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "%s: in \"auth\" of llm_provider \"%V\"", e.what(),
                       &provider);
    return nullptr;
}

ngx_int_t ngx_http_llm_credentials_init(ngx_conf_t *cf,
                                        ngx_http_llm_main_conf_t *mcf,
                                        Credentials *owner) noexcept
try {
    if (owner->source == nullptr) {
        return NGX_OK;
    }
    for (const auto &url : owner->source->servers()) {
        // It was parsed when the source was made.
        auto base = llm::parse_base_url(url);
        auto *endpoint = ngx_http_llm_endpoint(cf, mcf, to_ngx(base->host),
                                               base->port);
        if (endpoint == nullptr) {
            return NGX_ERROR;
        }
        owner->servers.push_back({url, endpoint});
    }
    return NGX_OK;

} catch (const std::bad_alloc &) {
    return NGX_ERROR;
}
