#include "account/totals.hpp"

#include "account/cost.hpp"
#include "cache/request.hpp"

namespace {

using Totals = ngx_http_llm_totals_t;
using llm::totals::Row;
using llm::totals::Table;

constexpr size_t zone_size = sizeof(Table) + 16 * 4096;

ngx_http_llm_main_conf_t *main_conf(ngx_conf_t *cf) noexcept {
    return static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_module));
}

// `old_data`: not NULL on reload, when the memory is used again as it is.
ngx_int_t init_zone(ngx_shm_zone_t *shm_zone, void *old_data) noexcept {
    auto totals = static_cast<Totals *>(shm_zone->data);
    totals->shpool = reinterpret_cast<ngx_slab_pool_t *>(shm_zone->shm.addr);

    if (old_data == nullptr && !shm_zone->shm.exists) {
        totals->shpool->data = ngx_slab_calloc(totals->shpool, sizeof(Table));
        if (totals->shpool->data == nullptr) {
            return NGX_ERROR;
        }
    }
    totals->table = static_cast<Table *>(totals->shpool->data);
    return NGX_OK;
}

// The table with its lock held.
class Locked {
public:
    explicit Locked(Totals *totals) noexcept : totals_(totals) {
        ngx_shmtx_lock(&totals_->shpool->mutex);
    }
    ~Locked() { ngx_shmtx_unlock(&totals_->shpool->mutex); }
    Locked(const Locked &) = delete;
    Locked &operator=(const Locked &) = delete;

    Table *operator->() const noexcept { return totals_->table; }

private:
    Totals *totals_;
};

// What one request adds.
struct Call {
    std::string_view provider;
    std::string_view model;
    llm::chat::Usage usage;
    std::int64_t cost = 0;
    bool failed = false;
    bool known = false;         // the name is one of a model
    bool unpriced = false;
};

bool read_call(ngx_http_llm_ctx_t &ctx, Call &call) noexcept {
    // Nobody was asked, or this gateway refused.
    if (!ctx.exchange || llm::is_about_models(ctx.route.operation)
        || ngx_http_llm_cache_is_hit(ctx)
        || (ctx.answered == nullptr && (!ctx.relay || ctx.tries == 0))
        || (ctx.tries != 0 && ctx.tries == ctx.unsaid)) {
        return false;
    }
    const auto &account = ctx.exchange->account();
    if (ctx.answered) {
        call.provider = to_view(ctx.answered->provider->name);
    }
    call.model = to_view(ctx.answered_model);
    // A client that went away is no failure of the model's.
    call.failed = !ctx.request->connection->error
                  && (ctx.error || ctx.exchange->broken()
                      || (ctx.relay && !ctx.relayed));
    bool has_usage = account.usage.known || account.usage.estimated;
    call.known = call.model.empty() ? false : (ctx.answered && ctx.answered->model.len)
                 || (has_usage && !call.failed);
    if (has_usage) {
        call.usage = account.usage;
        if (auto cost = ngx_http_llm_cost(ctx)) {
            call.cost = *cost;
            call.unpriced = ngx_http_llm_price_of(ctx) == nullptr;
        }
    }
    return true;
}

}  // namespace

ngx_int_t ngx_http_llm_totals_need(ngx_conf_t *cf) noexcept {
    auto mcf = main_conf(cf);
    if (mcf->totals) {
        return NGX_OK;
    }
    auto totals =
        static_cast<Totals *>(ngx_pcalloc(cf->pool, sizeof(Totals)));
    if (totals == nullptr) {
        return NGX_ERROR;
    }
    ngx_str_t name = ngx_string("llm_totals");
    totals->shm_zone = ngx_shared_memory_add(cf, &name, zone_size,
                                             &ngx_http_llm_module);
    if (totals->shm_zone == nullptr) {
        return NGX_ERROR;
    }
    totals->shm_zone->init = init_zone;
    totals->shm_zone->data = totals;
    totals->generation = static_cast<std::uint64_t>(ngx_random()) | 1;
    mcf->totals = totals;
    return NGX_OK;
}

std::vector<Row> ngx_http_llm_totals_rows(Totals *totals) {
    std::vector<Row> rows;
    if (totals == nullptr) {
        return rows;
    }
    // Nothing is allocated while others wait for the lock.
    rows.reserve(Table::capacity);
    Locked table(totals);
    rows.assign(table->rows().begin(), table->rows().end());
    return rows;
}

ngx_int_t ngx_http_llm_totals_handler(ngx_http_request_t *r) noexcept {
    auto mcf = static_cast<ngx_http_llm_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_llm_module));
    auto ctx = ngx_http_llm_find_ctx(r);
    Call call;
    // A subrequest is no call of its own (log_subrequest).
    if (r != r->main || mcf->totals == nullptr || ctx == nullptr
        || !read_call(*ctx, call)) {
        return NGX_OK;
    }

    bool tell = false;
    {
        Locked table(mcf->totals);
        Row &row = table->at(call.provider, call.model, call.known);
        row.counts.add(call.usage);
        row.counts.errors += call.failed;
        row.counts.nanodollars += static_cast<std::uint64_t>(call.cost);
        if (call.unpriced) {
            row.counts.unpriced += 1;
            // Once for each configuration: the next may know its price.
            tell = row.mark != mcf->totals->generation;
            row.mark = mcf->totals->generation;
        }
    }
    if (tell) {
        ngx_str_t provider = to_ngx(call.provider);
        ngx_str_t model = to_ngx(call.model);
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "llm: no price of the model \"%V\" of provider \"%V\" "
                      "is known (llm_prices): it costs nothing",
                      &model, &provider);
    }
    return NGX_OK;
}
