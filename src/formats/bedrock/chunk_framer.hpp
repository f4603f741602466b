// The stream of Bedrock's InvokeModelWithResponseStream: an AWS event stream
// whose events are "chunk", {"bytes": base64, "p": padding}, each with one
// event of the model's own API.
// Source: the service model of bedrock-runtime, PayloadPart.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "llm/wire.hpp"

namespace llm::bedrock {

// Frame::event of what a chunk holds, which is Frame::data.
inline constexpr std::string_view chunk_event = "chunk";

// Frames: chunks, decoded, whose `raw` is the message around them, and
// exceptions as they are. Events of other types are none. A chunk that cannot
// be decoded ends the stream.
std::unique_ptr<wire::Framer> make_chunk_framer(std::size_t max_event);

}  // namespace llm::bedrock
