// What APIs beside OpenAI's have taken over from it: tools and tool calls in
// its shape, and what a writer for another API refuses of its requests. (Their
// readers: body_reader.hpp.)
#pragma once

#include <string>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/format.hpp"

namespace llm::functions {

// One tool in that shape; parameters are always there, an object without
// properties where the tool has none.
void write_tool(json::Writer &w, const chat::Tool &tool);

// Appends the arguments of a call as one JSON object on one line. What is no
// object is kept in one, as its member "input".
void append_arguments(std::string &out, const chat::Part &call);

// Ollama's form of a call, whose arguments are an object.
void write_object_call(json::Writer &w, const chat::Part &call,
                       std::size_t index);

// JSON text on one line: between its values, line ends become blanks.
void append_line(std::string &out, std::string_view json);

// "WHAT cannot be sent to this model's provider"; nothing where unsupported
// is dropped.
Result<void> refuse(const WriteOptions &options, std::string_view what,
                    std::string param);

// The name of the function that the id's call is of; empty: no such call.
std::string_view name_of_call(const chat::Request &request,
                              std::string_view id);

}  // namespace llm::functions
