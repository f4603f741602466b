// Source: Gemini API reference, GenerateContentResponse and Candidate.
#include "formats/gemini/answer.hpp"

#include <charconv>
#include <chrono>
#include <vector>

#include "formats/gemini/gemini.hpp"
#include "formats/gemini/tables.hpp"
#include "text/hash.hpp"

namespace llm::gemini {

namespace {

// Whether digits stand where the pattern has a "0", and else what it has.
bool looks_like(std::string_view text, std::string_view pattern) noexcept {
    if (text.size() < pattern.size()) {
        return false;
    }
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (pattern[i] == '0' ? !digit : text[i] != pattern[i]) {
            return false;
        }
    }
    return true;
}

int number(std::string_view digits) noexcept {
    int value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

void write_token(json::Writer &writer, json::Value candidate) {
    writer.member("token", candidate["token"].string());
    writer.key("logprob");
    if (candidate["logProbability"].is_number()) {
        writer.raw(candidate["logProbability"].raw());
    } else {
        writer.integer(0);
    }
    writer.key("bytes").null();
}

void write_candidate(json::Writer &writer, json::Value token) {
    writer.begin_object().member("token", token["token"].string());
    if (token["logprob"].is_number()) {
        writer.member("logProbability", token["logprob"]);
    }
    writer.end_object();
}

}  // namespace

std::string made_call_id(std::string_view answer_id, json::Value call,
                         std::size_t number) {
    std::uint64_t hash = fnv1a(answer_id);
    hash = fnv1a(call["name"].string(), hash);
    hash = fnv1a(call["args"].raw(), hash);
    std::string id = "call_";
    append_hex(id, hash);
    return id + '_' + std::to_string(number);
}

std::string_view plain_name(std::string_view name, bool &custom) noexcept {
    custom = take_custom_prefix(name);
    if (!custom && name.starts_with(name_prefix)) {
        name.remove_prefix(name_prefix.size());
    }
    return name;
}

std::int64_t read_time(std::string_view text) noexcept {
    using namespace std::chrono;

    if (!looks_like(text, "0000-00-00T00:00:00") || !text.ends_with('Z')) {
        return 0;
    }
    year_month_day date{
        year(number(text.substr(0, 4))),
        month(static_cast<unsigned>(number(text.substr(5, 2)))),
        day(static_cast<unsigned>(number(text.substr(8, 2))))};
    if (!date.ok()) {
        return 0;
    }
    auto time = sys_days(date) + hours(number(text.substr(11, 2)))
                + minutes(number(text.substr(14, 2)))
                + seconds(number(text.substr(17, 2)));
    return duration_cast<seconds>(time.time_since_epoch()).count();
}

std::string_view block_reason(json::Value root) noexcept {
    return root["candidates"].size() != 0
               ? std::string_view()
               : root["promptFeedback"]["blockReason"].string();
}

Error failed_answer(std::string_view word, std::string_view message) {
    Error error;
    error.kind = ErrorKind::server;
    error.message = "the model failed (" + std::string(word.substr(0, 64))
                    + ")";
    if (!message.empty()) {
        error.message.append(": ").append(message.substr(0, 512));
    }
    return error;
}

void write_args(json::Writer &writer, std::string_view arguments,
                bool custom) {
    json::Document document;
    if (custom) {
        writer.begin_object().member(custom_input, arguments).end_object();
    } else if (document.parse(arguments, {.duplicates = true})
               && document.root().is_object()) {
        // Line ends between members would end a line of a stream.
        std::string text(document.root().raw());
        for (char &c : text) {
            c = c == '\n' || c == '\r' ? ' ' : c;
        }
        writer.raw(text);
    } else {
        // Clients take an object or fail.
        writer.begin_object().end_object();
    }
}

void write_call(json::Writer &writer, const chat::Part &call) {
    writer.begin_object().key("functionCall").begin_object();
    if (!call.id.empty()) {
        writer.member("id", call.id);
    }
    writer.member("name", call.name).key("args");
    write_args(writer, call.arguments, call.custom);
    writer.end_object();
    if (!call.signature.empty()) {
        writer.member("thoughtSignature", call.signature);
    }
    writer.end_object();
}

namespace {

// What SDKs can decode.
bool is_base64(std::string_view text) noexcept {
    return text.size() % 4 == 0
           && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz"
                                     "0123456789+/=")
                  == std::string_view::npos;
}

void write_proof(json::Writer &writer, std::string_view mark,
                 std::string_view proof) {
    if (!proof.empty() && is_base64(proof)) {
        writer.member("thoughtSignature",
                      std::string_view(std::string(mark).append(proof)));
    }
}

}  // namespace

void write_thought(json::Writer &writer, std::string_view text,
                   std::string_view signature) {
    writer.begin_object().member("text", text).member("thought", true);
    write_proof(writer, signature_mark, signature);
    writer.end_object();
}

void write_redacted(json::Writer &writer, std::string_view data) {
    writer.begin_object().member("text", "").member("thought", true);
    write_proof(writer, redacted_mark, data);
    writer.end_object();
}

void write_inline_data(json::Writer &writer, std::string_view media_type,
                       std::string_view data) {
    writer.begin_object().key("inlineData").begin_object()
        .member("mimeType", media_type)
        .member("data", data)
        .end_object().end_object();
}

void write_openai_logprobs(json::Writer &writer, json::Value result) {
    std::vector<json::Value> tops;
    for (json::Value top : result["topCandidates"].elements()) {
        tops.push_back(top["candidates"]);
    }
    writer.begin_object().key("content").begin_array();
    std::size_t i = 0;
    for (json::Value chosen : result["chosenCandidates"].elements()) {
        writer.begin_object();
        write_token(writer, chosen);
        writer.key("top_logprobs").begin_array();
        if (i < tops.size()) {
            for (json::Value one : tops[i].elements()) {
                writer.begin_object();
                write_token(writer, one);
                writer.end_object();
            }
        }
        writer.end_array().end_object();
        ++i;
    }
    writer.end_array().end_object();
}

void write_logprobs(json::Writer &writer, json::Value openai) {
    json::Value content = openai["content"];
    writer.begin_object().key("topCandidates").begin_array();
    for (json::Value token : content.elements()) {
        writer.begin_object().key("candidates").begin_array();
        for (json::Value top : token["top_logprobs"].elements()) {
            write_candidate(writer, top);
        }
        writer.end_array().end_object();
    }
    writer.end_array().key("chosenCandidates").begin_array();
    for (json::Value token : content.elements()) {
        write_candidate(writer, token);
    }
    writer.end_array().end_object();
}

}  // namespace llm::gemini
