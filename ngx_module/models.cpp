#include "models.hpp"

#include "answer.hpp"
#include "precontent.hpp"
#include "route.hpp"

ngx_int_t ngx_http_llm_models_handler(ngx_http_request_t *r,
                                      ngx_http_llm_ctx_t *ctx) {
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        (void) ngx_http_llm_refuse(
            ctx, llm::invalid_request("this route takes GET requests"));
        return NGX_HTTP_NOT_ALLOWED;
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    std::string body;
    if (ctx->route.operation == llm::Operation::version) {
        ctx->route.format->write_version(body);
    } else {
        auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
            ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
        std::pmr::vector<std::string_view> names(&ctx->memory);
        ngx_http_llm_reachable_models(r, llcf, names);
        ctx->route.format->write_models(names, ngx_time(), body);
    }
    return ngx_http_llm_send(r, ctx, NGX_HTTP_OK, "application/json",
                             std::move(body));
}
