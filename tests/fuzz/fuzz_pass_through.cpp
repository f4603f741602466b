// Calls that are passed on: no path leaves the provider's, a form's field is
// where it is said to be, and usage is the same however an answer is cut. The
// first byte chooses what the rest is, the second how it is cut.
#include <algorithm>
#include <string>

#include "fuzz.hpp"
#include "llm/pass_through.hpp"

using namespace llm;
using namespace llm::pass_through;

namespace {

void try_path(std::string_view text) {
    auto cut = std::min(text.find('\n'), text.size());
    auto path = split_path(text.substr(std::min(cut + 1, text.size())),
                           text.substr(0, cut));
    (void) group_of(path);
    std::string out;
    if (!append_path(path, "/base", out)) {
        fuzz::promise(out.empty(), "nothing is appended");
        return;
    }
    fuzz::promise(out.starts_with("/base/"), "a path stays below its base");
    fuzz::promise(out.find_first_of(" ?#\\\r\n\0") == out.npos
                      && (out + '/').find("/../") == out.npos
                      && (out + '/').find("/./") == out.npos
                      && out.find("//") == out.npos,
                  "no path leads elsewhere", out);
    if (auto found = find_argument(text, "model"); found && *found) {
        fuzz::promise((*found)->offset + (*found)->length <= text.size(),
                      "an argument is in its query");
        (void) decode_argument(text.substr((*found)->offset,
                                           (*found)->length));
    }
}

void try_form(std::string_view text) {
    for (bool whole : {false, true}) {
        auto found = find_field(text, "B", "model", whole);
        if (!found) {
            fuzz::promise(!found.error().message.empty(),
                          "errors say something");
            continue;
        }
        if (*found) {
            auto [offset, length] = **found;
            fuzz::promise(offset + length <= text.size(),
                          "a field is in its form");
            fuzz::promise(text.substr(offset, length).find("\r\n--B")
                              == std::string_view::npos,
                          "a field ends before the next");
        }
    }
    (void) boundary_of(text);
}

template <typename Reader>
chat::Usage read(Reader reader, std::string_view text, std::size_t piece) {
    for (std::size_t at = 0; at < text.size(); at += piece) {
        reader.feed(text.substr(at, piece));
    }
    if constexpr (requires { reader.finish(); }) {
        reader.finish();
    }
    return reader.usage();
}

template <typename Reader>
void try_usage(const Reader &reader, std::string_view text,
               std::size_t piece) {
    auto one = read(reader, text, text.size() + 1);
    auto other = read(reader, text, piece);
    fuzz::promise(one.known == other.known
                      && one.prompt_tokens == other.prompt_tokens
                      && one.completion_tokens == other.completion_tokens
                      && one.total_tokens == other.total_tokens,
                  "usage does not depend on how an answer is cut");
    fuzz::promise(one.prompt_tokens >= 0 && one.completion_tokens >= 0,
                  "tokens are counted from 0 on");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    if (size < 2) {
        return 0;
    }
    std::string_view text(reinterpret_cast<const char *>(data) + 2, size - 2);
    std::size_t piece = 1 + data[1];
    switch (data[0] % 5) {
    case 0:
        try_path(text);
        break;
    case 1:
        try_form(text);
        break;
    case 2:
        try_usage(UsageReader(UsageReader::Kind::json, 4096), text, piece);
        break;
    case 3:
        try_usage(UsageReader(UsageReader::Kind::events, 4096), text, piece);
        break;
    default:
        try_usage(RealtimeReader(), text, piece);
        break;
    }
    return 0;
}
