#include <algorithm>

#include "llm/pass_through.hpp"

namespace llm::pass_through {

namespace {

// RFC 6455, 5.2.
constexpr unsigned char final_bit = 0x80;
constexpr unsigned char reserved_bits = 0x70;
constexpr unsigned char mask_bit = 0x80;
constexpr unsigned char continuation = 0;
constexpr unsigned char text = 1;
constexpr unsigned char first_control = 8;

// Events tell their type at once; those of audio are long and of no interest.
constexpr std::size_t type_within = 256;
constexpr std::string_view wanted = "\"response.done\"";
constexpr std::size_t longest_event = std::size_t{1} << 20;

}  // namespace

void RealtimeReader::feed(std::string_view bytes) {
    while (!bytes.empty() && state_ != State::lost) {
        if (state_ == State::head) {
            auto byte = static_cast<unsigned char>(bytes.front());
            bytes.remove_prefix(1);
            if (!read_head(byte)) {
                continue;
            }
        } else {
            auto size = static_cast<std::size_t>(
                std::min<std::uint64_t>(left_, bytes.size()));
            take(bytes.substr(0, size));
            left_ -= size;
            bytes.remove_prefix(size);
        }
        if (state_ == State::payload && left_ == 0) {
            state_ = State::head;
            if (final_ && !control_) {
                end_of_message();
            }
        }
    }
}

// True: the head of a frame is whole, and its payload begins.
bool RealtimeReader::read_head(unsigned char byte) {
    head_[head_size_++] = byte;
    if (head_size_ < 2) {
        return false;
    }
    unsigned char length = head_[1] & 0x7F;
    std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (head_size_ < 2 + more) {
        return false;
    }
    head_size_ = 0;

    left_ = more ? 0 : length;
    for (std::size_t i = 0; i < more; ++i) {
        left_ = left_ << 8 | head_[2 + i];
    }
    unsigned char kind = head_[0] & 0x0F;
    if ((head_[0] & reserved_bits) || (head_[1] & mask_bit)
        || left_ >> 63 != 0) {
        // None that a server may send without an extension.
        state_ = State::lost;
        return false;
    }
    final_ = (head_[0] & final_bit) != 0;
    control_ = kind >= first_control;
    if (!control_ && kind != continuation) {
        message_.clear();
        text_ = kind == text;
        skip_ = !text_;
    }
    state_ = State::payload;
    return true;
}

void RealtimeReader::take(std::string_view payload) {
    if (control_ || skip_) {
        return;
    }
    message_.append(payload.substr(
        0, std::min(payload.size(), longest_event - message_.size())));
    if (message_.size() >= type_within
        && std::string_view(message_).substr(0, type_within).find(wanted)
               == std::string_view::npos) {
        skip_ = true;
    }
    if (message_.size() >= longest_event) {
        skip_ = true;
    }
}

void RealtimeReader::end_of_message() {
    if (skip_ || message_.find(wanted) == message_.npos) {
        return;
    }
    json::Document document;
    if (!document.parse(message_, {.duplicates = true})
        || document.root()["type"].string() != "response.done") {
        return;
    }
    json::Value response = document.root()["response"];
    chat::Usage one = read_usage(response["usage"]);
    if (!one.known) {
        return;
    }
    usage_.known = true;
    for (auto field :
         {&chat::Usage::prompt_tokens, &chat::Usage::completion_tokens,
          &chat::Usage::total_tokens, &chat::Usage::cached_tokens,
          &chat::Usage::audio_prompt_tokens,
          &chat::Usage::audio_completion_tokens}) {
        usage_.*field = std::min(usage_.*field + one.*field,
                                 std::int64_t{1} << 53);
    }
}

}  // namespace llm::pass_through
