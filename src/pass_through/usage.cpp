#include <algorithm>

#include "llm/pass_through.hpp"

namespace llm::pass_through {

using json::Value;

namespace {

// Sums of a few counts must not overflow, whatever a provider sends.
constexpr std::int64_t most_tokens = std::int64_t{1} << 53;

// A usage object, or a model's name.
constexpr std::size_t longest_value = 16384;
constexpr std::size_t longest_model = 256;

// Where counts are. Sources: OpenAI's API reference (images, audio, realtime,
// chat); the realtime API's details have names without an "s".
struct Row {
    std::string_view group;
    std::string_view name;
    std::int64_t chat::Usage::*field;
};

constexpr Row rows[] = {
    {"", "prompt_tokens", &chat::Usage::prompt_tokens},
    {"", "input_tokens", &chat::Usage::prompt_tokens},
    {"", "completion_tokens", &chat::Usage::completion_tokens},
    {"", "output_tokens", &chat::Usage::completion_tokens},
    {"", "total_tokens", &chat::Usage::total_tokens},
    {"prompt_tokens_details", "cached_tokens", &chat::Usage::cached_tokens},
    {"input_tokens_details", "cached_tokens", &chat::Usage::cached_tokens},
    {"input_token_details", "cached_tokens", &chat::Usage::cached_tokens},
    {"prompt_tokens_details", "audio_tokens",
     &chat::Usage::audio_prompt_tokens},
    {"input_token_details", "audio_tokens",
     &chat::Usage::audio_prompt_tokens},
    {"completion_tokens_details", "reasoning_tokens",
     &chat::Usage::reasoning_tokens},
    {"output_tokens_details", "reasoning_tokens",
     &chat::Usage::reasoning_tokens},
    {"completion_tokens_details", "audio_tokens",
     &chat::Usage::audio_completion_tokens},
    {"output_token_details", "audio_tokens",
     &chat::Usage::audio_completion_tokens},
};

}  // namespace

chat::Usage read_usage(Value value) noexcept {
    chat::Usage usage;
    for (const Row &row : rows) {
        Value group = row.group.empty() ? value : value[row.group];
        if (auto count = group[row.name].integer()) {
            usage.*row.field =
                std::clamp<std::int64_t>(*count, 0, most_tokens);
            usage.known = usage.known || row.group.empty();
        }
    }
    std::int64_t sum = usage.prompt_tokens + usage.completion_tokens;
    if (sum == 0) {
        // Reranking and the like: all of it is asked.
        usage.prompt_tokens = usage.total_tokens;
    } else if (usage.total_tokens == 0) {
        usage.total_tokens = sum;
    }
    return usage;
}

class UsageReader::Sink final : public wire::FrameSink {
public:
    explicit Sink(UsageReader &reader) : reader_(reader) {}

    void on_frame(const wire::Frame &frame) override {
        reader_.read_event(frame.data);
    }

private:
    UsageReader &reader_;
};

UsageReader::UsageReader(Kind kind, std::size_t max_event) : kind_(kind) {
    if (kind == Kind::events) {
        framer_.emplace(max_event);
    }
}

void UsageReader::read_event(std::string_view data) {
    if (data.find("\"usage\"") == data.npos) {
        return;
    }
    json::Document document;
    if (!document.parse(data, {.duplicates = true})) {
        return;
    }
    Value root = document.root();
    Value inner = root["response"];
    Value usage = root["usage"].is_object() ? root["usage"] : inner["usage"];
    if (auto read = read_usage(usage); read.known) {
        usage_ = read;
    }
    Value model = root["model"].is_string() ? root["model"] : inner["model"];
    if (!model.string().empty()) {
        model_ = model.string().substr(0, longest_model);
    }
}

void UsageReader::feed(std::string_view bytes) {
    switch (kind_) {
    case Kind::none:
        return;
    case Kind::events: {
        Sink sink(*this);
        if (!framer_->feed(bytes, sink)) {
            kind_ = Kind::none;
        }
        return;
    }
    case Kind::json:
        break;
    }
    while (!bytes.empty()) {
        // Most of a large answer is one long text.
        if (in_string_ && !escaped_ && !is_key_ && !wanted_) {
            std::size_t end = bytes.find_first_of("\"\\");
            if (end == bytes.npos) {
                return;
            }
            bytes.remove_prefix(end);
        }
        scan(bytes.front());
        bytes.remove_prefix(1);
    }
}

void UsageReader::finish() {
    if (kind_ == Kind::events) {
        Sink sink(*this);
        (void) framer_->finish(sink);
    }
    kind_ = Kind::none;
}

void UsageReader::scan(char c) {
    // The value ends before a comma or the brace of the outer object.
    if (wanted_ && !in_string_ && depth_ == 1 && (c == ',' || c == '}')) {
        end_of_value();
    }
    if (wanted_) {
        if (value_.size() < longest_value) {
            value_.push_back(c);
        } else {
            wanted_ = false;
        }
    }

    if (in_string_) {
        if (escaped_) {
            escaped_ = false;
        } else if (c == '\\') {
            escaped_ = true;
        } else if (c == '"') {
            in_string_ = false;
            return;
        }
        if (is_key_ && key_.size() < 16) {
            key_.push_back(c);
        }
        return;
    }
    switch (c) {
    case '"':
        in_string_ = true;
        if (is_key_) {
            key_.clear();
        }
        break;
    case '{':
    case '[':
        ++depth_;
        is_key_ = depth_ == 1 && c == '{';
        break;
    case '}':
    case ']':
        depth_ -= depth_ > 0;
        is_key_ = false;
        break;
    case ':':
        if (depth_ == 1 && is_key_) {
            is_key_ = false;
            wanted_ = key_ == "usage" || key_ == "model";
            value_.clear();
        }
        break;
    case ',':
        is_key_ = depth_ == 1;
        break;
    default:
        break;
    }
}

void UsageReader::end_of_value() {
    wanted_ = false;
    json::Document document;
    if (!document.parse(value_, {.duplicates = true})) {
        return;
    }
    if (key_ == "usage") {
        if (auto read = read_usage(document.root()); read.known) {
            usage_ = read;
        }
    } else {
        model_ = document.root().string().substr(0, longest_model);
    }
}

}  // namespace llm::pass_through
