// Servers of OpenAI's API that take less than all of it, or call it otherwise.
// A call that is written anew and one that is passed on as it came are made
// fit by the same edits. Which server needs what is data: Quirks.
#include <algorithm>
#include <string>

#include "formats/openai/openai.hpp"
#include "text/hash.hpp"

namespace llm::openai {

namespace {

using json::Edit;
using json::Member;
using json::Value;

constexpr std::string_view schema_instruction =
    "Answer with one JSON object and nothing else. It must fit this JSON "
    "Schema: ";

// What is put between the results of tools and what is no answer to them.
constexpr std::string_view filler_message =
    R"({"role":"assistant","content":"."},)";

// Mistral's API reference, "Chat completion": the members of messages, by
// role (empty: all).
struct MessageMember {
    std::string_view name;
    std::string_view role;
};

constexpr MessageMember message_members[] = {
    {"role", ""},
    {"content", ""},
    {"tool_calls", "assistant"},
    {"prefix", "assistant"},
    {"tool_call_id", "tool"},
    {"name", "tool"},
};

// What a function of no parameters has: Mistral demands them.
constexpr std::string_view no_parameters =
    R"({"type":"object","properties":{}})";

std::string quoted(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

class QuirkEditor {
public:
    QuirkEditor(std::string_view text, const Quirks &quirks,
                std::vector<Edit> &edits)
        : text_(text), quirks_(quirks), edits_(edits) {}

    void edit(Value root) {
        edit_members(root, [&](const Member &member) {
            return edit_member(member, root);
        });
        edit_schema(root);
        edit_messages(root["messages"]);
        if (quirks_.mistral_messages) {
            edit_tools(root["tools"]);
        }
    }

private:
    std::size_t offset(std::string_view part) const {
        return static_cast<std::size_t>(part.data() - text_.data());
    }

    void replace(std::string_view part, std::string by) {
        edits_.push_back({offset(part), part.size(), std::move(by)});
    }

    void insert(std::size_t at, std::string what) {
        edits_.push_back({at, 0, std::move(what)});
    }

    // Calls keep(member) for each; those that it is false for go, in runs,
    // with the commas that they no longer need.
    template <typename F>
    void edit_members(Value object, F &&keep) {
        constexpr std::size_t none = std::string_view::npos;
        std::size_t kept_end = none;    // of the last member that stays
        std::size_t run = none;         // where the members to remove begin
        std::size_t run_end = 0;
        auto close = [&](std::size_t end) {
            if (run != none) {
                edits_.push_back({run, end - run, {}});
                run = none;
            }
        };
        for (const Member &member : object.members()) {
            std::size_t start = offset(member.raw);
            std::size_t end = start + member.raw.size();
            if (!keep(member)) {
                if (run == none) {
                    run = kept_end == none ? start : kept_end;
                }
                run_end = end;
                continue;
            }
            // The first that stays takes the place of those before it.
            close(kept_end == none ? start : run_end);
            kept_end = end;
        }
        close(run_end);
    }

    void rename(const Member &member, std::string_view to) {
        std::size_t size = member.raw.size() - member.value.raw().size();
        replace(member.raw.substr(0, size), quoted(to) + ':');
    }

    // Of the body; false: it goes.
    bool edit_member(const Member &member, Value root) {
        // Several servers refuse an empty list, which says nothing anyway.
        if (quirks_.mistral_messages && member.name == "tools"
            && member.value.is_array() && member.value.size() == 0) {
            return false;
        }
        if (!quirks_.stream_options && member.name == "stream_options") {
            return false;
        }
        for (const MemberRule &rule : quirks_.members) {
            if (rule.name == member.name) {
                if (!rule.to.empty()) {
                    rename(member, rule.to);
                }
                return !rule.to.empty();
            }
            // Said under both names: what is renamed counts.
            if (!rule.to.empty() && rule.to == member.name
                && root[rule.name]) {
                return false;
            }
        }
        return true;
    }

    void edit_schema(Value root) {
        Value format = root["response_format"];
        bool dropped = std::any_of(
            quirks_.members.begin(), quirks_.members.end(),
            [](const MemberRule &rule) {
                return rule.name == "response_format" && rule.to.empty();
            });
        if (quirks_.schema == SchemaForm::openai || dropped
            || format["type"].string() != "json_schema") {
            return;
        }
        Value schema = format["json_schema"]["schema"];
        if (!schema) {
            return;
        }

        std::string out;
        json::Writer w(out);
        w.begin_object().member("type", quirks_.schema == SchemaForm::flat
                                            ? "json_schema"
                                            : "json_object");
        if (quirks_.schema == SchemaForm::value) {
            w.member("value", schema);
        } else if (quirks_.schema != SchemaForm::prompt) {
            w.member("schema", schema);
        }
        w.end_object();
        replace(format.raw(), std::move(out));

        Value messages = root["messages"];
        if (quirks_.schema == SchemaForm::prompt && messages.is_array()) {
            std::string text(schema_instruction);
            text.append(schema.raw());
            std::string message;
            json::Writer(message).begin_object()
                .member("role", "system").member("content", text)
                .end_object();
            if (messages.size() > 0) {
                message.push_back(',');
            }
            insert(offset(messages.raw()) + 1, std::move(message));
        }
    }

    void edit_messages(Value messages) {
        if (quirks_.developer_role && quirks_.null_content
            && !quirks_.mistral_messages) {
            return;
        }
        bool after_result = false;
        std::size_t left = messages.size();
        for (Value message : messages.elements()) {
            --left;
            Value role = message["role"];
            std::string_view word = role.string();
            if (quirks_.mistral_messages && after_result
                && word != "tool" && word != "assistant") {
                insert(offset(message.raw()), std::string(filler_message));
            }
            after_result = word == "tool";

            if (word == "developer" && !quirks_.developer_role) {
                replace(role.raw(), "\"system\"");
            }
            Value content = message["content"];
            if (content && content.is_null() && !quirks_.null_content) {
                replace(content.raw(), "\"\"");
            }
            if (quirks_.mistral_messages) {
                edit_message(message, word, left == 0);
            }
        }
    }

    // Mistral's rules.
    void edit_message(Value message, std::string_view role, bool last) {
        Value calls = message["tool_calls"];
        bool is_prefix = last && role == "assistant" && calls.size() == 0
                         && message.size() > 0;
        if (is_prefix && !message["prefix"]) {
            insert(offset(message.raw()) + 1, "\"prefix\":true,");
        }

        edit_members(message, [&](const Member &member) {
            if (member.name == "tool_calls" && member.value.size() == 0) {
                return false;
            }
            return std::any_of(
                std::begin(message_members), std::end(message_members),
                [&](const MessageMember &row) {
                    return row.name == member.name
                           && (row.role.empty() || row.role == role);
                });
        });
        if (role == "tool") {
            edit_id(message["tool_call_id"]);
        } else if (role == "assistant") {
            for (Value call : calls.elements()) {
                edit_id(call["id"]);
            }
        }
    }

    void edit_tools(Value tools) {
        for (Value tool : tools.elements()) {
            Value function = tool["function"];
            Value parameters = function["parameters"];
            if (parameters && parameters.is_null()) {
                replace(parameters.raw(), std::string(no_parameters));
            } else if (!parameters && function.size() > 0) {
                insert(offset(function.raw()) + 1,
                       "\"parameters\":" + std::string(no_parameters) + ',');
            }
        }
    }

    // By its text alone, so that a call and its result agree, in every request
    // of the conversation.
    void edit_id(Value id) {
        constexpr std::size_t size = 9;
        constexpr std::string_view letters =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

        std::string_view text = id.string();
        bool fits = text.size() == size
                    && text.find_first_not_of(letters) == text.npos;
        if (!id.is_string() || fits) {
            return;
        }
        std::string made;
        std::uint64_t hash = fnv1a(text);
        for (std::size_t i = 0; i < size; ++i) {
            made.push_back(letters[hash % letters.size()]);
            hash /= letters.size();
        }
        replace(id.raw(), quoted(made));
    }

    std::string_view text_;
    const Quirks &quirks_;
    std::vector<Edit> &edits_;
};

}  // namespace

void add_quirk_edits(std::string_view text, Value root, const Quirks &quirks,
                     std::vector<Edit> &edits) {
    QuirkEditor(text, quirks, edits).edit(root);
}

// Roles, "stream_options" and "content" are written as they have to be.
bool rewrites(const Quirks &quirks) noexcept {
    return !quirks.members.empty() || quirks.schema != SchemaForm::openai
           || quirks.mistral_messages;
}

}  // namespace llm::openai
