// What the semantic cache thinks of pairs of questions. For scripts/eval-cache.
//
//     judge_pairs TABLE.llmv < PAIRS.tsv
//
// A line of PAIRS: two questions with a tab between; what follows a further
// tab is ignored, and so are lines that begin with "#". A line of the output:
// the cosine similarity, and in what the questions differ to the verification
// ("none": they agree), normal and strict.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "llm/cache_verify.hpp"
#include "llm/static_embedding.hpp"

namespace {

using llm::embedding::StaticTable;

void judge(const StaticTable &table, std::istream &pairs) {
    StaticTable::Scratch scratch;
    std::vector<float> a(table.dimensions());
    std::vector<float> b(table.dimensions());
    std::string line;
    while (std::getline(pairs, line)) {
        std::string_view rest = line;
        if (rest.starts_with('#')) {
            continue;
        }
        auto tab = rest.find('\t');
        std::string_view first = rest.substr(0, tab);
        std::string_view second;
        if (tab != rest.npos) {
            second = rest.substr(tab + 1);
            second = second.substr(0, second.find('\t'));
        }
        table.embed(first, a, scratch);
        table.embed(second, b, scratch);
        double similarity = 0;
        for (std::size_t i = 0; i < a.size(); i++) {
            similarity += double{a[i]} * b[i];
        }
        auto difference = [&](llm::cache::Strictness strictness) {
            return std::string(llm::cache::to_string(
                llm::cache::verify(first, second, strictness).difference));
        };
        std::printf("%.6f\t%s\t%s\n", similarity,
                    difference(llm::cache::Strictness::normal).c_str(),
                    difference(llm::cache::Strictness::strict).c_str());
    }
}

}  // namespace

int main(int count, char **words) {
    if (count != 2) {
        std::fprintf(stderr, "usage: judge_pairs TABLE.llmv < PAIRS.tsv\n");
        return 2;
    }
    std::ifstream file(words[1], std::ios::binary);
    if (!file) {
        std::perror(words[1]);
        return 1;
    }
    std::string bytes((std::istreambuf_iterator<char>(file)), {});
    auto table = StaticTable::open(std::as_bytes(std::span(bytes)));
    if (!table) {
        std::fprintf(stderr, "%s: %s\n", words[1],
                     table.error().message.c_str());
        return 1;
    }
    judge(*table, std::cin);
    return 0;
}
