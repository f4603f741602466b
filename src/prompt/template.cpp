#include "llm/prompt_template.hpp"

#include <algorithm>

namespace llm {

namespace {

using chat::Role;
using System = PromptTemplate::System;

constexpr std::string_view llama_markers[] = {
    "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>",
};
constexpr std::string_view llama_stops[] = {"</s>", "[INST]"};

constexpr std::string_view header_markers[] = {
    "<|begin_of_text|>", "<|end_of_text|>",    "<|start_header_id|>",
    "<|end_header_id|>", "<|eot_id|>",         "<|eom_id|>",
    "<|python_tag|>",    "<|finetune_right_pad_id|>",
};
constexpr std::string_view header_stops[] = {"<|eot_id|>", "<|eom_id|>"};

constexpr std::string_view chatml_markers[] = {
    "<|im_start|>", "<|im_end|>", "<|endoftext|>",
};
constexpr std::string_view chatml_stops[] = {"<|im_end|>"};

constexpr std::string_view mistral_markers[] = {
    "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]",
    "[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "<s>", "</s>",
};

// Sources:
// llama2   Meta, Llama 2 model card and prompt format
// llama3   Meta, Llama 3 (and 3.1 to 3.3) model card and prompt format
// chatml   OpenAI, Chat Markup Language; the model cards of Qwen, of Nous
//          Hermes and of others that took it over
// mistral  Mistral AI cookbook, "Chat templates": tokenizer V3, and where
//          mistral-common puts the system's words
constexpr PromptTemplate table[] = {
    {"llama2", System::first_user,
     {"<<SYS>>\n", "\n<</SYS>>\n\n"},
     {"[INST] ", " [/INST]"},
     {" ", " </s><s>"},
     "",
     llama_stops, llama_markers},
    {"llama3", System::own_turn,
     {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
     {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"},
     {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"},
     "<|start_header_id|>assistant<|end_header_id|>\n\n",
     header_stops, header_markers},
    {"chatml", System::own_turn,
     {"<|im_start|>system\n", "<|im_end|>\n"},
     {"<|im_start|>user\n", "<|im_end|>\n"},
     {"<|im_start|>assistant\n", "<|im_end|>\n"},
     "<|im_start|>assistant\n",
     chatml_stops, chatml_markers},
    {"mistral", System::last_user,
     {"", "\n\n"},
     {"[INST] ", "[/INST]"},
     {" ", "</s>"},
     "",
     llama_stops, mistral_markers},
};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    std::size_t first = text.find_first_not_of(space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(space) + 1 - first);
}

// Appends the text; a blank after a marker's first character makes it none.
void append_words(std::string &out, std::string_view text,
                  std::span<const std::string_view> markers) {
    std::string firsts;
    for (std::string_view known : markers) {
        if (firsts.find(known[0]) == std::string::npos) {
            firsts.push_back(known[0]);
        }
    }

    std::size_t written = 0;
    for (std::size_t at = text.find_first_of(firsts); at != text.npos;
         at = text.find_first_of(firsts, at + 1)) {
        std::string_view rest = text.substr(at);
        bool marker = std::any_of(
            markers.begin(), markers.end(),
            [&](std::string_view known) { return rest.starts_with(known); });
        if (marker) {
            out.append(text, written, at + 1 - written).push_back(' ');
            written = at + 1;
        }
    }
    out.append(text, written);
}

Role side_of(Role role) {
    switch (role) {
    case Role::system:
    case Role::developer:
        return Role::system;
    case Role::assistant:
        return Role::assistant;
    case Role::user:
    case Role::tool:
        break;
    }
    return Role::user;
}

// Turns of the same side are one: the models know nothing else.
std::vector<PromptTurn> merged(const PromptTemplate &t,
                               std::span<const PromptTurn> turns) {
    std::vector<PromptTurn> all;
    std::string system;
    auto add = [](std::string &to, std::string_view words) {
        to.append(to.empty() ? "" : "\n\n").append(words);
    };

    for (const PromptTurn &turn : turns) {
        std::string words;
        append_words(words, trimmed(turn.text), t.markers);
        Role side = side_of(turn.role);
        if (side == Role::system && t.system != System::own_turn) {
            add(system, words);
        } else if (!all.empty() && all.back().role == side) {
            add(all.back().text, words);
        } else {
            all.push_back({side, std::move(words)});
        }
    }
    if (system.empty()) {
        return all;
    }

    auto is_user = [](const PromptTurn &turn) {
        return turn.role == Role::user;
    };
    auto user = t.system == System::first_user
                    ? std::find_if(all.begin(), all.end(), is_user)
                    : all.end();
    if (t.system == System::last_user) {
        auto last = std::find_if(all.rbegin(), all.rend(), is_user);
        if (last != all.rend()) {
            user = last.base() - 1;
        }
    }
    if (user == all.end()) {
        user = all.insert(all.begin(), {Role::user, {}});
    }
    user->text = std::string(t.system_turn.before) + system
                 + std::string(t.system_turn.after) + user->text;
    return all;
}

const PromptTemplate::Turn &frame_of(const PromptTemplate &t, Role side) {
    return side == Role::system      ? t.system_turn
           : side == Role::assistant ? t.assistant_turn
                                     : t.user_turn;
}

}  // namespace

std::span<const PromptTemplate> prompt_templates() noexcept {
    return table;
}

const PromptTemplate *find_prompt_template(std::string_view name) noexcept {
    for (const PromptTemplate &row : table) {
        if (row.name == name) {
            return &row;
        }
    }
    return nullptr;
}

void write_prompt(const PromptTemplate &t, std::span<const PromptTurn> turns,
                  std::string &out) {
    auto all = merged(t, turns);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto &frame = frame_of(t, all[i].role);
        bool last = i + 1 == all.size();
        out.append(frame.before).append(all[i].text);
        if (!last || all[i].role != Role::assistant) {
            out.append(frame.after);
        }
        if (last && all[i].role != Role::assistant) {
            out.append(t.answer);
        }
    }
}

}  // namespace llm
