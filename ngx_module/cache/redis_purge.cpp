// llm_cache_purge, in Redis: in steps of bounded size, each of which Redis does
// in well below a millisecond. The other gateways are told at the end, when
// there is nothing left that they could take up again.
#include "cache/redis_worker.hpp"

#include <algorithm>
#include <new>

#include "llm/redis.hpp"

using namespace cache_redis;

namespace remote = llm::cache::remote;

namespace {

// Keys that are removed at once.
constexpr size_t step = 128;

constexpr const char *purge = "a purge";

// One command, and its reply.
task::Task ask(ngx_http_request_t *r, Worker &worker, const Command &command,
               llm::redis::Reply &reply) {
    auto words = views(command);
    ngx_http_llm_redis_call_t call(r, worker.zone().redis, words, command.key);
    auto result = co_await call;
    if (result.reply == nullptr) {
        worker.log(purge, result);
        co_return NGX_ERROR;
    }
    reply = *result.reply;
    co_return NGX_OK;
}

task::Task run(ngx_http_request_t *r, Worker &worker,
               const std::vector<Command> &commands) {
    for (size_t i = 0; i < commands.size(); i += step) {
        size_t count = std::min(step, commands.size() - i);
        Batch batch(r, worker, count);
        for (size_t k = 0; k < count; ++k) {
            batch.add(commands[i + k]);
        }
        co_await batch;
        if (std::string why; batch.failed(&why)) {
            worker.log(purge, why);
            co_return NGX_ERROR;
        }
    }
    co_return NGX_OK;
}

bool has_hashes(const Worker &worker) noexcept {
    return worker.zone().index == NGX_HTTP_LLM_INDEX_REDISEARCH;
}

void add_key(const Worker &worker, const ZoneKey &key,
             std::vector<Command> &commands) {
    commands.push_back(remote::remove_entry(worker.names(), key));
    if (has_hashes(worker)) {
        commands.push_back(remote::remove_hash(worker.names(), key));
    }
}

// The members that the partition's list has.
task::Task purge_members(ngx_http_request_t *r, Worker &worker,
                         const ZoneKey &partition) {
    const Names &names = worker.names();
    for (;;) {
        llm::redis::Reply reply;
        Command list = remote::list_members(names, partition, step);
        if (co_await ask(r, worker, list, reply) != NGX_OK) {
            co_return NGX_ERROR;
        }
        auto members = remote::read_members(reply);
        if (!members) {
            worker.log(purge, members.error().message);
            // What is in the list's place goes below.
            co_return members.error().code == remote::code_wrong_type
                ? NGX_OK : NGX_ERROR;
        }
        if (members->words.empty()) {
            co_return NGX_OK;
        }
        std::vector<Command> commands;
        for (const auto &key : members->keys) {
            add_key(worker, key, commands);
        }
        if (co_await run(r, worker, commands) != NGX_OK) {
            co_return NGX_ERROR;
        }
        Command unlist =
            remote::remove_members(names, partition, members->words);
        if (co_await ask(r, worker, unlist, reply) != NGX_OK) {
            co_return NGX_ERROR;
        }
    }
}

// What the index has beyond that: the list may have been evicted.
task::Task purge_hashes(ngx_http_request_t *r, Worker &worker,
                        const ZoneKey &partition) {
    std::string first;
    for (;;) {
        llm::redis::Reply reply;
        Command list = remote::list_hashes(worker.names(), partition, step);
        if (co_await ask(r, worker, list, reply) != NGX_OK) {
            co_return NGX_ERROR;
        }
        auto hashes = remote::read_list_hashes(reply, worker.names());
        if (!hashes) {
            worker.log(purge, hashes.error().message);
            co_return hashes.error().code == remote::code_no_index
                ? NGX_OK : NGX_ERROR;
        }
        // An index that lags behind its hashes shows what has gone.
        if (hashes->empty() || hashes->front() == first) {
            co_return NGX_OK;
        }
        first = hashes->front();
        std::vector<Command> commands;
        for (const auto &name : *hashes) {
            add_key(worker, *worker.names().key_of_hash(name), commands);
        }
        if (co_await run(r, worker, commands) != NGX_OK) {
            co_return NGX_ERROR;
        }
    }
}

task::Task purge_partition(ngx_http_request_t *r, Worker &worker,
                           const ZoneKey &partition) {
    if (co_await purge_members(r, worker, partition) != NGX_OK
        || (has_hashes(worker)
            && co_await purge_hashes(r, worker, partition) != NGX_OK))
    {
        co_return NGX_ERROR;
    }
    auto rest = remote::remove_partition(worker.names(), partition);
    co_return co_await run(r, worker, rest);
}

// A key for each node that has keys; one that says nothing where there is no
// cluster.
task::Task find_nodes(ngx_http_request_t *r, Worker &worker,
                      std::vector<std::string> &keys) {
    llm::redis::Reply reply;
    Command slots = remote::cluster_slots();
    if (co_await ask(r, worker, slots, reply) != NGX_OK) {
        co_return NGX_ERROR;
    }
    if (reply.is_error()) {
        keys.emplace_back();
        co_return NGX_OK;
    }
    auto ranges = llm::redis::read_slots(reply, {});
    if (!ranges) {
        worker.log(purge, ranges.error().message);
        co_return NGX_ERROR;
    }
    std::vector<llm::redis::Address> known;
    for (const auto &range : *ranges) {
        if (std::find(known.begin(), known.end(), range.master)
            == known.end())
        {
            known.push_back(range.master);
            keys.push_back(remote::key_of_slots(range.first, range.last));
        }
    }
    co_return NGX_OK;
}

task::Task purge_node(ngx_http_request_t *r, Worker &worker,
                      std::string_view node_key) {
    std::string cursor = "0";
    do {
        llm::redis::Reply reply;
        Command next = remote::scan(worker.names(), cursor, node_key);
        if (co_await ask(r, worker, next, reply) != NGX_OK) {
            co_return NGX_ERROR;
        }
        auto scanned = remote::read_scan(reply, worker.names());
        if (!scanned) {
            worker.log(purge, scanned.error().message);
            co_return NGX_ERROR;
        }
        std::vector<Command> commands;
        for (const auto &name : scanned->keys) {
            commands.push_back(remote::remove_key(name));
        }
        if (co_await run(r, worker, commands) != NGX_OK) {
            co_return NGX_ERROR;
        }
        cursor = std::move(scanned->cursor);
    } while (cursor != "0");
    co_return NGX_OK;
}

task::Task purge_all(ngx_http_request_t *r, Worker &worker) {
    std::vector<std::string> nodes;
    if (co_await find_nodes(r, worker, nodes) != NGX_OK) {
        co_return NGX_ERROR;
    }
    for (const auto &key : nodes) {
        if (co_await purge_node(r, worker, key) != NGX_OK) {
            co_return NGX_ERROR;
        }
    }
    co_return NGX_OK;
}

task::Task purge_key(ngx_http_request_t *r, Worker &worker,
                     const ZoneKey &key) {
    // A vector in a set is removed when it is found to be of nothing.
    std::vector<Command> commands;
    add_key(worker, key, commands);
    co_return co_await run(r, worker, commands);
}

}  // namespace

task::Task ngx_http_llm_cache_redis_purge(ngx_http_request_t *r,
                                          ngx_http_llm_cache_zone_t *zone,
                                          const ZoneKey *key,
                                          const ZoneKey *partition) {
    Worker &worker = Worker::of(zone);
    ngx_int_t rc;
    if (key != nullptr) {
        rc = co_await purge_key(r, worker, *key);
    } else if (partition != nullptr) {
        rc = co_await purge_partition(r, worker, *partition);
    } else {
        rc = co_await purge_all(r, worker);
    }
    // Though not all was done: what is done counts.
    std::vector<Command> announcement;
    announcement.push_back(remote::announce_purge(
        worker.names(), key, partition, worker.shared().gateway()));
    ngx_int_t told = co_await run(r, worker, announcement);
    co_return rc == NGX_OK ? told : rc;
}
