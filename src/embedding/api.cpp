#include "llm/embedding_api.hpp"

#include "llm/vector.hpp"

namespace llm::embedding {

namespace {

Error wrong(std::string message) {
    Error error;
    error.kind = ErrorKind::bad_gateway;
    error.message = std::move(message);
    return error;
}

}  // namespace

std::string question_path(const Api &api, std::string_view base,
                          std::string_view model) {
    Call call;
    call.model = model;
    Request one(std::pmr::get_default_resource());
    one.inputs.resize(1);
    call.single = api.is_single(one);
    return request_path(api, base, call);
}

void write_question(const Api &api, const Question &question,
                    std::string &out) {
    Request request(std::pmr::get_default_resource());
    request.inputs.push_back({question.text, {}});
    request.purpose = Purpose::similarity;
    request.truncate = false;
    if (question.dimensions) {
        request.dimensions = question.dimensions;
    }
    // Who asks knows its model: what the API has no word for is left out.
    WriteOptions options;
    options.model = question.model;
    options.drop_unsupported = true;
    options.dimensions_member = question.dimensions_member;
    (void) api.write_request(request, options, out);
}

std::size_t max_answer(std::size_t dimensions) noexcept {
    // Beside the vector: usage, Cohere's copy of the text, Azure's comments.
    constexpr std::size_t others = 256 * 1024;
    constexpr std::size_t number = 64;
    return others + dimensions * number;
}

Result<void> read_answer(const Api &api, std::string_view body,
                         std::span<float> out) {
    json::Document document;
    if (auto parsed = document.parse(body); !parsed) {
        return wrong("the answer is not JSON");
    }
    auto response = api.parse_response(document.root(),
                                       std::pmr::get_default_resource());
    if (!response) {
        return std::move(response.error());
    }
    if (response->vectors.size() != 1) {
        return wrong("the answer has "
                     + std::to_string(response->vectors.size())
                     + " embeddings for one text");
    }
    std::vector<float> found;
    bool good = read_floats(response->vectors.front(), found);
    if (good && found.size() != out.size()) {
        return wrong("the embedding has " + std::to_string(found.size())
                     + " dimensions, not " + std::to_string(out.size()));
    }
    if (!good || !vector::normalise(found, out)) {
        return wrong("the embedding is zero or not finite");
    }
    return {};
}

}  // namespace llm::embedding
