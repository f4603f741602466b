#include "embedding_conf.hpp"

#include <algorithm>
#include <utility>

ngx_http_llm_embed_t::ngx_http_llm_embed_t(
    ngx_http_request_t *r, ngx_http_llm_embedding_t *embedding,
    std::string_view text) noexcept {
    auto *conf = ngx_http_llm_embedding_conf(embedding);
    auto *memory = static_cast<float *>(
        ngx_palloc(r->pool, embedding->dimensions * sizeof(float)));
    if (memory == nullptr) {
        return;
    }
    std::span<float> out(memory, embedding->dimensions);

    if (conf->table) {
        if (ngx_http_llm_static_embed(*conf->table, text, out)) {
            vector_ = out;
        }
        return;
    }

    waiter_.handler = finished;
    waiter_.data = this;
    auto rc = ngx_http_llm_remote_embed(r, conf, text, out, &waiter_);
    if (rc != NGX_DECLINED) {
        vector_ = out;
    }
}

ngx_http_llm_embed_t::~ngx_http_llm_embed_t() {
    ngx_http_llm_remote_leave(&waiter_);
}

// May end the request, and this object with it.
void ngx_http_llm_embed_t::finished(void *data,
                                    std::span<const float> vector) noexcept {
    auto *self = static_cast<ngx_http_llm_embed_t *>(data);
    if (vector.empty()) {
        self->vector_ = {};
    } else {
        std::copy(vector.begin(), vector.end(), self->vector_.begin());
    }
    if (auto waiting = std::exchange(self->waiting_, {})) {
        waiting.resume();
    }
}
