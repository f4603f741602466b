#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "formats/completions/completions.hpp"
#include "formats/openai/fields.hpp"

namespace llm::completions {

namespace {

using chat::Request;
using json::Kind;
using json::Value;
using openai::Path;

// OpenAI API reference: what an answer has where nothing is said.
constexpr std::int64_t default_max_tokens = 16;

// What is asked of the model's raw text, which nobody has who asks a chat
// model.
struct RawMember {
    std::string_view name;
    bool (*asked)(Value);
};

bool is_there(Value value) {
    return !value.is_null();
}

constexpr RawMember raw_members[] = {
    {"suffix", [](Value value) { return !value.string().empty(); }},
    {"echo", [](Value value) { return value.boolean(); }},
    {"best_of", [](Value value) { return value.integer().value_or(1) > 1; }},
    {"logprobs", is_there},
};

// Members that stand for one field and need no more than a check of their
// type.
struct ScalarMember {
    std::string_view name;
    Value Request::*field;
    Kind kind;
};

constexpr ScalarMember scalars[] = {
    {"temperature", &Request::temperature, Kind::number},
    {"top_p", &Request::top_p, Kind::number},
    {"frequency_penalty", &Request::frequency_penalty, Kind::number},
    {"presence_penalty", &Request::presence_penalty, Kind::number},
    {"seed", &Request::seed, Kind::number},
    {"logit_bias", &Request::logit_bias, Kind::object},
};

// More than any server makes of one prompt.
constexpr std::int64_t max_choices = 1000;

constexpr std::size_t all_prompts = static_cast<std::size_t>(-1);

// A list of numbers is one prompt.
std::size_t count_prompts(Value prompt) noexcept {
    bool several = prompt.is_array() && prompt.size() > 1
                   && !(*prompt.elements().begin()).is_number();
    return several ? prompt.size() : 1;
}

class RequestReader : openai::FieldReader {
public:
    // Of several prompts the one at `index`; all_prompts: there is to be one.
    RequestReader(Value root, std::size_t index,
                  std::pmr::memory_resource *memory)
        : root_(root), index_(index), memory_(memory), request_(memory) {}

    Result<Request> read() {
        if (!read_body()) {
            return std::move(error_);
        }
        return std::move(request_);
    }

private:
    using Read = bool (RequestReader::*)(Value, const Path &);

    struct MemberReader {
        std::string_view name;
        Read read;
    };
    static const MemberReader member_readers[];

    bool read_body();
    bool refuse(std::string_view what, std::string_view param);
    bool read_member(const json::Member &member);
    bool read_model(Value value, const Path &path);
    bool read_prompt(Value value, const Path &path);
    bool read_max_tokens(Value value, const Path &path);
    bool read_n(Value value, const Path &path);
    bool read_stop(Value value, const Path &path);
    bool read_stream(Value value, const Path &path);
    bool read_stream_options(Value value, const Path &path);
    bool read_user(Value value, const Path &path);

    Value root_;
    std::size_t index_;
    std::pmr::memory_resource *memory_;
    Request request_;
};

const RequestReader::MemberReader RequestReader::member_readers[] = {
    {"model", &RequestReader::read_model},
    {"prompt", &RequestReader::read_prompt},
    {"max_tokens", &RequestReader::read_max_tokens},
    {"n", &RequestReader::read_n},
    {"stop", &RequestReader::read_stop},
    {"stream", &RequestReader::read_stream},
    {"stream_options", &RequestReader::read_stream_options},
    {"user", &RequestReader::read_user},
};

bool RequestReader::read_body() {
    if (!root_.is_object()) {
        error_ = invalid_request("the body must be a JSON object");
        return false;
    }
    for (std::string_view name : {"model", "prompt"}) {
        if (root_[name].is_null()) {
            return fail(Path(name), "is missing");
        }
    }
    for (const RawMember &row : raw_members) {
        if (row.asked(root_[row.name])) {
            return refuse(row.name, row.name);
        }
    }

    request_.max_tokens = default_max_tokens;
    for (const json::Member &member : root_.members()) {
        if (!read_member(member)) {
            return false;
        }
    }
    return true;
}

bool RequestReader::refuse(std::string_view what, std::string_view param) {
    error_ = unsupported(std::string(what) + " can only be sent to a provider "
                                             "that speaks the completions API",
                         std::string(param));
    return false;
}

bool RequestReader::read_member(const json::Member &member) {
    Path path(member.name);
    // SDKs send null for what their caller left out.
    bool absent = member.value.is_null();
    for (const MemberReader &row : member_readers) {
        if (row.name == member.name) {
            return absent || (this->*row.read)(member.value, path);
        }
    }
    for (const ScalarMember &row : scalars) {
        if (row.name == member.name) {
            request_.*row.field = absent ? Value() : member.value;
            return absent || expect(member.value, row.kind, path);
        }
    }
    request_.extra.push_back(member);
    return true;
}

bool RequestReader::read_model(Value value, const Path &path) {
    request_.model = value.string();
    return !request_.model.empty()
           || fail(path, "must be a string that is not empty");
}

// A text, or a list of texts. Numbers are tokens of a model that the provider
// may not have.
bool RequestReader::read_prompt(Value value, const Path &path) {
    Value text = value;
    if (value.is_array()) {
        if (value.size() == 0) {
            return fail(path, "must not be empty");
        }
        auto element = value.elements().begin();
        for (std::size_t i = 0; index_ != all_prompts && i < index_; ++i) {
            ++element;
        }
        text = *element;
    }
    if (text.is_number() || text.is_array()) {
        return refuse("a prompt of tokens", path.text());
    }
    if (index_ == all_prompts && count_prompts(value) > 1) {
        return refuse(root_["stream"].boolean() ? "a stream of several prompts"
                                                : "a list of several prompts",
                      path.text());
    }
    if (!text.is_string()) {
        return fail(path, "must be a string");
    }

    chat::Message &message = request_.messages.emplace_back(memory_);
    message.source = value;
    message.parts.emplace_back().text = text.string();
    return true;
}

bool RequestReader::read_max_tokens(Value value, const Path &path) {
    request_.max_tokens = value.integer();
    return (request_.max_tokens && *request_.max_tokens >= 1)
           || fail(path, "must be an integer of at least 1");
}

bool RequestReader::read_n(Value value, const Path &path) {
    request_.n = value.integer();
    return (request_.n && *request_.n >= 1)
           || fail(path, "must be an integer of at least 1");
}

bool RequestReader::read_stop(Value value, const Path &path) {
    if (value.is_string()) {
        request_.stop.push_back(value.string());
        return true;
    }
    if (!value.is_array()) {
        return fail(path, "must be a string or an array of strings");
    }
    std::size_t index = 0;
    for (Value element : value.elements()) {
        if (!expect(element, Kind::string, Path(path, index++))) {
            return false;
        }
        request_.stop.push_back(element.string());
    }
    return true;
}

bool RequestReader::read_stream(Value value, const Path &path) {
    request_.stream = value.boolean();
    return expect(value, Kind::boolean, path);
}

bool RequestReader::read_stream_options(Value value, const Path &path) {
    if (!expect(value, Kind::object, path)) {
        return false;
    }
    Value include = value["include_usage"];
    request_.include_usage = include.boolean();
    return include.is_null()
           || expect(include, Kind::boolean, Path(path, "include_usage"));
}

bool RequestReader::read_user(Value value, const Path &path) {
    request_.user = value.string();
    return expect(value, Kind::string, path);
}

}  // namespace

Result<RequestHead> parse_head(const json::Document &document) {
    Value root = document.root();
    if (!root.is_object()) {
        return invalid_request("the body must be a JSON object");
    }
    auto fail = [](std::string_view name, std::string_view reason) -> Error {
        return invalid_request(std::string(name) + ' ' + std::string(reason),
                               std::string(name));
    };

    RequestHead head;
    Value model = root["model"];
    head.model = model.string();
    if (head.model.empty()) {
        return fail("model", model.is_null()
                                 ? "is missing"
                                 : "must be a string that is not empty");
    }
    Value prompt = root["prompt"];
    if (prompt.is_null()) {
        return fail("prompt", "is missing");
    }
    if (!prompt.is_string() && !prompt.is_array()) {
        return fail("prompt", "must be a string or an array");
    }

    Value stream = root["stream"];
    if (!stream.is_null() && !stream.is_bool()) {
        return fail("stream", openai::expected(Kind::boolean));
    }
    head.stream = stream.boolean();
    Value options = root["stream_options"];
    if (!options.is_null() && !options.is_object()) {
        return fail("stream_options", openai::expected(Kind::object));
    }
    head.include_usage = options["include_usage"].boolean();

    Value most = root["max_tokens"];
    head.max_tokens = most.is_null() ? default_max_tokens : most.integer();
    if (!head.max_tokens || *head.max_tokens < 0) {
        return fail("max_tokens", "must be an integer of at least 0");
    }
    // Of each prompt; best_of are made, though n are answered.
    auto number = [&](std::string_view name) {
        return std::clamp<std::int64_t>(root[name].integer().value_or(1), 1,
                                        max_choices);
    };
    head.choices = std::max(number("n"), number("best_of"))
                   * static_cast<std::int64_t>(count_prompts(prompt));
    return head;
}

Result<Request> parse_request(const json::Document &document,
                              std::pmr::memory_resource *memory) {
    return parse_prompt(document, all_prompts, memory);
}

std::size_t prompts(const json::Document &document) noexcept {
    return count_prompts(document.root()["prompt"]);
}

Result<Request> parse_prompt(const json::Document &document,
                             std::size_t index,
                             std::pmr::memory_resource *memory) {
    auto request = RequestReader(document.root(), index, memory).read();
    if (request) {
        request->origin = &completions_format();
    }
    return request;
}

}  // namespace llm::completions
