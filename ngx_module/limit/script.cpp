#include "limit/script.hpp"

#include <deque>
#include <new>
#include <vector>

#include <openssl/rand.h>

namespace {

using Script = ngx_http_llm_limit_script_t;

constexpr const char *no_memory = "no memory";

// How often it is tried again with what has failed, with how many at once,
// for how long each, and how many may wait.
constexpr ngx_msec_t retry_interval = 200;
constexpr size_t retry_burst = 256;
constexpr ngx_msec_int_t retry_time = 600'000;
constexpr size_t retry_most = 16384;

// What has failed, of the worker.
class Waiting {
public:
    static Waiting &of_worker() {
        static Waiting waiting;
        return waiting;
    }

    void add(Script::Pointer script) {
        if (scripts_.size() >= retry_most) {
            return;
        }
        scripts_.push_back(std::move(script));
        if (!timer_.timer_set) {
            ngx_add_timer(&timer_, retry_interval);
        }
    }

private:
    Waiting() {
        // nginx's debug log looks for a descriptor in an event's data.
        dummy_.fd = static_cast<ngx_socket_t>(-1);
        timer_.handler = on_timer;
        timer_.data = &dummy_;
        timer_.log = ngx_cycle->log;
        timer_.cancelable = 1;
    }

    // What fails once more comes back, behind the others.
    static void on_timer(ngx_event_t *) noexcept {
        auto &self = of_worker();
        for (size_t i = 0; i < retry_burst && !self.scripts_.empty(); ++i) {
            auto script = std::move(self.scripts_.front());
            self.scripts_.pop_front();
            try {
                (void) Script::send(script);
            } catch (const std::bad_alloc &) {
                ngx_http_llm_limit_redis_log(ngx_cycle->log, no_memory);
            }
        }
        if (!self.scripts_.empty()) {
            ngx_add_timer(&self.timer_, retry_interval);
        }
    }

    std::deque<Script::Pointer> scripts_;
    ngx_connection_t dummy_ = {};
    ngx_event_t timer_ = {};
};

}  // namespace

bool ngx_http_llm_limit_script_t::send(Pointer &script) {
    auto how = script->by_text_ ? llm::limit::Call::by_text
                                : llm::limit::Call::by_digest;
    auto command = script->command(how);
    std::vector<std::string_view> words(command.begin(), command.end());
    if (ngx_http_llm_redis_send(script->redis_, {words, script->key()},
                                finished, script.get())
        == nullptr) {
        return false;
    }
    (void) script.release();
    return true;
}

void ngx_http_llm_limit_script_t::send_again(Pointer script) noexcept try {
    if (!script->failed_) {
        script->failed_ = true;
        script->first_failure_ = ngx_current_msec;
    }
    auto age = static_cast<ngx_msec_int_t>(ngx_current_msec
                                           - script->first_failure_);
    if (age < retry_time) {
        Waiting::of_worker().add(std::move(script));
    }

} catch (const std::bad_alloc &) {
    ngx_http_llm_limit_redis_log(ngx_cycle->log, no_memory);
}

void ngx_http_llm_limit_script_t::finished(
    void *data, const ngx_http_llm_redis_result_t &result) noexcept {
    Pointer self(static_cast<ngx_http_llm_limit_script_t *>(data));
    auto *script = self.get();
    const auto *reply = result.reply;
    const char *failure = result.failure;

    if (reply && !script->by_text_ && llm::limit::is_noscript(*reply)) {
        script->by_text_ = true;
        try {
            if (send(self)) {
                return;
            }
        } catch (const std::bad_alloc &) {
            // As if it could not be sent.
        }
        script->ended(std::move(self), nullptr, no_memory, false);
        return;
    }
    if (reply && reply->is_error()) {
        reply = nullptr;
        failure = "the server refuses the script";
    }
    script->ended(std::move(self), reply, failure, result.sent);
}

std::string ngx_http_llm_limit_call_id() {
    // Of the worker, and then a number.
    static std::uint64_t worker = [] {
        std::uint64_t bits = 0;
        if (RAND_bytes(reinterpret_cast<unsigned char *>(&bits),
                       sizeof(bits)) != 1) {
            bits = static_cast<std::uint64_t>(ngx_random()) << 32
                   | static_cast<std::uint64_t>(ngx_pid);
        }
        return bits;
    }();
    static std::uint64_t number = 0;
    u_char text[2 * NGX_INT64_LEN];
    u_char *end = ngx_sprintf(text, "%xL.%xL", worker, ++number);
    return {reinterpret_cast<char *>(text), static_cast<size_t>(end - text)};
}

void ngx_http_llm_limit_redis_log(ngx_log_t *log, const char *failure)
    noexcept {
    static time_t last = 0;
    if (ngx_time() != last) {
        last = ngx_time();
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "llm: limits cannot be kept in Redis: %s", failure);
    }
}
