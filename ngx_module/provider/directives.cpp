#include "provider/conf.hpp"

#include <cstddef>

#include "block.hpp"
#include "setter.hpp"

namespace provider {

namespace {

// A response head of common size must fit.
char *check_buffer_size(ngx_conf_t *, void *, void *data) {
    return *static_cast<size_t *>(data) < 1024
               ? conf_error("must be at least 1k")
               : NGX_CONF_OK;
}

ngx_conf_post_t buffer_size_post = {check_buffer_size};

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

}  // namespace

// Memory for each is taken at the start.
ngx_conf_num_bounds_t keepalive_bounds = {ngx_conf_check_num_bounds, 0, 65535};

#define PROVIDER(member) offsetof(Conf, provider.member)
#define UPSTREAM(member) offsetof(Conf, provider.upstream.member)
#define PRIVATE(member) offsetof(Conf, member)

ngx_command_t directives[] = {
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
     set_api_key_env, 0, 0, nullptr},
    {ngx_string("api_key_file"), NGX_CONF_TAKE1,
     set_api_key_file, 0, 0, nullptr},
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
     PROVIDER(keepalive), &keepalive_bounds},
    {ngx_string("keepalive_timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot,
     0, PROVIDER(keepalive_timeout), nullptr},

#if (NGX_HTTP_SSL)
    {ngx_string("ssl_verify"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     UPSTREAM(ssl_verify), nullptr},
    {ngx_string("ssl_server_name"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     UPSTREAM(ssl_server_name), nullptr},
    {ngx_string("ssl_session_reuse"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     UPSTREAM(ssl_session_reuse), nullptr},
    {ngx_string("ssl_name"), NGX_CONF_TAKE1, ngx_http_llm_ssl_set_name, 0,
     PRIVATE(ssl_name), nullptr},
    {ngx_string("ssl_trusted_certificate"), NGX_CONF_TAKE1,
     ngx_conf_set_str_slot, 0, PRIVATE(ssl.trusted_certificate), nullptr},
    {ngx_string("ssl_verify_depth"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     PRIVATE(ssl.verify_depth), nullptr},
    {ngx_string("ssl_protocols"), NGX_CONF_1MORE, ngx_conf_set_bitmask_slot, 0,
     PRIVATE(ssl.protocols), ngx_http_llm_ssl_protocols},
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

}  // namespace provider
