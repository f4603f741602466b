// Amazon Bedrock's InvokeModel, whose bodies are those of the model's maker.
// Only as a provider.
#include "formats/embedding/shared.hpp"
#include "llm/url.hpp"

namespace llm::embedding {

namespace {

using json::Value;

// By a part of the model's id: "amazon.titan-embed-text-v2:0",
// "us.cohere.embed-v4:0", an ARN.
struct Maker {
    std::string_view part;
    std::size_t max_inputs;     // as Api::max_inputs()
    Result<void> (*write)(const Request &request, const WriteOptions &options,
                          json::Writer &writer);
};

Result<void> write_titan(const Request &request, const WriteOptions &options,
                         json::Writer &w) {
    if (auto one = want_one(request, options.model); !one) {
        return one;
    }
    // It refuses what is too long in any case.
    if (request.truncate.value_or(false) && !options.drop_unsupported) {
        return unsupported("this model cannot be told to cut a text",
                           "truncate");
    }
    w.member("inputText", request.inputs.front().text);
    if (request.dimensions) {
        w.member("dimensions", *request.dimensions);
    }
    return {};
}

Result<void> write_cohere(const Request &request, const WriteOptions &options,
                          json::Writer &w) {
    w.key("texts");
    write_texts(request, w);
    w.member("input_type", purpose_words(request.purpose == Purpose::unset
                                             ? Purpose::document
                                             : request.purpose)
                               .cohere);
    if (request.truncate) {
        w.member("truncate", *request.truncate ? "END" : "NONE");
    }
    if (!request.dimensions) {
        return {};
    }
    // Version 3 has one size.
    if (options.model.find("embed-v4") == options.model.npos) {
        return options.drop_unsupported
                   ? Result<void>()
                   : unsupported("this model has vectors of one size",
                                 "dimensions");
    }
    w.member("output_dimension", *request.dimensions);
    return {};
}

Result<void> write_nova(const Request &request, const WriteOptions &options,
                        json::Writer &w) {
    if (auto one = want_one(request, options.model); !one) {
        return one;
    }
    w.member("taskType", "SINGLE_EMBEDDING")
        .key("singleEmbeddingParams")
        .begin_object()
        .member("embeddingPurpose", "GENERIC_INDEX");
    if (request.dimensions) {
        w.member("embeddingDimension", *request.dimensions);
    }
    w.key("text")
        .begin_object()
        .member("truncationMode",
                request.truncate.value_or(false) ? "END" : "NONE")
        .member("value", request.inputs.front().text)
        .end_object()
        .end_object();
    return {};
}

constexpr Maker makers[] = {
    {"titan-embed", 1, write_titan},
    {"cohere.embed", 96, write_cohere},
    {"nova-2-multimodal-embeddings", 1, write_nova},
};

// nullptr: none that is known here.
const Maker *find_maker(std::string_view model) noexcept {
    for (const Maker &maker : makers) {
        if (model.find(maker.part) != model.npos) {
            return &maker;
        }
    }
    return nullptr;
}

class BedrockApi final : public Api {
public:
    std::string_view name() const noexcept override { return "bedrock"; }

    void append_path(const Call &call, std::string &out) const override {
        out += "/model/";
        append_segment(out, call.model);
        out += "/invoke";
    }

    std::size_t max_inputs(std::string_view model) const noexcept override {
        const Maker *maker = find_maker(model);
        return maker ? maker->max_inputs : 0;
    }

    Result<void> write_request(const Request &request,
                               const WriteOptions &options,
                               std::string &out) const override {
        if (auto texts = want_texts(request, name()); !texts) {
            return texts;
        }
        if (const Maker *maker = find_maker(options.model)) {
            json::Writer w(out);
            w.begin_object();
            auto written = maker->write(request, options, w);
            w.end_object();
            return written;
        }
        return unsupported(
            "the gateway knows the embeddings of Titan, Cohere and Nova on "
            "Bedrock, and \"" + std::string(options.model.substr(0, 128))
                + "\" is none of them",
            "model");
    }

    Result<Response> parse_response(
        Value root, std::pmr::memory_resource *memory) const override {
        Response response(memory);
        response.id = root["id"].string();
        Result<void> added;
        Value list = root["embeddings"];
        if (root["embedding"]) {
            added = add_vector(root["embedding"], response);
        } else if (list.is_object()) {
            added = add_vectors(list["float"], response);
        } else {
            // Cohere's: arrays. Nova's: objects with one each.
            for (Value item : list.elements()) {
                added = add_vector(item.is_object() ? item["embedding"] : item,
                                   response);
                if (!added) {
                    break;
                }
            }
        }
        if (!added) {
            return added.error();
        }
        if (response.vectors.empty()
            || (list.is_array() && response.vectors.size() != list.size())) {
            return wrong_answer("the answer has no embedding");
        }
        set_usage(root["inputTextTokenCount"], response);
        return response;
    }
};

}  // namespace

const Api &bedrock_api() noexcept {
    static const BedrockApi api;
    return api;
}

}  // namespace llm::embedding
