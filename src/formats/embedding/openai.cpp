// OpenAI's API of embeddings, and those that are like it but for a few words.
#include <algorithm>

#include "formats/embedding/shared.hpp"
#include "formats/openai/openai.hpp"

namespace llm::embedding {

namespace {

using json::Value;

constexpr Route openai_routes[] = {{"/embeddings"}};

// How an API says that a text may be cut.
enum class TruncateWord : std::uint8_t { none, boolean, end_or_none };

struct Dialect {
    std::string_view name;
    std::string_view dimensions = "dimensions";
    bool tokens = true;             // takes arrays of tokens
    bool user = true;
    std::string_view PurposeWords::*purpose = nullptr;
    // What a model that must be told is told where the client is silent.
    Purpose otherwise = Purpose::unset;
    std::string_view truncate = {}; // the member's name
    TruncateWord truncate_word = TruncateWord::none;
};

constexpr std::string_view known[] = {
    "model", "input", "encoding_format", "dimensions", "user", "input_type",
    "truncate",
};

// Members that other APIs have no word for and that change the vectors.
Result<void> check_extra(const Request &request, bool drop) {
    if (drop) {
        return {};
    }
    for (const auto &member : request.extra) {
        bool type = member.name == "output_dtype"
                    || member.name == "embedding_type";
        if (type && !member.value.is_null()
            && member.value.string() != "float") {
            return unsupported("other providers are only asked for floats",
                               std::string(member.name));
        }
    }
    return {};
}

class OpenAiApi final : public Api {
public:
    explicit constexpr OpenAiApi(const Dialect &dialect) : dialect_(dialect) {}

    std::string_view name() const noexcept override { return dialect_.name; }
    std::string_view family() const noexcept override { return "openai"; }

    // Clients speak the original.
    std::span<const Route> routes() const noexcept override {
        return dialect_.name == "openai" ? std::span<const Route>(openai_routes)
                                         : std::span<const Route>();
    }

    void append_path(const Call &call, std::string &out) const override {
        CallPath path;
        path.operation = Operation::embeddings;
        path.model = call.model;
        path.quirks = call.quirks;
        out += openai::path(path, "/embeddings");
    }

    Result<RequestHead> parse_head(const json::Document &document,
                                   const RouteMatch &) const override {
        Value root = document.root();
        RequestHead head;
        head.model = root["model"].string();
        if (head.model.empty()) {
            return invalid_request("\"model\" must be a string, and not empty",
                                   "model");
        }
        if (root["input"].is_null()) {
            return invalid_request("\"input\" is missing", "input");
        }
        return head;
    }

    Result<Request> parse_request(
        const json::Document &document,
        std::pmr::memory_resource *memory) const override;

    Result<void> write_request(const Request &request,
                               const WriteOptions &options,
                               std::string &out) const override;

    std::vector<json::Edit> request_edits(
        std::string_view body, Value root,
        const WriteOptions &options) const override;

    Result<Response> parse_response(
        Value root, std::pmr::memory_resource *memory) const override;

    Result<void> write_response(const Response &response,
                                const Request &request, bool single,
                                const AnswerContext &context,
                                std::string &out) const override;

private:
    std::string_view dimensions_member(
        const WriteOptions &options) const noexcept {
        return options.dimensions_member.empty() ? dialect_.dimensions
                                                 : options.dimensions_member;
    }

    std::string_view purpose_word(Purpose purpose) const noexcept {
        if (dialect_.purpose == nullptr) {
            return {};
        }
        return purpose_words(purpose == Purpose::unset ? dialect_.otherwise
                                                       : purpose)
            .*dialect_.purpose;
    }

    Dialect dialect_;
};

Result<Request> OpenAiApi::parse_request(
    const json::Document &document, std::pmr::memory_resource *memory) const {
    Value root = document.root();
    Request request(memory);
    request.model = root["model"].string();

    if (auto input = read_input(root["input"], "input", request); !input) {
        return input.error();
    }
    Value format = root["encoding_format"];
    if (format.string() == "base64") {
        request.encoding = Encoding::base64;
    } else if (!format.is_null() && format.string() != "float") {
        return invalid_request("\"encoding_format\" must be \"float\" or "
                               "\"base64\"",
                               "encoding_format");
    }
    auto dimensions = read_dimensions(root["dimensions"], "dimensions");
    if (!dimensions) {
        return dimensions.error();
    }
    request.dimensions = *dimensions;
    auto user = read_text(root, "user");
    if (!user) {
        return user.error();
    }
    request.user = *user;

    // What compatible APIs have besides.
    auto purpose = read_purpose(root["input_type"], "input_type");
    if (!purpose) {
        return purpose.error();
    }
    request.purpose = *purpose;
    auto truncate = read_truncate(root["truncate"], "truncate");
    if (!truncate) {
        return truncate.error();
    }
    request.truncate = *truncate;
    keep_extra(root, known, request);
    if (auto extra = check_extra(request, false); !extra) {
        return extra.error();
    }
    return request;
}

Result<void> OpenAiApi::write_request(const Request &request,
                                      const WriteOptions &options,
                                      std::string &out) const {
    if (!dialect_.tokens) {
        if (auto texts = want_texts(request, dialect_.name); !texts) {
            return texts;
        }
    }

    json::Writer w(out);
    w.begin_object().member("model", options.model).key("input");
    write_inputs(request, w);
    if (request.dimensions) {
        w.member(dimensions_member(options), *request.dimensions);
    }
    if (auto word = purpose_word(request.purpose); !word.empty()) {
        w.member("input_type", word);
    }
    if (request.truncate) {
        switch (dialect_.truncate_word) {
        case TruncateWord::boolean:
            w.member(dialect_.truncate, *request.truncate);
            break;
        case TruncateWord::end_or_none:
            w.member(dialect_.truncate, *request.truncate ? "END" : "NONE");
            break;
        case TruncateWord::none:
            break;
        }
    }
    if (dialect_.user && !request.user.empty()) {
        w.member("user", request.user);
    }
    w.end_object();
    return {};
}

std::vector<json::Edit> OpenAiApi::request_edits(
    std::string_view body, Value root, const WriteOptions &options) const {
    auto edits = Api::request_edits(body, root, options);

    std::string_view member = dimensions_member(options);
    for (auto dimensions : root.members()) {
        if (dimensions.name == "dimensions" && member != "dimensions"
            && !root[member]) {
            // The name alone, with its quotes, becomes another.
            std::size_t length = dimensions.raw.find('"', 1) + 1;
            std::string name;
            json::append_string(name, member);
            edits.push_back({static_cast<std::size_t>(dimensions.raw.data()
                                                      - body.data()),
                             length, std::move(name)});
        }
    }
    if (dialect_.otherwise != Purpose::unset && !root["input_type"]) {
        std::string word;
        json::append_string(word, purpose_word(Purpose::unset));
        edits.push_back(json::set_member(body, root, "input_type", word));
    }
    std::sort(edits.begin(), edits.end(),
              [](const json::Edit &a, const json::Edit &b) {
                  return a.offset != b.offset ? a.offset < b.offset
                                              : a.length < b.length;
              });
    return edits;
}

Result<Response> OpenAiApi::parse_response(
    Value root, std::pmr::memory_resource *memory) const {
    Value data = root["data"];
    Response response(memory);
    response.model = root["model"].string();

    // Each says which input it is of; most are in their order.
    std::size_t next = 0;
    bool ordered = true;
    for (Value item : data.elements()) {
        ordered = ordered
                  && item["index"].integer().value_or(
                         static_cast<std::int64_t>(next))
                         == static_cast<std::int64_t>(next);
        ++next;
        if (auto added = add_vector(item["embedding"], response); !added) {
            return added.error();
        }
    }
    if (response.vectors.empty() || next != data.size()) {
        return wrong_answer("the answer has no embedding");
    }
    if (!ordered) {
        std::pmr::vector<Vector> sorted(memory);
        sorted.reserve(next);
        std::vector<std::size_t> place(next, next);
        std::size_t from = 0;
        for (Value item : data.elements()) {
            auto index = item["index"].integer().value_or(-1);
            if (index < 0 || index >= static_cast<std::int64_t>(next)
                || place[static_cast<std::size_t>(index)] != next) {
                return wrong_answer("the indexes of the answer's embeddings "
                                    "make no sense");
            }
            place[static_cast<std::size_t>(index)] = from++;
        }
        for (std::size_t at : place) {
            sorted.push_back(std::move(response.vectors[at]));
        }
        response.vectors = std::move(sorted);
    }
    Value usage = root["usage"];
    set_usage(usage["prompt_tokens"] ? usage["prompt_tokens"]
                                     : usage["total_tokens"],
              response);
    return response;
}

Result<void> OpenAiApi::write_response(const Response &response,
                                       const Request &request, bool,
                                       const AnswerContext &context,
                                       std::string &out) const {
    json::Writer w(out);
    w.begin_object().member("object", "list").key("data").begin_array();
    std::int64_t index = 0;
    for (const Vector &vector : response.vectors) {
        w.begin_object()
            .member("object", "embedding")
            .member("index", index++)
            .key("embedding");
        if (auto written = write_vector(vector, request.encoding, w);
            !written) {
            return written;
        }
        w.end_object();
    }
    w.end_array()
        .member("model", answered_model(response, context))
        .key("usage")
        .begin_object()
        .member("prompt_tokens", response.usage.prompt_tokens)
        .member("total_tokens", response.usage.prompt_tokens)
        .end_object()
        .end_object();
    return {};
}

}  // namespace

const Api &openai_api() noexcept {
    static const OpenAiApi api({.name = "openai"});
    return api;
}

const Api &mistral_api() noexcept {
    static const OpenAiApi api({.name = "mistral",
                                .dimensions = "output_dimension",
                                .tokens = false,
                                .user = false});
    return api;
}

const Api &voyage_api() noexcept {
    static const OpenAiApi api({.name = "voyage",
                                .dimensions = "output_dimension",
                                .tokens = false,
                                .user = false,
                                .purpose = &PurposeWords::voyage,
                                .truncate = "truncation",
                                .truncate_word = TruncateWord::boolean});
    return api;
}

const Api &nvidia_api() noexcept {
    static const OpenAiApi api({.name = "nvidia",
                                .tokens = false,
                                .purpose = &PurposeWords::nvidia,
                                .otherwise = Purpose::document,
                                .truncate = "truncate",
                                .truncate_word = TruncateWord::end_or_none});
    return api;
}

}  // namespace llm::embedding
