// The whole way of an answer through a cache: put together from a stream,
// written, read again, played back.
#include "catch.hpp"

#include <memory_resource>
#include <random>
#include <string>
#include <vector>

#include "events.hpp"
#include "llm/assemble.hpp"
#include "llm/cache_entry.hpp"
#include "llm/exchange.hpp"

using namespace llm;
using cache::EntryHead;
using cache::Unstorable;
using chat::FinishReason;
using chat::PartType;

namespace {

// The events of an answer, one a line; two answers with the same lines are
// the same to any client.
std::vector<std::string> events_of(const chat::Response &response) {
    struct Sink final : chat::EventSink {
        void on_event(const chat::Event &event) override {
            lines.push_back(testing::describe(event));
        }
        std::vector<std::string> lines;
    } sink;
    replay(response, sink);
    return sink.lines;
}

const EntryHead head{"Who is it?", "static-1", 1700000000, 300};

std::string written(const chat::Response &response,
                    const EntryHead &with = head) {
    std::string out;
    cache::write_entry(with, response, out);
    return out;
}

// The error of a text that is no entry; empty where it is one.
std::string error_of(std::string_view text) {
    json::Document document;
    INFO(text);
    REQUIRE(document.parse(text));
    std::pmr::monotonic_buffer_resource memory;
    auto entry = cache::read_entry(document, &memory);
    return entry ? std::string() : entry.error().message;
}

chat::Part text_part(std::string_view text) {
    chat::Part part;
    part.text = text;
    return part;
}

// An answer of one choice.
chat::Response simple(std::pmr::memory_resource *memory,
                      FinishReason reason = FinishReason::stop) {
    chat::Response response(memory);
    auto &choice = response.choices.emplace_back(memory);
    choice.message.role = chat::Role::assistant;
    choice.message.parts.push_back(text_part("Hello."));
    choice.finish_reason = reason;
    return response;
}

// Answers of all shapes, from a seed; their texts are of static storage.
class Generator {
public:
    explicit Generator(unsigned seed) : random_(seed) {}

    chat::Response response(std::pmr::memory_resource *memory) {
        chat::Response response(memory);
        response.id = text();
        response.model = text();
        response.created = static_cast<std::int64_t>(below(2000000000));
        response.usage.known = below(4) != 0;
        if (response.usage.known) {
            response.usage.prompt_tokens = static_cast<int>(below(1000));
            response.usage.completion_tokens = static_cast<int>(below(1000));
            response.usage.total_tokens = static_cast<int>(below(2000));
            response.usage.cached_tokens = static_cast<int>(below(10));
            response.usage.reasoning_tokens = static_cast<int>(below(10));
        }
        std::size_t choices = 1 + below(3);
        for (std::size_t i = 0; i < choices; ++i) {
            auto &choice = response.choices.emplace_back(memory);
            choice.index = static_cast<std::int64_t>(i);
            choice.message.role = chat::Role::assistant;
            std::size_t parts = below(6);
            for (std::size_t k = 0; k < parts; ++k) {
                add_part(choice.message);
            }
            choice.finish_reason = below(2) ? FinishReason::stop
                                            : FinishReason::tool_calls;
            choice.native_finish_reason = text();
            choice.stop_sequence = text();
        }
        return response;
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::string_view text() {
        static constexpr std::string_view texts[] = {
            "", "a", "Hello.", "\"quoted\"\\\n", "\xC3\xA9\xF0\x9F\x98\x80",
            "{\"a\":[1, 2.0]}", std::string_view("\0\x01", 2),
        };
        return texts[below(std::size(texts))];
    }

    // As a stream can say it: neighbours of one type would become one.
    void add_part(chat::Message &message) {
        static constexpr PartType types[] = {
            PartType::text, PartType::reasoning, PartType::refusal,
            PartType::redacted_reasoning, PartType::tool_call,
        };
        chat::Part part;
        part.type = types[below(std::size(types))];
        switch (part.type) {
        case PartType::tool_call:
            part.id = text();
            part.name = text();
            part.arguments = text();
            part.custom = below(2) != 0;
            break;
        case PartType::redacted_reasoning:
            part.data = "data";
            break;
        case PartType::reasoning:
            part.text = "thought";
            part.signature = text();
            [[fallthrough]];
        default:
            if (!message.parts.empty()
                && message.parts.back().type == part.type) {
                return;
            }
            if (part.text.empty()) {
                part.text = "said";
            }
            break;
        }
        message.parts.push_back(part);
    }

    std::mt19937 random_;
};

}  // namespace

TEST_CASE("cache entry: an answer is read as it was written") {
    for (unsigned seed = 0; seed < 500; ++seed) {
        CAPTURE(seed);
        std::pmr::monotonic_buffer_resource memory;
        chat::Response response = Generator(seed).response(&memory);
        response.service_tier = "flex";
        response.system_fingerprint = "fp";
        std::string text = written(response);

        json::Document document;
        REQUIRE(document.parse(text));
        auto entry = cache::read_entry(document, &memory);
        REQUIRE(entry);
        CHECK(entry->head.question == head.question);
        CHECK(entry->head.embedding == head.embedding);
        CHECK(entry->head.stored == head.stored);
        CHECK(entry->head.ttl == head.ttl);
        CHECK(entry->response.service_tier == "flex");
        CHECK(entry->response.system_fingerprint == "fp");
        CHECK(events_of(entry->response) == events_of(response));
        CHECK(written(entry->response, entry->head) == text);
    }
}

TEST_CASE("cache entry: what it looks like") {
    std::pmr::monotonic_buffer_resource memory;
    chat::Response response = simple(&memory);
    response.id = "chatcmpl-1";
    response.model = "gpt";
    response.usage.known = true;
    response.usage.prompt_tokens = 3;
    response.usage.completion_tokens = 2;
    response.usage.total_tokens = 5;
    CHECK(written(response)
          == R"({"v":1,"stored":1700000000,"ttl":300,"question":"Who is it?",)"
             R"("embedding":"static-1","id":"chatcmpl-1","model":"gpt",)"
             R"("usage":{"prompt_tokens":3,"completion_tokens":2,)"
             R"("total_tokens":5},"choices":[{"index":0,)"
             R"("finish_reason":"stop",)"
             R"("parts":[{"type":"text","text":"Hello."}]}]})");
}

TEST_CASE("cache entry: its age is never negative") {
    CHECK(head.age(1700000007) == 7);
    // The clock of another gateway was ahead.
    CHECK(head.age(1699999999) == 0);
}

TEST_CASE("cache entry: usage that was estimated stays an estimate") {
    std::pmr::monotonic_buffer_resource memory;
    chat::Response response = simple(&memory);
    response.usage.estimated = true;
    response.usage.prompt_tokens = 7;
    std::string text = written(response);
    json::Document document;
    REQUIRE(document.parse(text));
    auto entry = cache::read_entry(document, &memory);
    REQUIRE(entry);
    CHECK(entry->response.usage.estimated);
    CHECK_FALSE(entry->response.usage.known);
    CHECK(entry->response.usage.prompt_tokens == 7);
}

TEST_CASE("cache entry: blocks of one format and log probabilities are kept") {
    std::pmr::monotonic_buffer_resource memory;
    json::Document document;
    std::string_view source =
        R"({"block":{"type":"server_tool_use","id":"s"},"lp":{"content":[{"logprob":-0.10}]}})";
    REQUIRE(document.parse(source));
    chat::Response response = simple(&memory);
    auto &choice = response.choices.front();
    choice.logprobs = document.root()["lp"];
    chat::Part part;
    part.type = PartType::native;
    part.source = document.root()["block"];
    choice.message.parts.push_back(part);

    std::string text = written(response);
    json::Document again;
    REQUIRE(again.parse(text));
    auto entry = cache::read_entry(again, &memory);
    REQUIRE(entry);
    auto &read = entry->response.choices.front();
    CHECK(read.logprobs.raw() == R"({"content":[{"logprob":-0.10}]})");
    REQUIRE(read.message.parts.size() == 2);
    CHECK(read.message.parts[1].source.raw()
          == R"({"type":"server_tool_use","id":"s"})");
}

TEST_CASE("cache entry: what somebody else put there is an error that says so") {
    const std::string good =
        R"({"v":1,"stored":1,"ttl":1,"choices":[{"index":0,"finish_reason":"stop","parts":[]}]})";
    CHECK(error_of(good) == "");

    struct Case {
        std::string_view text;
        std::string_view member;
    };
    auto bad = GENERATE(values<Case>({
        {R"("a string")", "v"},
        {"[]", "v"},
        {"{}", "v"},
        {R"({"v":2,"stored":1,"ttl":1,"choices":[]})", "v"},
        {R"({"v":"1"})", "v"},
        {R"({"v":1})", "stored"},
        {R"({"v":1,"stored":-1})", "stored"},
        {R"({"v":1,"stored":1e300})", "stored"},
        {R"({"v":1,"stored":1})", "ttl"},
        {R"({"v":1,"stored":1,"ttl":0})", "ttl"},
        {R"({"v":1,"stored":1,"ttl":99999999999})", "ttl"},
        {R"({"v":1,"stored":1,"ttl":1,"question":5})", "question"},
        {R"({"v":1,"stored":1,"ttl":1,"model":{}})", "model"},
        {R"({"v":1,"stored":1,"ttl":1,"usage":[]})", "usage"},
        {R"({"v":1,"stored":1,"ttl":1,"usage":{"total_tokens":-1}})", "total_tokens"},
        {R"({"v":1,"stored":1,"ttl":1,"usage":{"estimated":1}})", "estimated"},
        {R"({"v":1,"stored":1,"ttl":1,"created":"now"})", "created"},
        {R"({"v":1,"stored":1,"ttl":1})", "choices"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[]})", "choices"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[1]})", "choices"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[{}]})", "index"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[{"index":0}]})", "finish_reason"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[{"index":0,"finish_reason":"error"}]})", "finish_reason"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[{"index":0,"finish_reason":"stop"}]})", "parts"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[{"index":0,"finish_reason":"stop","logprobs":[],"parts":[]}]})", "logprobs"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[{"index":0,"finish_reason":"stop","parts":[{}]}]})", "type"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[{"index":0,"finish_reason":"stop","parts":[{"type":"text","text":null}]}]})", "text"},
        {R"({"v":1,"stored":1,"ttl":1,"choices":[{"index":0,"finish_reason":"stop","parts":[{"type":"tool_call","custom":"yes"}]}]})", "custom"},
    }));
    CHECK(error_of(bad.text).starts_with("a cached answer's \""
                                         + std::string(bad.member) + "\" "));
}

TEST_CASE("cache entry: only whole, successful answers are kept") {
    std::pmr::monotonic_buffer_resource memory;
    auto reason = [&](FinishReason finish, bool keep_cut = false) {
        return cache::storable(simple(&memory, finish), keep_cut);
    };
    CHECK(reason(FinishReason::stop) == Unstorable::none);
    CHECK(reason(FinishReason::tool_calls) == Unstorable::none);
    CHECK(reason(FinishReason::none) == Unstorable::incomplete);
    CHECK(reason(FinishReason::error) == Unstorable::error);
    CHECK(reason(FinishReason::content_filter) == Unstorable::content_filter);
    CHECK(reason(FinishReason::length) == Unstorable::length);
    CHECK(reason(FinishReason::length, true) == Unstorable::none);

    chat::Response nothing(&memory);
    CHECK(cache::storable(nothing) == Unstorable::empty);

    chat::Response silent = simple(&memory);
    silent.choices.front().message.parts.front().text = "";
    CHECK(cache::storable(silent) == Unstorable::empty);
    silent.choices.front().message.parts.front() = text_part("hm");
    silent.choices.front().message.parts.front().type = PartType::reasoning;
    CHECK(cache::storable(silent) == Unstorable::empty);

    chat::Response refused = simple(&memory);
    refused.choices.front().message.parts.front().type = PartType::refusal;
    CHECK(cache::storable(refused) == Unstorable::refusal);

    // One cut answer of several spoils them all.
    chat::Response two = simple(&memory);
    two.choices.push_back(simple(&memory, FinishReason::length)
                              .choices.front());
    CHECK(cache::storable(two) == Unstorable::length);
    CHECK(to_string(Unstorable::content_filter) == "content_filter");
}

// Assembler

TEST_CASE("assemble: the inverse of replay") {
    for (unsigned seed = 0; seed < 500; ++seed) {
        CAPTURE(seed);
        std::pmr::monotonic_buffer_resource memory;
        chat::Response response = Generator(seed).response(&memory);
        Assembler assembler(1 << 20);
        replay(response, assembler);
        REQUIRE(assembler.state() == Assembler::State::complete);
        CHECK(events_of(assembler.response(&memory)) == events_of(response));
    }
}

TEST_CASE("assemble: pieces of a stream become one text, calls keep apart") {
    using Type = chat::Event::Type;
    Assembler assembler(1 << 20);
    auto send = [&](Type type, std::string_view text, std::size_t call = 0,
                    std::int64_t choice = 0) {
        // What an event points to is gone once it was seen.
        std::string copy(text);
        chat::Event event;
        event.type = type;
        event.text = copy;
        event.id = copy;
        event.name = copy;
        event.call = call;
        event.choice = choice;
        event.finish_reason = FinishReason::tool_calls;
        assembler.on_event(event);
        std::fill(copy.begin(), copy.end(), '#');
    };
    send(Type::reasoning, "I ");
    send(Type::reasoning, "think");
    send(Type::reasoning_signature, "sig");
    send(Type::text, "", 0, 1);
    send(Type::text, "Hel");
    send(Type::text, "B", 0, 1);
    send(Type::ping, "");
    send(Type::text, "lo");
    send(Type::tool_call, "f", 0);
    send(Type::tool_call, "g", 1);
    send(Type::tool_arguments, "{\"a\":", 0);
    send(Type::tool_arguments, "{}", 1);
    send(Type::tool_arguments, "1}", 0);
    send(Type::finish, "");
    send(Type::finish, "", 0, 1);
    CHECK(assembler.state() == Assembler::State::open);
    send(Type::done, "");
    REQUIRE(assembler.state() == Assembler::State::complete);

    std::pmr::monotonic_buffer_resource memory;
    chat::Response response = assembler.response(&memory);
    REQUIRE(response.choices.size() == 2);
    const auto &parts = response.choices[0].message.parts;
    REQUIRE(parts.size() == 4);
    CHECK(parts[0].text == "I think");
    CHECK(parts[0].signature == "sig");
    CHECK(parts[1].text == "Hello");
    CHECK(parts[2].name == "f");
    CHECK(parts[2].arguments == "{\"a\":1}");
    CHECK(parts[3].name == "g");
    CHECK(parts[3].arguments == "{}");
    CHECK(response.choices[1].message.parts[0].text == "B");
}

TEST_CASE("assemble: log probabilities of all chunks are put together") {
    using Type = chat::Event::Type;
    Assembler assembler(1 << 20);
    for (std::string_view text :
         {R"({"content":[{"token":"a"}],"refusal":null})", R"({"content":[],"refusal":null})",
          R"({"content":[{"token":"b"},{"token":"c"}],"refusal":null})"}) {
        json::Document document;
        REQUIRE(document.parse(text));
        chat::Event event;
        event.type = Type::logprobs;
        event.value = document.root();
        assembler.on_event(event);
    }
    chat::Event done;
    done.type = Type::done;
    assembler.on_event(done);
    REQUIRE(assembler.state() == Assembler::State::complete);
    std::pmr::monotonic_buffer_resource memory;
    CHECK(assembler.response(&memory).choices.front().logprobs.raw()
          == R"({"content":[{"token":"a"},{"token":"b"},{"token":"c"}],"refusal":null})");
}

TEST_CASE("assemble: streams that cannot be kept") {
    using Type = chat::Event::Type;
    chat::Event event;

    SECTION("an error ends it") {
        Assembler assembler(1 << 20);
        Error error = invalid_request("broken");
        event.type = Type::error;
        event.error = &error;
        assembler.on_event(event);
        CHECK(assembler.state() == Assembler::State::failed);
        event.type = Type::done;
        assembler.on_event(event);
        CHECK(assembler.state() == Assembler::State::failed);
    }
    SECTION("arguments of no call") {
        Assembler assembler(1 << 20);
        event.type = Type::tool_arguments;
        event.text = "{}";
        assembler.on_event(event);
        CHECK(assembler.state() == Assembler::State::failed);
    }
    SECTION("more than may be held") {
        auto type = GENERATE(Type::text, Type::reasoning, Type::tool_call,
                             Type::redacted_reasoning, Type::finish);
        Assembler assembler(10000);
        event.type = type;
        event.text = event.native = event.id = "x";
        for (int i = 0; i < 20000; ++i) {
            event.choice = i;
            assembler.on_event(event);
        }
        CHECK(assembler.state() == Assembler::State::too_large);
    }
}
