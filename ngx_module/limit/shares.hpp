// What one worker has to do for the shares of a zone.
#pragma once

#include "limit/share.hpp"

#include <unordered_map>
#include <vector>

class ngx_http_llm_limit_shares_t {
public:
    // A key that the worker has used not long ago.
    struct Active {
        std::string redis_key;
        llm::limit::Limit limit;
        std::vector<llm::limit::RemoteSettlement> waiting;
    };

    // Those of this worker.
    static ngx_http_llm_limit_shares_t &of(ngx_http_llm_limit_zone_t *zone);

    explicit ngx_http_llm_limit_shares_t(
        ngx_http_llm_limit_zone_t *zone) noexcept;
    ~ngx_http_llm_limit_shares_t();
    ngx_http_llm_limit_shares_t(const ngx_http_llm_limit_shares_t &) = delete;
    ngx_http_llm_limit_shares_t &operator=(
        const ngx_http_llm_limit_shares_t &) = delete;

    Active &use(const llm::limit::Key &key, const std::string &redis_key,
                const llm::limit::Limit &limit);

    // To be settled with the next turn ...
    void wait(Active &active, const llm::limit::Reservation &reservation,
              std::int64_t actual);
    // ... or now.
    void flush(Active &active) noexcept;

private:
    struct Hash {
        size_t operator()(const llm::limit::Key &key) const noexcept;
    };

    static void on_timer(ngx_event_t *ev) noexcept;
    bool turn(const llm::limit::Key &key, Active &active);
    void refill(const llm::limit::Key &key, const Active &active,
                std::int64_t amount);

    ngx_http_llm_limit_zone_t *zone_;
    std::unordered_map<llm::limit::Key, Active, Hash> keys_;
    ngx_connection_t dummy_ = {};
    ngx_event_t timer_ = {};
};
