// Whatever Redis answers is an error or an answer that can be used, sent back
// and put into a share.
#include <charconv>
#include <vector>

#include "fuzz.hpp"
#include "llm/limit_redis.hpp"
#include "llm/limit_share.hpp"

using namespace llm;

namespace {

// Words with blanks between them: integers, or else texts.
redis::Reply reply_of(std::string_view text) {
    redis::Reply reply;
    reply.type = redis::Reply::Type::array;
    while (!text.empty()) {
        auto word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        redis::Reply element;
        auto end = word.data() + word.size();
        auto read = std::from_chars(word.data(), end, element.integer);
        element.type = redis::Reply::Type::integer;
        if (read.ec != std::errc() || read.ptr != end) {
            element.type = word.starts_with('-') ? redis::Reply::Type::error
                                                 : redis::Reply::Type::string;
            element.text = word;
        }
        reply.elements.push_back(std::move(element));
    }
    return reply;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view text(reinterpret_cast<const char *>(data), size);
    auto reply = reply_of(text);
    limit::RemoteRequest request{"{key}", {}, 5};
    std::vector<limit::RemoteRequest> requests(
        reply.elements.empty() ? 0 : (reply.elements.size() - 1) / 8, request);

    auto answer = limit::read_reserve_reply(reply, requests);
    if (!answer) {
        fuzz::promise(!answer.error().message.empty(),
                      "errors say something", text);
    } else {
        fuzz::promise(answer->decisions.size() == requests.size(),
                      "each request has its decision", text);
        for (const auto &remote : answer->decisions) {
            fuzz::promise(remote.decision.remaining >= 0,
                          "nothing below 0 remains", text);
            limit::Share share;
            limit::Reservation rest;
            limit::learn(share, request.limit, 1000, remote.decision);
            (void)limit::put_in(share, request.limit, remote, answer->now,
                                1000, 100, &rest);
            limit::Reservation taken;
            (void)limit::take(share, 1000, 3, &taken);
            auto todo = limit::turn(share, request.limit, 1100, 100, 2);
            fuzz::promise(todo.refill >= 0 && todo.rest.amount >= 0
                              && share.left >= 0,
                          "no share is less than nothing", text);
            limit::RemoteSettlement settlement{"{key}", request.limit, taken,
                                               2};
            (void)limit::settle_command({&settlement, 1}, answer->now);
        }
    }
    for (const auto &element : reply.elements) {
        (void)limit::read_settle_reply(element);
        (void)limit::read_presence_reply(element);
        (void)limit::is_noscript(element);
    }
    return 0;
}
