#include "formats/completions/completions.hpp"
#include "formats/openai/openai.hpp"
#include "formats/table_format.hpp"

namespace llm {

namespace {

constexpr Route completions_routes[] = {
    {"/completions", Operation::chat},
};

constexpr FormatRow completions_row = {
    .name = "completions",
    .routes = completions_routes,
    .path = [](const CallPath &call) {
        return openai::path(call, "/completions");
    },
    .models_path = openai::models_path,
    .parse_head = completions::parse_head,
    .parse_request = completions::parse_request,
    .write_request = completions::write_request,
    .request_edits = openai::request_edits,
    .parse_response = completions::parse_response,
    .write_response = completions::write_response,
    .make_reader = completions::make_reader,
    .make_writer = completions::make_writer,
    // Errors before the answer are those of all of OpenAI's APIs.
    .parse_error = openai::parse_error,
    .write_error = openai::write_error,
    .error_status = openai::error_status,
    .write_models = openai::write_models,
};

class CompletionsFormat final : public TableFormat {
public:
    CompletionsFormat() noexcept : TableFormat(completions_row) {}

    std::size_t prompts(
        const json::Document &document) const noexcept override {
        return completions::prompts(document);
    }

    Result<chat::Request> parse_prompt(
        const json::Document &document, std::size_t index,
        std::pmr::memory_resource *memory) const override {
        return completions::parse_prompt(document, index, memory);
    }
};

}  // namespace

const Format &completions_format() noexcept {
    static const CompletionsFormat format;
    return format;
}

}  // namespace llm
