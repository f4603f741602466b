// llm_embedding NAME { ... }: the vector of a text, from a table in the worker
// or from a provider.
#pragma once

#include "ngx_http_llm.hpp"

#include <array>
#include <coroutine>
#include <cstdint>
#include <span>
#include <string_view>

struct ngx_http_llm_embedding_t {
    ngx_str_t name;
    // Of every vector. Known when the configuration is read.
    size_t dimensions;
    // Vectors can be compared where this is the same: a digest of the table,
    // or of the provider's URL, the model and the dimensions. For keys in
    // Redis; all zero until the configuration is complete.
    std::array<std::uint8_t, 32> identity;
    // In the worker: embed() is there at once.
    bool local;

    void *impl;     // embedding_conf.hpp
};

// Configuration, once all of http {} is read (after
// ngx_http_llm_embeddings_init()). "static" is always there: the built-in
// table, unless a block has this name. NULL: there is none of that name, or
// (logged) no memory.
ngx_http_llm_embedding_t *ngx_http_llm_find_embedding(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
    std::string_view name) noexcept;

// Somebody who waits for a call of which there may be several who do. Lives in
// the one who waits.
struct ngx_http_llm_embed_waiter_t {
    // Called once, without a vector where there is none; it lives as long as
    // this call.
    void (*handler)(void *data, std::span<const float> vector) noexcept;
    void *data;
    void *call;     // remote.cpp; NULL: does not wait
    ngx_queue_t queue;
};

// In a coroutine of a request:
//
//     ngx_http_llm_embed_t embed(r, embedding, text);
//     std::span<const float> vector = co_await embed;
//
// A vector of unit length, of embedding->dimensions; it lives as long as the
// awaitable. Empty: there is none (nothing to embed, an error, a timeout),
// which has been logged where somebody should know. `text` must live until
// then. Destroyed while it waits, it stops waiting; the call itself goes on
// where others wait for the same text.
class ngx_http_llm_embed_t {
public:
    ngx_http_llm_embed_t(ngx_http_request_t *r,
                         ngx_http_llm_embedding_t *embedding,
                         std::string_view text) noexcept;
    ~ngx_http_llm_embed_t();
    ngx_http_llm_embed_t(const ngx_http_llm_embed_t &) = delete;
    ngx_http_llm_embed_t &operator=(const ngx_http_llm_embed_t &) = delete;

    bool await_ready() const noexcept { return waiter_.call == nullptr; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept {
        waiting_ = waiting;
    }
    std::span<const float> await_resume() const noexcept { return vector_; }

private:
    static void finished(void *data,
                         std::span<const float> vector) noexcept;

    std::span<float> vector_;
    ngx_http_llm_embed_waiter_t waiter_ = {};
    std::coroutine_handle<> waiting_;
};
