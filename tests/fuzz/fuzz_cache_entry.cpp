// Anything at a key of the cache is refused with a message or is an answer;
// what is read, is written and read again as the same, can be told in every
// format, and is put together again from its own events. The same bytes as
// header fields are a policy within bounds.
#include <memory_resource>

#include "fuzz.hpp"
#include "llm/assemble.hpp"
#include "llm/cache_control.hpp"
#include "llm/cache_entry.hpp"
#include "llm/exchange.hpp"
#include "llm/format.hpp"

using namespace llm;

namespace {

void check_policies(std::string_view header) {
    constexpr std::int64_t longest = std::int64_t{1} << 31;
    cache::CacheControl control;
    control.add(header);
    control.add_pragma(header);
    auto answer = cache::answer_policy(control, 300);
    fuzz::promise(!answer.store || (answer.ttl > 0 && answer.ttl <= longest),
                  "what is kept is kept for some time", header);
    auto request = cache::request_policy(control);
    fuzz::promise(!request.accepts(request.max_age + 1, longest * 2),
                  "nothing older than asked for is served", header);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view text(reinterpret_cast<const char *>(data), size);
    check_policies(text);

    json::Document document;
    if (!document.parse(text)) {
        return 0;
    }
    std::pmr::monotonic_buffer_resource memory;
    auto entry = cache::read_entry(document, &memory);
    if (!entry) {
        fuzz::promise(!entry.error().message.empty(), "an error has a message");
        return 0;
    }

    std::string first;
    cache::write_entry(entry->head, entry->response, first);
    json::Document again;
    fuzz::promise(static_cast<bool>(again.parse(first)), "an entry is JSON",
                  first);
    auto second = cache::read_entry(again, &memory);
    fuzz::promise(static_cast<bool>(second), "an entry can be read", first);
    std::string last;
    cache::write_entry(second->head, second->response, last);
    fuzz::promise(first == last, "an entry stays what it is", first);

    for (const Format *format : formats()) {
        AnswerContext context;
        context.unique = "unique";
        std::string out;
        format->write_response(entry->response, context, out);
        fuzz::promise_json(out, "an answer is JSON");
    }

    Assembler assembler(std::size_t{1} << 24);
    replay(entry->response, assembler);
    fuzz::promise(assembler.state() == Assembler::State::complete,
                  "an answer's own events make an answer", first);
    (void)cache::storable(assembler.response(&memory));
    return 0;
}
