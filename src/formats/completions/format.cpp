#include "formats/openai/openai.hpp"
#include "formats/completions/completions.hpp"

namespace llm {

namespace {

constexpr Route completions_routes[] = {
    {"/completions", Operation::chat},
};

class CompletionsFormat final : public Format {
public:
    std::string_view name() const noexcept override { return "completions"; }

    std::span<const Route> routes() const noexcept override {
        return completions_routes;
    }

    std::string path(const CallPath &call) const override {
        return openai::path(call, "/completions");
    }

    std::string_view models_path() const noexcept override {
        return openai_format().models_path();
    }

    std::span<const HeaderField> headers() const noexcept override {
        return {};
    }

    std::string_view request_id_header() const noexcept override {
        return openai_format().request_id_header();
    }

    std::string_view key_header() const noexcept override {
        return openai_format().key_header();
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &) const override {
        return completions::parse_head(document);
    }

    Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return completions::parse_request(document, memory);
    }

    std::size_t prompts(
        const json::Document &document) const noexcept override {
        return completions::prompts(document);
    }

    Result<chat::Request> parse_prompt(
        const json::Document &document, std::size_t index,
        std::pmr::memory_resource *memory) const override {
        return completions::parse_prompt(document, index, memory);
    }

    Result<void> write_request(const chat::Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        return completions::write_request(request, options, out);
    }

    std::vector<json::Edit> request_edits(
        std::string_view body, const json::Document &document,
        const WriteOptions &options) const override {
        return openai::request_edits(body, document, options);
    }

    Result<chat::Response> parse_response(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return completions::parse_response(document, memory);
    }

    void write_response(const chat::Response &response,
                        const AnswerContext &context,
                        std::string &out) const override {
        completions::write_response(response, context, out);
    }

    std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_event) const override {
        return std::make_unique<wire::SseFramer>(max_event);
    }

    std::unique_ptr<StreamReader> make_reader() const override {
        return completions::make_reader();
    }

    std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const override {
        return completions::make_writer(context);
    }

    std::string_view stream_type() const noexcept override {
        return "text/event-stream";
    }

    // Errors before the answer are those of all of OpenAI's APIs.
    Error parse_error(const AnswerHead &head,
                      std::string_view body) const override {
        return openai::parse_error(head.status, body);
    }

    void write_error(const Error &error, std::string &out) const override {
        openai::write_error(error, out);
    }

    int error_status(const Error &error) const noexcept override {
        return openai::error_status(error);
    }

    void write_models(std::span<const std::string_view> models,
                      std::int64_t now, std::string &out) const override {
        openai_format().write_models(models, now, out);
    }
};

}  // namespace

const Format &completions_format() noexcept {
    static const CompletionsFormat format;
    return format;
}

}  // namespace llm
