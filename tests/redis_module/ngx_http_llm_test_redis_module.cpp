// llm_test_redis NAME [parameters] WORD...;  answers with what a command came
// to, one line for each:
//
//     (string) hello      (status) OK      (integer) 1      (nil)
//     (error) WRONGTYPE Operation ...      (array) [1 'a']
//     (failure) timed out
//
// Parameters, before the words, which may hold variables:
//
//     key=K       decides which node of a cluster is asked; default: none
//     times=N     sends N of them at once; the answer has N lines
//     block=TIME  of a command that waits at the server
//     forget      nobody waits for the reply, the answer is "(sent)"
//     stall=TIME  then the worker stands still, as a busy one does, so that
//                 what the server says at once is there before it looks
#include "context.hpp"

#include <deque>
#include <string>
#include <vector>

#include "redis/redis.hpp"
#include "task.hpp"

extern "C" ngx_module_t ngx_http_llm_test_redis_module;

namespace {

using llm::redis::Reply;

struct LocConf {
    ngx_str_t name;
    ngx_http_llm_redis_t *redis;        // bound at the first request
    ngx_http_complex_value_t *key;
    ngx_array_t words;                  // ngx_http_complex_value_t
    ngx_int_t times;
    ngx_msec_t block;
    ngx_msec_t stall;
    unsigned forget:1;
};

struct Ctx {
    ngx_http_request_t *request;
    task::Task task;
};

std::string show(const Reply &reply) {
    switch (reply.type) {
    case Reply::Type::nil:
        return "nil";
    case Reply::Type::integer:
        return std::to_string(reply.integer);
    case Reply::Type::array: {
        std::string text = "[";
        for (const auto &element : reply.elements) {
            text += (text.size() > 1 ? " " : "") + show(element);
        }
        return text + "]";
    }
    default:
        return "'" + reply.text + "'";
    }
}

std::string line(const ngx_http_llm_redis_result_t &result) {
    if (result.reply == nullptr) {
        return std::string("(failure) ") + result.failure + "\n";
    }
    const auto &reply = *result.reply;
    switch (reply.type) {
    case Reply::Type::nil:
        return "(nil)\n";
    case Reply::Type::integer:
        return "(integer) " + show(reply) + "\n";
    case Reply::Type::array:
        return "(array) " + show(reply) + "\n";
    case Reply::Type::status:
        return "(status) " + reply.text + "\n";
    case Reply::Type::error:
        return "(error) " + reply.text + "\n";
    default:
        // Of a large one, how large it is.
        return reply.text.size() > 1000
                   ? "(string of " + std::to_string(reply.text.size())
                         + " bytes)\n"
                   : "(string) " + reply.text + "\n";
    }
}

// What ngx_http_llm_redis_call_t does not do.
class Blocking {
public:
    Blocking(ngx_http_llm_redis_t *redis, std::span<std::string_view> words,
             ngx_msec_t block) noexcept {
        call_ = ngx_http_llm_redis_send(redis, {words, {}, block}, finished,
                                        this);
    }
    ~Blocking() {
        if (call_) {
            ngx_http_llm_redis_cancel(call_);
        }
    }
    Blocking(const Blocking &) = delete;

    bool await_ready() const noexcept { return call_ == nullptr; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept {
        waiting_ = waiting;
    }
    std::string await_resume() noexcept { return std::move(line_); }

private:
    static void finished(void *data, const ngx_http_llm_redis_result_t &result)
        noexcept {
        auto *self = static_cast<Blocking *>(data);
        self->call_ = nullptr;
        self->line_ = line(result);
        self->waiting_.resume();
    }

    void *call_;
    std::string line_;
    std::coroutine_handle<> waiting_;
};

ngx_int_t answer(ngx_http_request_t *r, const std::string &text) {
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = static_cast<off_t>(text.size());
    auto rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    auto *buf = ngx_create_temp_buf(r->pool, text.size());
    if (buf == nullptr) {
        return NGX_ERROR;
    }
    buf->last = ngx_cpymem(buf->last, text.data(), text.size());
    buf->last_buf = 1;
    ngx_chain_t out = {buf, nullptr};
    return ngx_http_output_filter(r, &out);
}

std::string_view value(ngx_http_request_t *r, ngx_http_complex_value_t *cv) {
    ngx_str_t text;
    return ngx_http_complex_value(r, cv, &text) == NGX_OK
               ? to_view(text) : std::string_view();
}

task::Task run(ngx_http_request_t *r, LocConf *conf) {
    std::vector<std::string_view> words;
    auto *values = static_cast<ngx_http_complex_value_t *>(conf->words.elts);
    for (ngx_uint_t i = 0; i < conf->words.nelts; ++i) {
        words.push_back(value(r, &values[i]));
    }
    auto key = conf->key ? value(r, conf->key) : std::string_view();

    if (conf->forget) {
        ngx_http_llm_redis_send(conf->redis, {words, key}, nullptr, nullptr);
        co_return answer(r, "(sent)\n");
    }
    if (conf->block) {
        auto text = co_await Blocking(conf->redis, words, conf->block);
        co_return answer(r, text);
    }

    std::deque<ngx_http_llm_redis_call_t> calls;
    for (ngx_int_t i = 0; i < conf->times; ++i) {
        calls.emplace_back(r, conf->redis, words, key);
    }
    if (conf->stall) {
        ngx_msleep(conf->stall);
    }
    std::string text;
    for (auto &call : calls) {
        text += line(co_await call);
    }
    co_return answer(r, text);
}

void finished(void *data) noexcept {
    auto *ctx = static_cast<Ctx *>(data);
    auto *r = ctx->request;
    auto *c = r->connection;
    ngx_http_finalize_request(r, ctx->task.result());
    ngx_http_run_posted_requests(c);
}

void cancel(void *data) noexcept {
    static_cast<Ctx *>(data)->task = task::Task();
}

void wait_writing(ngx_http_request_t *) noexcept {}

ngx_int_t handler(ngx_http_request_t *r) noexcept {
    auto *conf = static_cast<LocConf *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_test_redis_module));
    if (conf->redis == nullptr) {
        auto *mcf = static_cast<ngx_http_llm_main_conf_t *>(
            ngx_http_get_module_main_conf(r, ngx_http_llm_module));
        conf->redis = ngx_http_llm_find_redis(mcf, to_view(conf->name));
        if (conf->redis == nullptr) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    auto rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    auto *memory = ngx_palloc(r->pool, sizeof(Ctx));
    auto *cleanup = ngx_http_cleanup_add(r, 0);
    if (memory == nullptr || cleanup == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    auto *ctx = new (memory) Ctx{r, run(r, conf)};
    cleanup->handler = cancel;
    cleanup->data = ctx;

    if (ctx->task.start(finished, ctx)) {
        return ctx->task.result();
    }
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = wait_writing;
    r->main->count++;
    return NGX_DONE;
}

ngx_http_complex_value_t *compile(ngx_conf_t *cf, ngx_str_t *text,
                                  ngx_http_complex_value_t *value) {
    ngx_http_compile_complex_value_t ccv = {};
    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = value;
    return value && ngx_http_compile_complex_value(&ccv) == NGX_OK ? value
                                                                   : nullptr;
}

char *llm_test_redis(ngx_conf_t *cf, ngx_command_t *, void *data) noexcept {
    auto *conf = static_cast<LocConf *>(data);
    auto *args = static_cast<ngx_str_t *>(cf->args->elts);
    conf->name = args[1];
    conf->times = 1;

    ngx_uint_t i = 2;
    for (; i < cf->args->nelts; ++i) {
        auto text = to_view(args[i]);
        auto rest = [text](size_t skip) { return to_ngx(text.substr(skip)); };
        if (text.starts_with("key=")) {
            auto name = rest(4);
            conf->key = compile(cf, &name, static_cast<ngx_http_complex_value_t *>(
                ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t))));
            if (conf->key == nullptr) {
                return static_cast<char *>(NGX_CONF_ERROR);
            }
        } else if (text.starts_with("times=")) {
            auto number = rest(6);
            conf->times = ngx_atoi(number.data, number.len);
        } else if (text.starts_with("block=")) {
            auto time = rest(6);
            conf->block = static_cast<ngx_msec_t>(ngx_parse_time(&time, 0));
        } else if (text.starts_with("stall=")) {
            auto time = rest(6);
            conf->stall = static_cast<ngx_msec_t>(ngx_parse_time(&time, 0));
        } else if (text == "forget") {
            conf->forget = 1;
        } else {
            break;
        }
    }

    if (ngx_array_init(&conf->words, cf->pool, 4,
                       sizeof(ngx_http_complex_value_t))
        != NGX_OK)
    {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    for (; i < cf->args->nelts; ++i) {
        if (!compile(cf, &args[i], static_cast<ngx_http_complex_value_t *>(
                ngx_array_push(&conf->words))))
        {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }

    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    clcf->handler = handler;
    return NGX_CONF_OK;
}

void *create_loc_conf(ngx_conf_t *cf) noexcept {
    return ngx_pcalloc(cf->pool, sizeof(LocConf));
}

ngx_command_t commands[] = {
    {ngx_string("llm_test_redis"), NGX_HTTP_LOC_CONF | NGX_CONF_2MORE,
     llm_test_redis, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    ngx_null_command,
};

ngx_http_module_t module_ctx = {
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, create_loc_conf,
    nullptr,
};

}  // namespace

extern "C" {

ngx_module_t ngx_http_llm_test_redis_module = {
    NGX_MODULE_V1,
    &module_ctx,
    commands,
    NGX_HTTP_MODULE,
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
    NGX_MODULE_V1_PADDING,
};

}
