#include "formats/embedding/shared.hpp"
#include "formats/model_edits.hpp"
#include "llm/tokens.hpp"

namespace llm::embedding {

// One row for each API.
std::span<const Api *const> apis() noexcept {
    static const Api *const rows[] = {
        &openai_api(),  &mistral_api(), &voyage_api(), &nvidia_api(),
        &ollama_api(),  &cohere_api(),  &gemini_api(), &vertex_api(),
        &bedrock_api(), &tei_api(),
    };
    return rows;
}

const Api *find_api(std::string_view name) noexcept {
    for (const Api *api : apis()) {
        if (api->name() == name) {
            return api;
        }
    }
    return nullptr;
}

std::string request_path(const Api &api, std::string_view base,
                         const Call &call) {
    for (auto end : api.foreign_ends()) {
        if (base.ends_with(end)) {
            base.remove_suffix(end.size());
            break;
        }
    }
    std::string path(base);
    api.append_path(call, path);
    return path;
}

Request part_of(const Request &request, std::size_t first, std::size_t count,
                std::pmr::memory_resource *memory) {
    Request part(memory);
    auto begin =
        request.inputs.begin() + static_cast<std::ptrdiff_t>(first);
    part.model = request.model;
    part.inputs.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    part.list = request.list;
    part.dimensions = request.dimensions;
    part.encoding = request.encoding;
    part.purpose = request.purpose;
    part.title = request.title;
    part.truncate = request.truncate;
    part.user = request.user;
    part.extra.assign(request.extra.begin(), request.extra.end());
    return part;
}

std::int64_t estimate_tokens(const Request &request,
                             std::string_view model) noexcept {
    auto family = tokens::family_of(model);
    std::int64_t count = 0;
    for (const Input &input : request.inputs) {
        count += input.tokens
                     ? static_cast<std::int64_t>(input.tokens.size())
                     : tokens::estimate_tokens(input.text, family);
    }
    return count;
}

// What an API without routes never does.

Result<RequestHead> Api::parse_head(const json::Document &,
                                    const RouteMatch &) const {
    return invalid_request("no client speaks this API");
}

Result<Request> Api::parse_request(const json::Document &,
                                   std::pmr::memory_resource *) const {
    return invalid_request("no client speaks this API");
}

std::vector<json::Edit> Api::request_edits(std::string_view body,
                                           json::Value root,
                                           const WriteOptions &options) const {
    std::vector<json::Edit> edits;
    edit_model(body, root, options.model, edits);
    return edits;
}

Result<void> Api::write_response(const Response &, const Request &, bool,
                                 const AnswerContext &, std::string &) const {
    return {};
}

}  // namespace llm::embedding
