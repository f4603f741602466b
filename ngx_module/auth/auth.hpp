// Consumers: who may call, with which key, and which models.
#pragma once

#include "context.hpp"

#include <span>

extern ngx_command_t ngx_http_llm_auth_commands[];

ngx_int_t ngx_http_llm_auth_add_variables(ngx_conf_t *cf) noexcept;

// When all of http {} is read.
char *ngx_http_llm_auth_init(ngx_conf_t *cf,
                             ngx_http_llm_main_conf_t *mcf) noexcept;
// In a worker: begins to look after the files.
ngx_int_t ngx_http_llm_auth_start(ngx_cycle_t *cycle,
                                  ngx_http_llm_main_conf_t *mcf) noexcept;

// In the access phase.
ngx_int_t ngx_http_llm_access_handler(ngx_http_request_t *r) noexcept;
// The last one there.
ngx_int_t ngx_http_llm_access_end_handler(ngx_http_request_t *r) noexcept;

// Whose key llm_auth let in; NULL: nobody's.
const llm::Consumer *ngx_http_llm_auth_consumer(ngx_http_request_t *r)
    noexcept;

// The access phase has let the request in, be it for something else than its
// key: what llm_auth had against it says nothing of its answer.
void ngx_http_llm_auth_passed(ngx_http_request_t *r,
                              const ngx_http_llm_loc_conf_t *llcf) noexcept;

// Adds WWW-Authenticate where llm_auth's refusal is what is answered, and
// gives the error its words. From the header filter. NGX_OK or NGX_ERROR.
ngx_int_t ngx_http_llm_auth_refused(ngx_http_request_t *r,
                                    ngx_http_llm_ctx_t *ctx);

// Which models a request may use, by llm_allow_models, llm_deny_models and
// the consumer's key.
class ngx_http_llm_model_rules_t {
public:
    // Evaluates the directives. Throws std::bad_alloc.
    ngx_http_llm_model_rules_t(ngx_http_request_t *r,
                               const ngx_http_llm_loc_conf_t *llcf);

    bool any() const noexcept;
    // By all the names that one model goes by here: one that is allowed is
    // enough, one that is denied is, too. Empty names say nothing.
    bool allow(std::span<const std::string_view> names) const;

private:
    std::pmr::vector<std::string_view> allowed_;
    std::pmr::vector<std::string_view> denied_;
    bool restricted_;           // llm_allow_models, maybe of nothing at all
    const llm::Consumer *consumer_;
};

// The client's model, and the member that it is bound to. The error names
// the model.
llm::Result<void> ngx_http_llm_check_model(ngx_http_request_t *r,
                                           ngx_http_llm_ctx_t *ctx,
                                           const ngx_http_llm_loc_conf_t *llcf);

// For calls whose model is in no place that is known here: refused to those
// who may not use all.
llm::Result<void> ngx_http_llm_check_unknown_call(
    ngx_http_request_t *r, const ngx_http_llm_loc_conf_t *llcf);
