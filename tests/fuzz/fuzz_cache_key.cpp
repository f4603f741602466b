// Any call has a key; the key does not depend on how the same call is written
// in JSON, and depends on every value in its messages and settings.
#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "llm/cache_key.hpp"
#include "llm/format.hpp"

using namespace llm;

namespace {

// The value once more, members in reverse order, with white space, texts and
// numbers written otherwise.
void rewrite(json::Value value, std::string &out) {
    switch (value.kind()) {
    case json::Kind::object: {
        std::vector<json::Member> members;
        for (json::Member member : value.members()) {
            members.push_back(member);
        }
        out += "{ ";
        for (std::size_t i = members.size(); i-- > 0;) {
            json::append_string(out, members[i].name);
            out += " :\n";
            rewrite(members[i].value, out);
            out += i > 0 ? " ,\t" : "";
        }
        out += " }";
        break;
    }
    case json::Kind::array: {
        bool comma = false;
        out += "[ ";
        for (json::Value element : value.elements()) {
            out += comma ? " , " : "";
            comma = true;
            rewrite(element, out);
        }
        out += "]";
        break;
    }
    case json::Kind::string:
        json::append_string(out, value.string());
        break;
    case json::Kind::number:
        // 1 is 1.0 is 1.0e0.
        out += value.raw();
        if (value.raw().find_first_of(".eE") == std::string_view::npos) {
            out += ".0";
        }
        if (value.raw().find_first_of("eE") == std::string_view::npos) {
            out += "e+0";
        }
        break;
    default:
        out += value.raw();
        break;
    }
}

std::optional<cache::Key> key_of(const Format &format, std::string_view body,
                                 const cache::KeyOptions &options) {
    json::Document document;
    if (!document.parse(body)) {
        return std::nullopt;
    }
    std::pmr::monotonic_buffer_resource memory;
    auto request = format.parse_request(document, &memory);
    if (!request) {
        return std::nullopt;
    }
    return cache::make_key(*request, options, &memory);
}

// What the first text of the first message becomes with one letter more.
std::optional<std::string> changed(const json::Document &document,
                                   std::string_view body) {
    for (json::Value message : document.root()["messages"].elements()) {
        json::Value content = message["content"];
        if (!content.is_string()) {
            continue;
        }
        auto offset =
            static_cast<std::size_t>(content.raw().data() - body.data());
        json::Edit edit{offset + 1, 0, "x"};
        std::string out;
        json::apply_edits(body, {&edit, 1}, out);
        return out;
    }
    return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view body(reinterpret_cast<const char *>(data), size);
    cache::KeyOptions options;
    options.model = "pool";
    options.consumer = "consumer";
    options.messages = size % 3;

    json::Document document;
    if (!document.parse(body)) {
        return 0;
    }
    for (const Format *format : formats()) {
        auto key = key_of(*format, body, options);
        if (!key) {
            continue;
        }
        fuzz::promise(key->question.size() <= options.max_question,
                      "a question is bounded");
        fuzz::promise(!key->question.empty()
                          || key->obstacle != cache::Obstacle::none,
                      "what is answered by meaning has a question", body);

        std::string other;
        rewrite(document.root(), other);
        auto same = key_of(*format, other, options);
        fuzz::promise(same && same->exact == key->exact
                          && same->partition == key->partition
                          && same->question == key->question,
                      "the same call has the same key", other);

        if (auto text = changed(document, body)) {
            auto differs = key_of(*format, *text, options);
            fuzz::promise(!differs || differs->exact != key->exact,
                          "another text has another key", *text);
        }
        cache::KeyOptions elsewhere = options;
        elsewhere.consumer = "someone else";
        auto theirs = key_of(*format, body, elsewhere);
        fuzz::promise(theirs && theirs->partition != key->partition,
                      "consumers are apart");
    }
    return 0;
}
