#include <algorithm>
#include <string>
#include <vector>

#include "formats/completions/completions.hpp"
#include "formats/functions.hpp"
#include "formats/unsupported.hpp"
#include "llm/prompt_template.hpp"

namespace llm::completions {

namespace {

using chat::Part;
using chat::PartType;
using chat::Request;
using json::Value;

// What a raw text cannot ask for, where leaving it out would make the answer
// another one. Hints (reasoning's effort, verbosity, prediction) are left out
// without a word.
constexpr Unsupported unsupported_rows[] = {
    {"tools", [](const Request &request) { return !request.tools.empty(); }},
    {"response_format",
     [](const Request &request) {
         return request.response_format
                && request.response_format->type
                       != chat::ResponseFormat::Type::text;
     }},
    {"logprobs", wants_logprobs},
    {"modalities", wants_more_than_text},
    {"web_search_options", wants_web_search},
    {"mcp_servers", has_mcp_servers},
};

struct ScalarMember {
    std::string_view name;
    Value Request::*field;
};

constexpr ScalarMember scalars[] = {
    {"temperature", &Request::temperature},
    {"top_p", &Request::top_p},
    {"frequency_penalty", &Request::frequency_penalty},
    {"presence_penalty", &Request::presence_penalty},
    {"seed", &Request::seed},
    {"logit_bias", &Request::logit_bias},
};

class RequestWriter {
public:
    RequestWriter(const Request &request, const WriteOptions &options,
                  std::string &out)
        : request_(request), options_(options), w_(out),
          own_(request.origin == &completions_format()),
          template_(find_prompt_template(options.quirks.prompt_template)) {}

    Result<void> write() {
        if (!check() || !write_body()) {
            return std::move(error_);
        }
        return {};
    }

private:
    bool unsupported(std::string_view what, std::string_view param);
    bool check();
    bool write_body();
    bool write_prompt();
    bool read_turns(std::vector<PromptTurn> &turns);
    bool read_part(const Part &part, std::string &text);
    void write_settings();
    void write_stops();

    const Request &request_;
    const WriteOptions &options_;
    json::Writer w_;
    bool own_;                      // the client spoke this format
    const PromptTemplate *template_;
    Error error_;
};

// False after it has set error_; true where unsupported is dropped.
bool RequestWriter::unsupported(std::string_view what,
                                std::string_view param) {
    if (options_.drop_unsupported) {
        return true;
    }
    error_ = llm::unsupported(std::string(what) +
                                  " cannot be sent to this model's provider",
                              std::string(param));
    return false;
}

bool RequestWriter::check() {
    std::string_view param = first_unsupported(unsupported_rows, request_);
    return param.empty() || unsupported(param, param);
}

bool RequestWriter::write_body() {
    w_.begin_object().member("model", options_.model).key("prompt");
    if (!write_prompt()) {
        return false;
    }
    write_settings();
    write_stops();
    if (request_.stream) {
        w_.member("stream", true);
        if (options_.quirks.stream_options) {
            w_.key("stream_options").begin_object()
                .member("include_usage", true)
                .end_object();
        }
    }
    if (own_) {
        for (const json::Member &member : request_.extra) {
            w_.member(member.name, member.value);
        }
    }
    w_.end_object();
    return true;
}

bool RequestWriter::write_prompt() {
    // A client of this API writes its own templates.
    if (own_ && request_.messages.size() == 1) {
        const chat::Message &message = request_.messages.front();
        if (message.source) {
            w_.raw(message.source.raw());
            return true;
        }
    }

    std::vector<PromptTurn> turns;
    if (!read_turns(turns)) {
        return false;
    }
    if (own_ || !template_) {
        bool plain = turns.size() == 1
                     && turns.front().role == chat::Role::user;
        if (!plain && !own_) {
            error_ = llm::unsupported(
                "a conversation cannot be sent to this model's provider, "
                "which has no prompt template",
                "messages");
            return false;
        }
        std::string text;
        for (const PromptTurn &turn : turns) {
            text.append(turn.text);
        }
        w_.string(text);
        return true;
    }
    std::string prompt;
    llm::write_prompt(*template_, turns, prompt);
    w_.string(prompt);
    return true;
}

bool RequestWriter::read_turns(std::vector<PromptTurn> &turns) {
    for (const chat::Message &message : request_.messages) {
        PromptTurn turn;
        turn.role = message.role;
        if (message.role == chat::Role::tool) {
            if (!unsupported("the result of a tool",
                             functions::param_of(request_, message))) {
                return false;
            }
            continue;
        }
        for (const Part &part : message.parts) {
            if (!read_part(part, turn.text)) {
                return false;
            }
        }
        if (!turn.text.empty()) {
            turns.push_back(std::move(turn));
        }
    }
    return true;
}

bool RequestWriter::read_part(const Part &part, std::string &text) {
    auto refuse = [&](std::string_view what) {
        return unsupported(what, functions::param_of(request_, part));
    };
    switch (part.type) {
    case PartType::text:
    case PartType::refusal:
        text.append(part.text);
        return true;
    case PartType::reasoning:
    case PartType::redacted_reasoning:
        return true;
    case PartType::tool_call:
        return refuse("the call of a tool");
    case PartType::image:
        return refuse("an image");
    case PartType::audio:
        return refuse("audio");
    case PartType::file:
        return refuse("a file");
    case PartType::native:
        return refuse("a content block of this type");
    }
    return true;
}

void RequestWriter::write_settings() {
    // Sixteen where nothing is said, which is no answer to anything.
    w_.member("max_tokens",
              std::max<std::int64_t>(
                  request_.max_tokens.value_or(options_.default_max_tokens),
                  1));
    if (request_.n) {
        w_.member("n", *request_.n);
    }
    for (const ScalarMember &row : scalars) {
        if (Value value = request_.*row.field) {
            w_.member(row.name, value);
        }
    }
    if (!request_.user.empty()) {
        w_.member("user", request_.user);
    }
}

void RequestWriter::write_stops() {
    std::vector<std::string_view> stops(request_.stop.begin(),
                                        request_.stop.end());
    if (template_ && !own_) {
        stops.insert(stops.end(), template_->stops.begin(),
                     template_->stops.end());
    }
    if (stops.empty()) {
        return;
    }
    w_.key("stop").begin_array();
    for (std::string_view stop : stops) {
        w_.string(stop);
    }
    w_.end_array();
}

}  // namespace

Result<void> write_request(const Request &request, const WriteOptions &options,
                           std::string &out) {
    return RequestWriter(request, options, out).write();
}

}  // namespace llm::completions
