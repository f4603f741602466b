// What a server sends is read alike wherever it is cut, or refused; no reply
// takes more than is allowed; and what is made of it holds together. The first
// byte says how large the pieces are.
#include <vector>

#include "fuzz.hpp"
#include "llm/redis.hpp"

using namespace llm;
using namespace llm::redis;

namespace {

constexpr std::size_t max_reply = 4096;

// Of a reply, by which two of them can be compared.
void describe(const Reply &reply, int depth, std::size_t &size,
              std::string &text) {
    fuzz::promise(depth <= Reader::max_depth, "nested no deeper than allowed");
    fuzz::promise(reply.elements.empty() || reply.type == Reply::Type::array,
                  "only arrays have elements");
    size += reply.text.size() + reply.elements.size() * sizeof(Reply);
    text += std::to_string(static_cast<int>(reply.type)) + " "
            + std::to_string(reply.integer) + " " + reply.text + "(";
    for (const auto &element : reply.elements) {
        describe(element, depth + 1, size, text);
    }
    text += ")";
}

void use(const Reply &reply) {
    (void)trouble_of(reply);
    (void)read_role(reply);
    if (auto redirection = read_redirection(reply)) {
        fuzz::promise(redirection->slot < slot_count
                          && redirection->to.port != 0,
                      "a redirection leads somewhere");
    }
    if (auto slots = read_slots(reply, "seed")) {
        for (const auto &range : *slots) {
            fuzz::promise(range.first <= range.last && range.last < slot_count
                              && range.master.port != 0
                              && !range.master.host.empty(),
                          "a range has slots and a master");
        }
    }
    if (auto master = read_master(reply); master && *master) {
        fuzz::promise((*master)->port != 0 && !(*master)->host.empty(),
                      "a master is somewhere");
    }
}

struct Replies {
    std::vector<std::string> replies;
    bool failed = false;
};

Replies collect(std::string_view text, std::size_t piece) {
    Reader reader(max_reply);
    Replies result;
    for (std::size_t i = 0; i < text.size() && !result.failed; i += piece) {
        if (!reader.feed(text.substr(i, piece))) {
            result.failed = true;
            break;
        }
        Reply reply;
        Reader::Step step;
        while ((step = reader.next(reply)) == Reader::Step::reply) {
            std::size_t size = 0;
            std::string words;
            describe(reply, 0, size, words);
            fuzz::promise(size <= 2 * max_reply, "no larger than allowed");
            use(reply);
            result.replies.push_back(std::move(words));
        }
        result.failed = step == Reader::Step::failed;
    }
    fuzz::promise(result.failed == !reader.error().empty(),
                  "a failure has a reason");
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    if (size == 0) {
        return 0;
    }
    std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
    Replies whole = collect(text, size);
    Replies cut = collect(text, data[0] % 16 + 1);

    fuzz::promise(whole.replies == cut.replies, "cuts change nothing", text);
    fuzz::promise(whole.failed == cut.failed, "nor what is refused", text);
    (void)key_slot(text);

    std::string_view words[] = {text, {}, text.substr(text.size() / 2)};
    std::string command(command_size(words), '\0');
    fuzz::promise(write_command(command.data(), words)
                      == command.data() + command.size(),
                  "a command has its size");
    return 0;
}
