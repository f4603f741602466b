// Sources: OpenAI's pages of its models and guides "Reasoning models" and
// "Using the latest model"; for chat completions with functions the words of
// its refusal.
#include "formats/openai/models.hpp"

#include "formats/openai/tables.hpp"

namespace llm::openai {

namespace {

constexpr ModelTraits models[] = {
    {"gpt-3.5-turbo", 4096},
    {"gpt-35-turbo", 4096},     // on Azure
    {"gpt-4-turbo", 4096},
    {"gpt-4o-2024-05-13", 4096},
    {"gpt-4o", 16384},
    {"chatgpt-4o", 16384},
    {"gpt-4.1", 32768},
    {"gpt-4.5", 16384},
    {"gpt-4"},      // on Azure often the name of a newer one
    {"gpt-5-chat", 16384},
    {"gpt-5-codex", 128000, Sampling::never, "low", "high"},
    {"gpt-5.1-chat", 16384, Sampling::never},
    {"gpt-5.2-chat", 16384, Sampling::never},
    {"gpt-5.3-chat", 16384, Sampling::never},
    {"gpt-5.1-codex-max", 128000, Sampling::never, "low", "xhigh"},
    {"gpt-5.1-codex", 128000, Sampling::never, "low", "high"},
    {"gpt-5.1", 128000, Sampling::unless_thinking, "none", "high"},
    {"gpt-5.2-codex", 128000, Sampling::never, "low", "xhigh"},
    {"gpt-5.2", 128000, Sampling::unless_thinking, "none", "xhigh"},
    {"gpt-5.3-codex", 128000, Sampling::never, "low", "xhigh"},
    {"gpt-5.4", 128000, Sampling::unless_thinking, "none", "xhigh", true},
    {"gpt-5.", 128000, Sampling::never, "none", "xhigh", true},
    {"gpt-5", 128000, Sampling::never, "minimal", "high"},
    {"gpt-6", 0, Sampling::never, "none", "max", true},
    {"o1", 100000, Sampling::never, "low", "high"},
    {"o3", 100000, Sampling::never, "low", "high"},
    {"o4", 100000, Sampling::never, "low", "high"},
};

// Names of snapshots and tuned models go on after a hyphen or a colon.
bool begins(std::string_view model, std::string_view name) noexcept {
    if (!model.starts_with(name)) {
        return false;
    }
    model.remove_prefix(name.size());
    return name.ends_with('.') || model.empty() || model[0] == '-'
           || model[0] == ':' || model[0] == '.';
}

}  // namespace

const ModelTraits *find_model(std::string_view model) noexcept {
    constexpr std::string_view tuned = "ft:";
    // Resellers put the vendor before it.
    model.remove_prefix(model.rfind('/') + 1);
    if (model.starts_with(tuned)) {
        model.remove_prefix(tuned.size());
    }
    for (const ModelTraits &row : models) {
        if (begins(model, row.begins)) {
            return &row;
        }
    }
    return nullptr;
}

std::string_view effort_word(const chat::Reasoning &reasoning,
                             const ModelTraits *traits) noexcept {
    using Mode = chat::Reasoning::Mode;

    std::string_view word = reasoning.effort;
    if (word.empty() && reasoning.mode == Mode::budget) {
        word = effort_of_budget(reasoning.budget_tokens);
    } else if (word.empty() && reasoning.mode == Mode::adaptive && traits) {
        // Of a model that is not known the word would be a guess: those that
        // think do so unasked, others would refuse it.
        word = "high";
    }
    // Mode::disabled has no word that all models take: it is left out.
    if (!traits || word.empty()) {
        return word;
    }
    if (word == "none") {
        return traits->least_effort;
    }
    if (word == "minimal") {
        return traits->least_effort == "none" ? "low" : traits->least_effort;
    }
    bool highest = word == "xhigh" || word == "max";
    if (traits->least_effort.empty()
        || (highest && traits->most_effort != "max")) {
        return traits->most_effort;
    }
    return word;
}

bool takes_sampling(const ModelTraits *traits,
                    std::string_view effort) noexcept {
    if (!traits || traits->sampling == Sampling::always) {
        return true;
    }
    return traits->sampling == Sampling::unless_thinking
           && (effort.empty() || effort == "none");
}

}  // namespace llm::openai
