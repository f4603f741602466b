// Figures for those who watch: the Prometheus text exposition format, version
// 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace llm::metrics {

enum class Kind : std::uint8_t { counter, gauge };

struct Label {
    std::string_view name;
    std::string_view value;     // any text
};

// Writes families one after the other; of each, HELP and TYPE before its
// samples.
class Exposition {
public:
    static constexpr std::string_view content_type =
        "text/plain; version=0.0.4; charset=utf-8";

    explicit Exposition(std::string &out) : out_(out) {}

    // Begins a family. Names are [a-zA-Z_:][a-zA-Z0-9_:]*, those of counters
    // end in "_total"; `help` is one line.
    void family(std::string_view name, Kind kind, std::string_view help);

    void sample(std::span<const Label> labels, std::uint64_t value);
    void sample(std::initializer_list<Label> labels, std::uint64_t value) {
        sample(std::span<const Label>(labels.begin(), labels.size()), value);
    }

    // Billionths of the family's unit, written with nine decimals.
    void sample_nano(std::span<const Label> labels, std::uint64_t value);
    void sample_nano(std::initializer_list<Label> labels,
                     std::uint64_t value) {
        sample_nano(std::span<const Label>(labels.begin(), labels.size()),
                    value);
    }

private:
    void name(std::span<const Label> labels);

    std::string &out_;
    std::string_view name_;
};

}  // namespace llm::metrics
