// Hugging Face's Text Embeddings Inference, its own /embed. (It has OpenAI's
// API, too.) Only as a provider.
#include "formats/embedding/shared.hpp"

namespace llm::embedding {

namespace {

using json::Value;

constexpr std::string_view ends[] = {"/v1"};

class TeiApi final : public Api {
public:
    std::string_view name() const noexcept override { return "tei"; }

    std::span<const std::string_view> foreign_ends() const noexcept override {
        return ends;
    }

    // Its default (--max-client-batch-size).
    std::size_t max_inputs(std::string_view) const noexcept override {
        return 32;
    }

    void append_path(const Call &, std::string &out) const override {
        out += "/embed";
    }

    Result<void> write_request(const Request &request, const WriteOptions &,
                               std::string &out) const override {
        if (auto texts = want_texts(request, name()); !texts) {
            return texts;
        }
        json::Writer w(out);
        w.begin_object().key("inputs");
        write_inputs(request, w);
        if (request.truncate) {
            w.member("truncate", *request.truncate);
        }
        if (request.dimensions) {
            w.member("dimensions", *request.dimensions);
        }
        w.end_object();
        return {};
    }

    Result<Response> parse_response(
        Value root, std::pmr::memory_resource *memory) const override {
        Response response(memory);
        if (auto added = add_vectors(root, response); !added) {
            return added.error();
        }
        return response;
    }
};

}  // namespace

const Api &tei_api() noexcept {
    static const TeiApi api;
    return api;
}

}  // namespace llm::embedding
