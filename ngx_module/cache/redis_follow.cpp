#include "cache/redis_worker.hpp"

#include <new>

#include "embedding/embedding.hpp"

namespace cache_redis {

namespace remote = llm::cache::remote;
using remote::Record;
using remote::RecordType;
using remote::Verdict;

namespace {

constexpr ngx_msec_t tick_interval = 1000;
constexpr ngx_msec_t look_interval = 5000;
// How long XREAD waits for news.
constexpr ngx_msec_t block = 5000;
// Records of one step. Each may take some hundred microseconds in a large
// memory, and other events have their turn between two steps.
constexpr size_t step = 32;

// An entry that is here as itself is not replaced by a stand-in of about the
// same age: ms.
constexpr std::int64_t same_age = 2000;

}  // namespace

Follower::Follower(Worker &worker) noexcept : worker_(worker) {
    dummy_.fd = static_cast<ngx_socket_t>(-1);
    timer_.handler = on_tick;
    timer_.data = &dummy_;
    dummy_.data = this;
    timer_.log = ngx_cycle->log;
    timer_.cancelable = 1;
}

Follower::~Follower() {
    // Its commands went with the connections.
    if (timer_.timer_set) {
        ngx_del_timer(&timer_);
    }
}

void Follower::start() noexcept { ngx_add_timer(&timer_, 1); }

void Follower::on_tick(ngx_event_t *ev) noexcept {
    auto dummy = static_cast<ngx_connection_t *>(ev->data);
    auto follower = static_cast<Follower *>(dummy->data);
    if (ngx_exiting || ngx_terminate || ngx_quit) {
        follower->stop();
        follower->worker_.shared().resign();
        return;
    }
    try {
        follower->tick();
    } catch (const std::bad_alloc &) {
        follower->worker_.log("following the stream", "no memory");
    }
    ngx_add_timer(ev, tick_interval);
}

void Follower::tick() {
    if (!worker_.shared().lead()) {
        stop();
        return;
    }
    if (!busy()) {
        look();
    }
}

void Follower::stop() noexcept {
    for (void **call :
         {&epoch_call_, &first_call_, &last_call_, &read_call_})
    {
        if (*call) {
            ngx_http_llm_redis_cancel(*call);
            *call = nullptr;
        }
    }
    connected_ = false;
}

bool Follower::busy() const noexcept {
    return epoch_call_ || first_call_ || last_call_ || read_call_;
}

void Follower::failed(const llm::Error &error) noexcept {
    complaining_ = true;
    worker_.log("following the stream", error.message);
}

// False: there was no reply, which has been dealt with.
bool Follower::answered(const ngx_http_llm_redis_result_t &result) noexcept {
    if (result.reply) {
        complaining_ = false;
        return true;
    }
    connected_ = false;
    // Once: it is tried again and again, and the server's own lines say how
    // that goes.
    if (!ngx_exiting && !complaining_) {
        complaining_ = true;
        worker_.log("following the stream", result);
    }
    return false;
}

void Follower::look() {
    look_ = {};
    look_failed_ = false;
    const Names &names = worker_.names();
    u_char fresh[2 * 8 + 1];
    ngx_snprintf(fresh, sizeof(fresh), "%08xD%08xD",
                 static_cast<uint32_t>(ngx_random()),
                 static_cast<uint32_t>(ngx_time())
                     ^ static_cast<uint32_t>(ngx_pid) << 16);
    std::string_view epoch(reinterpret_cast<char *>(fresh),
                           sizeof(fresh) - 1);

    epoch_call_ =
        worker_.send(remote::look_at_epoch(names, epoch), on_epoch, this);
    first_call_ = worker_.send(remote::look_at_first(names), on_first, this);
    last_call_ = worker_.send(remote::look_at_last(names), on_last, this);
    look_failed_ = !epoch_call_ || !first_call_ || !last_call_;
}

void Follower::on_epoch(void *data,
                        const ngx_http_llm_redis_result_t &result) noexcept {
    auto self = static_cast<Follower *>(data);
    self->epoch_call_ = nullptr;
    try {
        if (!self->answered(result)) {
            self->look_failed_ = true;
        } else if (auto read =
                       remote::read_epoch(*result.reply, &self->look_);
                   !read)
        {
            self->look_failed_ = true;
            self->failed(read.error());
            if (read.error().code == remote::code_wrong_type) {
                self->worker_.post(
                    remote::remove_key(self->worker_.names().epoch()),
                    "removing a key");
            }
        }
        self->looked();
    } catch (const std::bad_alloc &) {
        self->look_failed_ = true;
    }
}

void Follower::on_first(void *data,
                        const ngx_http_llm_redis_result_t &result) noexcept {
    auto self = static_cast<Follower *>(data);
    self->first_call_ = nullptr;
    try {
        if (!self->answered(result)) {
            self->look_failed_ = true;
        } else if (auto read = remote::read_position(*result.reply)) {
            self->look_.first = *read;
        } else {
            self->look_failed_ = true;
            self->failed(read.error());
            if (read.error().code == remote::code_wrong_type) {
                self->worker_.post(
                    remote::remove_key(self->worker_.names().stream()),
                    "removing a key");
            }
        }
        self->looked();
    } catch (const std::bad_alloc &) {
        self->look_failed_ = true;
    }
}

void Follower::on_last(void *data,
                       const ngx_http_llm_redis_result_t &result) noexcept {
    auto self = static_cast<Follower *>(data);
    self->last_call_ = nullptr;
    try {
        if (!self->answered(result)) {
            self->look_failed_ = true;
        } else if (auto read = remote::read_position(*result.reply)) {
            self->look_.last = *read;
        } else {
            // on_first() has told it.
            self->look_failed_ = true;
        }
        self->looked();
    } catch (const std::bad_alloc &) {
        self->look_failed_ = true;
    }
}

// All three have come, or are on their way. After a failure the next tick
// begins anew.
void Follower::looked() {
    if (busy() || look_failed_) {
        return;
    }
    ngx_http_llm_cache_zone_t &zone = worker_.zone();
    Shared &shared = worker_.shared();
    if (!shared.lead()) {
        return;
    }
    shared.set_redis_now(look_.now);
    look_at_ = ngx_current_msec + look_interval;

    auto verdict = remote::judge(shared.followed(), look_, connected_);
    connected_ = true;

    std::uint64_t resets;
    {
        ngx_http_llm_cache_locked_t locked(&zone);
        resets = locked->stats().resets;
        if (verdict == Verdict::start_empty) {
            locked->purge_all();
        }
    }
    bool was_reset = shared.was_reset(resets);
    if (verdict == Verdict::start_empty) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "llm_cache_zone \"%V\": was emptied, as Redis was, or "
                      "purges were missed",
                      &zone.name);
    }
    if (verdict != Verdict::go_on || was_reset) {
        caught_up_ = false;
        shared.restart(look_.epoch,
                       was_reset || verdict == Verdict::start_empty);
    }
    read();
}

void Follower::read() {
    ngx_msec_t wait = caught_up_ ? block : 0;
    read_call_ = worker_.send(
        remote::read_stream(worker_.names(),
                            worker_.shared().followed().position, step,
                            static_cast<std::int64_t>(wait)),
        on_read, this, wait);
}

void Follower::on_read(void *data,
                       const ngx_http_llm_redis_result_t &result) noexcept {
    auto self = static_cast<Follower *>(data);
    self->read_call_ = nullptr;
    try {
        if (self->answered(result)) {
            self->take(result);
        }
    } catch (const std::bad_alloc &) {
        self->worker_.log("following the stream", "no memory");
    }
}

void Follower::take(const ngx_http_llm_redis_result_t &result) {
    auto read_records = remote::read_records(*result.reply);
    if (!read_records) {
        connected_ = false;
        return failed(read_records.error());
    }
    // Somebody else leads by now, who has read the same.
    if (!worker_.shared().lead()) {
        return;
    }
    if (read_records->broken) {
        worker_.log("following the stream",
                    "a record is none of ours, and was passed over");
    }
    for (const Record &record : read_records->records) {
        apply(record);
    }
    if (read_records->last) {
        worker_.shared().move(*read_records->last);
    }
    caught_up_ = read_records->records.size() + read_records->broken < step;

    if (static_cast<ngx_msec_int_t>(look_at_ - ngx_current_msec) <= 0) {
        look();
    } else {
        read();
    }
}

void Follower::apply(const Record &record) {
    if (record.gateway == worker_.shared().gateway()) {
        return;
    }
    if (record.type == RecordType::added) {
        return apply_added(record);
    }
    ngx_http_llm_cache_locked_t locked(&worker_.zone());
    switch (record.type) {
    case RecordType::purged_key:
        (void) locked->remove(record.key);
        break;
    case RecordType::purged_partition:
        (void) locked->purge_partition(record.partition);
        break;
    case RecordType::purged_all:
        locked->purge_all();
        break;
    case RecordType::added:
        break;
    }
}

void Follower::apply_added(const Record &record) {
    ngx_http_llm_cache_zone_t &zone = worker_.zone();
    if (zone.index != NGX_HTTP_LLM_INDEX_MEMORY || zone.embedding == nullptr
        || record.id != worker_.names().id())
    {
        return;
    }
    llm::cache::NewEntry entry;
    if (!record.remaining(worker_.shared().redis_now(), &entry.ttl,
                          &entry.stale_for))
    {
        return;
    }
    auto vector = record.floats(worker_.dimensions());
    if (vector.empty()) {
        return;
    }
    std::string value = remote::stand_in(record.question);
    entry.key = record.key;
    entry.partition = &record.partition;
    entry.vector = vector;
    entry.value = value;

    std::int64_t now = ngx_http_llm_cache_now();
    ngx_http_llm_cache_locked_t locked(&zone);
    auto here = locked->get(record.key, now, {}, llm::cache::Access::peek);
    if (here.match == llm::cache::Match::fresh
        && here.expires + same_age >= now + entry.ttl)
    {
        return;
    }
    (void) locked->put(entry, now, ngx_http_llm_cache_scratch());
}

}  // namespace cache_redis
