// Readers of streams read an event that repeats the one before, but for the
// next piece of text, by a short cut. They must say of it what they say of one
// that is written another way, so that it repeats nothing.
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "events.hpp"
#include "formats/refrain.hpp"

using namespace llm;
using namespace llm::testing;

namespace {

// %s a word, %i an index, %n a number; before a tab: the event's name.
constexpr std::string_view chat_forms[] = {
    R"({"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"content":%s},"finish_reason":null}],"usage":null})",
    R"({"id":"c","choices":[{"index":%i,"delta":{"content":%s},"finish_reason":null}],"obfuscation":%s})",
    R"({"id":"c","choices":[{"index":0,"delta":{"content":%s}}],"usage":{"prompt_tokens":%n,"completion_tokens":%n}})",
    R"({"id":"c","choices":[{"index":0,"delta":{"content":%s}}],"x_groq":{"usage":{"prompt_tokens":%n}}})",
    R"({"id":"c","choices":[{"delta":{"content":%s,"refusal":%s}}]})",
    R"({"choices":[{"delta":{"content":[{"type":%s,"text":%s}]}}]})",
    R"({"id":%s,"choices":[{"delta":{"reasoning_content":%s}}]})",
    R"({"choices":[{"delta":{"content":"","reasoning_content":%s,"reasoning":%s}}]})",
    R"({"choices":[{"delta":{"reasoning":%s,"reasoning_details":[{"type":"reasoning.text","text":%s}]}}]})",
    R"({"choices":[{"delta":{"tool_calls":[{"index":%i,"function":{"arguments":%s}}]}}]})",
    R"({"choices":[{"delta":{"tool_calls":[{"index":%i,"id":%s,"function":{"name":%s,"arguments":%s}}]}}]})",
    R"({"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":%s}}]}}]})",
    R"({"choices":[{"delta":{"tool_calls":[{"function":{"name":%s,"arguments":%s}}]}}]})",
    R"({"choices":[{"delta":{"function_call":{"name":"f","arguments":%s}}}]})",
    R"({"choices":[{"index":0,"delta":{"content":%s}},{"index":%i,"delta":{"content":%s}}]})",
    R"({"choices":[{"delta":{"content":%s},"logprobs":{"content":[{"token":%s}]}}]})",
    R"({"choices":[{"delta":{"content":%s},"finish_reason":%s}]})",
    R"({"object":%s,"choices":[{"delta":{"content":%s}}]})",
    R"({"object":%s,"message":%s})",
    R"({"error":%s,"choices":[{"delta":{"content":%s}}]})",
    "error\t" R"({"choices":[{"delta":{"content":%s}}]})",
    "message\t" R"({"choices":[{"delta":{"content":%s}}]})",
};

constexpr std::string_view completions_forms[] = {
    R"({"id":"c","choices":[{"text":%s,"index":0,"logprobs":null,"finish_reason":null}]})",
    R"({"id":"c","choices":[{"text":%s,"index":%i}],"obfuscation":%s,"usage":null})",
    R"({"id":"c","choices":[{"text":%s,"index":0}],"usage":{"completion_tokens":%n}})",
    R"({"choices":[{"text":%s,"index":%i},{"text":%s,"index":1}]})",
    R"({"choices":[{"text":%s,"finish_reason":%s}]})",
    R"({"choices":[{"text":%s}],"error":%s})",
};

constexpr std::string_view responses_forms[] = {
    R"({"type":"response.created","response":{"id":"r","model":"m"}})",
    R"({"type":"response.output_text.delta","item_id":"i","output_index":0,"delta":%s,"sequence_number":%n,"logprobs":[],"obfuscation":%s})",
    R"({"type":"response.output_text.delta","output_index":%i,"delta":%s,"sequence_number":%n})",
    R"({"type":"response.output_text.delta","delta":%s,"logprobs":[{"token":%s,"logprob":-0.5}]})",
    R"({"type":%s,"output_index":0,"delta":%s})",
    R"({"type":"response.refusal.delta","output_index":%i,"delta":%s})",
    R"({"type":"response.reasoning_text.delta","output_index":2,"delta":%s})",
    R"({"type":"response.reasoning_summary_text.delta","output_index":2,"summary_index":%i,"delta":%s})",
    R"({"type":"response.output_item.added","output_index":%i,"item":{"type":"function_call","call_id":%s,"name":%s}})",
    R"({"type":"response.output_item.done","output_index":%i,"item":{"type":"function_call","call_id":%s,"name":%s,"arguments":%s}})",
    R"({"type":"response.function_call_arguments.delta","output_index":%i,"delta":%s})",
    R"({"type":"response.function_call_arguments.done","output_index":%i,"arguments":%s})",
    "response.output_text.delta\t" R"({"output_index":0,"delta":%s})",
    "response.reasoning_text.delta\t" R"({"output_index":0,"delta":%s})",
    "response.refusal.delta\t" R"({"type":"","output_index":0,"delta":%s})",
};

constexpr std::string_view gemini_forms[] = {
    R"({"candidates":[{"content":{"parts":[{"text":%s}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":%n,"candidatesTokenCount":%n,"totalTokenCount":%n},"modelVersion":"m","responseId":"r"})",
    R"({"candidates":[{"content":{"parts":[{"text":%s}]},"index":%i}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":%n,"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":%n}]}})",
    R"({"candidates":[{"content":{"parts":[{"text":%s}]}}],"usageMetadata":{"cachedContentTokenCount":%n,"toolUsePromptTokenCount":%n,"thoughtsTokenCount":%n}})",
    R"({"candidates":[{"content":{"parts":[{"text":%s,"thought":true}]}}]})",
    R"({"candidates":[{"content":{"parts":[{"text":%s,"thoughtSignature":%s}]}}]})",
    R"({"candidates":[{"content":{"parts":[{"text":%s},{"text":%s}]}}]})",
    R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":%s,"args":{"a":%s}}}]}}],"responseId":%s})",
    R"({"candidates":[{"content":{"parts":[{"text":%s}]},"finishReason":%s}]})",
    R"([{"candidates":[{"content":{"parts":[{"text":%s}]}}],"usageMetadata":{"totalTokenCount":%n}}])",
    R"({"promptFeedback":{"blockReason":%s},"candidates":[]})",
    R"({"error":{"message":%s,"code":%n}})",
};

struct Provider {
    const Format &format;
    std::span<const std::string_view> forms;
};

const Provider providers[] = {
    {openai_format(), chat_forms},
    {completions_format(), completions_forms},
    {responses_format(), responses_forms},
    {gemini_format(), gemini_forms},
};

class RandomStream {
public:
    explicit RandomStream(std::uint32_t seed) : random_(seed) {}

    // The same events twice, with other white space in the second.
    void write(std::span<const std::string_view> forms, std::string &plain,
               std::string &spaced) {
        std::size_t form = 0;
        for (std::size_t i = 0; i < 16; ++i) {
            if (below(4) == 0) {
                form = below(below(3) ? 4 : forms.size());
            }
            std::string_view source = forms[form];
            std::string name;
            if (std::size_t tab = source.find('\t'); tab != source.npos) {
                name = source.substr(0, tab);
                source.remove_prefix(tab + 1);
            }
            std::string data = fill(source);
            wire::append_sse(plain, name, data);
            data.insert(1, i % 2 + 1, ' ');
            wire::append_sse(spaced, name, data);
        }
    }

private:
    std::size_t below(std::size_t bound) { return random_() % bound; }

    std::string fill(std::string_view source) {
        constexpr const char *words[] = {
            "a", " word", "\\n", "\\\"x\\\"", "\\u00e9", "\xC3\xA9", "", "stop",
            "error", "text", "null", "length", "response.output_text.delta",
        };
        std::string out;
        for (std::size_t i = 0; i < source.size(); ++i) {
            if (source[i] != '%') {
                out.push_back(source[i]);
            } else if (source[++i] == 's') {
                std::size_t known = below(5) ? 7 : std::size(words);
                out.append("\"").append(words[below(known)]).append("\"");
            } else if (source[i] == 'i') {
                out += std::to_string(below(6) ? 0 : below(3));
            } else {
                out += std::to_string(below(40));
            }
        }
        return out;
    }

    std::mt19937 random_;
};

std::string without_spaces(std::string text) {
    for (std::string_view begin : {"data: {", "data: ["}) {
        for (auto at = text.find(begin); at != text.npos;
             at = text.find(begin, at + 1)) {
            while (text[at + begin.size()] == ' ') {
                text.erase(at + begin.size(), 1);
            }
        }
    }
    return text;
}

}  // namespace

TEST_CASE("an event that repeats another is read like one that does not",
          "[stream-repeat]") {
    for (const Provider &provider : providers) {
        for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
            std::string plain;
            std::string spaced;
            RandomStream(seed).write(provider.forms, plain, spaced);

            StreamRun repeats(provider.format);
            StreamRun repeats_nothing(provider.format);
            auto events = repeats.run({plain});
            INFO(plain);
            REQUIRE(events == repeats_nothing.run({spaced}));
            REQUIRE(without_spaces(repeats.relayed)
                    == without_spaces(repeats_nothing.relayed));
        }
    }
}

TEST_CASE("a text that comes in like events is known from the fourth on",
          "[stream-repeat]") {
    struct Sink final : chat::EventSink {
        void on_event(const chat::Event &event) override {
            said += event.text;
        }
        std::string said;
    } sink;
    json::Document document;
    Refrain refrain;

    int read = 0;
    for (std::string text :
         {R"({"text":"a"})", R"({"text":"b"})", R"({"text":"c"})",
          R"({"text":"d"})", R"({"text":"e"})", R"({"text":""})",
          R"({"text":"f"})", R"({"also":0,"text":"g"})"}) {
        REQUIRE(document.parse_next(text));
        if (refrain.repeat(document, sink)) {
            continue;
        }
        ++read;
        Refrain::Ear ear(sink);
        chat::Event event;
        event.type = chat::Event::Type::text;
        event.text = document.root()["text"].string();
        ear.on_event(event);
        refrain.learn(document, ear, [&](json::Value value) {
            return document.varies_only({value});
        });
    }
    CHECK(sink.said == "abcdefg");
    // The first three, the one without a text, and the two after it.
    CHECK(read == 6);
}
