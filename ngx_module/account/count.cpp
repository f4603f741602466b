#include "account/count.hpp"

#include <new>
#include <optional>
#include <string>

#include "account/tables.hpp"
#include "answer.hpp"
#include "client_header.hpp"
#include "precontent.hpp"
#include "request_body.hpp"

namespace {

using llm::tokens::PromptCounter;
using llm::tokens::PromptTokens;
using llm::tokens::Vocabulary;

std::optional<Vocabulary> open(std::span<const std::byte> table) {
    auto vocabulary = Vocabulary::open(table);
    if (!vocabulary) {
        // Its family is estimated.
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "llm: a built-in vocabulary is broken: %s",
                      vocabulary.error().message.c_str());
        return std::nullopt;
    }
    return *vocabulary;
}

PromptCounter &counter() {
    static PromptCounter own(open(ngx_http_llm_o200k_table()),
                             open(ngx_http_llm_cl100k_table()));
    return own;
}

// Clients call models by an alias, "as=", too.
std::string_view real_model(ngx_http_request_t *r, std::string_view name) {
    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_llm_module));
    for (const auto *pool : pools_of(mcf)) {
        for (const auto &member : members_of(pool)) {
            if (member.model.len && member.alias.len
                && to_view(member.alias) == name) {
                return to_view(member.model);
            }
        }
    }
    return name;
}

// The model in the path of Google's endpoint; empty: it is none.
std::string_view google_model(std::string_view path) {
    constexpr std::string_view before = "/models/";
    constexpr std::string_view after = ":countTokens";
    if (!path.ends_with(after)) {
        return {};
    }
    path.remove_suffix(after.size());
    auto start = path.rfind(before);
    return start == path.npos ? std::string_view()
                              : path.substr(start + before.size());
}

// The call that a body stands for. A request to Anthropic's endpoint has no
// "max_tokens", which a call must have; one to Google's may hold the call as a
// member. What is no JSON says so later.
std::string_view complete(const llm::Format &format, std::string_view body,
                          const llm::json::ParseLimits &limits,
                          llm::json::Document &document, std::string &room) {
    bool google = &format == &llm::gemini_format();
    if ((!google && &format != &llm::anthropic_format())
        || !document.parse(body, limits) || !document.root().is_object()) {
        return body;
    }
    if (google) {
        auto call = document.root()["generateContentRequest"];
        return call.is_object() ? call.raw() : body;
    }
    if (document.root()["max_tokens"]) {
        return body;
    }
    llm::json::Edit edit =
        llm::json::set_member(body, document.root(), "max_tokens", "1");
    llm::json::apply_edits(body, {&edit, 1}, room);
    return room;
}

// Sends the count; the status to answer with, where there is none.
ngx_int_t answer(ngx_http_request_t *r, ngx_http_llm_ctx_t *ctx) {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_llm_module));

    if (ngx_http_llm_collect_body(r, ctx->body) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    const llm::Format &format = *ctx->route.format;
    llm::ExchangeLimits limits;
    limits.max_depth = static_cast<std::size_t>(llcf->max_depth);
    llm::json::ParseLimits parse_limits;
    parse_limits.depth = limits.max_depth;

    llm::json::Document document(&ctx->memory);
    std::string room;
    llm::Exchange call(
        format, complete(format, ctx->body, parse_limits, document, room),
        limits, &ctx->memory);
    llm::RouteMatch route;
    route.model = google_model(to_view(r->uri));
    if (auto opened = call.open(route); !opened) {
        return ngx_http_llm_refuse(ctx, std::move(opened.error()));
    }

    std::string_view model = real_model(r, call.head().model);
    PromptTokens count;
    if (auto request = call.request()) {
        count = ngx_http_llm_count_prompt(**request, model);
    } else {
        // Newer than this gateway.
        count.tokens = llm::estimate_prompt_tokens(call.body());
    }

    std::string body;
    llm::json::Writer json(body);
    json.begin_object();
    if (&format == &llm::gemini_format()) {
        json.member("totalTokens", count.tokens);
    } else {
        json.member("input_tokens", count.tokens);
    }
    if (&format == &llm::openai_format()) {
        json.member("model", model);
        json.member("exact", count.exact);
    }
    json.end_object();
    return ngx_http_llm_send(r, ctx, NGX_HTTP_OK, "application/json",
                             std::move(body));
}

void on_body(ngx_http_request_t *r) noexcept {
    ngx_int_t rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    try {
        rc = answer(r, ngx_http_llm_find_ctx(r));
    } catch (const std::bad_alloc &) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "llm: no memory to count tokens");
    }
    ngx_http_finalize_request(r, rc);
}

}  // namespace

PromptTokens ngx_http_llm_count_prompt(const llm::chat::Request &request,
                                       std::string_view model,
                                       std::size_t work) {
    return counter().count(request, model, work);
}

std::int64_t ngx_http_llm_prompt_tokens(const llm::chat::Request &request,
                                        std::string_view model) {
    return counter().count(request, model).tokens;
}

const llm::Format &ngx_http_llm_count_format(ngx_http_request_t *r) noexcept {
    if (!google_model(to_view(r->uri)).empty()) {
        return llm::gemini_format();
    }
    bool anthropic =
        to_view(r->uri).ends_with("/messages/count_tokens")
        || !ngx_http_llm_client_header(r, "anthropic-version").empty();
    return anthropic ? llm::anthropic_format() : llm::openai_format();
}

ngx_int_t ngx_http_llm_count_handler(ngx_http_request_t *r) noexcept {
    auto ctx = ngx_http_llm_get_ctx(r);
    if (ctx == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx->route = {};
    ctx->route.format = &ngx_http_llm_count_format(r);

    if (r->method != NGX_HTTP_POST) {
        (void) ngx_http_llm_refuse(
            ctx, llm::invalid_request("this route takes POST requests"));
        return NGX_HTTP_NOT_ALLOWED;
    }
    ngx_int_t rc = ngx_http_read_client_request_body(r, on_body);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}
