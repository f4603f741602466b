// Files of the source tree.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace llm::testing {

inline std::string read_file(const std::string &path) {
    std::ifstream file(LLM_SOURCE_DIR "/" + path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("cannot read " + path);
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

inline const std::string &built_in_table() {
    static const std::string bytes =
        read_file("data/all-minilm-l6-v2.static256.llmv");
    return bytes;
}

}  // namespace llm::testing
