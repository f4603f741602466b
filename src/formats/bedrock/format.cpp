// AWS Bedrock's Converse API as a format.
#include "formats/bedrock/bedrock.hpp"
#include "llm/url.hpp"

namespace llm {

namespace {

constexpr Route converse_routes[] = {
    {"/model/{model}/converse", Operation::chat},
    {"/model/{model}/converse-stream", Operation::chat, true},
    {"/foundation-models", Operation::models},
    {"/foundation-models/{model}", Operation::model},
};

class BedrockFormat final : public Format {
public:
    std::string_view name() const noexcept override { return "bedrock"; }

    std::span<const Route> routes() const noexcept override {
        return converse_routes;
    }

    std::string path(const CallPath &call) const override {
        std::string path = "/model/";
        // Ids have ":", ARNs "/" as well.
        append_segment(path, call.model);
        path += call.stream ? "/converse-stream" : "/converse";
        return path;
    }

    // ListFoundationModels, which another host of AWS serves
    // ("bedrock.REGION" and not "bedrock-runtime.REGION").
    std::string_view models_path() const noexcept override {
        return "/foundation-models";
    }

    std::span<const HeaderField> headers() const noexcept override {
        return {};
    }

    std::string_view request_id_header() const noexcept override {
        return "x-amzn-requestid";
    }

    std::string_view error_type_header() const noexcept override {
        return "x-amzn-errortype";
    }

    std::string_view error_type(const Error &error) const noexcept override {
        return bedrock::error_type(error);
    }

    std::string_view key_header() const noexcept override {
        return "authorization";
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &route) const override {
        return bedrock::parse_head(document, route);
    }

    Result<chat::Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        auto request = bedrock::parse_request(document, memory);
        if (request) {
            request->origin = this;
        }
        return request;
    }

    Result<void> write_request(const chat::Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        return bedrock::write_request(request, options, out);
    }

    // The model and whether to stream are in the path.
    std::vector<json::Edit> request_edits(
        std::string_view, const json::Document &,
        const WriteOptions &) const override {
        return {};
    }

    Result<chat::Response> parse_response(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override {
        return bedrock::parse_response(document, memory);
    }

    void write_response(const chat::Response &response,
                        const AnswerContext &context,
                        std::string &out) const override {
        bedrock::write_response(response, context, out);
    }

    std::unique_ptr<wire::Framer> make_framer(
        std::size_t max_event) const override {
        return std::make_unique<wire::EventStreamFramer>(max_event);
    }

    std::unique_ptr<StreamReader> make_reader() const override {
        return bedrock::make_reader();
    }

    std::unique_ptr<StreamWriter> make_writer(
        const AnswerContext &context) const override {
        return bedrock::make_writer(context);
    }

    std::string_view stream_type() const noexcept override {
        return "application/vnd.amazon.eventstream";
    }

    Error parse_error(const AnswerHead &head,
                      std::string_view body) const override {
        return bedrock::parse_error(head, body);
    }

    void write_error(const Error &error, std::string &out) const override {
        bedrock::write_error(error, out);
    }

    int error_status(const Error &error) const noexcept override {
        return bedrock::error_status(error);
    }

    json::Value listed_models(json::Value root) const override {
        return root["modelSummaries"];
    }

    std::string_view listed_name(json::Value model) const override {
        return model["modelId"].string();
    }

    void write_models(std::span<const std::string_view> models, std::int64_t,
                      std::string &out) const override {
        json::Writer writer(out);
        writer.begin_object().key("modelSummaries").begin_array();
        for (std::string_view model : models) {
            append_model(writer, model);
        }
        writer.end_array().end_object();
    }

    // What is listed of a model is what is told of it.
    void write_model(std::string_view model, json::Value listed, std::int64_t,
                     std::string &out) const override {
        json::Writer writer(out);
        writer.begin_object().key("modelDetails");
        if (listed) {
            writer.raw(listed.raw());
        } else {
            append_model(writer, model);
        }
        writer.end_object();
    }

private:
    static void append_model(json::Writer &writer, std::string_view model) {
        writer.begin_object()
            .member("modelArn", model)
            .member("modelId", model)
            .member("modelName", model)
            .end_object();
    }
};

}  // namespace

const Format &bedrock_format() noexcept {
    static const BedrockFormat format;
    return format;
}

}  // namespace llm
