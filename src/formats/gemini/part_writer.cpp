// Source: Gemini API reference, Content and Part; docs on Function calling and
// Thought signatures.
#include "formats/gemini/part_writer.hpp"

#include <algorithm>
#include <utility>

#include "formats/gemini/gemini.hpp"
#include "formats/tool_plan.hpp"

namespace llm::gemini {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;

// What is written where the API demands a user's content and there is none.
constexpr std::string_view filler = ".";

bool is_object(json::Document &document, std::string_view text) {
    return document.parse(text, {.duplicates = true})
           && document.root().is_object();
}

}  // namespace

void ContentWriter::write_system() {
    json::Value source;
    if (plan_.ours && plan_.system.size() == 1) {
        source = request_.messages[plan_.system.front()].source;
    }
    begin_content(source, {});
    for (std::size_t i : plan_.system) {
        for (const Part &part : request_.messages[i].parts) {
            if (plan_.ours && part.source) {
                write_source(part);
            } else if (!part.text.empty()) {
                w_.begin_object().member("text", part.text).end_object();
                empty_ = false;
            }
        }
    }
    end_content(source);
}

Result<void> ContentWriter::write_contents() {
    w_.begin_array();
    // The conversation starts with the user.
    if (!plan_.ours
        && (plan_.turns.empty()
            || plan_.turns.front().type == Turn::Type::model)) {
        write_filler();
    }
    for (const Turn &turn : plan_.turns) {
        bool results = turn.type == Turn::Type::results && !plan_.ours;
        auto outcome = results ? write_results(turn) : write_turn(turn);
        if (!outcome) {
            return outcome;
        }
    }
    w_.end_array();
    return {};
}

void ContentWriter::write_filler() {
    begin_content({}, "user");
    end_content({});
}

// Members of the content as it came are kept; an empty role is left out.
void ContentWriter::begin_content(json::Value source, std::string_view role) {
    w_.begin_object();
    if (source["role"]) {
        w_.member("role", source["role"]);
    } else if (!role.empty() && !source) {
        w_.member("role", role);
    }
    w_.key("parts").begin_array();
    empty_ = true;
}

void ContentWriter::end_content(json::Value source) {
    // All of it may have been left out as unsupported.
    if (empty_ && !source) {
        w_.begin_object().member("text", filler).end_object();
    }
    w_.end_array();
    for (json::Member member : source.members()) {
        if (member.name != "role" && member.name != "parts") {
            w_.raw(member.raw);
        }
    }
    w_.end_object();
}

Result<void> ContentWriter::write_turn(const Turn &turn) {
    const Message &first = request_.messages[turn.messages.front()];
    json::Value source = plan_.ours ? first.source : json::Value();
    signed_ = false;
    begin_content(source, turn.type == Turn::Type::model ? "model" : "user");
    for (std::size_t i : turn.messages) {
        if (auto outcome = write_parts(request_.messages[i], i); !outcome) {
            return outcome;
        }
    }
    end_content(source);
    return {};
}

Result<void> ContentWriter::write_parts(const Message &message,
                                        std::size_t i) {
    if (message.role == chat::Role::tool) {
        write_own_result(message);
        return {};
    }
    for (std::size_t j = 0; j < message.parts.size(); ++j) {
        const Part &part = message.parts[j];
        if (plan_.ours && part.source) {
            write_source(part);
        } else if (is_written(part, plan_.ours)) {
            auto outcome = write_part(part, "messages[" + std::to_string(i)
                                                + "].content["
                                                + std::to_string(j) + "]");
            if (!outcome) {
                return outcome;
            }
        }
    }
    return {};
}

void ContentWriter::write_source(const Part &part) {
    w_.raw(part.source.raw());
    empty_ = false;
}

// Of a call that came in this format: as it came, where nobody has changed it.
void ContentWriter::write_own_result(const Message &message) {
    if (!message.parts.empty() && message.parts.front().source) {
        write_source(message.parts.front());
        return;
    }
    Parts attachments;
    write_response({message.tool_call_id, message.name, false}, &message,
                   attachments);
}

Result<void> ContentWriter::write_part(const Part &part,
                                       const std::string &param) {
    switch (part.type) {
    case PartType::text:
    case PartType::refusal:
        w_.begin_object().member("text", part.text);
        if (!part.signature.empty()) {
            w_.member("thoughtSignature", part.signature);
        }
        w_.end_object();
        empty_ = false;
        return {};
    case PartType::image:
    case PartType::audio:
    case PartType::file:
        return write_media(part, param);
    case PartType::tool_call:
        write_function_call(part);
        return {};
    case PartType::reasoning:
    case PartType::redacted_reasoning:
    case PartType::native:
        break;
    }
    return {};
}

Result<void> ContentWriter::write_media(const Part &part,
                                        const std::string &param) {
    // An id of another provider's store means nothing here.
    if (part.data.empty() && part.url.empty()) {
        return refuse(options_, param, "is a file id of another provider");
    }
    empty_ = false;
    if (!part.data.empty()) {
        write_inline_data(w_, google_media_type(part.media_type), part.data);
        return {};
    }

    std::string_view media_type = part.media_type;
    if (media_type.empty()) {
        media_type = media_type_of_url(part.url);
    }
    if (media_type.empty()) {
        media_type = part.type == PartType::image ? "image/jpeg"
                                                  : "application/pdf";
    }
    w_.begin_object().key("fileData").begin_object()
        .member("mimeType", google_media_type(media_type))
        .member("fileUri", part.url)
        .end_object().end_object();
    return {};
}

void ContentWriter::write_function_call(const Part &part) {
    empty_ = false;
    w_.begin_object().key("functionCall").begin_object();
    if (plan_.ids && !part.id.empty()) {
        w_.member("id", part.id);
    }
    w_.member("name",
              std::string_view(function_name(part.name, part.custom)));
    w_.key("args");
    write_input(part);
    w_.end_object();

    // The first call of a turn must be signed.
    std::string_view signature = part.signature;
    if (signature.empty() && !signed_ && plan_.traits->signatures) {
        signature = no_signature;
    }
    signed_ = true;
    if (!signature.empty()) {
        w_.member("thoughtSignature", signature);
    }
    w_.end_object();
}

void ContentWriter::write_input(const Part &part) {
    bool blank = part.arguments.find_first_not_of(" \t\r\n")
                 == std::string_view::npos;
    if (!part.custom && blank) {
        w_.begin_object().end_object();
    } else if (!part.custom && is_object(document_, part.arguments)) {
        w_.raw(document_.root().raw());
    } else {
        // What the model wrote may not be JSON, or no object: kept all the
        // same, since the result that follows answers it.
        w_.begin_object()
            .member(custom_input, part.arguments)
            .end_object();
    }
}

// The results of a turn's calls are a content of their own; what they cannot
// hold comes after them.
Result<void> ContentWriter::write_results(const Turn &turn) {
    Parts attachments;
    begin_content({}, "user");
    for (std::size_t c = 0; c < turn.calls.size(); ++c) {
        std::size_t i = turn.messages[c];
        write_response(turn.calls[c],
                       i == Turn::missing ? nullptr : &request_.messages[i],
                       attachments);
    }
    end_content({});

    if (attachments.empty()) {
        return {};
    }
    begin_content({}, "user");
    for (const Part *part : attachments) {
        if (auto outcome = write_part(*part, "messages"); !outcome) {
            return outcome;
        }
    }
    end_content({});
    return {};
}

// message: nullptr where the client has none, and the model is told so.
void ContentWriter::write_response(const Call &call, const Message *message,
                                   Parts &attachments) {
    w_.begin_object().key("functionResponse").begin_object();
    if (plan_.ids && !call.id.empty()) {
        w_.member("id", call.id);
    }
    w_.member("name",
              std::string_view(function_name(call.name, call.custom)));
    w_.key("response");
    if (message) {
        write_output(*message, attachments);
    } else {
        w_.begin_object().member("error", "no result").end_object();
    }
    w_.end_object().end_object();
    empty_ = false;
}

// An object as it is, anything else as the member that the docs name.
void ContentWriter::write_output(const Message &message, Parts &attachments) {
    std::string text;
    for (const Part &part : message.parts) {
        if (part.type == PartType::text || part.type == PartType::refusal) {
            if (!text.empty()) {
                text.push_back('\n');
            }
            text.append(part.text);
        } else if (is_written(part, plan_.ours)) {
            attachments.push_back(&part);
        }
    }

    bool object = is_object(document_, text);
    if (object && !message.tool_error) {
        w_.raw(document_.root().raw());
        return;
    }
    w_.begin_object().key(message.tool_error ? "error" : "output");
    if (object) {
        w_.raw(document_.root().raw());
    } else {
        w_.string(text);
    }
    w_.end_object();
}

}  // namespace llm::gemini
