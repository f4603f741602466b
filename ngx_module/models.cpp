#include "models.hpp"

#include <new>

#include "answer.hpp"
#include "precontent.hpp"
#include "request_body.hpp"
#include "route.hpp"

namespace {

ngx_http_llm_loc_conf_t *location(ngx_http_request_t *r) {
    return static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));
}

// Says what the model is; the status to answer with, where it is none.
ngx_int_t show(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) {
    auto llcf = location(r);
    // Once only: error_page may have led here.
    if (ctx->body.empty()
        && ngx_http_llm_collect_body(r, ctx->body) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    llm::json::ParseLimits limits;
    limits.depth = static_cast<std::size_t>(llcf->max_depth);
    llm::json::Document document(&ctx->memory);
    if (auto parsed = document.parse(ctx->body, limits); !parsed) {
        return ngx_http_llm_refuse(ctx, std::move(parsed.error()));
    }

    const llm::Format &format = *ctx->route.format;
    std::string_view model = format.parse_show(document.root());
    if (model.empty()) {
        return ngx_http_llm_refuse(
            ctx, llm::invalid_request("model is missing", "model"));
    }
    if (auto known = ngx_http_llm_find_model(r, llcf, model); !known) {
        return ngx_http_llm_refuse(ctx, std::move(known.error()));
    }
    std::string body;
    format.write_show(model, ngx_time(), body);
    return ngx_http_llm_send(r, ctx, NGX_HTTP_OK, "application/json",
                             std::move(body));
}

void on_show_body(ngx_http_request_t *r) noexcept {
    ngx_int_t rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    try {
        rc = show(r, ngx_http_llm_find_ctx(r));
    } catch (const std::bad_alloc &) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "llm: no memory to describe a model");
    }
    ngx_http_finalize_request(r, rc);
}

ngx_int_t start_show(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) {
    if (r->method != NGX_HTTP_POST) {
        (void) ngx_http_llm_refuse(
            ctx, llm::invalid_request("this route takes POST requests"));
        return NGX_HTTP_NOT_ALLOWED;
    }
    ngx_int_t rc = ngx_http_read_client_request_body(r, on_show_body);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

}  // namespace

ngx_int_t ngx_http_llm_models_handler(ngx_http_request_t *r,
                                      ngx_http_llm_ctx_t *ctx) {
    if (ctx->route.operation == llm::Operation::show) {
        return start_show(r, ctx);
    }
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
    } else if (ctx->route.operation == llm::Operation::model) {
        std::string_view model = ctx->route.model;
        if (!ngx_http_llm_lists_model(r, location(r), model)) {
            return ngx_http_llm_refuse(ctx, llm::model_not_found(model));
        }
        ctx->route.format->write_model(model, {}, ngx_time(), body);
    } else {
        std::pmr::vector<std::string_view> names(&ctx->memory);
        ngx_http_llm_reachable_models(r, location(r), names);
        ctx->route.format->write_models(names, ngx_time(), body);
    }
    return ngx_http_llm_send(r, ctx, NGX_HTTP_OK, "application/json",
                             std::move(body));
}
