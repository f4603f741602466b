// Any two texts, separated by the first NUL byte or in the middle: the verdict
// is the same both ways, names only what is in the texts, and equal texts
// agree.
#include <functional>

#include "fuzz.hpp"
#include "llm/cache_verify.hpp"

using namespace llm;

namespace {

bool within(std::string_view part, std::string_view whole) {
    std::less_equal<const char *> not_after;
    return part.empty()
           || (not_after(whole.data(), part.data())
               && not_after(part.data() + part.size(),
                            whole.data() + whole.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view all(reinterpret_cast<const char *>(data), size);
    std::size_t cut = all.find('\0');
    std::string_view a = all.substr(0, cut == all.npos ? size / 2 : cut);
    std::string_view b = cut == all.npos ? all.substr(size / 2)
                                         : all.substr(cut + 1);

    fuzz::promise(cache::verify(a, a).agrees(), "a text is like itself");
    for (auto strictness : {cache::Strictness::normal,
                            cache::Strictness::strict}) {
        auto verdict = cache::verify(a, b, strictness);
        auto reverse = cache::verify(b, a, strictness);
        fuzz::promise(verdict.agrees() == reverse.agrees(),
                      "who was first does not matter", all);
        fuzz::promise(within(verdict.asked, a) && within(verdict.stored, b),
                      "what differs is in the texts", all);
        fuzz::promise(!to_string(verdict.difference).empty(),
                      "a difference has a name");
    }
    fuzz::promise(cache::verify(a, b).agrees()
                      || !cache::verify(a, b, cache::Strictness::strict)
                              .agrees(),
                  "strict agrees to nothing that normal refuses", all);
    return 0;
}
