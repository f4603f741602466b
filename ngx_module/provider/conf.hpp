// What the files of llm_provider share until the configuration is complete.
#pragma once

#include "ngx_http_llm.hpp"

#include "llm/prompt_template.hpp"
#include "llm/provider.hpp"
#include "provider_ssl.hpp"

namespace provider {

// What is only needed until then.
struct Conf {
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

inline Conf *conf_of(void *conf) noexcept {
    return static_cast<Conf *>(conf);
}

inline Conf *conf_of(ngx_http_llm_provider_t *provider) noexcept {
    return reinterpret_cast<Conf *>(provider);
}

inline bool equal_nocase(const ngx_str_t &a, const ngx_str_t &b) noexcept {
    return a.len == b.len && ngx_strncasecmp(a.data, b.data, a.len) == 0;
}

// RFC 9110, 5.6.2.
bool is_token(std::string_view text) noexcept;

// directives.cpp: the rows of the block, for ngx_http_llm_parse_block(). Its
// setters may throw: who reads the block logs it.
extern ngx_command_t directives[];

// complete.cpp. What the block is read into, with nothing set. nullptr: no
// memory.
Conf *create(ngx_conf_t *cf, const ngx_str_t &name);
// Fills in what the block did not say, first from the preset, and checks
// whether all of it goes together. Errors are logged.
char *complete(ngx_conf_t *cf, Conf *conf);

// apis.cpp: which APIs it speaks, and where.

char *set_preset(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *set_format(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *set_also(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *set_embeddings(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *set_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
// Parts of complete(). The preset comes before all else.
ngx_int_t use_preset(ngx_conf_t *cf, Conf *conf);
ngx_int_t complete_apis(ngx_conf_t *cf, Conf *conf);

// headers.cpp: the key, and the operator's own headers.

char *set_api_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *set_api_key_env(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *set_api_key_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *set_key_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *set_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *add_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
// A part of complete(): nothing is sent twice.
ngx_int_t check_headers(ngx_conf_t *cf, const Conf *conf);

// quirks.cpp: in what it differs from others that speak its API.

void unset_quirks(Conf *conf) noexcept;
char *set_api_version(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *set_prompt_template(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *drop_members(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *rename_member(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
// A part of complete(), when the format is known.
ngx_int_t complete_quirks(ngx_conf_t *cf, Conf *conf);

}  // namespace provider
