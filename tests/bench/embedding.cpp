// What an embedding costs: microseconds of processor time for a question of
// 20 words, with each kernel that this processor has, and to find its pieces.
//
//     bench_embedding TABLE.llmv
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "llm/static_embedding.hpp"

namespace {

using llm::embedding::StaticTable;

// 20 different words each, so that rows are not all in the nearest cache.
constexpr std::string_view questions[] = {
    "could you please tell me how the population of small towns in northern "
    "portugal changed between both of the wars",
    "my laptop screen stays black after the latest update although every "
    "light still blinks what should a careful owner do",
    "write short python code that reads large csv files line by line and "
    "prints duplicate rows with their original numbers",
    "which documents must foreign students bring when they apply for health "
    "insurance at german universities during their first year",
};

double seconds() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_nsec) * 1e-9;
}

// The best of several rounds: the least disturbed one.
template <typename Work>
void measure(std::string_view name, Work work) {
    constexpr int calls = 4000;
    double best = 1e9;
    for (int round = 0; round < 9; round++) {
        double start = seconds();
        for (int call = 0; call < calls; call++) {
            work(questions[static_cast<std::size_t>(call) %
                           std::size(questions)]);
        }
        best = std::min(best, seconds() - start);
    }
    std::printf("%-16.*s %8.2f us\n", static_cast<int>(name.size()),
                name.data(), best / calls * 1e6);
}

}  // namespace

int main(int count, char **words) {
    if (count != 2) {
        std::fprintf(stderr, "usage: bench_embedding TABLE.llmv\n");
        return 2;
    }
    std::ifstream file(words[1], std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), {});
    StaticTable::Scratch scratch;
    for (const auto &kernel : llm::embedding::kernels()) {
        double start = seconds();
        auto table =
            StaticTable::open(std::as_bytes(std::span(bytes)), kernel);
        if (!table) {
            std::fprintf(stderr, "%s\n", table.error().message.c_str());
            return 1;
        }
        if (&kernel == &llm::embedding::kernels().front()) {
            std::printf("%-16s %8.2f ms\n", "open",
                        (seconds() - start) * 1e3);
            measure("pieces", [&](std::string_view text) {
                scratch.tokens.clear();
                table->tokenizer().encode(text, scratch.tokens);
            });
        }
        std::vector<float> out(table->dimensions());
        measure(kernel.name, [&](std::string_view text) {
            table->embed(text, out, scratch);
        });
    }
    return 0;
}
