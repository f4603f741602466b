// llm_test_embed NAME TEXT;
//
// A content handler for tests of llm_embedding: embeds TEXT (a value with
// variables) and answers "DIMENSIONS: FIRST SECOND THIRD", or "none", then the
// worker's process id.
#include "embedding/embedding.hpp"
#include "task.hpp"

#include <new>

extern "C" ngx_module_t ngx_http_llm_test_embed_module;

namespace {

struct LocConf {
    ngx_str_t name;
    ngx_http_complex_value_t text;
    ngx_http_llm_embedding_t *embedding;
    u_char *file;
    ngx_uint_t line;
};

struct MainConf {
    ngx_array_t users;          // LocConf *
};

struct Context {
    ngx_http_request_t *request;
    task::Task flow;
    u_char answer[256];
    size_t size = 0;
};

task::Task embed(ngx_http_request_t *r, Context *ctx, LocConf *conf) {
    ngx_str_t text;
    if (ngx_http_complex_value(r, &conf->text, &text) != NGX_OK) {
        co_return NGX_ERROR;
    }
    ngx_http_llm_embed_t call(r, conf->embedding, to_view(text));
    std::span<const float> vector = co_await call;

    auto *p = ctx->answer;
    if (vector.empty()) {
        p = ngx_cpymem(p, "none", 4);
    } else {
        p = ngx_sprintf(p, "%uz:", vector.size());
        for (size_t i = 0; i < 3 && i < vector.size(); i++) {
            p = ngx_sprintf(p, " %s%.3f", vector[i] < 0 ? "-" : "",
                            static_cast<double>(vector[i] < 0 ? -vector[i]
                                                              : vector[i]));
        }
    }
    p = ngx_sprintf(p, " by %P\n", ngx_pid);
    ctx->size = static_cast<size_t>(p - ctx->answer);
    co_return NGX_OK;
}

void answer(Context *ctx) noexcept {
    auto *r = ctx->request;
    ngx_str_t type = ngx_string("text/plain");
    ngx_http_complex_value_t body = {};
    body.value = {ctx->size, ctx->answer};
    ngx_http_finalize_request(
        r, ctx->flow.result() == NGX_OK
               ? ngx_http_send_response(r, NGX_HTTP_OK, &type, &body)
               : NGX_HTTP_INTERNAL_SERVER_ERROR);
}

void finished(void *data) noexcept {
    auto *ctx = static_cast<Context *>(data);
    auto *c = ctx->request->connection;
    answer(ctx);
    ngx_http_run_posted_requests(c);
}

void leave(void *data) noexcept {
    static_cast<Context *>(data)->~Context();
}

ngx_int_t handler(ngx_http_request_t *r) noexcept {
    auto *conf = static_cast<LocConf *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_test_embed_module));
    auto rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    auto *memory = ngx_palloc(r->pool, sizeof(Context));
    auto *cleanup = ngx_http_cleanup_add(r, 0);
    if (memory == nullptr || cleanup == nullptr) {
        return NGX_ERROR;
    }
    auto *ctx = new (memory) Context{};
    ctx->request = r;
    cleanup->handler = leave;
    cleanup->data = ctx;

    r->main->count++;
    ctx->flow = embed(r, ctx, conf);
    if (ctx->flow.start(finished, ctx)) {
        answer(ctx);
        return NGX_DONE;
    }
    r->read_event_handler = ngx_http_test_reading;
    return NGX_DONE;
}

char *set_embed(ngx_conf_t *cf, ngx_command_t *, void *data) noexcept {
    auto *conf = static_cast<LocConf *>(data);
    auto *args = static_cast<ngx_str_t *>(cf->args->elts);

    conf->name = args[1];
    conf->file = cf->conf_file->file.name.data;
    conf->line = cf->conf_file->line;
    ngx_http_compile_complex_value_t ccv = {};
    ccv.cf = cf;
    ccv.value = &args[2];
    ccv.complex_value = &conf->text;
    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }

    auto *main = static_cast<MainConf *>(ngx_http_conf_get_module_main_conf(
        cf, ngx_http_llm_test_embed_module));
    auto **slot = static_cast<LocConf **>(ngx_array_push(&main->users));
    if (slot == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    *slot = conf;

    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    clcf->handler = handler;
    return NGX_CONF_OK;
}

void *create_main_conf(ngx_conf_t *cf) noexcept {
    auto *main = static_cast<MainConf *>(
        ngx_pcalloc(cf->pool, sizeof(MainConf)));
    if (main == nullptr
        || ngx_array_init(&main->users, cf->pool, 4, sizeof(LocConf *))
               != NGX_OK) {
        return nullptr;
    }
    return main;
}

void *create_loc_conf(ngx_conf_t *cf) noexcept {
    return ngx_pcalloc(cf->pool, sizeof(LocConf));
}

ngx_int_t postconfiguration(ngx_conf_t *cf) noexcept {
    auto *main = static_cast<MainConf *>(ngx_http_conf_get_module_main_conf(
        cf, ngx_http_llm_test_embed_module));
    auto *mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_module));
    auto **users = static_cast<LocConf **>(main->users.elts);

    for (ngx_uint_t i = 0; i < main->users.nelts; i++) {
        users[i]->embedding = ngx_http_llm_find_embedding(
            cf, mcf, to_view(users[i]->name));
        if (users[i]->embedding == nullptr) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no llm_embedding is named \"%V\" in %s:%ui",
                          &users[i]->name, users[i]->file, users[i]->line);
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

ngx_command_t commands[] = {
    {ngx_string("llm_test_embed"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE2,
     set_embed, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    ngx_null_command,
};

ngx_http_module_t module_ctx = {
    nullptr,            // preconfiguration
    postconfiguration,
    create_main_conf,
    nullptr,            // init main configuration
    nullptr,            // create server configuration
    nullptr,            // merge server configuration
    create_loc_conf,
    nullptr,            // merge location configuration
};

}  // namespace

extern "C" {

ngx_module_t ngx_http_llm_test_embed_module = {
    NGX_MODULE_V1,
    &module_ctx,
    commands,
    NGX_HTTP_MODULE,
    nullptr,            // init master
    nullptr,            // init module
    nullptr,            // init process
    nullptr,            // init thread
    nullptr,            // exit thread
    nullptr,            // exit process
    nullptr,            // exit master
    NGX_MODULE_V1_PADDING,
};

}
