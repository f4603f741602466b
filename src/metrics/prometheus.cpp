#include "llm/metrics.hpp"

namespace llm::metrics {

void Exposition::family(std::string_view name, Kind kind,
                        std::string_view help) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help);
    out_.append("\n# TYPE ").append(name);
    out_.append(kind == Kind::counter ? " counter\n" : " gauge\n");
}

void Exposition::name(std::span<const Label> labels) {
    out_.append(name_);
    char separator = '{';
    for (const Label &label : labels) {
        out_.push_back(separator);
        out_.append(label.name).append("=\"");
        for (char c : label.value) {
            if (c == '\n') {
                out_.append("\\n");
                continue;
            }
            if (c == '\\' || c == '"') {
                out_.push_back('\\');
            }
            out_.push_back(c);
        }
        out_.push_back('"');
        separator = ',';
    }
    if (separator == ',') {
        out_.push_back('}');
    }
    out_.push_back(' ');
}

void Exposition::sample(std::span<const Label> labels, std::uint64_t value) {
    name(labels);
    out_.append(std::to_string(value)).append("\n");
}

void Exposition::sample_nano(std::span<const Label> labels,
                             std::uint64_t value) {
    constexpr std::uint64_t nano = 1'000'000'000;
    name(labels);
    // The 1 in front keeps the zeros.
    std::string decimals = std::to_string(nano + value % nano);
    decimals.front() = '.';
    out_.append(std::to_string(value / nano)).append(decimals).append("\n");
}

}  // namespace llm::metrics
