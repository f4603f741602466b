#include <algorithm>
#include <string>

#include "llm/tokens.hpp"
#include "text/base64.hpp"

namespace llm::tokens {

namespace {

// OpenAI's cookbook: "num_tokens_from_messages" and "num_tokens_for_tools".
// What other providers add is not published; it is much the same.
constexpr std::int64_t per_message = 3;
constexpr std::int64_t per_name = 1;
constexpr std::int64_t per_answer = 3;          // the answer's own beginning
constexpr std::int64_t per_function_cl100k = 10;
constexpr std::int64_t per_function = 7;
constexpr std::int64_t per_object = 3;          // of properties
constexpr std::int64_t per_property = 3;
constexpr std::int64_t per_enum = -3;
constexpr std::int64_t per_enum_value = 3;
constexpr std::int64_t all_functions = 12;
constexpr std::int64_t per_call = 8;            // a guess; not published

// Bytes of text that tell what the rest of it is like.
constexpr std::size_t least_counted = 4096;

// Where the size of an image must have come: EXIF data may stand before it.
constexpr std::size_t header_bytes = std::size_t{64} << 10;

// Bytes of a file that make a token. A guess: providers read a PDF as text
// and as images, both of which depend on what is in it.
constexpr std::int64_t file_bytes_per_token = 20;
// Guesses, too: ten tokens for a second of speech, which has 48,000 bytes in a
// wav file of 24 kHz, and about 8,000 in mp3.
constexpr std::int64_t wav_bytes_per_token = 4800;
constexpr std::int64_t mp3_bytes_per_token = 800;

std::int64_t decoded_size(std::string_view base64) noexcept {
    return static_cast<std::int64_t>(base64.size() / 4 * 3);
}

std::optional<ImageSize> size_of(const chat::Part &part) {
    // Whole groups of four characters decode by themselves.
    auto head = base64::decode(part.data.substr(0, header_bytes / 3 * 4));
    return head ? image_size(*head) : std::nullopt;
}

}  // namespace

class PromptCounter::Call {
public:
    Call(Family family, std::string_view model, Counter *counter,
         std::size_t limit)
        : family_(family), model_(model), counter_(counter), left_(limit),
          exact_(counter != nullptr) {}

    PromptTokens run(const chat::Request &request) {
        for (const auto &message : request.messages) {
            add(message);
        }
        tokens_ += per_answer;
        if (!request.tools.empty()) {
            exact_ = false;
            for (const auto &tool : request.tools) {
                add(tool);
            }
            tokens_ += all_functions;
        }
        if (request.response_format && request.response_format->schema) {
            exact_ = false;
            text(request.response_format->name);
            text(request.response_format->schema.raw());
        }
        return {std::max<std::int64_t>(tokens_, 0), estimated_, exact_};
    }

private:
    void text(std::string_view text) {
        if (counter_ == nullptr) {
            estimate(text);
            return;
        }
        counter_->start(text);
        const bool whole = left_ != 0 && counter_->advance(left_);
        left_ -= std::min(left_, counter_->work());
        tokens_ += counter_->count();
        counted_ += counter_->count();
        counted_bytes_ += counter_->position();
        if (!whole) {
            exact_ = exact_ && text.empty();
            estimate(text.substr(counter_->position()));
        }
    }

    // What follows is hardly easier than what was counted: random letters,
    // say, which look like long words to an estimate.
    void estimate(std::string_view text) {
        std::int64_t tokens = estimate_tokens(text, family_);
        if (counted_bytes_ >= least_counted) {
            tokens = std::max(
                tokens, static_cast<std::int64_t>(
                            static_cast<double>(text.size()) *
                            static_cast<double>(counted_) /
                            static_cast<double>(counted_bytes_)));
        }
        tokens_ += tokens;
        estimated_ += tokens;
    }

    void add(const chat::Message &message) {
        tokens_ += per_message;
        text(chat::to_string(message.role));
        if (!message.name.empty()) {
            tokens_ += per_name;
            text(message.name);
        }
        for (const auto &part : message.parts) {
            add(part);
        }
    }

    void add(const chat::Part &part) {
        using enum chat::PartType;
        switch (part.type) {
        case text:
        case refusal:
            this->text(part.text);
            return;
        case reasoning:
            exact_ = false;     // some providers drop it
            this->text(part.text);
            return;
        case tool_call:
            exact_ = false;
            tokens_ += per_call;
            this->text(part.name);
            this->text(part.arguments);
            return;
        case image:
            exact_ = false;
            tokens_ += image_tokens(model_, size_of(part), part.detail);
            return;
        case audio: {
            exact_ = false;
            bool wav = part.media_type.find("wav") != part.media_type.npos;
            tokens_ += decoded_size(part.data) /
                           (wav ? wav_bytes_per_token : mp3_bytes_per_token) +
                       1;
            return;
        }
        case file:
            exact_ = false;
            this->text(part.filename);
            tokens_ += decoded_size(part.data) / file_bytes_per_token;
            return;
        case redacted_reasoning:
            exact_ = false;
            tokens_ += decoded_size(part.data) / 4;
            return;
        case native:
            exact_ = false;
            this->text(part.source.raw());
            return;
        }
    }

    void add(const chat::Tool &tool) {
        if (tool.type != chat::Tool::Type::function) {
            text(tool.source.raw());
            return;
        }
        tokens_ += family_ == Family::cl100k ? per_function_cl100k
                                             : per_function;
        text(join(tool.name, {}, tool.description));
        properties(tool.parameters);
    }

    // A schema is no deeper than the parser allowed.
    void properties(json::Value schema) {
        auto all = schema["properties"];
        if (all.size() == 0) {
            return;
        }
        tokens_ += per_object;
        for (auto member : all.members()) {
            auto type = member.value["type"].string();
            tokens_ += per_property;
            text(join(member.name, type.empty() ? "any" : type,
                      member.value["description"].string()));
            if (auto values = member.value["enum"]; values.size() > 0) {
                tokens_ += per_enum;
                for (auto value : values.elements()) {
                    tokens_ += per_enum_value;
                    text(value.is_string() ? value.string() : value.raw());
                }
            }
            properties(member.value);
            properties(member.value["items"]);
        }
    }

    // "name:type:description", as the recipe counts it.
    std::string_view join(std::string_view name, std::string_view type,
                          std::string_view description) {
        if (description.ends_with('.')) {
            description.remove_suffix(1);
        }
        joined_.assign(name);
        if (!type.empty()) {
            joined_.append(1, ':').append(type);
        }
        joined_.append(1, ':').append(description);
        return joined_;
    }

    Family family_;
    std::string_view model_;
    Counter *counter_;
    std::size_t left_;      // of the work for counting
    std::int64_t counted_ = 0;          // of the text
    std::size_t counted_bytes_ = 0;
    bool exact_;
    std::int64_t tokens_ = 0;
    std::int64_t estimated_ = 0;
    std::string joined_;
};

PromptCounter::PromptCounter(std::optional<Vocabulary> o200k,
                             std::optional<Vocabulary> cl100k) {
    if (o200k) {
        o200k_.emplace(*o200k);
    }
    if (cl100k) {
        cl100k_.emplace(*cl100k);
    }
}

PromptTokens PromptCounter::count(const chat::Request &request,
                                  std::string_view model, std::size_t limit) {
    const Family family = family_of(model);
    auto &counter = family == Family::cl100k ? cl100k_ : o200k_;
    const bool counted =
        (family == Family::o200k || family == Family::cl100k) && counter;
    Call call(family, model, counted ? &*counter : nullptr, limit);
    return call.run(request);
}

}  // namespace llm::tokens
