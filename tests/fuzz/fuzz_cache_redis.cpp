// Whatever Redis answers, a reader of the cache says what is in it, or what is
// wrong with it. The input is a reply in a notation of its own: a byte for its
// type, one for its length, then text or elements.
#include <cmath>

#include "fuzz.hpp"
#include "llm/cache_redis.hpp"

using namespace llm;
using namespace llm::cache::remote;

namespace {

constexpr int deepest = 8;

class Input {
public:
    Input(const std::uint8_t *data, std::size_t size)
        : rest_(reinterpret_cast<const char *>(data), size) {}

    unsigned byte() {
        if (rest_.empty()) {
            return 0;
        }
        auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return byte;
    }

    std::string text(std::size_t size) {
        std::string out(rest_.substr(0, size));
        rest_.remove_prefix(out.size());
        return out;
    }

    redis::Reply reply(int depth = 0) {
        redis::Reply reply;
        reply.type = static_cast<redis::Reply::Type>(byte() % 8);
        std::size_t size = byte();
        bool nests = reply.type == redis::Reply::Type::array
                     || reply.type == redis::Reply::Type::map;
        if (!nests) {
            reply.text = text(size);
            reply.integer = static_cast<std::int64_t>(size) - 128;
            reply.real = size == 255 ? NAN : static_cast<double>(size) / 64;
        } else if (depth < deepest) {
            for (std::size_t i = 0; i < size && !rest_.empty(); ++i) {
                reply.elements.push_back(this->reply(depth + 1));
            }
        }
        return reply;
    }

private:
    std::string_view rest_;
};

template <typename T>
void check(const Result<T> &result) {
    fuzz::promise(result || !result.error().message.empty(),
                  "errors say something");
}

void check_neighbours(const Result<std::vector<Neighbour>> &found) {
    check(found);
    if (!found) {
        return;
    }
    float last = INFINITY;
    for (const auto &neighbour : *found) {
        fuzz::promise(neighbour.similarity <= last, "the nearest come first");
        last = neighbour.similarity;
    }
}

void check_records(const Result<Records> &read) {
    check(read);
    if (!read) {
        return;
    }
    fuzz::promise(read->last || (read->records.empty() && !read->broken),
                  "records have positions");
    for (const auto &record : read->records) {
        fuzz::promise(record.position <= *read->last, "none is after the last");
        std::int64_t ttl;
        std::int64_t stale_for;
        for (std::int64_t now : {std::int64_t{0}, std::int64_t{1} << 41,
                                 INT64_MAX})
        {
            fuzz::promise(!record.remaining(now, &ttl, &stale_for)
                              || (ttl > 0 && stale_for >= 0),
                          "what is left is some time");
        }
        fuzz::promise(record.floats(record.vector.size()).size()
                          == record.vector.size(),
                      "a vector has its dimensions");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    static const Names names("t:", {0xaa});
    redis::Reply reply = Input(data, size).reply();

    check(read_entry(reply));
    check(read_done(reply));
    check_records(read_records(reply));
    Look look;
    check(read_epoch(reply, &look));
    check(read_position(reply));
    check_neighbours(read_search(reply, names));
    check_neighbours(read_search_set(reply, true));
    check_neighbours(read_search_set(reply, false));
    check(read_list_hashes(reply, names));
    (void) read_attributes(reply);
    check(read_members(reply));
    check(read_scan(reply, names));
    auto info = read_index_info(reply, names, 8);
    fuzz::promise(info.state == IndexState::ready || !info.detail.empty(),
                  "what is wrong with an index is said");
    auto created = read_create_index(reply);
    fuzz::promise(created.state != IndexState::absent,
                  "an index is not missing when it is made");
    return 0;
}
