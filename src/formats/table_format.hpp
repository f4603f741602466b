// A format as a row of functions: for APIs whose streams are server-sent
// events and whose keys are bearer tokens, as OpenAI's are. What an API does
// otherwise, a class that is derived from this one overrides.
#pragma once

#include "llm/format.hpp"

namespace llm {

// Each is what the member function of Format with its name promises.
struct FormatRow {
    std::string_view name;
    std::span<const Route> routes;
    std::string (*path)(const CallPath &call);
    std::string_view models_path;

    Result<RequestHead> (*parse_head)(const json::Document &document);
    Result<chat::Request> (*parse_request)(const json::Document &document,
                                           std::pmr::memory_resource *memory);
    Result<void> (*write_request)(const chat::Request &request,
                                  const WriteOptions &options,
                                  std::string &out);
    std::vector<json::Edit> (*request_edits)(std::string_view body,
                                             const json::Document &document,
                                             const WriteOptions &options);

    Result<chat::Response> (*parse_response)(
        const json::Document &document, std::pmr::memory_resource *memory);
    void (*write_response)(const chat::Response &response,
                           const AnswerContext &context, std::string &out);
    std::unique_ptr<StreamReader> (*make_reader)();
    std::unique_ptr<StreamWriter> (*make_writer)(const AnswerContext &context);

    Error (*parse_error)(int status, std::string_view body);
    void (*write_error)(const Error &error, std::string &out);
    int (*error_status)(const Error &error) noexcept;

    void (*write_models)(std::span<const std::string_view> models,
                         std::int64_t now, std::string &out);
    // What write_models() lists of one; nullptr: there is no route to it.
    void (*append_model)(json::Writer &writer, std::string_view model,
                         std::int64_t now) = nullptr;
};

class TableFormat : public Format {
public:
    // `row` must outlive the format.
    explicit TableFormat(const FormatRow &row) noexcept : row_(row) {}

    std::string_view name() const noexcept override { return row_.name; }

    std::span<const Route> routes() const noexcept override {
        return row_.routes;
    }

    std::string path(const CallPath &call) const override {
        return row_.path(call);
    }

    std::string_view models_path() const noexcept override {
        return row_.models_path;
    }

    std::span<const HeaderField> headers() const noexcept override {
        return {};
    }

    std::string_view request_id_header() const noexcept override {
        return "x-request-id";
    }

    std::string_view key_header() const noexcept override {
        return "authorization";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &) const override {
        return row_.parse_head(document);
    }

    Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return row_.parse_request(document, memory);
    }

    Result<void> write_request(const chat::Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        return row_.write_request(request, options, out);
    }

    std::vector<json::Edit> request_edits(
        std::string_view body, const json::Document &document,
        const WriteOptions &options) const override {
        return row_.request_edits(body, document, options);
    }

    Result<chat::Response> parse_response(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return row_.parse_response(document, memory);
    }

    void write_response(const chat::Response &response,
                        const AnswerContext &context,
                        std::string &out) const override {
        row_.write_response(response, context, out);
    }

    std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_event) const override {
        return std::make_unique<wire::SseFramer>(max_event);
    }

    std::unique_ptr<StreamReader> make_reader() const override {
        return row_.make_reader();
    }

    std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const override {
        return row_.make_writer(context);
    }

    std::string_view stream_type() const noexcept override {
        return "text/event-stream";
    }

    Error parse_error(const AnswerHead &head,
                      std::string_view body) const override {
        return row_.parse_error(head.status, body);
    }

    void write_error(const Error &error, std::string &out) const override {
        row_.write_error(error, out);
    }

    int error_status(const Error &error) const noexcept override {
        return row_.error_status(error);
    }

    void write_models(std::span<const std::string_view> models,
                      std::int64_t now, std::string &out) const override {
        row_.write_models(models, now, out);
    }

    void write_model(std::string_view model, json::Value listed,
                     std::int64_t now, std::string &out) const override {
        json::Writer writer(out);
        if (listed) {
            writer.raw(listed.raw());
        } else if (row_.append_model) {
            row_.append_model(writer, model, now);
        }
    }

private:
    const FormatRow &row_;
};

}  // namespace llm
