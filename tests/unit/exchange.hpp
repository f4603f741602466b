// What tests of formats share: a request or an answer on its way from one
// format to another.
#pragma once

#include <memory_resource>
#include <string>
#include <string_view>

#include "llm/format.hpp"

namespace llm::testing {

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

// A provider's stream for a client; that each way to cut it gives the same is
// checked on the way.
std::string translate_stream(const Format &provider, const Format &client,
                             std::string_view stream,
                             const AnswerContext &context = {});

// The events of a stream, one a line, checked in the same way.
std::string events_of(const Format &provider, std::string_view stream);

// What an answer says when all of it is put together: text of each kind,
// calls, finish, usage. The same for a stream and for the one-shot answer.
std::string sum_of_stream(const Format &provider, std::string_view stream);
std::string sum_of_response(const Format &provider, std::string_view body);

}  // namespace llm::testing
