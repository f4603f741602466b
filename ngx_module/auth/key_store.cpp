#include "auth/key_store.hpp"

#include <array>
#include <new>
#include <vector>

#include "setter.hpp"

namespace {

using Store = ngx_http_llm_key_store_t;
using Options = ngx_http_llm_key_store_options_t;
using Answer = ngx_http_llm_key_answer_t;

constexpr size_t least_memory = 128 * 1024;

// A longer record is not remembered, so each request asks for it.
constexpr size_t max_record = 16 * 1024;

llm::cache::ZoneScratch scratch;

class Locked {
public:
    explicit Locked(Store *store) noexcept : store_(store) {
        ngx_shmtx_lock(&store->shpool->mutex);
    }
    ~Locked() { ngx_shmtx_unlock(&store_->shpool->mutex); }
    Locked(const Locked &) = delete;
    Locked &operator=(const Locked &) = delete;

    llm::cache::Zone *operator->() noexcept { return &store_->zone; }

private:
    Store *store_;
};

bool parse_time(std::string_view text, ngx_msec_t &time) noexcept {
    ngx_str_t word = to_ngx(text);
    ngx_int_t value = ngx_parse_time(&word, 0);
    if (value == NGX_ERROR || value > NGX_MAX_INT32_VALUE) {
        return false;
    }
    time = static_cast<ngx_msec_t>(value);
    return true;
}

llm::cache::ZoneOptions zone_options() noexcept {
    llm::cache::ZoneOptions options;
    options.max_value = max_record;
    return options;
}

ngx_int_t init_zone(ngx_shm_zone_t *shm_zone, void *old_data) noexcept {
    auto store = static_cast<Store *>(shm_zone->data);
    store->shpool = reinterpret_cast<ngx_slab_pool_t *>(shm_zone->shm.addr);

    struct Block {
        size_t size;
        std::byte *memory;
    };
    if (old_data == nullptr && !shm_zone->shm.exists) {
        auto block = static_cast<Block *>(
            ngx_slab_calloc(store->shpool, sizeof(Block)));
        if (block == nullptr) {
            return NGX_ERROR;
        }
        block->size = store->shpool->pfree * ngx_pagesize;
        block->memory = static_cast<std::byte *>(
            ngx_slab_alloc(store->shpool, block->size));
        if (block->memory == nullptr) {
            return NGX_ERROR;
        }
        store->shpool->data = block;
    }
    auto block = static_cast<Block *>(store->shpool->data);
    std::span<std::byte> memory(block->memory, block->size);

    using llm::cache::Zone;
    using llm::cache::ZoneStatus;
    Locked locked(store);
    auto status = Zone::attach(memory, zone_options(), &store->zone);
    if (status != ZoneStatus::ok) {
        status = Zone::format(memory, zone_options());
        if (status == ZoneStatus::ok) {
            status = Zone::attach(memory, zone_options(), &store->zone);
        }
    }
    if (status == ZoneStatus::ok) {
        return NGX_OK;
    }
    auto words = llm::cache::describe(status);
    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "llm_auth with \"memory\" of %uz bytes: %*s in %s:%ui",
                  store->options.memory, words.size(), words.data(),
                  store->file, store->line);
    return NGX_ERROR;
}

std::shared_ptr<const llm::Consumer> consumer_of(
    const llm::KeyDigest &digest, std::span<const std::string_view> fields,
    std::string &wrong) {
    auto read = llm::consumer_of_fields(digest, fields);
    if (!read) {
        wrong = std::move(read.error().message);
        return nullptr;
    }
    return std::make_shared<const llm::Consumer>(std::move(*read));
}

void remember(Store *store, const llm::KeyDigest &digest,
              std::string_view packed, bool known) noexcept {
    llm::cache::NewEntry entry;
    entry.key = digest;
    entry.value = packed;
    entry.ttl = static_cast<std::int64_t>(known ? store->options.ttl
                                                : store->options.negative_ttl);
    entry.stale_for =
        known ? static_cast<std::int64_t>(store->options.stale) : 0;

    Locked locked(store);
    if (entry.ttl + entry.stale_for <= 0) {
        (void) locked->remove(digest);
        return;
    }
    // Stale from the beginning is what the zone has no word for.
    entry.ttl = ngx_max(entry.ttl, 1);
    (void) locked->put(entry, static_cast<std::int64_t>(ngx_current_msec),
                       scratch);
}

void log_failure(Store *store, ngx_log_t *log, std::string_view why) noexcept {
    if (store->logged == ngx_time()) {
        return;
    }
    store->logged = ngx_time();
    ngx_str_t name = to_ngx(store->options.redis);
    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "llm_auth: llm_redis \"%V\" was asked for a key: %*s", &name,
                  why.size(), why.data());
}

}  // namespace

bool ngx_http_llm_key_store_options_t::set(std::string_view word) noexcept {
    size_t sign = word.find('=');
    if (sign == word.npos || sign + 1 == word.size()) {
        return false;
    }
    std::string_view name = word.substr(0, sign);
    std::string_view value = word.substr(sign + 1);
    any = true;

    const struct {
        std::string_view name;
        ngx_msec_t *time;
    } times[] = {
        {"ttl", &ttl},
        {"negative_ttl", &negative_ttl},
        {"stale", &stale},
    };
    for (const auto &row : times) {
        if (name == row.name) {
            return parse_time(value, *row.time);
        }
    }
    if (name == "redis" && redis.empty()) {
        redis = value;
        return true;
    }
    if (name == "prefix") {
        prefix = value;
        return true;
    }
    if (name == "memory") {
        ngx_str_t size = to_ngx(value);
        ssize_t bytes = ngx_parse_size(&size);
        memory = static_cast<size_t>(bytes);
        return bytes != NGX_ERROR && memory >= least_memory;
    }
    return false;
}

ngx_http_llm_key_store_t *ngx_http_llm_key_store(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
    const ngx_http_llm_key_store_options_t &options) noexcept {
    auto stores = static_cast<Store **>(mcf->key_stores.elts);
    for (ngx_uint_t i = 0; i < mcf->key_stores.nelts; ++i) {
        if (stores[i]->options == options) {
            return stores[i];
        }
        if (stores[i]->options.redis == options.redis
            && stores[i]->options.prefix == options.prefix) {
            ngx_str_t redis = to_ngx(options.redis);
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the keys of llm_redis \"%V\" are used with "
                               "other parameters in %s:%ui",
                               &redis, stores[i]->file, stores[i]->line);
            return nullptr;
        }
    }

    auto slot = static_cast<Store **>(ngx_array_push(&mcf->key_stores));
    auto memory = ngx_pcalloc(cf->pool, sizeof(Store));
    ngx_str_t shm_name;
    shm_name.len = sizeof("llm_auth  ") - 1 + options.redis.size()
                   + options.prefix.size();
    shm_name.data = static_cast<u_char *>(ngx_pnalloc(cf->pool, shm_name.len));
    if (slot == nullptr || memory == nullptr || shm_name.data == nullptr) {
        return nullptr;
    }
    auto store = new (memory) Store();
    *slot = store;
    store->options = options;
    store->file = cf->conf_file->file.name.data;
    store->line = cf->conf_file->line;

    ngx_str_t redis = to_ngx(options.redis);
    ngx_str_t prefix = to_ngx(options.prefix);
    ngx_sprintf(shm_name.data, "llm_auth %V %V", &redis, &prefix);
    store->shm_zone = ngx_shared_memory_add(cf, &shm_name, options.memory,
                                            &ngx_http_llm_module);
    if (store->shm_zone == nullptr) {
        return nullptr;
    }
    store->shm_zone->init = init_zone;
    store->shm_zone->data = store;
    return store;
}

char *ngx_http_llm_key_stores_init(ngx_conf_t *cf,
                                   ngx_http_llm_main_conf_t *mcf) noexcept {
    auto stores = static_cast<Store **>(mcf->key_stores.elts);
    for (ngx_uint_t i = 0; i < mcf->key_stores.nelts; ++i) {
        Store *store = stores[i];
        store->redis = ngx_http_llm_find_redis(mcf, store->options.redis);
        if (store->redis == nullptr) {
            ngx_str_t name = to_ngx(store->options.redis);
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no llm_redis is named \"%V\" in %s:%ui", &name,
                          store->file, store->line);
            return conf_error();
        }
    }
    return NGX_CONF_OK;
}

ngx_http_llm_key_answer_t ngx_http_llm_key_recall(
    ngx_http_llm_key_store_t *store, const llm::KeyDigest &digest) {
    std::array<char, max_record> buffer;
    llm::cache::Found found;
    {
        Locked locked(store);
        found = locked->get(digest,
                            static_cast<std::int64_t>(ngx_current_msec),
                            buffer);
    }
    Answer answer;
    if (found.match == llm::cache::Match::miss || !found.copied) {
        return answer;
    }
    if (found.size != 0) {
        std::string wrong;
        auto fields = llm::unpack_fields({buffer.data(), found.size});
        answer.consumer = consumer_of(digest, fields, wrong);
        if (!answer.consumer) {
            return answer;
        }
    }
    answer.state = found.match == llm::cache::Match::fresh ? Answer::fresh
                                                           : Answer::stale;
    return answer;
}

ngx_http_llm_key_answer_t ngx_http_llm_key_learn(
    ngx_http_llm_key_store_t *store, const llm::KeyDigest &digest,
    const ngx_http_llm_redis_result_t &result, ngx_log_t *log) {
    using llm::redis::Reply;
    Answer answer;
    if (result.reply == nullptr) {
        log_failure(store, log, result.failure);
        return answer;
    }
    if (result.reply->type != Reply::Type::array
        && result.reply->type != Reply::Type::map) {
        log_failure(store, log,
                    result.reply->is_error()
                        ? std::string_view(result.reply->text)
                        : std::string_view("the reply is no list"));
        return answer;
    }

    std::vector<std::string_view> fields;
    for (const auto &element : result.reply->elements) {
        fields.push_back(element.text);
    }
    answer.state = Answer::fresh;
    if (!fields.empty()) {
        std::string wrong;
        answer.consumer = consumer_of(digest, fields, wrong);
        if (!answer.consumer) {
            // The key may not come in by what is only half understood.
            log_failure(store, log, "its hash " + wrong);
        }
    }
    remember(store, digest,
             answer.consumer ? llm::pack_fields(fields) : std::string(),
             answer.consumer != nullptr);
    return answer;
}
