#include "llm/cache_entry.hpp"

#include <algorithm>
#include <optional>

namespace llm::cache {

namespace {

using chat::Choice;
using chat::FinishReason;
using chat::Part;
using chat::PartType;
using chat::Response;
using chat::Usage;
using json::Value;

constexpr std::int64_t version = 1;
constexpr std::int64_t longest_ttl = std::int64_t{1} << 31;

struct TypeRow {
    PartType type;
    std::string_view word;
};

constexpr TypeRow types[] = {
    {PartType::text, "text"},
    {PartType::image, "image"},
    {PartType::audio, "audio"},
    {PartType::file, "file"},
    {PartType::refusal, "refusal"},
    {PartType::reasoning, "reasoning"},
    {PartType::redacted_reasoning, "redacted_reasoning"},
    {PartType::tool_call, "tool_call"},
    {PartType::native, "native"},
};

constexpr FinishReason finished[] = {
    FinishReason::stop,
    FinishReason::length,
    FinishReason::tool_calls,
    FinishReason::content_filter,
};

// Members that are texts, of each kind of object.
template <typename Object>
struct TextRow {
    std::string_view name;
    std::string_view Object::*text;
};

constexpr TextRow<Part> part_texts[] = {
    {"text", &Part::text},           {"media_type", &Part::media_type},
    {"data", &Part::data},           {"url", &Part::url},
    {"file_id", &Part::file_id},     {"filename", &Part::filename},
    {"detail", &Part::detail},       {"signature", &Part::signature},
    {"id", &Part::id},               {"name", &Part::name},
    {"arguments", &Part::arguments},
};

constexpr TextRow<Choice> choice_texts[] = {
    {"native_finish_reason", &Choice::native_finish_reason},
    {"stop_sequence", &Choice::stop_sequence},
};

constexpr TextRow<Response> response_texts[] = {
    {"id", &Response::id},
    {"model", &Response::model},
    {"service_tier", &Response::service_tier},
    {"system_fingerprint", &Response::system_fingerprint},
};

constexpr TextRow<EntryHead> head_texts[] = {
    {"question", &EntryHead::question},
    {"embedding", &EntryHead::embedding},
};

// Providers' words for a failure behind some text, of which clients are told
// no more than that it has ended: Google's, and vLLM's.
constexpr std::string_view failures[] = {
    "OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE",
    "NO_IMAGE", "IMAGE_OTHER", "abort",
};

struct CountRow {
    std::string_view name;
    std::int64_t Usage::*count;
};

constexpr CountRow counts[] = {
    {"prompt_tokens", &Usage::prompt_tokens},
    {"completion_tokens", &Usage::completion_tokens},
    {"total_tokens", &Usage::total_tokens},
    {"cached_tokens", &Usage::cached_tokens},
    {"cache_write_tokens", &Usage::cache_write_tokens},
    {"reasoning_tokens", &Usage::reasoning_tokens},
    {"audio_prompt_tokens", &Usage::audio_prompt_tokens},
    {"audio_completion_tokens", &Usage::audio_completion_tokens},
};

constexpr std::string_view reasons[] = {
    "none", "empty", "incomplete", "error", "content_filter", "refusal",
    "length",
};

// Writing

template <typename Object, std::size_t N>
void write_texts(json::Writer &w, const Object &object,
                 const TextRow<Object> (&rows)[N]) {
    for (const auto &row : rows) {
        if (!(object.*row.text).empty()) {
            w.member(row.name, object.*row.text);
        }
    }
}

void write_part(json::Writer &w, const Part &part) {
    auto row = std::find_if(std::begin(types), std::end(types),
                            [&](const TypeRow &row) {
                                return row.type == part.type;
                            });
    w.begin_object().member("type", row->word);
    write_texts(w, part, part_texts);
    if (part.custom) {
        w.member("custom", true);
    }
    if (part.type == PartType::native && part.source) {
        w.member("source", part.source);
    }
    w.end_object();
}

void write_choice(json::Writer &w, const Choice &choice) {
    w.begin_object().member("index", choice.index);
    w.member("finish_reason", chat::to_string(choice.finish_reason));
    write_texts(w, choice, choice_texts);
    if (choice.logprobs) {
        w.member("logprobs", choice.logprobs);
    }
    w.key("parts").begin_array();
    for (const Part &part : choice.message.parts) {
        write_part(w, part);
    }
    w.end_array().end_object();
}

void write_usage(json::Writer &w, const Usage &usage) {
    w.begin_object();
    for (const CountRow &row : counts) {
        if (usage.*row.count != 0) {
            w.member(row.name, usage.*row.count);
        }
    }
    if (usage.estimated) {
        w.member("estimated", true);
    }
    w.end_object();
}

// Reading. Every function returns false after it has set error_.
class Reader {
public:
    explicit Reader(std::pmr::memory_resource *memory)
        : memory_(memory), entry_(memory) {}

    Result<Entry> read(Value root) {
        if (!read_root(root)) {
            return std::move(error_);
        }
        return std::move(entry_);
    }

private:
    bool fail(std::string_view member, std::string_view what) {
        error_ = Error{ErrorKind::server,
                       "a cached answer's \"" + std::string(member) + "\" "
                           + std::string(what),
                       std::string(member), {}, 0, {}};
        return false;
    }

    template <typename Object, std::size_t N>
    bool read_texts(Value value, Object &object,
                    const TextRow<Object> (&rows)[N]) {
        for (const auto &row : rows) {
            Value member = value[row.name];
            if (member && !member.is_string()) {
                return fail(row.name, "is no string");
            }
            object.*row.text = member.string();
        }
        return true;
    }

    bool read_integer(Value object, std::string_view name, std::int64_t least,
                      std::int64_t most, std::int64_t &out) {
        auto integer = object[name].integer();
        if (!integer || *integer < least || *integer > most) {
            return fail(name, "is no number in its range");
        }
        out = *integer;
        return true;
    }

    bool read_flag(Value object, std::string_view name, bool &out) {
        Value value = object[name];
        if (value && !value.is_bool()) {
            return fail(name, "is neither true nor false");
        }
        out = value.boolean();
        return true;
    }

    bool read_root(Value root) {
        // As exact as a number of JSON can be for everybody.
        constexpr std::int64_t most = std::int64_t{1} << 53;

        if (root["v"].integer() != version) {
            return fail("v", "is not the version that this gateway writes");
        }
        Response &response = entry_.response;
        if (!read_integer(root, "stored", 0, most, entry_.head.stored)
            || !read_integer(root, "ttl", 1, longest_ttl, entry_.head.ttl)
            || !read_texts(root, entry_.head, head_texts)
            || !read_texts(root, response, response_texts)
            || !read_usage(root["usage"])) {
            return false;
        }
        if (root["created"]
            && !read_integer(root, "created", 0, most, response.created)) {
            return false;
        }
        Value choices = root["choices"];
        if (!choices.is_array() || choices.size() == 0) {
            return fail("choices", "is no list of answers");
        }
        for (Value choice : choices.elements()) {
            if (!read_choice(choice)) {
                return false;
            }
        }
        return true;
    }

    bool read_usage(Value value) {
        constexpr std::int64_t most = std::int64_t{1} << 53;
        if (!value) {
            return true;
        }
        if (!value.is_object()) {
            return fail("usage", "is no object");
        }
        Usage &usage = entry_.response.usage;
        for (const CountRow &row : counts) {
            if (value[row.name]
                && !read_integer(value, row.name, 0, most,
                                 usage.*row.count)) {
                return false;
            }
        }
        if (!read_flag(value, "estimated", usage.estimated)) {
            return false;
        }
        usage.known = !usage.estimated;
        return true;
    }

    bool read_choice(Value value) {
        constexpr std::int64_t most = 1 << 20;
        if (!value.is_object()) {
            return fail("choices", "has something else than an answer");
        }
        Choice &choice = entry_.response.choices.emplace_back(memory_);
        choice.message.role = chat::Role::assistant;
        if (!read_integer(value, "index", 0, most, choice.index)
            || !read_texts(value, choice, choice_texts)) {
            return false;
        }

        std::string_view word = value["finish_reason"].string();
        auto reason = std::find_if(std::begin(finished), std::end(finished),
                                   [&](FinishReason known) {
                                       return chat::to_string(known) == word;
                                   });
        if (reason == std::end(finished)) {
            return fail("finish_reason", "is not that of a whole answer");
        }
        choice.finish_reason = *reason;

        if (Value logprobs = value["logprobs"]; logprobs) {
            if (!logprobs.is_object()) {
                return fail("logprobs", "is no object");
            }
            choice.logprobs = logprobs;
        }
        if (!value["parts"].is_array()) {
            return fail("parts", "is no list");
        }
        choice.message.parts.reserve(value["parts"].size());
        for (Value part : value["parts"].elements()) {
            if (!read_part(part, choice.message)) {
                return false;
            }
        }
        return true;
    }

    bool read_part(Value value, chat::Message &message) {
        std::string_view word = value["type"].string();
        auto row = std::find_if(std::begin(types), std::end(types),
                                [&](const TypeRow &row) {
                                    return row.word == word;
                                });
        if (row == std::end(types)) {
            return fail("type", "is not that of a part");
        }
        Part &part = message.parts.emplace_back();
        part.type = row->type;
        if (part.type == PartType::native) {
            part.source = value["source"];
        }
        return read_texts(value, part, part_texts)
               && read_flag(value, "custom", part.custom);
    }

    std::pmr::memory_resource *memory_;
    Entry entry_;
    Error error_;
};

bool says_something(const Part &part) {
    switch (part.type) {
    case PartType::text:
        return !part.text.empty();
    case PartType::reasoning:
    case PartType::redacted_reasoning:
        return false;
    default:
        return true;
    }
}

}  // namespace

void write_entry(const EntryHead &head, const Response &response,
                 std::string &out) {
    json::Writer w(out);
    w.begin_object()
        .member("v", version)
        .member("stored", head.stored)
        .member("ttl", head.ttl);
    write_texts(w, head, head_texts);
    write_texts(w, response, response_texts);
    if (response.created != 0) {
        w.member("created", response.created);
    }
    if (response.usage.known || response.usage.estimated) {
        write_usage(w.key("usage"), response.usage);
    }
    w.key("choices").begin_array();
    for (const Choice &choice : response.choices) {
        write_choice(w, choice);
    }
    w.end_array().end_object();
}

Result<Entry> read_entry(const json::Document &document,
                         std::pmr::memory_resource *memory) {
    return Reader(memory).read(document.root());
}

std::string answer_text(const Response &response) {
    std::string text;
    for (const Choice &choice : response.choices) {
        for (const Part &part : choice.message.parts) {
            for (auto piece : {part.text, part.name, part.arguments}) {
                if (!piece.empty() && part.type != PartType::reasoning) {
                    text.append(piece).append(1, '\n');
                }
            }
        }
    }
    return text;
}

bool runs_tools(const chat::Request &request) noexcept {
    return request.web_search_options.is_object()
           || std::any_of(request.tools.begin(), request.tools.end(),
                          [](const chat::Tool &tool) {
                              return tool.type == chat::Tool::Type::native;
                          });
}

std::string_view to_string(Unstorable reason) noexcept {
    return reasons[static_cast<std::size_t>(reason)];
}

Unstorable storable(const Response &response, bool keep_cut) noexcept {
    if (response.choices.empty()) {
        return Unstorable::empty;
    }
    for (const Choice &choice : response.choices) {
        if (std::find(std::begin(failures), std::end(failures),
                      choice.native_finish_reason)
            != std::end(failures)) {
            return Unstorable::error;
        }
        switch (choice.finish_reason) {
        case FinishReason::none:
            return Unstorable::incomplete;
        case FinishReason::error:
            return Unstorable::error;
        case FinishReason::content_filter:
            return Unstorable::content_filter;
        case FinishReason::length:
            if (!keep_cut) {
                return Unstorable::length;
            }
            break;
        case FinishReason::stop:
        case FinishReason::tool_calls:
            break;
        }
        const auto &parts = choice.message.parts;
        if (std::any_of(parts.begin(), parts.end(), [](const Part &part) {
                return part.type == PartType::refusal;
            })) {
            return Unstorable::refusal;
        }
        if (std::none_of(parts.begin(), parts.end(), says_something)) {
            return Unstorable::empty;
        }
    }
    return Unstorable::none;
}

}  // namespace llm::cache
