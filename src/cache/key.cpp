#include "llm/cache_key.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>
#include <unordered_map>
#include <vector>

#include "cache/canonical.hpp"
#include "llm/format.hpp"

namespace llm::cache {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;
using json::Value;

// Members of a request that no format reads and that change no answer: hints
// for the provider's own cache and for its supervision of users (OpenAI API
// reference, chat completions and responses; Anthropic API reference,
// messages).
constexpr std::string_view without_effect[] = {
    "cache_control", "metadata", "prompt_cache_key", "prompt_cache_options",
    "prompt_cache_retention", "safety_identifier", "store",
};

// Members of sources that a Message, a Part or a Tool stands for, and those
// that SDKs put there without a meaning for the model. What is left over has
// no other place in the key.
constexpr std::string_view message_members[] = {
    "annotations", "audio", "cache_control", "call_id", "content",
    "function_call", "is_error", "name", "output", "reasoning",
    "reasoning_content", "reasoning_details", "refusal", "role", "status",
    "tool_call_id", "tool_calls", "tool_use_id", "type",
};
constexpr std::string_view part_members[] = {
    "arguments", "cache_control", "call_id", "content", "custom", "data",
    "detail", "file", "file_data", "file_id", "file_url",
    "filename", "function", "id", "image_url", "input", "input_audio", "name",
    "refusal", "role", "signature", "source", "status", "summary", "text",
    "thinking", "title", "type",
};
// The same one level below, and where that is.
constexpr std::string_view inner_members[] = {
    "arguments", "data", "detail", "file_data", "file_id", "filename",
    "format", "input", "media_type", "name", "type", "url",
};
constexpr std::string_view inner_objects[] = {
    "custom", "file", "function", "image_url", "input_audio", "source",
};
constexpr std::string_view tool_members[] = {
    "cache_control", "custom", "description", "function", "input_schema",
    "name", "parameters", "strict", "type",
};
constexpr std::string_view reasoning_members[] = {"budget_tokens", "type"};

constexpr std::string_view obstacles[] = {
    "none",  "empty",   "too_long", "not_a_question", "tools", "tool_results",
    "media", "several", "seed",     "temperature",
};

constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

std::string_view trimmed(std::string_view text) {
    auto space = [](char c) {
        return std::isspace(static_cast<unsigned char>(c)) != 0;
    };
    while (!text.empty() && space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

class KeyMaker {
public:
    KeyMaker(const Request &request, const KeyOptions &options,
             std::pmr::memory_resource *memory)
        : request_(request), options_(options), out_(memory), calls_(memory),
          texts_(memory), memory_(memory) {}

    Key make();

private:
    bool ignored(const Message &message) const;
    void find_question();
    Obstacle obstacle() const;
    std::string question() const;

    void write_settings();
    void write_sampling();
    void write_answer_form();
    void write_tools();
    void write_tool(const chat::Tool &tool);
    void write_reasoning();
    void write_extra();
    void write_messages();
    void write_message(const Message &message, bool asks);
    void write_part(const Part &part, bool asks);
    void write_call(char name, std::string_view id);
    void write_format();

    const Request &request_;
    const KeyOptions &options_;
    Canonical out_;
    // Numbers of the calls, by their ids.
    std::pmr::unordered_map<std::string_view, std::uint64_t> calls_;
    std::uint64_t call_count_ = 0;
    std::pmr::vector<std::string_view> texts_;  // of the question
    std::pmr::memory_resource *memory_;
    std::size_t question_from_ = nowhere;   // first message of the question
};

bool KeyMaker::ignored(const Message &message) const {
    switch (message.role) {
    case Role::system:
    case Role::developer:
        return options_.ignored.system;
    case Role::assistant:
        return options_.ignored.assistant;
    case Role::tool:
        return options_.ignored.tool;
    case Role::user:
        break;
    }
    return false;
}

void KeyMaker::find_question() {
    std::size_t left = options_.messages;
    for (std::size_t i = request_.messages.size(); i-- > 0 && left > 0;) {
        if (request_.messages[i].role == Role::user) {
            question_from_ = i;
            --left;
        }
    }
}

Obstacle KeyMaker::obstacle() const {
    const auto &messages = request_.messages;

    auto last = std::find_if(
        messages.rbegin(), messages.rend(), [](const Message &message) {
            return message.role != Role::system
                   && message.role != Role::developer;
        });
    if (last == messages.rend()) {
        return Obstacle::empty;
    }
    if (last->role == Role::tool) {
        return Obstacle::tool_results;
    }
    if (last->role != Role::user) {
        return Obstacle::not_a_question;
    }
    if (question_from_ == nowhere) {
        return Obstacle::empty;     // options_.messages is 0
    }

    using Mode = chat::ToolChoice::Mode;
    if (!request_.tools.empty()
        && !(request_.tool_choice
             && request_.tool_choice->mode == Mode::none)) {
        return Obstacle::tools;
    }

    // The question, and the turn that it stands in: all that was said after
    // the model's last answer.
    std::size_t from = question_from_;
    for (std::size_t i = messages.size(); i-- > 0;) {
        if (messages[i].role == Role::assistant) {
            from = std::min(from, i + 1);
            break;
        }
        if (i == 0) {
            from = 0;
        }
    }
    for (std::size_t i = from; i < messages.size(); ++i) {
        if (messages[i].role == Role::tool) {
            return Obstacle::tool_results;
        }
        if (messages[i].role != Role::user) {
            continue;
        }
        for (const Part &part : messages[i].parts) {
            if (part.type != PartType::text) {
                return Obstacle::media;
            }
        }
    }

    if (request_.n.value_or(1) > 1) {
        return Obstacle::several;
    }
    if (!request_.seed.is_null()) {
        return Obstacle::seed;
    }
    if (!request_.temperature.is_null()) {
        auto temperature = request_.temperature.number();
        if (!temperature || *temperature > options_.max_temperature) {
            return Obstacle::temperature;
        }
    }
    return Obstacle::none;
}

std::string KeyMaker::question() const {
    if (texts_.size() == 1) {
        return std::string(trimmed(texts_[0]));
    }
    std::string joined;
    for (std::string_view text : texts_) {
        if (!joined.empty()) {
            joined.push_back('\n');
        }
        joined.append(text);
    }
    return std::string(trimmed(joined));
}

Key KeyMaker::make() {
    find_question();

    out_.text("llm partition 1");
    write_settings();
    write_sampling();
    write_answer_form();
    write_tools();
    write_reasoning();
    write_extra();
    write_messages();

    Key key;
    key.partition = out_.finish();

    out_.text("llm exact 1");
    out_.text({reinterpret_cast<const char *>(key.partition.bytes.data()),
               key.partition.bytes.size()});
    out_.count(texts_.size());
    std::size_t size = 0;
    for (std::string_view text : texts_) {
        out_.text(text);
        size += text.size() + 1;
    }
    key.exact = out_.finish();

    key.obstacle = obstacle();
    if (size <= options_.max_question + 1) {
        key.question = question();
        if (key.question.empty() && key.obstacle == Obstacle::none) {
            key.obstacle = Obstacle::empty;
        }
    } else if (key.obstacle == Obstacle::none) {
        key.obstacle = Obstacle::too_long;
    }
    return key;
}

void KeyMaker::write_settings() {
    const IgnoredRoles &ignored = options_.ignored;

    out_.field('M', options_.model);
    if (options_.shared) {
        out_.tag('W');
    } else {
        out_.tag('w');
        out_.text(options_.consumer);
    }
    out_.field('P', options_.partition);
    // What was left out is a part of what was asked: another location, which
    // leaves nothing out, must not hear an answer to less than it said.
    out_.flag('1', ignored.system);
    out_.flag('2', ignored.assistant);
    out_.flag('3', ignored.tool);
}

void KeyMaker::write_sampling() {
    auto integer = [&](char name, std::optional<std::int64_t> value) {
        if (value) {
            out_.tag(name);
            out_.count(static_cast<std::uint64_t>(*value));
        }
    };

    integer('a', request_.max_tokens);
    out_.field('b', request_.temperature);
    out_.field('c', request_.top_p);
    out_.field('d', request_.top_k);
    out_.field('e', request_.frequency_penalty);
    out_.field('f', request_.presence_penalty);
    out_.field('g', request_.seed);
    out_.field('h', request_.logit_bias);
    if (request_.n.value_or(1) != 1) {
        integer('i', request_.n);
    }
    out_.flag('j', request_.logprobs.value_or(false));
    integer('k', request_.top_logprobs);
    if (!request_.stop.empty()) {
        out_.tag('l');
        out_.count(request_.stop.size());
        for (std::string_view stop : request_.stop) {
            out_.text(stop);
        }
    }
}

void KeyMaker::write_answer_form() {
    using Type = chat::ResponseFormat::Type;

    out_.field('m', request_.verbosity);
    out_.field('n', request_.modalities);
    out_.field('o', request_.audio);
    out_.field('p', request_.prediction);
    out_.field('q', request_.web_search_options);

    if (!request_.response_format
        || request_.response_format->type == Type::text) {
        return;
    }
    const chat::ResponseFormat &format = *request_.response_format;
    out_.tag(format.type == Type::json_object ? 'r' : 's');
    out_.text(format.name);
    out_.text(format.description);
    out_.json(format.schema);
    out_.tag(format.strict.value_or(false) ? 't' : 'f');
}

void KeyMaker::write_tools() {
    using Mode = chat::ToolChoice::Mode;

    if (!request_.tools.empty()) {
        out_.tag('t');
        out_.count(request_.tools.size());
        for (const chat::Tool &tool : request_.tools) {
            write_tool(tool);
        }
    }
    if (request_.tool_choice
        && request_.tool_choice->mode != Mode::automatic) {
        const chat::ToolChoice &choice = *request_.tool_choice;
        out_.tag('u');
        out_.tag(static_cast<char>('0' + static_cast<int>(choice.mode)));
        out_.text(choice.name);
        out_.json(choice.mode == Mode::allowed ? choice.source : Value());
    }
    out_.flag('v', !request_.parallel_tool_calls.value_or(true));
}

void KeyMaker::write_tool(const chat::Tool &tool) {
    out_.tag(static_cast<char>('0' + static_cast<int>(tool.type)));
    out_.text(tool.name);
    if (tool.type == chat::Tool::Type::native) {
        write_format();
        out_.json(tool.source);
        return;
    }
    out_.text(tool.description);
    out_.json(tool.parameters);
    out_.tag(tool.strict.value_or(false) ? 't' : 'f');
    out_.rest('r', tool.source, tool_members);
    out_.rest('s', tool.source["function"], tool_members);
    out_.rest('c', tool.source["custom"], tool_members);
    out_.tag('.');
}

void KeyMaker::write_reasoning() {
    using Mode = chat::Reasoning::Mode;
    const chat::Reasoning &reasoning = request_.reasoning;

    out_.field('x', reasoning.effort);
    if (reasoning.mode != Mode::unset) {
        out_.tag('y');
        out_.tag(static_cast<char>('0' + static_cast<int>(reasoning.mode)));
        out_.count(static_cast<std::uint64_t>(reasoning.budget_tokens));
    }
    out_.rest('z', reasoning.source, reasoning_members);
}

void KeyMaker::write_extra() {
    std::pmr::vector<json::Member> members(memory_);
    for (const json::Member &member : request_.extra) {
        if (!member.value.is_null()
            && std::find(std::begin(without_effect), std::end(without_effect),
                         member.name) == std::end(without_effect)) {
            members.push_back(member);
        }
    }
    if (members.empty()) {
        return;
    }
    std::stable_sort(members.begin(), members.end(),
                     [](const json::Member &a, const json::Member &b) {
                         return a.name < b.name;
                     });
    // The same name may mean something else in another API.
    out_.tag('X');
    write_format();
    out_.count(members.size());
    for (const json::Member &member : members) {
        out_.text(member.name);
        out_.json(member.value);
    }
}

void KeyMaker::write_format() {
    out_.text(request_.origin ? request_.origin->name() : std::string_view());
}

void KeyMaker::write_messages() {
    out_.tag('=');
    for (std::size_t i = 0; i < request_.messages.size(); ++i) {
        const Message &message = request_.messages[i];
        // Calls are counted wherever they are, so that a result names the
        // same one whether or not the call itself is left out.
        for (const Part &part : message.parts) {
            if (part.type == PartType::tool_call) {
                calls_[part.id] = call_count_++;
            }
        }
        if (!ignored(message)) {
            write_message(message, i >= question_from_
                                       && message.role == Role::user);
        }
    }
}

void KeyMaker::write_message(const Message &message, bool asks) {
    constexpr char roles[] = {'s', 's', 'u', 'a', 't'};

    out_.tag('{');
    out_.tag(roles[static_cast<std::size_t>(message.role)]);
    out_.field('n', message.name);
    if (message.role == Role::tool) {
        write_call('c', message.tool_call_id);
        out_.flag('e', message.tool_error);
    }
    out_.rest('r', message.source, message_members);
    for (const Part &part : message.parts) {
        write_part(part, asks);
    }
    out_.tag('}');
}

void KeyMaker::write_call(char name, std::string_view id) {
    auto call = calls_.find(id);
    out_.tag(name);
    if (call != calls_.end()) {
        out_.tag('#');
        out_.count(call->second);
    } else {
        out_.tag('?');
        out_.text(id);
    }
}

void KeyMaker::write_part(const Part &part, bool asks) {
    out_.tag('(');
    out_.tag(static_cast<char>('0' + static_cast<int>(part.type)));

    if (part.type == PartType::native) {
        out_.text(part.name);
        write_format();
        out_.json(part.source);
        return;
    }
    if (part.type == PartType::text && asks) {
        texts_.push_back(part.text);
        out_.tag('Q');
    } else {
        out_.field('t', part.text);
    }
    out_.field('y', part.media_type);
    out_.field('d', part.data);
    out_.field('u', part.url);
    out_.field('i', part.file_id);
    out_.field('f', part.filename);
    // "auto" is what OpenAI takes where nothing is said.
    out_.field('D', part.detail == "auto" ? std::string_view() : part.detail);
    out_.field('S', part.signature);
    if (part.type == PartType::tool_call) {
        write_call('c', part.id);
        out_.field('n', part.name);
        out_.flag('C', part.custom);
        if (part.custom) {
            out_.field('a', part.arguments);
        } else if (!part.arguments.empty()) {
            out_.tag('A');
            out_.json_text(part.arguments);
        } else {
            out_.tag('A');
            out_.json_text("{}");
        }
    }
    out_.rest('r', part.source, part_members);
    for (std::size_t i = 0; i < std::size(inner_objects); ++i) {
        out_.rest(static_cast<char>('0' + i), part.source[inner_objects[i]],
                  inner_members);
    }
    out_.tag(')');
}

}  // namespace

std::string_view to_string(Obstacle obstacle) noexcept {
    return obstacles[static_cast<std::size_t>(obstacle)];
}

Key make_key(const Request &request, const KeyOptions &options,
             std::pmr::memory_resource *memory) {
    return KeyMaker(request, options, memory).make();
}

}  // namespace llm::cache
