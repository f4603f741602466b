#include <algorithm>
#include <string>
#include <utility>

#include "formats/body_reader.hpp"
#include "formats/completions/completions.hpp"
#include "formats/head_reader.hpp"

namespace llm::completions {

namespace {

using chat::Request;
using fields::Path;
using json::Kind;
using json::Value;

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

// More than any server makes of one prompt.
constexpr std::int64_t max_choices = 1000;

constexpr std::size_t all_prompts = static_cast<std::size_t>(-1);

// A list of numbers is one prompt.
std::size_t count_prompts(Value prompt) noexcept {
    bool several = prompt.is_array() && prompt.size() > 1
                   && !(*prompt.elements().begin()).is_number();
    return several ? prompt.size() : 1;
}

class RequestReader : fields::BodyReader {
public:
    // Of several prompts the one at `index`; all_prompts: there is to be one.
    RequestReader(Value root, std::size_t index,
                  std::pmr::memory_resource *memory)
        : BodyReader(root, memory), index_(index) {}

    Result<Request> read() {
        if (!read_body()) {
            return std::move(error_);
        }
        return std::move(request_);
    }

private:
    using Row = fields::MemberRow<RequestReader>;
    static const Row member_rows[];

    bool read_body();
    bool refuse(std::string_view what, std::string_view param);
    bool read_member(const json::Member &member);
    bool read_prompt(Value value, const Path &path);

    std::size_t index_;
};

const RequestReader::Row RequestReader::member_rows[] = {
    {"model", &RequestReader::read_model},
    {"prompt", &RequestReader::read_prompt},
    {"max_tokens", &RequestReader::count<&Request::max_tokens, 1>},
    {"n", &RequestReader::count<&Request::n, 1>},
    {"stop", &RequestReader::read_stop},
    {"stream", &RequestReader::flag<&Request::stream>},
    {"stream_options", &RequestReader::read_stream_options},
    {"user", &RequestReader::text<&Request::user>},
    {"temperature",
     &RequestReader::keep<&Request::temperature, Kind::number>},
    {"top_p", &RequestReader::keep<&Request::top_p, Kind::number>},
    {"frequency_penalty",
     &RequestReader::keep<&Request::frequency_penalty, Kind::number>},
    {"presence_penalty",
     &RequestReader::keep<&Request::presence_penalty, Kind::number>},
    {"seed", &RequestReader::keep<&Request::seed, Kind::number>},
    {"logit_bias", &RequestReader::keep<&Request::logit_bias, Kind::object>},
};

bool RequestReader::read_body() {
    if (!has({"model", "prompt"})) {
        return false;
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
    if (const Row *row = fields::find_row(member_rows, member.name)) {
        // SDKs send null for what their caller left out.
        return member.value.is_null()
               || (this->*row->read)(member.value, Path(member.name));
    }
    request_.extra.push_back(member);
    return true;
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

}  // namespace

Result<RequestHead> parse_head(const json::Document &document) {
    fields::HeadReader reader(document.root());
    reader.head.max_tokens = default_max_tokens;
    bool read = reader.read_model();
    if (read) {
        Value prompt = document.root()["prompt"];
        read = prompt.is_string() || prompt.is_array()
               || reader.fail(Path("prompt"),
                              prompt.is_null()
                                  ? fields::missing
                                  : "must be a string or an array");
    }
    read = read && reader.read_stream() && reader.read_stream_options()
           && reader.read_max_tokens("max_tokens", 0);

    // Of each prompt; best_of are made, though n are answered.
    Value root = document.root();
    auto number = [&](std::string_view name) {
        return std::clamp<std::int64_t>(root[name].integer().value_or(1), 1,
                                        max_choices);
    };
    reader.head.choices =
        std::max(number("n"), number("best_of"))
        * static_cast<std::int64_t>(count_prompts(root["prompt"]));
    return reader.result(read);
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
