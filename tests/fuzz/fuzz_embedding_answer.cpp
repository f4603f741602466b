// Whatever a provider answers is refused with a message, or is a vector of
// unit length. The first byte chooses the API and how long the vector is to
// be.
#include <cmath>
#include <vector>

#include "fuzz.hpp"
#include "llm/embedding_api.hpp"

using namespace llm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    static constexpr std::string_view names[] = {"openai", "ollama", "cohere",
                                                 "gemini"};
    if (size == 0) {
        return 0;
    }
    std::string_view body(reinterpret_cast<const char *>(data) + 1, size - 1);
    const auto *api = embedding::find_api(names[data[0] & 3]);
    std::vector<float> out(1 + ((data[0] >> 2) & 7));

    auto read = embedding::read_answer(*api, body, out);
    if (!read) {
        fuzz::promise(!read.error().message.empty(), "errors say something");
    } else {
        double squares = 0;
        for (float value : out) {
            squares += double{value} * value;
        }
        fuzz::promise(std::fabs(squares - 1) < 1e-3,
                      "an embedding has unit length", body);
    }

    std::string request;
    embedding::write_question(
        *api, {.model = body, .text = body, .dimensions = 3}, request);
    fuzz::promise_json(request, "a request is JSON");
    auto path = embedding::question_path(*api, "/v1", body);
    fuzz::promise(path.find_first_of(" ?#\r\n") == path.npos,
                  "a model's name stays in its place", path);
    return 0;
}
