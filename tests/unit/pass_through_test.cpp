// Calls that are passed on as they are: their paths, their models, their usage.
#include <string>

#include "catch.hpp"
#include "llm/pass_through.hpp"

using namespace llm;
using namespace llm::pass_through;

namespace {

std::string at_provider(std::string_view path, std::string_view prefix,
                        std::string_view base) {
    std::string out;
    return append_path(split_path(path, prefix), base, out) ? out : "refused";
}

constexpr std::string_view form =
    "--BOUND\r\n"
    "Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n"
    "Content-Type: audio/mpeg\r\n"
    "\r\n"
    "\r\n--BOUN not yet\r\n"
    "\r\n--BOUND\r\n"
    "content-disposition: FORM-DATA; name=model\r\n"
    "\r\n"
    "whisper-1"
    "\r\n--BOUND--\r\n";

std::string field(std::string_view body, bool whole = true,
                  std::string_view name = "model") {
    auto found = find_field(body, "BOUND", name, whole);
    if (!found) {
        return "error: " + found.error().message;
    }
    return *found ? std::string(body.substr((*found)->offset,
                                            (*found)->length))
                  : "none";
}

UsageReader read(UsageReader::Kind kind, std::string_view text,
                 std::size_t piece) {
    UsageReader reader(kind, 1 << 20);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        reader.feed(text.substr(at, piece));
    }
    reader.finish();
    return reader;
}

// A server's frame.
std::string frame(std::string_view payload, int kind = 1, bool final = true) {
    std::string out(1, static_cast<char>((final ? 0x80 : 0) | kind));
    if (payload.size() < 126) {
        out.push_back(static_cast<char>(payload.size()));
    } else {
        out.push_back(126);
        out.push_back(static_cast<char>(payload.size() >> 8));
        out.push_back(static_cast<char>(payload.size()));
    }
    return out.append(payload);
}

}  // namespace

TEST_CASE("a location that ends in the middle of a word has no version",
          "[pass_through]") {
    // As server and client have it, with more in memory behind the path.
    std::string_view memory = "/apiv1/secret";
    auto path = split_path(memory.substr(0, 6), "/api");
    CHECK(path.version.empty());
    CHECK(path.rest == "v1");
    CHECK(group_of(path) == 0);
    CHECK(at_provider("/apiv1", "/api", "/v1") == "refused");
    CHECK(at_provider("/apiv1/images", "/api", "/v1") == "refused");
    CHECK(at_provider("/api/v1/images", "/api", "/v1") == "/v1/images");
}

TEST_CASE("a path goes on behind the location and its version",
          "[pass_through]") {
    CHECK(at_provider("/v1/images/edits", "/v1/", "/v1") ==
          "/v1/images/edits");
    CHECK(at_provider("/v1/images/edits", "/", "/v1") == "/v1/images/edits");
    CHECK(at_provider("/team/v1/files/f-1/content", "/team/", "/openai/v1") ==
          "/openai/v1/files/f-1/content");
    CHECK(at_provider("/team/files", "/team/", "/v1") == "/v1/files");
    CHECK(at_provider("/team/files", "/team", "/v1") == "/v1/files");
    // Where the URL has no version, the client's is kept.
    CHECK(at_provider("/v2/rerank", "/", "") == "/v2/rerank");
    CHECK(at_provider("/v1/files", "/v1/", "") == "/v1/files");
    CHECK(at_provider("/rerank", "/", "") == "/rerank");
    CHECK(at_provider("/v2/rerank", "/", "/v1") == "/v1/rerank");
    // A location without a prefix.
    CHECK(at_provider("/v1/files/", "", "/v1") == "/v1/files/");
}

TEST_CASE("no path leaves the provider's", "[pass_through]") {
    CHECK(at_provider("/v1/../secret", "/v1/", "/v1") == "refused");
    CHECK(at_provider("/v1/files/..", "/v1/", "/v1") == "refused");
    CHECK(at_provider("/v1/./files", "/v1/", "/v1") == "refused");
    CHECK(at_provider("/v1//files", "/v1/", "/v1") == "refused");
    CHECK(at_provider("/v1//", "/v1/", "/v1") == "refused");
    CHECK(at_provider("/v1/", "/v1/", "/v1") == "refused");
    CHECK(at_provider("/v1", "/v1", "/v1") == "refused");
    // What was encoded is encoded again.
    CHECK(at_provider("/v1/files/a b?c#d\r\n%2e\xff;x", "/v1/", "/v1") ==
          "/v1/files/a%20b%3Fc%23d%0D%0A%252e%FF%3Bx");
    CHECK(at_provider("/v1/http://evil/x", "/v1/", "/v1") == "refused");
    CHECK(at_provider("/v1/@evil:80/x", "/v1/", "/v1") == "/v1/@evil:80/x");

    CHECK(is_query("a=b&c=%20"));
    CHECK(is_query(""));
    CHECK_FALSE(is_query("a b"));
    CHECK_FALSE(is_query("a\r\nb"));
    CHECK_FALSE(is_query("a#b"));
}

TEST_CASE("paths belong to groups by their first segment",
          "[pass_through]") {
    auto name = [](std::string_view path) {
        auto bit = group_of(split_path(path, "/v1/"));
        for (const auto &group : groups()) {
            if (group.bit == bit) {
                return group.name;
            }
        }
        return std::string_view("none");
    };
    CHECK(name("/v1/images/generations") == "images");
    CHECK(name("/v1/files") == "files");
    CHECK(name("/v1/uploads/u-1/parts") == "files");
    CHECK(name("/v1/realtime") == "realtime");
    CHECK(name("/v1/organization/images") == "none");
    CHECK(name("/v1/imagesque") == "none");
    CHECK(name("/v1/") == "none");
}

TEST_CASE("an argument is found in a query", "[pass_through]") {
    auto argument = [](std::string_view query) -> std::string {
        auto found = find_argument(query, "model");
        if (!found) {
            return "twice";
        }
        return *found ? decode_argument(query.substr((*found)->offset,
                                                     (*found)->length))
                      : "none";
    };
    CHECK(argument("model=gpt&x=1") == "gpt");
    CHECK(argument("amodel=x&model=a%2Fb+c") == "a/b c");
    CHECK(argument("mod%65l=gpt") == "gpt");
    CHECK(argument("model") == "");
    CHECK(argument("model=%zz%4") == "%zz%4");
    CHECK(argument("") == "none");
    CHECK(argument("model=a&x&mode%6C=b") == "twice");
}

TEST_CASE("a form's boundary is found", "[pass_through]") {
    CHECK(boundary_of("multipart/form-data; boundary=abc") == "abc");
    CHECK(boundary_of("Multipart/Form-Data;BOUNDARY=\"a b\"") == "");
    CHECK(boundary_of("multipart/form-data; charset=utf-8; boundary=\"a:b\"")
          == "a:b");
    CHECK(boundary_of("multipart/form-data") == "");
    CHECK(boundary_of("multipart/form-data; boundary=a; boundary=b") == "");
    CHECK(boundary_of("multipart/form-data; boundary=" + std::string(71, 'a'))
          == "");
    CHECK(boundary_of("multipart/form-datax; boundary=a") == "");
    CHECK(boundary_of("application/json") == "");
}

TEST_CASE("a form's field is found", "[pass_through]") {
    CHECK(field(form) == "whisper-1");
    CHECK(field(form, true, "prompt") == "none");
    CHECK(field("preamble" + ("\r\n" + std::string(form))) == "whisper-1");
    CHECK(field("--BOUND\r\nContent-Disposition: form-data; name=\"model\"\r\n"
                "\r\n\r\n--BOUND--") == "");
    CHECK(field("--BOUND--") == "none");
}

TEST_CASE("of the beginning of a form the fields before its end are found",
          "[pass_through]") {
    for (std::size_t size = 0; size < form.size(); ++size) {
        auto found = field(form.substr(0, size), false);
        bool whole = size >= form.find("whisper-1") + 9 + 9;
        CHECK(found == (whole ? "whisper-1" : "none"));
        if (size < form.rfind("--\r\n") + 2) {
            CHECK(field(form.substr(0, size)).starts_with("error"));
        }
    }
}

TEST_CASE("a form that could be read in two ways is refused",
          "[pass_through]") {
    std::string twice(form.substr(0, form.size() - 4));
    twice += "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nx"
             "\r\n--BOUND--";
    CHECK(field(twice) == "error: the form has the field \"model\" twice");
    for (std::string_view head :
         {"Content-Disposition: form-data", "X: y", "",
          "Content-Disposition: form-data; name*=utf-8''model",
          "Content-Disposition: form-data; name=a; name=model",
          "Content-Disposition: form-data; name=\"model",
          "Content-Disposition: form-data; name=a\r\n"
          "Content-Disposition: form-data; name=model",
          "Content-Disposition: attachment; name=model"}) {
        INFO(head);
        CHECK(field("--BOUND\r\n" + std::string(head)
                    + "\r\n\r\nx\r\n--BOUND--")
                  .starts_with("error"));
    }
    CHECK(field("--BOUNDx\r\n\r\nx\r\n--BOUND--").starts_with("error"));
    CHECK(field("--BOUND\r\n" + std::string(9000, 'a'))
              .starts_with("error"));
}

TEST_CASE("usage is read however an answer is cut", "[pass_through]") {
    constexpr std::string_view answer =
        R"({"created":1,"note":"\"usage\":{\"input_tokens\":9}","data":)"
        R"([{"b64":"AA\\","usage":{"input_tokens":1}}],"model" : "gpt-\u0069")"
        R"(,"usage":{"input_tokens":10,"output_tokens":20,"total_tokens":30,)"
        R"("input_tokens_details":{"cached_tokens":4}} })";
    for (std::size_t piece = 1; piece <= answer.size(); ++piece) {
        auto reader = read(UsageReader::Kind::json, answer, piece);
        CHECK(reader.usage().known);
        CHECK(reader.usage().prompt_tokens == 10);
        CHECK(reader.usage().completion_tokens == 20);
        CHECK(reader.usage().total_tokens == 30);
        CHECK(reader.usage().cached_tokens == 4);
        CHECK(reader.model() == "gpt-i");
    }
}

TEST_CASE("usage is read out of events", "[pass_through]") {
    constexpr std::string_view answer =
        "event: a\ndata: {\"type\":\"a\",\"b64\":\"AAAA\"}\n\n"
        "data: {\"type\":\"done\",\"usage\":{\"input_tokens\":3,"
        "\"output_tokens\":4}}\r\n\r\ndata: [DONE]\n\n";
    for (std::size_t piece = 1; piece <= answer.size(); ++piece) {
        auto reader = read(UsageReader::Kind::events, answer, piece);
        CHECK(reader.usage().prompt_tokens == 3);
        CHECK(reader.usage().total_tokens == 7);
    }
}

TEST_CASE("what counts no tokens is no usage", "[pass_through]") {
    for (std::string_view text :
         {R"({"usage":{"type":"duration","seconds":9}})", R"({"usage":null})",
          R"({"usage":7})", R"([{"usage":{"input_tokens":1}}])", R"({"usage")",
          R"({"usage":{"input_tokens":1})", "usage", "",
          R"({"usage":{"input_tokens":"1"}})"}) {
        INFO(text);
        CHECK_FALSE(read(UsageReader::Kind::json, text, 3).usage().known);
    }
    auto rerank = read(UsageReader::Kind::json,
                       R"({"usage":{"total_tokens":26}})", 4);
    CHECK(rerank.usage().prompt_tokens == 26);
    auto huge = read(UsageReader::Kind::json,
                     R"({"usage":{"input_tokens":9223372036854775807,)"
                     R"("output_tokens":-5}})", 4);
    CHECK(huge.usage().prompt_tokens == std::int64_t{1} << 53);
    CHECK(huge.usage().completion_tokens == 0);
}

TEST_CASE("a realtime session's usage adds up, however it is cut",
          "[pass_through]") {
    const std::string done =
        R"({"type":"response.done","event_id":"e","response":{"usage":)"
        R"({"total_tokens":30,"input_tokens":10,"output_tokens":20,)"
        R"("input_token_details":{"cached_tokens":2,"audio_tokens":5},)"
        R"("output_token_details":{"audio_tokens":8}}}})";
    const std::string audio = R"({"type":"response.audio.delta","delta":")"
                              + std::string(2000, 'A')
                              + R"("response.done"})";
    const std::string session =
        frame(R"({"type":"session.created"})") + frame(audio) + frame(done)
        + frame("ping", 9) + frame(done.substr(0, 50), 1, false)
        + frame("pong", 10) + frame(done.substr(50), 0)
        + frame(std::string("\x01\x02", 2), 2) + frame("", 8);
    for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7},
                              std::size_t{500}, session.size()}) {
        RealtimeReader reader;
        for (std::size_t at = 0; at < session.size(); at += piece) {
            reader.feed(std::string_view(session).substr(at, piece));
        }
        CHECK(reader.usage().known);
        CHECK(reader.usage().prompt_tokens == 20);
        CHECK(reader.usage().completion_tokens == 40);
        CHECK(reader.usage().total_tokens == 60);
        CHECK(reader.usage().cached_tokens == 4);
        CHECK(reader.usage().audio_prompt_tokens == 10);
        CHECK(reader.usage().audio_completion_tokens == 16);
    }
}

TEST_CASE("frames that a server may not send end the reading",
          "[pass_through]") {
    for (std::string_view bytes :
         {std::string_view("\x81\x85\0\0\0\0", 6),      // masked
          std::string_view("\xC1\x02{}", 4),            // compressed
          std::string_view("\x81\x7F\xFF\0\0\0\0\0\0\0", 10)}) {
        RealtimeReader reader;
        reader.feed(bytes);
        reader.feed(frame(R"({"type":"response.done","response":{"usage":)"
                          R"({"input_tokens":1}}})"));
        CHECK_FALSE(reader.usage().known);
    }
}
