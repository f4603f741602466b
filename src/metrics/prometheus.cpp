#include "llm/metrics.hpp"

#include "llm/utf8.hpp"

namespace llm::metrics {

namespace {

// One byte that is no UTF-8 makes a scraper refuse all that it reads. Such
// bytes, and control characters, are written as hexadecimal, so that two
// values that differ stay two.
void append_hex(std::string &out, char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    auto byte = static_cast<unsigned char>(c);
    out.append("\\\\x");
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
}

void append_valid(std::string &out, std::string_view text) {
    for (char c : text) {
        if (c == '\n') {
            out.append("\\n");
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            append_hex(out, c);
        } else {
            if (c == '\\' || c == '"') {
                out.push_back('\\');
            }
            out.push_back(c);
        }
    }
}

void append_value(std::string &out, std::string_view text) {
    for (;;) {
        std::size_t valid = utf8::valid_prefix(text);
        append_valid(out, text.substr(0, valid));
        if (valid == text.size()) {
            return;
        }
        append_hex(out, text[valid]);
        text.remove_prefix(valid + 1);
    }
}

}  // namespace

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
        append_value(out_, label.value);
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
