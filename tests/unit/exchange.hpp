// What tests of formats share: a request or an answer on its way from one
// format to another.
#pragma once

#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "llm/format.hpp"

namespace llm::test {

// The error of a failed step as "PARAM: MESSAGE".
std::string describe(const Error &error);

// A client's body for a provider; the error's description where it fails.
std::string translate_request(const Format &client, const Format &provider,
                              std::string_view body,
                              const WriteOptions &options = {});

// A provider's answer for a client.
std::string translate_response(const Format &provider, const Format &client,
                               std::string_view body,
                               const AnswerContext &context = {});

// The events of a stream, one a line; neighbours of the same text are one
// line. `piece`: bytes that are fed at a time, 0: all.
std::string events_of(const Format &provider, std::string_view stream,
                      std::size_t piece = 0);

// A provider's stream for a client, fed cut in two at `cut`.
std::string translate_stream(const Format &provider, const Format &client,
                             std::string_view stream,
                             const AnswerContext &context = {},
                             std::size_t cut = 0);

// Whether each way to cut the stream in two, and feeding it byte by byte,
// gives the same bytes to the client.
bool same_at_every_cut(const Format &provider, const Format &client,
                       std::string_view stream,
                       const AnswerContext &context = {});

// The events that give `answer` again, when put together: text of each kind,
// calls, finish, usage. For "the stream says what the one-shot answer says".
std::string sum_of_stream(const Format &provider, std::string_view stream);
std::string sum_of_response(const Format &provider, std::string_view body);

}  // namespace llm::test
