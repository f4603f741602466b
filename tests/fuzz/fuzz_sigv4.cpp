// A signature can be sent as a header whatever is signed, says which headers
// it holds for, and depends on what is sent, not on how it is handed over: the
// order of headers and of the query's members, the pieces of the body. Input:
// method, host, path, query, body, two headers, with NUL between.
#include <algorithm>
#include <array>

#include "fuzz.hpp"
#include "llm/sigv4.hpp"

using namespace llm;

namespace {

constexpr std::int64_t now = 1767323045;
constexpr SigV4Credentials keys{"AKIDEXAMPLE", "secret/Key+", "token"};
constexpr SigV4Scope scope{"us-east-1", "bedrock"};

std::string_view next_part(std::string_view &text) {
    auto part = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

std::string sign(const SigV4Request &request) {
    std::string authorization;
    for (const auto &[name, value] : sign_sigv4(request, keys, scope, now)) {
        fuzz::promise(std::none_of(value.begin(), value.end(),
                                   [](unsigned char c) {
                                       return c < 0x20 || c == 0x7F;
                                   })
                          || name == "authorization",
                      "headers can be sent", value);
        if (name == "authorization") {
            authorization = value;
        }
    }
    return authorization;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view text(reinterpret_cast<const char *>(data), size);
    SigV4Request request;
    request.method = next_part(text);
    request.host = next_part(text);
    request.path = next_part(text);
    request.query = next_part(text);
    std::array payload{next_part(text)};
    request.payload = payload;
    auto first = next_part(text);
    std::array headers{HeaderField{"content-type", first},
                       HeaderField{"x-amzn-other", text}};
    request.headers = headers;

    auto authorization = sign(request);
    constexpr std::string_view mark =
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;"
        "x-amzn-other, Signature=";
    auto at = authorization.find(mark);
    fuzz::promise(at != authorization.npos, "it says what is signed",
                  authorization);
    auto signature = std::string_view(authorization).substr(at + mark.size());
    fuzz::promise(signature.size() == 64
                      && signature.find_first_not_of("0123456789abcdef")
                             == signature.npos,
                  "a signature is 32 bytes in hexadecimal", signature);

    std::swap(headers[0], headers[1]);
    std::array pieces{payload[0].substr(0, payload[0].size() / 2),
                      std::string_view{},
                      payload[0].substr(payload[0].size() / 2)};
    request.payload = pieces;
    fuzz::promise(sign(request) == authorization,
                  "order and pieces change nothing");

    std::string swapped;
    auto member = request.query.find('&');
    if (member != request.query.npos && member > 0
        && member + 1 < request.query.size()) {
        swapped = request.query.substr(member + 1);
        swapped += '&';
        swapped += request.query.substr(0, member);
        request.query = swapped;
        fuzz::promise(sign(request) == authorization,
                      "the query's order changes nothing");
    }

    request.method = request.method == "PUT" ? "POST" : "PUT";
    fuzz::promise(sign(request) != authorization, "the method is signed");
    return 0;
}
