// What counting tokens costs: megabytes a second of processor time, for files
// or for texts that are hard to count.
//
//     bench_tokens VOCABULARY.llmb [FILE...]
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "llm/bpe.hpp"
#include "llm/tokens.hpp"

namespace {

using namespace llm;

double seconds() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_nsec) * 1e-9;
}

// The best of several rounds: the least disturbed one.
template <typename Work>
double speed(std::size_t bytes, Work work) {
    double best = 1e9;
    for (int round = 0; round < 5; round++) {
        double start = seconds();
        work();
        best = std::min(best, seconds() - start);
    }
    return static_cast<double>(bytes) / best / 1e6;
}

std::string read(const char *path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// A megabyte of a text again and again.
std::string fill(std::string_view text) {
    std::string out;
    while (out.size() < 1'000'000) {
        out += text;
    }
    return out;
}

// A megabyte of characters drawn from a set, in runs of up to `run`.
std::string draw(std::string_view set, unsigned run) {
    std::string out;
    std::uint32_t state = 1;
    auto next = [&state](std::size_t below) {
        state = state * 1664525 + 1013904223;
        return (state >> 8) % below;
    };
    while (out.size() < 1'000'000) {
        out.append(next(run) + 1, set[next(set.size())]);
    }
    return out;
}

}  // namespace

int main(int count, char **words) {
    if (count < 2) {
        std::fprintf(stderr, "usage: bench_tokens VOCABULARY.llmb [FILE...]\n");
        return 2;
    }
    const std::string file = read(words[1]);
    auto vocabulary =
        tokens::Vocabulary::open(std::as_bytes(std::span(file)));
    if (!vocabulary) {
        std::fprintf(stderr, "%s\n", vocabulary.error().message.c_str());
        return 1;
    }

    std::vector<std::pair<std::string, std::string>> texts;
    for (int i = 2; i < count; i++) {
        texts.emplace_back(words[i], read(words[i]));
    }
    if (texts.empty()) {
        texts = {
            {"a phrase", fill("The quick brown fox jumps over the lazy dog. ")},
            {"one letter", fill("a")},
            {"spaces", fill(" ")},
            {"line ends", fill("\n")},
            {"one ideograph", fill("中")},
            {"two letters", draw("ab", 1)},
            {"all letters", draw("abcdefghijklmnopqrstuvwxyz", 1)},
            {"two lines", draw("*-", 1)},
            {"long lines", draw("*=", 130)},
        };
    }

    tokens::Counter counter(*vocabulary);
    for (const auto &[name, text] : texts) {
        std::int64_t tokens = 0;
        double exact = speed(text.size(), [&] {
            tokens = counter.count(text);
        });
        std::int64_t guess = 0;
        double estimate = speed(text.size(), [&] {
            guess = tokens::estimate_tokens(text, tokens::Family::o200k);
        });
        std::printf("%-24.24s %8lld tokens %7.1f MB/s, estimated %8lld "
                    "%7.1f MB/s\n",
                    name.c_str(), static_cast<long long>(tokens), exact,
                    static_cast<long long>(guess), estimate);
    }
}
