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

class RequestReader : fields::BodyReader {
public:
    using BodyReader::BodyReader;

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

// A text, or a list with one text. Several are several calls; numbers are
// tokens of a model that the provider may not have.
bool RequestReader::read_prompt(Value value, const Path &path) {
    Value text = value;
    if (value.is_array()) {
        if (value.size() == 0) {
            return fail(path, "must not be empty");
        }
        if (value.size() == 1) {
            text = *value.elements().begin();
        } else if ((*value.elements().begin()).is_string()) {
            return refuse("a list of several prompts", path.text());
        }
    }
    if (text.is_number() || text.is_array()) {
        return refuse("a prompt of tokens", path.text());
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
    return reader.result(read);
}

Result<Request> parse_request(const json::Document &document,
                              std::pmr::memory_resource *memory) {
    auto request = RequestReader(document.root(), memory).read();
    if (request) {
        request->origin = &completions_format();
    }
    return request;
}

}  // namespace llm::completions
