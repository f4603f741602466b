// What APIs beside OpenAI's have taken over from it: tools and tool calls in
// its shape, and what a writer for another API refuses of its requests. (Their
// readers: body_reader.hpp.)
#pragma once

#include <string>
#include <string_view>

#include "llm/chat.hpp"
#include "llm/format.hpp"

namespace llm::functions {

// One tool in that shape, a custom one as the function that stands for it;
// parameters are always there, an object without properties where the tool has
// none.
void write_tool(json::Writer &w, const chat::Tool &tool);

// Appends the arguments of a call as one JSON object on one line. What is no
// object, as a custom tool's input is none, is kept in one, as its member
// "input".
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

// Where these, which are the request's, have their place in OpenAI's API, for
// the param of an error: "messages[1]", "messages[1].content[0]", "tools[2]".
std::string param_of(const chat::Request &request,
                     const chat::Message &message);
std::string param_of(const chat::Request &request, const chat::Part &part);
std::string param_of(const chat::Request &request, const chat::Tool &tool);

// The call of this id; nullptr: there is none.
const chat::Part *find_call(const chat::Request &request, std::string_view id);

}  // namespace llm::functions
