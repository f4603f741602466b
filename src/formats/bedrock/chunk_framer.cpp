#include "formats/bedrock/chunk_framer.hpp"

#include <optional>
#include <string>
#include <utility>

#include "llm/json.hpp"
#include "text/base64.hpp"

namespace llm::bedrock {

namespace {

class ChunkFramer final : public wire::Framer {
public:
    explicit ChunkFramer(std::size_t max_event) : messages_(max_event) {}

    Result<void> feed(std::string_view bytes, wire::FrameSink &sink) override {
        Decoder decoder(*this, sink);
        return outcome(messages_.feed(bytes, decoder));
    }

    Result<void> finish(wire::FrameSink &sink) override {
        Decoder decoder(*this, sink);
        return outcome(messages_.finish(decoder));
    }

    std::size_t pending() const noexcept override {
        return messages_.pending();
    }

private:
    class Decoder final : public wire::FrameSink {
    public:
        Decoder(ChunkFramer &framer, wire::FrameSink &sink)
            : framer_(framer), sink_(sink) {}

        void on_frame(const wire::Frame &message) override {
            if (framer_.damaged_) {
                return;
            }
            if (message.failure) {
                sink_.on_frame(message);
                return;
            }
            if (message.event != chunk_event) {
                return;
            }
            auto decoded = framer_.decode(message.data);
            if (!decoded) {
                framer_.damaged_ = true;
                return;
            }
            wire::Frame frame = message;
            frame.data = *decoded;
            sink_.on_frame(frame);
        }

    private:
        ChunkFramer &framer_;
        wire::FrameSink &sink_;
    };

    std::optional<std::string> decode(std::string_view payload) {
        json::ParseLimits limits;
        limits.duplicates = true;
        if (!document_.parse(payload, limits)) {
            return std::nullopt;
        }
        json::Value bytes = document_.root()["bytes"];
        if (!bytes.is_string()) {
            return std::nullopt;
        }
        return base64::decode(bytes.string());
    }

    Result<void> outcome(Result<void> messages) const {
        if (damaged_) {
            Error error;
            error.kind = ErrorKind::bad_gateway;
            error.message = "the provider's event stream is damaged: a chunk "
                            "holds no bytes in base64";
            return error;
        }
        return messages;
    }

    wire::EventStreamFramer messages_;
    json::Document document_;       // of the chunk; its memory is reused
    bool damaged_ = false;
};

}  // namespace

std::unique_ptr<wire::Framer> make_chunk_framer(std::size_t max_event) {
    return std::make_unique<ChunkFramer>(max_event);
}

}  // namespace llm::bedrock
