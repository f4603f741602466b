// Calls for embeddings: what differs from chats.
#include <utility>

#include "formats/member_names.hpp"
#include "llm/exchange.hpp"

namespace llm {

namespace {

Error bad_answer(std::string message) {
    Error error;
    error.kind = ErrorKind::bad_gateway;
    error.message = std::move(message);
    return error;
}

}  // namespace

Result<const embedding::Request *> Exchange::embedding_request() {
    if (!embedding_request_) {
        auto parsed = embeddings_->parse_request(document(), memory_);
        if (!parsed) {
            return parsed.error();
        }
        embedding_request_ =
            std::make_unique<embedding::Request>(std::move(*parsed));
        embedding_request_->model = head_.model;
    }
    return embedding_request_.get();
}

Result<void> Exchange::prepare_embeddings() {
    if (target_.embeddings == nullptr) {
        return unsupported("the provider of this model has no embeddings",
                           "model");
    }
    same_format_ = target_.embeddings->family() == embeddings_->family();

    embedding::WriteOptions options;
    options.model = target_.model;
    options.drop_unsupported = target_.drop_unsupported;

    if (same_format_) {
        splice(target_.embeddings->request_edits(body_, document().root(),
                                                 options));
        return {};
    }
    auto parsed = embedding_request();
    if (!parsed) {
        return parsed.error();
    }
    auto written = target_.embeddings->write_request(**parsed, options,
                                                     written_);
    if (!written) {
        return in_clients_words(std::move(written.error()), client_, nullptr,
                                document_.root());
    }
    pieces_.push_back(written_);
    return {};
}

Exchange::Step Exchange::finish_embeddings(json::Value root) {
    auto response = target_.embeddings->parse_response(root, memory_);
    if (!response) {
        // Some say under a good status what went wrong.
        if (!root["error"].is_null()) {
            return fail(target_.format->parse_error(answer_head_, collected_));
        }
        return fail(std::move(response.error()));
    }
    if (!same_format_) {
        std::size_t texts = embedding_request_->inputs.size();
        if (response->vectors.size() != texts) {
            return fail(bad_answer(
                "the provider's answer has "
                + std::to_string(response->vectors.size())
                + " embeddings for " + std::to_string(texts) + " texts"));
        }
        for (const embedding::Vector &vector : response->vectors) {
            if (vector.floats.empty() && vector.numbers.size() == 0) {
                return fail(bad_answer("the provider's answer has an "
                                       "embedding without numbers"));
            }
        }
    }

    account_.response_model = response->model;
    account_.usage = response->usage;
    account_.complete = true;
    estimate_usage();

    if (kept_) {
        kept_->embeddings.emplace(std::move(*response));
    } else if (same_format_) {
        output_ = std::move(collected_);
    } else {
        response->usage = account_.usage;
        auto written = embeddings_->write_response(
            *response, *embedding_request_, single_,
            answer_context(account_.usage.prompt_tokens), output_);
        if (!written) {
            return fail(std::move(written.error()));
        }
    }
    mode_ = Mode::over;
    status_ = 200;
    content_type_ = "application/json";
    return Step::complete;
}

Exchange::Step Exchange::join_embeddings(std::span<Exchange *const> parts) {
    embedding::Response joined(memory_);
    for (Exchange *part : parts) {
        embedding::Response &response = *part->kept_->embeddings;
        if (part == parts.front()) {
            joined.id = response.id;
            joined.model = response.model;
        }
        for (embedding::Vector &vector : response.vectors) {
            joined.vectors.push_back(std::move(vector));
        }
    }
    joined.usage = account_.usage;

    auto written = embeddings_->write_response(
        joined, *embedding_request_, single_,
        answer_context(joined.usage.prompt_tokens), output_);
    if (!written) {
        return fail(std::move(written.error()));
    }
    return Step::complete;
}

}  // namespace llm
