// llm_provider NAME { ... }
#include "ngx_http_llm.hpp"

#include <algorithm>
#include <cstddef>
#include <new>
#include <span>

#include "block.hpp"
#include "credentials/credentials.hpp"
#include "endpoint.hpp"
#include "llm/prompt_template.hpp"
#include "llm/provider.hpp"
#include "llm/url.hpp"
#include "provider_ssl.hpp"
#include "secret.hpp"
#include "setter.hpp"

namespace {

constexpr const char *block_name = "llm_provider";

// What is only needed until the configuration is complete.
struct ProviderConf {
    ngx_http_llm_provider_t provider;   // first: what others know of it

    const llm::Preset *preset;
    ngx_flag_t explicit_port;
    ngx_flag_t also_set;
    ngx_flag_t embeddings_set;
    ngx_str_t ssl_name;
    ngx_http_llm_provider_ssl_t ssl;

    // Overrides of the preset's quirks.
    ngx_uint_t hosting;
    ngx_str_t api_version;
    const llm::PromptTemplate *prompt_template;
    ngx_flag_t max_completion_tokens;
    ngx_flag_t developer_role;
    ngx_flag_t stream_options;
    ngx_flag_t parallel_tool_calls;
    ngx_flag_t output_config;
    ngx_flag_t mistral_messages;
    ngx_flag_t null_content;
    ngx_flag_t reasoning_content;
    ngx_uint_t schema;
    ngx_array_t members;                // llm::MemberRule
};

struct QuirkRow {
    ngx_flag_t ProviderConf::*flag;
    bool llm::Quirks::*quirk;
};

constexpr QuirkRow quirks[] = {
    {&ProviderConf::max_completion_tokens,
     &llm::Quirks::max_completion_tokens},
    {&ProviderConf::developer_role, &llm::Quirks::developer_role},
    {&ProviderConf::stream_options, &llm::Quirks::stream_options},
    {&ProviderConf::parallel_tool_calls, &llm::Quirks::parallel_tool_calls},
    {&ProviderConf::output_config, &llm::Quirks::output_config},
    {&ProviderConf::mistral_messages, &llm::Quirks::mistral_messages},
    {&ProviderConf::null_content, &llm::Quirks::null_content},
    {&ProviderConf::reasoning_content, &llm::Quirks::reasoning_content},
};

// Headers that the module or HTTP itself decides.
constexpr std::string_view reserved_headers[] = {
    "accept-encoding", "connection", "content-encoding", "content-length",
    "content-type",    "expect",     "host",             "keep-alive",
    "te",              "trailer",    "transfer-encoding", "upgrade",
};

ProviderConf *conf_of(void *conf) noexcept {
    return static_cast<ProviderConf *>(conf);
}

ProviderConf *conf_of(ngx_http_llm_provider_t *provider) noexcept {
    return reinterpret_cast<ProviderConf *>(provider);
}

bool equal_nocase(const ngx_str_t &a, const ngx_str_t &b) noexcept {
    return a.len == b.len && ngx_strncasecmp(a.data, b.data, a.len) == 0;
}

// The parts of a URL, copied to strings that end with a NUL.
ngx_int_t copy(ngx_conf_t *cf, std::string_view text, ngx_str_t *copy) {
    copy->data = static_cast<u_char *>(ngx_pnalloc(cf->pool, text.size() + 1));
    if (copy->data == nullptr) {
        return NGX_ERROR;
    }
    *ngx_cpymem(copy->data, text.data(), text.size()) = '\0';
    copy->len = text.size();
    return NGX_OK;
}

ngx_int_t use_url(ngx_conf_t *cf, ProviderConf *conf,
                  const llm::BaseUrl &url) {
    auto &provider = conf->provider;
    provider.ssl = url.tls;
    provider.port = url.port;
    conf->explicit_port = url.explicit_port;
    if (copy(cf, url.host, &provider.host) != NGX_OK
        || copy(cf, url.authority, &provider.host_header) != NGX_OK
        || copy(cf, url.path, &provider.path) != NGX_OK)
    {
        return NGX_ERROR;
    }
    return NGX_OK;
}

char *set_preset(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    conf_of(conf)->preset = llm::find_preset(to_view(*name));
    if (conf_of(conf)->preset == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown preset \"%V\"",
                           name);
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *set_format(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    conf_of(conf)->provider.format = llm::find_format(to_view(*name));
    if (conf_of(conf)->provider.format == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown format \"%V\"",
                           name);
        return conf_error();
    }
    return NGX_CONF_OK;
}

// "FORMAT" or "FORMAT=PATH". nullptr: done, else what is wrong with the word.
const char *speak_also(ngx_conf_t *cf, ProviderConf *conf,
                       std::string_view word) noexcept {
    auto name = word.substr(0, word.find('='));
    const auto *format = llm::find_format(name);
    if (format == nullptr) {
        return "unknown format";
    }
    auto *also = static_cast<ngx_http_llm_also_t *>(
        ngx_array_push(&conf->provider.also));
    if (also == nullptr) {
        return "no memory for";
    }
    *also = {};
    also->format = format;
    if (name.size() == word.size()) {
        return nullptr;
    }

    // A path, as a URL has it.
    auto path = word.substr(name.size() + 1);
    std::string url = "http://h";
    url += path;
    auto parsed = llm::parse_base_url(url);
    if (!path.starts_with('/') || !parsed) {
        return "invalid path in";
    }
    return copy(cf, parsed->path, &also->path) == NGX_OK ? nullptr
                                                         : "no memory for";
}

char *set_also(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *args = arguments(cf);
    conf_of(conf)->also_set = 1;
    if (cf->args->nelts == 2 && to_view(args[1]) == "off") {
        return NGX_CONF_OK;
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        if (const char *wrong = speak_also(cf, conf_of(conf),
                                           to_view(args[i]))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s \"%V\"", wrong,
                               &args[i]);
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

// The formats of a preset's row.
ngx_int_t speak_words(ngx_conf_t *cf, ProviderConf *conf,
                      std::string_view words) noexcept {
    while (!words.empty()) {
        auto word = words.substr(0, words.find(' '));
        words.remove_prefix(std::min(word.size() + 1, words.size()));
        if (speak_also(cf, conf, word)) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

char *set_embeddings(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    conf_of(conf)->embeddings_set = 1;
    if (to_view(*name) == "off") {
        return NGX_CONF_OK;
    }
    const auto *api = llm::embedding::find_api(to_view(*name));
    conf_of(conf)->provider.embeddings = api;
    if (api == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown API of embeddings \"%V\"", name);
        return conf_error();
    }
    return NGX_CONF_OK;
}

// By the preset's name, since some differ from what their chats speak.
const llm::embedding::Api *embeddings_of(const ProviderConf &conf) noexcept {
    const llm::embedding::Api *api = nullptr;
    const auto &provider = conf.provider;
    if (conf.preset && provider.format == llm::find_format(conf.preset->format))
    {
        api = llm::embedding::find_api(conf.preset->name);
    }
    return api ? api : llm::embedding::find_api(provider.format->name());
}

char *set_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    auto *text = arguments(cf) + 1;
    auto url = llm::parse_base_url(to_view(*text));
    if (!url) {
        const auto &reason = url.error().message;
        // With an "@" in it the text may hold a password.
        if (to_view(*text).find('@') != std::string_view::npos) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %*s", &cmd->name,
                               reason.size(), reason.data());
        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %*s: \"%V\"",
                               &cmd->name, reason.size(), reason.data(), text);
        }
        return conf_error();
    }
    if (use_url(cf, conf_of(conf), *url) != NGX_OK) {
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *compile(ngx_conf_t *cf, ngx_str_t *text,
              ngx_http_complex_value_t *value) noexcept {
    ngx_http_compile_complex_value_t ccv;
    ngx_memzero(&ccv, sizeof(ccv));
    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = value;
    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return conf_error();
    }
    if (value->lengths == nullptr
        && ngx_http_llm_has_control(to_view(value->value)))
    {
        return conf_error("has control characters in its value");
    }
    return NGX_CONF_OK;
}

ngx_http_complex_value_t *new_key(ngx_conf_t *cf, ProviderConf *conf) noexcept {
    auto *key = static_cast<ngx_http_complex_value_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
    conf->provider.api_key = key;
    return key;
}

char *set_api_key(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    if (conf_of(conf)->provider.api_key) {
        return conf_error("is duplicate, the key is set already");
    }
    auto *text = arguments(cf) + 1;
    if (text->len == 0) {
        return conf_error("has an empty value");
    }
    auto *key = new_key(cf, conf_of(conf));
    return key ? compile(cf, text, key) : conf_error();
}

// api_key_env and api_key_file: post is the function that finds the secret.
using SecretReader = ngx_int_t(ngx_conf_t *, ngx_str_t *, ngx_str_t *)
                         noexcept;

template <SecretReader *read>
char *set_secret(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    if (conf_of(conf)->provider.api_key) {
        return conf_error("is duplicate, the key is set already");
    }
    // A constant: "$" in a secret is no variable.
    auto *key = new_key(cf, conf_of(conf));
    if (key == nullptr || read(cf, arguments(cf) + 1, &key->value) != NGX_OK) {
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *set_auth(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto &provider = conf_of(conf)->provider;
    provider.auth = ngx_http_llm_credentials_create(cf, provider.name,
                                                    provider.host);
    return provider.auth ? NGX_CONF_OK : conf_error();
}

// RFC 9110, 5.6.2.
bool is_token(std::string_view text) noexcept {
    return !text.empty()
           && std::all_of(text.begin(), text.end(), [](unsigned char c) {
                  return c > 0x20 && c < 0x7f
                         && std::string_view("\"(),/:;<=>?@[\\]{}").find(
                                static_cast<char>(c))
                                == std::string_view::npos;
              });
}

char *add_header(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *args = arguments(cf);
    auto &headers = conf_of(conf)->provider.headers;

    if (!is_token(to_view(args[1]))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid header name \"%V\"",
                           &args[1]);
        return conf_error();
    }
    for (auto name : reserved_headers) {
        if (equal_nocase(args[1], to_ngx(name))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "header \"%V\" may not be set", &args[1]);
            return conf_error();
        }
    }
    auto *known = static_cast<ngx_http_llm_header_t *>(headers.elts);
    for (ngx_uint_t i = 0; i < headers.nelts; i++) {
        if (equal_nocase(args[1], known[i].name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate header \"%V\"", &args[1]);
            return conf_error();
        }
    }

    auto *header = static_cast<ngx_http_llm_header_t *>(
        ngx_array_push(&headers));
    if (header == nullptr) {
        return conf_error();
    }
    *header = {};
    header->name = args[1];
    return compile(cf, &args[2], &header->value);
}

char *set_ssl_name(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    auto text = to_view(*name);
    if (text.empty() || text.find_first_of("$:/ ") != text.npos
        || ngx_http_llm_has_control(text))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid host name \"%V\"",
                           name);
        return conf_error();
    }
    conf_of(conf)->ssl_name = *name;
    return NGX_CONF_OK;
}

// To be sent in a query as it is.
char *set_api_version(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *version = arguments(cf) + 1;
    auto text = to_view(*version);
    if (!is_token(text) || text.find_first_of("#&%+") != text.npos) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid version \"%V\"",
                           version);
        return conf_error();
    }
    conf_of(conf)->api_version = *version;
    return NGX_CONF_OK;
}

char *set_prompt_template(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    conf_of(conf)->prompt_template =
        llm::find_prompt_template(to_view(*name));
    if (conf_of(conf)->prompt_template == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown prompt template \"%V\"", name);
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *set_key_header(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *name = arguments(cf) + 1;
    if (!is_token(to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid header name \"%V\"",
                           name);
        return conf_error();
    }
    // As formats have it: in lower case.
    ngx_strlow(name->data, name->data, name->len);
    conf_of(conf)->provider.key_header = *name;
    return NGX_CONF_OK;
}

// Members that the gateway itself writes, or that are no request without.
constexpr std::string_view own_members[] = {
    "messages", "model", "stream", "stream_options",
};

char *add_member_rule(ngx_conf_t *cf, ProviderConf *conf,
                      const ngx_str_t &name, std::string_view to) {
    for (std::string_view text : {to_view(name), to}) {
        for (auto own : own_members) {
            if (text == own) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "member \"%*s\" may not be changed",
                                   text.size(), text.data());
                return conf_error();
            }
        }
    }
    auto *rules = static_cast<llm::MemberRule *>(conf->members.elts);
    for (ngx_uint_t i = 0; i < conf->members.nelts; i++) {
        if (rules[i].name == to_view(name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate member \"%V\"", &name);
            return conf_error();
        }
    }
    auto *rule = static_cast<llm::MemberRule *>(ngx_array_push(&conf->members));
    if (rule == nullptr) {
        return conf_error();
    }
    *rule = {to_view(name), to};
    return NGX_CONF_OK;
}

char *drop_members(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *args = arguments(cf);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        if (args[i].len == 0) {
            return conf_error("has an empty name");
        }
        if (add_member_rule(cf, conf_of(conf), args[i], {}) != NGX_CONF_OK) {
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

char *rename_member(ngx_conf_t *cf, ngx_command_t *, void *conf) {
    auto *args = arguments(cf);
    if (args[1].len == 0 || args[2].len == 0) {
        return conf_error("has an empty name");
    }
    return add_member_rule(cf, conf_of(conf), args[1], to_view(args[2]));
}

// The preset's rules, where the block has none for the same member, and the
// block's own.
ngx_int_t complete_members(ngx_conf_t *cf, ProviderConf *conf) {
    auto &known = conf->provider.quirks.members;
    if (conf->members.nelts == 0) {
        return NGX_OK;
    }
    auto *own = static_cast<llm::MemberRule *>(conf->members.elts);
    std::span<llm::MemberRule> rules(own, conf->members.nelts);
    auto *all = static_cast<llm::MemberRule *>(ngx_palloc(
        cf->pool, (known.size() + rules.size()) * sizeof(llm::MemberRule)));
    if (all == nullptr) {
        return NGX_ERROR;
    }
    auto *end = std::copy(rules.begin(), rules.end(), all);
    for (const auto &rule : known) {
        bool ours = std::any_of(rules.begin(), rules.end(),
                                [&](const llm::MemberRule &one) {
                                    return one.name == rule.name;
                                });
        if (!ours) {
            *end++ = rule;
        }
    }
    known = {all, static_cast<size_t>(end - all)};
    return NGX_OK;
}

// A response head of common size must fit.
char *check_buffer_size(ngx_conf_t *, void *, void *data) {
    return *static_cast<size_t *>(data) < 1024
               ? conf_error("must be at least 1k")
               : NGX_CONF_OK;
}

ngx_conf_post_t buffer_size_post = {check_buffer_size};

ngx_conf_bitmask_t ssl_protocols[] = {
    {ngx_string("TLSv1"), NGX_SSL_TLSv1},
    {ngx_string("TLSv1.1"), NGX_SSL_TLSv1_1},
    {ngx_string("TLSv1.2"), NGX_SSL_TLSv1_2},
    {ngx_string("TLSv1.3"), NGX_SSL_TLSv1_3},
    {ngx_null_string, 0},
};

ngx_conf_enum_t hostings[] = {
    {ngx_string("own"), static_cast<ngx_uint_t>(llm::Hosting::own)},
    {ngx_string("azure"),
     static_cast<ngx_uint_t>(llm::Hosting::azure_deployments)},
    {ngx_string("vertex"), static_cast<ngx_uint_t>(llm::Hosting::vertex)},
    {ngx_string("bedrock"), static_cast<ngx_uint_t>(llm::Hosting::bedrock)},
    {ngx_null_string, 0},
};

ngx_conf_enum_t schema_forms[] = {
    {ngx_string("openai"), static_cast<ngx_uint_t>(llm::SchemaForm::openai)},
    {ngx_string("flat"), static_cast<ngx_uint_t>(llm::SchemaForm::flat)},
    {ngx_string("schema"), static_cast<ngx_uint_t>(llm::SchemaForm::schema)},
    {ngx_string("value"), static_cast<ngx_uint_t>(llm::SchemaForm::value)},
    {ngx_string("prompt"), static_cast<ngx_uint_t>(llm::SchemaForm::prompt)},
    {ngx_null_string, 0},
};

#define PROVIDER(member) offsetof(ProviderConf, provider.member)
#define UPSTREAM(member) offsetof(ProviderConf, provider.upstream.member)
#define PRIVATE(member) offsetof(ProviderConf, member)

ngx_command_t commands[] = {
    {ngx_string("preset"), NGX_CONF_TAKE1, set_preset, 0, 0, nullptr},
    {ngx_string("format"), NGX_CONF_TAKE1, set_format, 0, 0, nullptr},
    {ngx_string("also"), NGX_CONF_1MORE, set_also, 0, 0, nullptr},
    {ngx_string("embeddings"), NGX_CONF_TAKE1, set_embeddings, 0, 0, nullptr},
    {ngx_string("hosting"), NGX_CONF_TAKE1, ngx_conf_set_enum_slot, 0,
     PRIVATE(hosting), hostings},
    {ngx_string("api_version"), NGX_CONF_TAKE1, set_api_version, 0, 0,
     nullptr},
    {ngx_string("prompt_template"), NGX_CONF_TAKE1, set_prompt_template, 0, 0,
     nullptr},
    {ngx_string("url"), NGX_CONF_TAKE1, set_url, 0, 0, nullptr},

    {ngx_string("api_key"), NGX_CONF_TAKE1, set_api_key, 0, 0, nullptr},
    {ngx_string("api_key_env"), NGX_CONF_TAKE1,
     set_secret<ngx_http_llm_secret_env>, 0, 0, nullptr},
    {ngx_string("api_key_file"), NGX_CONF_TAKE1,
     set_secret<ngx_http_llm_secret_file>, 0, 0, nullptr},
    {ngx_string("api_key_header"), NGX_CONF_TAKE1, set_key_header, 0, 0,
     nullptr},
    {ngx_string("auth"), NGX_CONF_1MORE, set_auth, 0, 0, nullptr},
    {ngx_string("header"), NGX_CONF_TAKE2 | NGX_HTTP_LLM_REPEATABLE,
     add_header, 0, 0, nullptr},

    {ngx_string("connect_timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
     UPSTREAM(connect_timeout), nullptr},
    {ngx_string("send_timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
     UPSTREAM(send_timeout), nullptr},
    {ngx_string("read_timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
     UPSTREAM(read_timeout), nullptr},
    {ngx_string("buffer_size"), NGX_CONF_TAKE1, ngx_conf_set_size_slot, 0,
     UPSTREAM(buffer_size), &buffer_size_post},
    {ngx_string("keepalive"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     PROVIDER(keepalive), nullptr},
    {ngx_string("keepalive_timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot,
     0, PROVIDER(keepalive_timeout), nullptr},

#if (NGX_HTTP_SSL)
    {ngx_string("ssl_verify"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     UPSTREAM(ssl_verify), nullptr},
    {ngx_string("ssl_server_name"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     UPSTREAM(ssl_server_name), nullptr},
    {ngx_string("ssl_session_reuse"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     UPSTREAM(ssl_session_reuse), nullptr},
    {ngx_string("ssl_name"), NGX_CONF_TAKE1, set_ssl_name, 0, 0, nullptr},
    {ngx_string("ssl_trusted_certificate"), NGX_CONF_TAKE1,
     ngx_conf_set_str_slot, 0, PRIVATE(ssl.trusted_certificate), nullptr},
    {ngx_string("ssl_verify_depth"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     PRIVATE(ssl.verify_depth), nullptr},
    {ngx_string("ssl_protocols"), NGX_CONF_1MORE, ngx_conf_set_bitmask_slot, 0,
     PRIVATE(ssl.protocols), ssl_protocols},
    {ngx_string("ssl_ciphers"), NGX_CONF_TAKE1, ngx_conf_set_str_slot, 0,
     PRIVATE(ssl.ciphers), nullptr},
    {ngx_string("ssl_certificate"), NGX_CONF_TAKE1, ngx_conf_set_str_slot, 0,
     PRIVATE(ssl.certificate), nullptr},
    {ngx_string("ssl_certificate_key"), NGX_CONF_TAKE1, ngx_conf_set_str_slot,
     0, PRIVATE(ssl.certificate_key), nullptr},
#endif

    {ngx_string("max_completion_tokens"), NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, 0, PRIVATE(max_completion_tokens), nullptr},
    {ngx_string("developer_role"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     PRIVATE(developer_role), nullptr},
    {ngx_string("stream_options"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     PRIVATE(stream_options), nullptr},
    {ngx_string("parallel_tool_calls"), NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     0, PRIVATE(parallel_tool_calls), nullptr},
    {ngx_string("output_config"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     PRIVATE(output_config), nullptr},
    {ngx_string("mistral_messages"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     PRIVATE(mistral_messages), nullptr},
    {ngx_string("null_content"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     PRIVATE(null_content), nullptr},
    {ngx_string("reasoning_content"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     PRIVATE(reasoning_content), nullptr},
    {ngx_string("json_schema"), NGX_CONF_TAKE1, ngx_conf_set_enum_slot, 0,
     PRIVATE(schema), schema_forms},
    {ngx_string("drop"), NGX_CONF_1MORE | NGX_HTTP_LLM_REPEATABLE,
     drop_members, 0, 0, nullptr},
    {ngx_string("rename"), NGX_CONF_TAKE2 | NGX_HTTP_LLM_REPEATABLE,
     rename_member, 0, 0, nullptr},

    ngx_null_command,
};

ProviderConf *create(ngx_conf_t *cf, const ngx_str_t &name) {
    auto *memory = ngx_palloc(cf->pool, sizeof(ProviderConf));
    if (memory == nullptr) {
        return nullptr;
    }
    auto *conf = new (memory) ProviderConf{};
    auto &provider = conf->provider;
    auto &upstream = provider.upstream;

    if (ngx_array_init(&provider.headers, cf->pool, 2,
                       sizeof(ngx_http_llm_header_t))
            != NGX_OK
        || ngx_array_init(&conf->members, cf->pool, 4,
                          sizeof(llm::MemberRule))
               != NGX_OK
        || ngx_array_init(&provider.also, cf->pool, 2,
                          sizeof(ngx_http_llm_also_t))
               != NGX_OK)
    {
        return nullptr;
    }

    provider.name = name;
    provider.file = cf->conf_file->file.name.data;
    provider.line = cf->conf_file->line;
    provider.keepalive = NGX_CONF_UNSET_UINT;
    provider.keepalive_timeout = NGX_CONF_UNSET_MSEC;

    upstream.connect_timeout = NGX_CONF_UNSET_MSEC;
    upstream.send_timeout = NGX_CONF_UNSET_MSEC;
    upstream.read_timeout = NGX_CONF_UNSET_MSEC;
    upstream.buffer_size = NGX_CONF_UNSET_SIZE;

    // Zero is right for all else: no buffering, no temporary files, no store,
    // no cache, no header of the answer to hide or to pass, no local address,
    // and a client that goes away takes its call along. How often and where
    // to try again, the pool says by peer.tries: nginx is told that anything
    // may be tried again, a POST included.
    upstream.next_upstream = NGX_HTTP_UPSTREAM_FT_ERROR
                             | NGX_HTTP_UPSTREAM_FT_TIMEOUT
                             | NGX_HTTP_UPSTREAM_FT_INVALID_HEADER
                             | NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT;
    upstream.request_buffering = 1;
    upstream.pass_request_headers = 1;
    upstream.pass_request_body = 1;
    upstream.socket_keepalive = 1;
    ngx_str_set(&upstream.module, "llm");

#if (NGX_HTTP_SSL)
    upstream.ssl_verify = NGX_CONF_UNSET;
    upstream.ssl_server_name = NGX_CONF_UNSET;
    upstream.ssl_session_reuse = NGX_CONF_UNSET;
#endif
    conf->ssl.verify_depth = NGX_CONF_UNSET_UINT;

    conf->hosting = NGX_CONF_UNSET_UINT;
    conf->schema = NGX_CONF_UNSET_UINT;
    for (const auto &row : quirks) {
        conf->*row.flag = NGX_CONF_UNSET;
    }
    return conf;
}

// Fills in what the block did not say, first from the preset.
char *complete(ngx_conf_t *cf, ProviderConf *conf) {
    auto &provider = conf->provider;
    auto &upstream = provider.upstream;

    if (conf->preset == nullptr) {
        conf->preset = llm::find_preset(to_view(provider.name));
    }
    if (const auto *preset = conf->preset) {
        provider.preset = to_ngx(preset->name);
        const auto *format = llm::find_format(preset->format);
        if (provider.format == nullptr) {
            provider.format = format;
        }
        // Quirks are those of one wire API.
        if (provider.format == format) {
            provider.quirks = preset->quirks;
            if (provider.key_header.len == 0) {
                provider.key_header = to_ngx(preset->key_header);
            }
            if (!conf->also_set
                && speak_words(cf, conf, preset->also) != NGX_OK) {
                return conf_error();
            }
        }
        if (provider.host.len == 0 && !preset->url.empty()) {
            auto url = llm::parse_base_url(preset->url);
            if (!url || use_url(cf, conf, *url) != NGX_OK) {
                return conf_error();
            }
        }
    }
    for (const auto &row : quirks) {
        if (conf->*row.flag != NGX_CONF_UNSET) {
            provider.quirks.*row.quirk = conf->*row.flag != 0;
        }
    }

    if (complete_members(cf, conf) != NGX_OK) {
        return conf_error();
    }
    if (conf->schema != NGX_CONF_UNSET_UINT) {
        provider.quirks.schema = static_cast<llm::SchemaForm>(conf->schema);
    }
    if (conf->hosting != NGX_CONF_UNSET_UINT) {
        provider.quirks.hosting = static_cast<llm::Hosting>(conf->hosting);
    }
    if (conf->api_version.len) {
        provider.quirks.api_version = to_view(conf->api_version);
    }

    if (conf->prompt_template) {
        if (provider.format != &llm::completions_format()) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"prompt_template\" of llm_provider \"%V\" "
                               "needs format \"completions\"",
                               &provider.name);
            return conf_error();
        }
        provider.quirks.prompt_template = conf->prompt_template->name;
    }

    for (auto [missing, directive] :
         {std::pair{provider.host.len == 0, "url"},
          std::pair{provider.format == nullptr, "format"}})
    {
        if (missing) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no \"%s\" in llm_provider \"%V\"", directive,
                               &provider.name);
            return conf_error();
        }
    }

    if (!conf->embeddings_set) {
        provider.embeddings = embeddings_of(*conf);
    }
    if (provider.api_key && provider.auth) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"auth\" and an API key in llm_provider \"%V\" "
                           "exclude each other", &provider.name);
        return conf_error();
    }
    if (provider.api_key || provider.auth) {
        ngx_str_t key_header = ngx_string("authorization");
        if (provider.api_key) {
            key_header = provider.key_header.len
                             ? provider.key_header
                             : to_ngx(provider.format->key_header());
        }
        auto *headers = static_cast<ngx_http_llm_header_t *>(
            provider.headers.elts);
        for (ngx_uint_t i = 0; i < provider.headers.nelts; i++) {
            if (equal_nocase(headers[i].name, key_header)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "header \"%V\" and %s in llm_provider "
                                   "\"%V\" exclude each other",
                                   &headers[i].name,
                                   provider.auth ? "\"auth\"" : "an API key",
                                   &provider.name);
                return conf_error();
            }
        }
    }

    ngx_conf_init_msec_value(upstream.connect_timeout, 10000);
    ngx_conf_init_msec_value(upstream.send_timeout, 60000);
    ngx_conf_init_msec_value(upstream.read_timeout, 300000);
    ngx_conf_init_size_value(upstream.buffer_size, 8192);
    ngx_conf_init_uint_value(provider.keepalive, 32);
    ngx_conf_init_msec_value(provider.keepalive_timeout, 60000);

#if (NGX_HTTP_SSL)
    ngx_conf_init_value(upstream.ssl_verify, 1);
    ngx_conf_init_value(upstream.ssl_server_name, 1);
    ngx_conf_init_value(upstream.ssl_session_reuse, 1);
    ngx_conf_init_uint_value(conf->ssl.verify_depth, 4);
    if (conf->ssl.protocols == 0) {
        conf->ssl.protocols = NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3;
    }
    if (conf->ssl.ciphers.len == 0) {
        ngx_str_set(&conf->ssl.ciphers, "DEFAULT");
    }
    if ((conf->ssl.certificate.len == 0)
        != (conf->ssl.certificate_key.len == 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ssl_certificate\" and \"ssl_certificate_key\" "
                           "of llm_provider \"%V\" need each other",
                           &provider.name);
        return conf_error();
    }

    provider.ssl_name.value = conf->ssl_name.len ? conf->ssl_name
                                                 : provider.host;
    upstream.ssl_name = &provider.ssl_name;

    // nginx compares names only, never the addresses in a certificate.
    auto host = provider.ssl_name.value;
    if (provider.ssl && upstream.ssl_verify
        && (ngx_inet_addr(host.data, host.len) != INADDR_NONE
            || ngx_strlchr(host.data, host.data + host.len, ':')))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the certificate of address \"%V\" cannot be "
                           "verified without \"ssl_name\"", &host);
    }
#endif

    return NGX_CONF_OK;
}

// The upstream {} that a host names. nullptr with NGX_OK: none.
ngx_int_t find_group(ngx_conf_t *cf, ProviderConf *conf) noexcept {
    auto &provider = conf->provider;
    auto *umcf = static_cast<ngx_http_upstream_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module));
    auto **groups = static_cast<ngx_http_upstream_srv_conf_t **>(
        umcf->upstreams.elts);

    for (ngx_uint_t i = 0; i < umcf->upstreams.nelts; i++) {
        // Others are made by proxy_pass and the like for a plain host.
        if (groups[i]->srv_conf == nullptr
            || !equal_nocase(groups[i]->host, provider.host))
        {
            continue;
        }
        if (conf->explicit_port) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "upstream \"%V\" may not have port %d in %s:%ui",
                          &provider.host, static_cast<int>(provider.port),
                          provider.file, provider.line);
            return NGX_ERROR;
        }
        provider.group = groups[i];
        return NGX_OK;
    }
    return NGX_OK;
}

// A provider before `last` that trusts the same certificates.
ngx_http_llm_provider_t *same_trust(ngx_http_llm_main_conf_t *mcf,
                                    ngx_uint_t last) noexcept {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);
    const auto &wanted = conf_of(providers[last])->ssl.trusted_certificate;
    for (ngx_uint_t i = 0; i < last; i++) {
        const auto &known = conf_of(providers[i])->ssl.trusted_certificate;
        if (providers[i]->upstream.ssl && providers[i]->upstream.ssl_verify
            && to_view(known) == to_view(wanted))
        {
            return providers[i];
        }
    }
    return nullptr;
}

}  // namespace

char *ngx_http_llm_provider_block(ngx_conf_t *cf, ngx_command_t *,
                                  void *data) {
    auto *mcf = static_cast<ngx_http_llm_main_conf_t *>(data);
    auto *name = arguments(cf) + 1;

    if (ngx_http_llm_check_name(cf, block_name, name) != NGX_OK) {
        return conf_error();
    }
    if (ngx_http_llm_find_provider(mcf, to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate llm_provider \"%V\"", name);
        return conf_error();
    }
    if (ngx_http_llm_find_pool(mcf, to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "llm_provider \"%V\" has the name of an "
                           "llm_upstream", name);
        return conf_error();
    }

    auto *conf = create(cf, *name);
    auto **slot = static_cast<ngx_http_llm_provider_t **>(
        ngx_array_push(&mcf->providers));
    if (conf == nullptr || slot == nullptr) {
        return conf_error();
    }
    *slot = &conf->provider;

    auto *reason = ngx_http_llm_parse_block(cf, block_name, commands, conf);
    return reason == NGX_CONF_OK ? complete(cf, conf) : reason;
}

ngx_http_llm_provider_t *ngx_http_llm_find_provider(
    ngx_http_llm_main_conf_t *mcf, std::string_view name) {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);
    for (ngx_uint_t i = 0; i < mcf->providers.nelts; i++) {
        if (to_view(providers[i]->name) == name) {
            return providers[i];
        }
    }
    return nullptr;
}

ngx_http_llm_also_t ngx_http_llm_provider_speaks(
    const ngx_http_llm_provider_t *provider,
    const llm::Format *client) noexcept {
    auto *also = static_cast<ngx_http_llm_also_t *>(provider->also.elts);
    for (ngx_uint_t i = 0; i < provider->also.nelts; i++) {
        if (also[i].format == client) {
            // Without a path of its own: that of the URL.
            return {client,
                    also[i].path.data ? also[i].path : provider->path};
        }
    }
    return {provider->format, provider->path};
}

const llm::embedding::Api *ngx_http_llm_provider_embeddings(
    const ngx_http_llm_provider_t *provider,
    const llm::embedding::Api *client) noexcept {
    auto *also = static_cast<ngx_http_llm_also_t *>(provider->also.elts);
    for (ngx_uint_t i = 0; client && i < provider->also.nelts; i++) {
        if (also[i].format->name() == client->name()) {
            return client;
        }
    }
    return provider->embeddings;
}

const ngx_http_llm_provider_ssl_t *ngx_http_llm_provider_ssl_conf(
    const ngx_http_llm_provider_t *provider) noexcept {
    return &reinterpret_cast<const ProviderConf *>(provider)->ssl;
}

char *ngx_http_llm_providers_init(ngx_conf_t *cf,
                                  ngx_http_llm_main_conf_t *mcf) {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);

    for (ngx_uint_t i = 0; i < mcf->providers.nelts; i++) {
        auto *provider = providers[i];
        auto *conf = conf_of(provider);

        if (find_group(cf, conf) != NGX_OK) {
            return conf_error();
        }
        if (provider->group == nullptr) {
            provider->endpoint = ngx_http_llm_endpoint(
                cf, mcf, provider->host, provider->port);
            if (provider->endpoint == nullptr) {
                return conf_error();
            }
        }
        if (provider->auth
            && ngx_http_llm_credentials_init(cf, mcf, provider->auth)
                   != NGX_OK)
        {
            return conf_error();
        }

        if (provider->ssl
            && ngx_http_llm_provider_ssl(cf, provider, &conf->ssl,
                                         same_trust(mcf, i))
                   != NGX_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "invalid TLS settings of llm_provider \"%V\" in "
                          "%s:%ui", &provider->name, provider->file,
                          provider->line);
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

ngx_int_t ngx_http_llm_providers_start(ngx_http_llm_main_conf_t *mcf)
    noexcept {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);
    for (ngx_uint_t i = 0; i < mcf->providers.nelts; i++) {
        // Before there are requests: libcurl's own start takes some time.
        if (providers[i]->auth && !providers[i]->auth->servers.empty()) {
            return ngx_http_llm_side_start();
        }
    }
    return NGX_OK;
}

void ngx_http_llm_providers_stop(ngx_http_llm_main_conf_t *mcf) noexcept {
    auto **providers = static_cast<ngx_http_llm_provider_t **>(
        mcf->providers.elts);
    for (ngx_uint_t i = 0; i < mcf->providers.nelts; i++) {
        if (providers[i]->auth) {
            ngx_http_llm_credentials_stop(providers[i]->auth);
        }
    }
}
