#include "formats/openai/openai.hpp"
#include "formats/responses/responses.hpp"
#include "formats/table_format.hpp"

namespace llm {

namespace {

constexpr Route responses_routes[] = {
    {"/responses", Operation::chat},
};

constexpr FormatRow responses_row = {
    .name = "responses",
    .routes = responses_routes,
    .path = [](const CallPath &call) {
        // Azure names the deployment in the body here, on its older paths,
        // too (Azure OpenAI REST API reference, responses).
        CallPath plain = call;
        plain.quirks.hosting = Hosting::own;
        return openai::path(plain, "/responses");
    },
    .models_path = openai::models_path,
    .parse_head = responses::parse_head,
    .parse_request = responses::parse_request,
    .write_request = responses::write_request,
    .request_edits = responses::request_edits,
    .parse_response = responses::parse_response,
    .write_response = responses::write_response,
    .make_reader = responses::make_reader,
    .make_writer = responses::make_writer,
    // Errors before the answer are those of all of OpenAI's APIs.
    .parse_error = openai::parse_error,
    .write_error = openai::write_error,
    .error_status = openai::error_status,
    .write_models = openai::write_models,
};

class ResponsesFormat final : public TableFormat {
public:
    ResponsesFormat() noexcept : TableFormat(responses_row) {}

    bool echoes_request() const noexcept override { return true; }
};

}  // namespace

const Format &responses_format() noexcept {
    static const ResponsesFormat format;
    return format;
}

}  // namespace llm
