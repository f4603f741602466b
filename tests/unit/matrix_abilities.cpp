#include "matrix_abilities.hpp"

namespace llm::testing {

namespace {

const Abilities rows[] = {
    {.format = "openai"},
    {.format = "anthropic",
     .answers = {.images = false},
     .cannot_ask = "audio",
     .refuses = "audio",
     .imitates = "custom"},
    {.format = "gemini", .imitates = "custom"},
    // Converse fetches nothing, and does not tell reasoning's tokens.
    {.format = "bedrock",
     .answers = {.reasoning_tokens = false},
     .cannot_ask = "image_url",
     .refuses = "image_url",
     .imitates = "custom"},
    {.format = "responses",
     .cannot_ask = "stop, audio",
     .refuses = "stop, audio"},
    // A prompt is all that can be asked here, and text all that comes back.
    // (With a template conversations can be sent: prompt_template_test.cpp.)
    {.format = "completions",
     .answers = {.reasoning = false, .images = false, .calls = false},
     .cannot_ask = "systems, turns, calls, results, required, named, allowed, "
                   "custom, image, image_url, audio, file, schema",
     .refuses = "systems, turns, calls, results, required, named, allowed, "
                "custom, image, image_url, audio, file, schema"},
    {.format = "cohere",
     .answers = {.cache_write_tokens = false, .reasoning_tokens = false,
                 .images = false},
     .cannot_ask = "audio, file",
     .refuses = "audio, file",
     .imitates = "custom"},
    {.format = "ollama",
     .answers = {.cached_tokens = false, .cache_write_tokens = false,
                 .reasoning_tokens = false, .images = false},
     .cannot_ask = "required, named, image_url, file",
     .refuses = "required, named, image_url, file",
     .imitates = "custom"},
    // One question.
    {.format = "ollama-generate",
     .answers = {.cached_tokens = false, .cache_write_tokens = false,
                 .reasoning_tokens = false, .images = false},
     .cannot_ask = "turns, calls, results, required, named, allowed, custom, "
                   "image_url, file",
     .refuses = "turns, calls, results, required, named, allowed, custom, "
                "image_url, file"},
};

}  // namespace

const Abilities &abilities(const Format &format) {
    static const Abilities all{};
    for (const auto &row : rows) {
        if (row.format == format.name()) {
            return row;
        }
    }
    return all;
}

bool is_in(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        auto item = list.substr(0, list.find(','));
        list.remove_prefix(std::min(item.size() + 1, list.size()));
        while (item.starts_with(' ')) {
            item.remove_prefix(1);
        }
        if (item == name) {
            return true;
        }
    }
    return false;
}

}  // namespace llm::testing
