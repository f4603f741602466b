#include "formats/functions.hpp"

#include <algorithm>

#include "formats/tool_plan.hpp"

namespace llm::functions {

using chat::Part;
using chat::PartType;
using json::Value;

void write_tool(json::Writer &w, const chat::Tool &tool) {
    bool custom = tool.type == chat::Tool::Type::custom;
    w.begin_object().member("type", "function").key("function").begin_object()
        .member("name", std::string_view(sent_tool_name(tool.name, custom)));
    if (!tool.description.empty()) {
        w.member("description", tool.description);
    }
    w.key("parameters");
    if (custom) {
        w.raw(custom_parameters);
    } else if (tool.parameters && tool.parameters.size() > 0) {
        w.raw(tool.parameters.raw());
    } else {
        w.raw(R"({"type":"object","properties":{}})");
    }
    w.end_object().end_object();
}

void append_line(std::string &out, std::string_view json) {
    std::size_t start = out.size();
    out.append(json);
    // Within a string they would have been refused.
    std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(start),
                    out.end(), [](char c) { return c == '\n' || c == '\r'; },
                    ' ');
}

void append_arguments(std::string &out, const Part &call) {
    std::string_view text = call.arguments;
    if (!call.custom
        && text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        out.append("{}");
        return;
    }
    // What the model wrote may not be JSON, or no object: kept all the same,
    // since a result answers it.
    json::Document document;
    bool parsed = !call.custom
                  && static_cast<bool>(
                      document.parse(text, {.duplicates = true}));
    if (parsed && document.root().is_object()) {
        append_line(out, document.root().raw());
        return;
    }
    out.append("{\"").append(custom_input).append("\":");
    if (parsed) {
        append_line(out, document.root().raw());
    } else {
        json::append_string(out, text);
    }
    out.push_back('}');
}

void write_object_call(json::Writer &w, const Part &call, std::size_t index) {
    std::string arguments;
    append_arguments(arguments, call);
    w.begin_object().member("id", call.id).key("function").begin_object()
        .member("index", static_cast<std::int64_t>(index))
        .member("name", call.name)
        .key("arguments").raw(arguments)
        .end_object().end_object();
}

Result<void> refuse(const WriteOptions &options, std::string_view what,
                    std::string param) {
    if (options.drop_unsupported) {
        return {};
    }
    return unsupported(std::string(what) +
                           " cannot be sent to this model's provider",
                       std::move(param));
}

namespace {

// "NAME[2]" of the list's third element.
template <typename T>
std::string element(std::string_view name, const chat::List<T> &list,
                    const T &one) {
    return std::string(name) + '[' + std::to_string(&one - list.data()) + ']';
}

}  // namespace

std::string param_of(const chat::Request &request,
                     const chat::Message &message) {
    return element("messages", request.messages, message);
}

std::string param_of(const chat::Request &request, const Part &part) {
    for (const chat::Message &message : request.messages) {
        for (const Part &one : message.parts) {
            if (&one == &part) {
                return param_of(request, message)
                       + element(".content", message.parts, part);
            }
        }
    }
    return "messages";
}

std::string param_of(const chat::Request &request, const chat::Tool &tool) {
    return element("tools", request.tools, tool);
}

const Part *find_call(const chat::Request &request, std::string_view id) {
    // The last one counts: ids of different answers may be the same.
    for (auto message = request.messages.rbegin();
         message != request.messages.rend(); ++message) {
        for (const Part &part : message->parts) {
            if (part.type == PartType::tool_call && part.id == id) {
                return &part;
            }
        }
    }
    return nullptr;
}

}  // namespace llm::functions
