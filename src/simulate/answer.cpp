#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/arena.hpp"
#include "llm/simulate.hpp"
#include "simulate/instance.hpp"
#include "simulate/words.hpp"
#include "text/hash.hpp"

namespace llm::simulate {

namespace {

using chat::Choice;
using chat::Event;
using chat::FinishReason;
using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;

constexpr std::size_t longest_word = 16;    // bytes of a token of text
constexpr std::size_t argument_piece = 4;   // bytes of a token of arguments
constexpr std::int64_t default_lorem = 32;
// What OpenAI's n may be.
constexpr std::int64_t most_choices = 128;
// Whatever a request holds, it is answered at once: no model says more, none
// is told to stop by more words, and what the user wants is said early.
constexpr std::int64_t most_tokens = 1 << 17;
constexpr std::size_t most_stops = 16;
constexpr std::size_t most_tools = 128;
constexpr std::size_t most_results = 64;
constexpr std::size_t longest_heard = 4096;

constexpr std::string_view no_text = "[no text]";

constexpr std::string_view lorem_words[] = {
    "lorem",  "ipsum",      "dolor",  "sit",     "amet",   "consectetur",
    "elit",   "sed",        "eiusmod", "tempor", "ut",     "labore",
    "et",     "dolore",     "magna",  "aliqua",  "enim",   "minim",
    "veniam", "quis",       "nostrud", "ullamco", "laboris", "nisi",
    "aliquip", "commodo",   "duis",   "aute",    "irure",  "velit",
};

// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

private:
    std::uint64_t state_;
};

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::int64_t characters(std::string_view text) {
    return std::count_if(text.begin(), text.end(),
                         [](char c) { return !is_continuation(c); });
}

// A cut at most at `end` that parts no character.
std::size_t cut(std::string_view text, std::size_t end) {
    while (end < text.size() && end != 0 && is_continuation(text[end])) {
        --end;
    }
    return std::min(end, text.size());
}

std::size_t word_end(std::string_view text, std::size_t start) {
    // No further than need be: a text may be one word.
    std::size_t most = std::min(text.size() - start, longest_word + 1);
    std::size_t end = start;
    while (end - start < most && is_space(text[end])) {
        ++end;
    }
    while (end - start < most && !is_space(text[end])) {
        ++end;
    }
    return end - start > longest_word ? cut(text, start + longest_word) : end;
}

std::size_t token_end(const Part &part, std::string_view text,
                      std::size_t start) {
    return part.type == PartType::tool_call
               ? cut(text, start + argument_piece)
               : word_end(text, start);
}

std::string_view &text_of(Part &part) {
    return part.type == PartType::tool_call ? part.arguments : part.text;
}

std::string_view text_of(const Part &part) {
    return part.type == PartType::tool_call ? part.arguments : part.text;
}

std::string join_texts(const Message &message) {
    std::string text;
    for (const Part &part : message.parts) {
        if (part.type == PartType::text && !part.text.empty()) {
            if (!text.empty()) {
                text.push_back('\n');
            }
            text.append(part.text);
        }
    }
    return text;
}

std::string last_user_text(const Request &request) {
    for (auto message = request.messages.rbegin();
         message != request.messages.rend(); ++message) {
        if (message->role == Role::user) {
            return join_texts(*message);
        }
    }
    return {};
}

// The results that the assistant has not answered yet.
std::vector<const Message *> open_results(const Request &request) {
    std::vector<const Message *> results;
    for (const Message &message : request.messages) {
        if (message.role == Role::tool) {
            results.push_back(&message);
        } else if (message.role == Role::assistant) {
            results.clear();
        }
    }
    return results;
}

std::string_view name_of_call(const Request &request, std::string_view id) {
    for (const Message &message : request.messages) {
        for (const Part &part : message.parts) {
            if (part.type == PartType::tool_call && part.id == id) {
                return part.name;
            }
        }
    }
    return "tool";
}

std::uint64_t hash_of(const Request &request, std::uint64_t seed) {
    std::uint64_t hash = fnv1a(request.model);
    for (const Message &message : request.messages) {
        hash = fnv1a(to_string(message.role), hash);
        hash = fnv1a(message.tool_call_id, hash);
        for (const Part &part : message.parts) {
            for (std::string_view text : {part.text, part.data, part.url,
                                          part.name, part.arguments}) {
                hash = fnv1a(text, hash);
            }
        }
    }
    for (const chat::Tool &tool : request.tools) {
        hash = fnv1a(tool.name, hash);
    }
    return Random(hash ^ seed).next();
}

bool wants_reasoning(const Request &request) {
    using Mode = chat::Reasoning::Mode;
    const chat::Reasoning &reasoning = request.reasoning;
    if (reasoning.mode == Mode::disabled || reasoning.effort == "none"
        || reasoning.effort == "minimal") {
        return false;
    }
    return reasoning.mode != Mode::unset || !reasoning.effort.empty();
}

// The tools to be called; empty: it answers.
std::vector<const chat::Tool *> tools_to_call(const Request &request,
                                              std::string_view text) {
    using Mode = chat::ToolChoice::Mode;
    chat::ToolChoice choice = request.tool_choice.value_or(chat::ToolChoice{});
    std::vector<const chat::Tool *> tools;
    if (choice.mode == Mode::none || !open_results(request).empty()) {
        return tools;
    }

    const chat::Tool *first = nullptr;
    std::size_t seen = 0;
    for (const chat::Tool &tool : request.tools) {
        bool named = choice.mode == Mode::named;
        if (++seen > most_tools && !named) {
            break;
        }
        if (tool.type == chat::Tool::Type::native) {
            continue;       // the provider's own to call
        }
        first = first ? first : &tool;
        if (named ? tool.name == choice.name : mentions(text, tool.name)) {
            tools.push_back(&tool);
        }
    }
    if (tools.empty() && first) {
        tools.push_back(first);
    }
    if (!request.parallel_tool_calls.value_or(true) && tools.size() > 1) {
        tools.resize(1);
    }
    return tools;
}

std::string lorem(std::int64_t words, std::uint64_t seed) {
    constexpr std::int64_t sentence = 8;
    Random random(seed);
    std::string text;
    for (std::int64_t i = 0; i < words; ++i) {
        std::string word(
            lorem_words[random.next() % std::size(lorem_words)]);
        if (i % sentence == 0) {
            word[0] = static_cast<char>(word[0] - 'a' + 'A');
        }
        if (i % sentence == sentence - 1 || i + 1 == words) {
            word.push_back('.');
        }
        if (i != 0) {
            text.push_back(' ');
        }
        text.append(word);
    }
    return text;
}

// Cuts or repeats the text, so that it has exactly so many tokens.
std::string stretch(const std::string &text, std::int64_t tokens) {
    std::string longer = text;
    std::size_t end = 0;
    for (std::int64_t i = 0; i < tokens; ++i) {
        if (end == longer.size()) {
            longer.append(" ").append(text);
        }
        end = word_end(longer, end);
    }
    longer.resize(end);
    return longer;
}

class Composer {
public:
    Composer(const Request &request, const Options &options,
             std::pmr::memory_resource *memory, std::uint64_t hash)
        : request_(request), options_(options), memory_(memory), hash_(hash),
          user_(last_user_text(request)),
          heard_(std::string_view(user_).substr(0, cut(user_,
                                                       longest_heard))) {}

    Choice compose(std::int64_t index) {
        Choice choice(memory_);
        choice.index = index;
        choice.message.role = Role::assistant;
        choice.finish_reason = FinishReason::stop;
        if (wants_reasoning(request_)) {
            add_reasoning(choice.message);
        }

        auto tools = tools_to_call(request_, heard_);
        if (tools.empty()) {
            add_text(choice);
        } else {
            add_calls(choice, tools);
        }
        return choice;
    }

private:
    std::string_view keep(std::string_view text) {
        return arena_copy(memory_, text);
    }

    void add_reasoning(Message &message) {
        constexpr std::size_t longest = 120;
        std::string_view shown =
            std::string_view(user_).substr(0, cut(user_, longest));
        Part part;
        part.type = PartType::reasoning;
        part.text = arena_concat(
            memory_, {"The user says: \"", shown, "\". I answer that."});
        std::string signature = "simulated_";
        append_hex(signature, hash_);
        part.signature = keep(signature);
        message.parts.push_back(part);
    }

    void add_calls(Choice &choice,
                   const std::vector<const chat::Tool *> &tools) {
        choice.finish_reason = FinishReason::tool_calls;
        std::size_t number = 0;
        for (const chat::Tool *tool : tools) {
            Part part;
            part.type = PartType::tool_call;
            std::string id = "call_";
            append_hex(id, fnv1a(std::to_string(choice.index), hash_));
            id.append("_").append(std::to_string(number++));
            part.id = keep(id);
            part.name = tool->name;
            if (tool->type == chat::Tool::Type::custom) {
                part.custom = true;
                part.arguments = keep(user_.empty() ? no_text : user_);
            } else {
                std::string arguments;
                append_instance(arguments, tool->parameters, heard_);
                part.arguments = keep(arguments);
            }
            choice.message.parts.push_back(part);
        }
    }

    void add_text(Choice &choice) {
        std::string text = reply(choice.index);

        std::size_t end = std::string::npos;
        std::size_t seen = 0;
        for (std::string_view stop : request_.stop) {
            if (++seen > most_stops) {
                break;
            }
            if (stop.empty()) {
                continue;
            }
            std::size_t found = text.find(stop);
            if (found < end) {
                end = found;
                choice.stop_sequence = stop;
            }
        }
        if (end != std::string::npos) {
            text.resize(end);
        }
        if (!text.empty()) {
            Part part;
            part.text = keep(text);
            choice.message.parts.push_back(part);
        }
    }

    std::string reply(std::int64_t index) {
        using Type = chat::ResponseFormat::Type;
        if (request_.response_format
            && request_.response_format->type != Type::text) {
            return object(*request_.response_format);
        }
        if (auto results = open_results(request_); !results.empty()) {
            return cite(results);
        }
        return plain(index);
    }

    std::string object(const chat::ResponseFormat &format) {
        std::string text;
        if (format.type == chat::ResponseFormat::Type::json_schema) {
            append_instance(text, format.schema, heard_);
        } else {
            json::Writer(text)
                .begin_object()
                .member("answer", plain(0))
                .end_object();
        }
        return text;
    }

    std::string cite(const std::vector<const Message *> &results) {
        std::string text = "The tools say:";
        std::size_t count = std::min(results.size(), most_results);
        for (const Message *result : std::span(results).first(count)) {
            std::string content = join_texts(*result);
            text.append("\n")
                .append(name_of_call(request_, result->tool_call_id))
                .append(result->tool_error ? " failed: " : ": ")
                .append(content.empty() ? no_text : content);
        }
        return text;
    }

    std::string plain(std::int64_t index) {
        std::int64_t tokens = std::min(options_.tokens, most_tokens);
        if (options_.reply == Reply::lorem) {
            return lorem(tokens > 0 ? tokens : default_lorem,
                         hash_ + static_cast<std::uint64_t>(index));
        }
        std::string text = options_.reply == Reply::echo
                               ? user_
                               : std::string(options_.text);
        if (text.empty()) {
            text = no_text;
        }
        return tokens > 0 ? stretch(text, tokens) : text;
    }

    const Request &request_;
    const Options &options_;
    std::pmr::memory_resource *memory_;
    std::uint64_t hash_;
    std::string user_;
    std::string_view heard_;        // the start of it
};

}  // namespace

Answer::Answer(const Request &request, const Options &options,
               std::pmr::memory_resource *memory)
    : memory_(memory), response_(&memory_), tokens_(&memory_) {
    std::uint64_t hash = hash_of(request, options.seed);
    append_hex(unique_, hash);
    response_.model = request.model;

    chat::Usage &usage = response_.usage;
    usage.known = true;
    usage.prompt_tokens = estimate_prompt_tokens(request);

    Composer composer(request, options, &memory_, hash);
    std::int64_t choices =
        std::clamp<std::int64_t>(request.n.value_or(1), 1, most_choices);
    for (std::int64_t c = 0; c < choices; ++c) {
        response_.choices.push_back(composer.compose(c));
        Choice &choice = response_.choices.back();
        std::int64_t left =
            std::min(request.max_tokens.value_or(most_tokens), most_tokens);

        for (std::size_t p = 0; p < choice.message.parts.size(); ++p) {
            Part &part = choice.message.parts[p];
            std::string_view text = text_of(part);
            std::size_t start = 0;
            while (start < text.size() && left > 0) {
                std::size_t end = token_end(part, text, start);
                tokens_.push_back({static_cast<std::size_t>(c), p, start,
                                   end - start});
                start = end;
                --left;
                ++usage.completion_tokens;
                usage.reasoning_tokens += part.type == PartType::reasoning;
            }
            if (start == text.size()) {
                continue;
            }

            // The room is used up: what did not fit was never said.
            text_of(part) = text.substr(0, start);
            part.signature = {};
            choice.message.parts.erase(
                choice.message.parts.begin()
                    + static_cast<std::ptrdiff_t>(start == 0 ? p : p + 1),
                choice.message.parts.end());
            choice.finish_reason = FinishReason::length;
            choice.stop_sequence = {};
            break;
        }
    }
    usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
}

bool Answer::step(chat::EventSink &sink) {
    if (next_ >= steps()) {
        return false;
    }

    if (next_ == 0) {
        Event event;
        event.type = Event::Type::usage;
        event.usage = response_.usage;
        event.usage.completion_tokens = 0;
        event.usage.reasoning_tokens = 0;
        event.usage.total_tokens = event.usage.prompt_tokens;
        sink.on_event(event);
        event = Event{};
        event.type = Event::Type::start;
        event.model = response_.model;
        sink.on_event(event);
    } else if (next_ <= tokens_.size()) {
        emit_token(tokens_[next_ - 1], sink);
    } else {
        emit_end(sink);
    }
    return ++next_ < steps();
}

void Answer::emit_token(const Token &token, chat::EventSink &sink) const {
    const auto &parts = response_.choices[token.choice].message.parts;
    const Part &part = parts[token.part];
    bool first = token.offset == 0;
    bool last = token.offset + token.size == text_of(part).size();

    Event event;
    event.choice = static_cast<std::int64_t>(token.choice);
    event.type = part.type == PartType::reasoning ? Event::Type::reasoning
                                                  : Event::Type::text;
    if (part.type == PartType::tool_call) {
        event.call = static_cast<std::size_t>(std::count_if(
            parts.begin(),
            parts.begin() + static_cast<std::ptrdiff_t>(token.part),
            [](const Part &part) {
                return part.type == PartType::tool_call;
            }));
        if (first) {
            Event call = event;
            call.type = Event::Type::tool_call;
            call.id = part.id;
            call.name = part.name;
            call.custom = part.custom;
            sink.on_event(call);
        }
        event.type = Event::Type::tool_arguments;
    }
    event.text = text_of(part).substr(token.offset, token.size);
    sink.on_event(event);

    if (last && !part.signature.empty()) {
        Event signature;
        signature.choice = event.choice;
        signature.type = Event::Type::reasoning_signature;
        signature.text = part.signature;
        sink.on_event(signature);
    }
}

void Answer::emit_end(chat::EventSink &sink) const {
    for (const Choice &choice : response_.choices) {
        Event event;
        event.type = Event::Type::finish;
        event.choice = choice.index;
        event.finish_reason = choice.finish_reason;
        event.stop_sequence = choice.stop_sequence;
        sink.on_event(event);
    }
    Event event;
    event.type = Event::Type::usage;
    event.usage = response_.usage;
    sink.on_event(event);
    event = Event{};
    event.type = Event::Type::done;
    sink.on_event(event);
}

std::int64_t estimate_prompt_tokens(const Request &request) noexcept {
    constexpr std::int64_t characters_per_token = 4;
    constexpr std::int64_t message_overhead = 3;
    std::int64_t tokens = 0;
    for (const Message &message : request.messages) {
        std::int64_t count = 0;
        for (const Part &part : message.parts) {
            count += characters(part.text) + characters(part.arguments);
        }
        tokens += (count + characters_per_token - 1) / characters_per_token
                  + message_overhead;
    }
    return tokens;
}

}  // namespace llm::simulate
