// Source: Gemini API reference, Content and Part.
#include "formats/gemini/content_reader.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/fields.hpp"
#include "formats/gemini/gemini.hpp"
#include "formats/gemini/tables.hpp"
#include "llm/arena.hpp"

namespace llm::gemini {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Role;
using fields::Path;
using json::Kind;
using json::Value;

class ContentReader : fields::Reader {
public:
    ContentReader(chat::Request &request, std::pmr::memory_resource *memory)
        : memory_(memory), request_(request) {}

    Result<void> read(Value root) {
        Value system = field(root, "systemInstruction");
        if ((!system.is_null()
             && !read_system(system, Path("systemInstruction")))
            || !read_contents(root["contents"], Path("contents"))) {
            return std::move(error_);
        }
        return {};
    }

private:
    // The calls of the model's last turn, for their results to find.
    class Calls {
    public:
        void clear() {
            ids_.clear();
            answered_.clear();
            by_id_.clear();
            by_name_.clear();
        }

        void add(std::string_view id, std::string_view name) {
            by_id_.emplace(id, ids_.size());
            by_name_[name].calls.push_back(ids_.size());
            ids_.push_back(id);
            answered_.push_back(false);
        }

        // The id of the call that a result answers, and no other will.
        // Clients that know ids give them back; else the name says it, and
        // the order.
        std::optional<std::string_view> answer(std::string_view id,
                                               std::string_view name) {
            if (auto known = by_id_.find(id);
                known != by_id_.end() && !answered_[known->second]) {
                answered_[known->second] = true;
                return ids_[known->second];
            }
            auto named = by_name_.find(name);
            if (named == by_name_.end()) {
                return std::nullopt;
            }
            auto &[calls, next] = named->second;
            while (next < calls.size() && answered_[calls[next]]) {
                ++next;
            }
            if (next == calls.size()) {
                return std::nullopt;
            }
            answered_[calls[next]] = true;
            return ids_[calls[next]];
        }

    private:
        struct Named {
            std::vector<std::size_t> calls;
            std::size_t next = 0;
        };

        std::vector<std::string_view> ids_;
        std::vector<bool> answered_;
        std::unordered_map<std::string_view, std::size_t> by_id_;
        std::unordered_map<std::string_view, Named> by_name_;
    };

    bool read_system(Value value, const Path &path) {
        Message message(memory_);
        message.role = Role::system;
        message.source = value;
        // SDKs send a content; by hand people write its text.
        if (value.is_string()) {
            Part part;
            part.text = value.string();
            message.parts.push_back(part);
            message.source = {};
        } else if (!expect(value, Kind::object, path)) {
            return false;
        }
        Path parts(path, "parts");
        std::size_t index = 0;
        for (Value source : value["parts"].elements()) {
            Path where(parts, index++);
            if (!source["text"].is_string()) {
                return fail(where, "must be text");
            }
            Part part;
            part.text = source["text"].string();
            part.source = source;
            message.parts.push_back(part);
        }
        if (!message.parts.empty()) {
            request_.messages.push_back(std::move(message));
        }
        return true;
    }

    bool read_contents(Value value, const Path &path) {
        if (value.is_null()) {
            return fail(path, "is missing");
        }
        if (!expect(value, Kind::array, path)) {
            return false;
        }
        if (value.size() == 0) {
            return fail(path, "must not be empty");
        }
        std::size_t index = 0;
        for (Value content : value.elements()) {
            if (!read_content(content, Path(path, index), index)) {
                return false;
            }
            ++index;
        }
        bool any = std::any_of(
            request_.messages.begin(), request_.messages.end(),
            [](const Message &one) { return one.role != Role::system; });
        return any || fail(path, "must have a content with parts");
    }

    bool read_content(Value value, const Path &path, std::size_t index) {
        if (!expect(value, Kind::object, path)) {
            return false;
        }
        Value parts = value["parts"];
        Path where(path, "parts");
        if (!parts.is_null() && !expect(parts, Kind::array, where)) {
            return false;
        }

        std::string_view role = value["role"].string();
        bool goes_on = model_speaks_;
        model_speaks_ = role == "model";
        if (model_speaks_) {
            return read_model(value, where, index, goes_on);
        }
        // "function" is how results came once.
        if (!role.empty() && role != "user" && role != "function") {
            return fail(Path(path, "role"), "must be \"user\" or \"model\"");
        }
        return read_user(value, where);
    }

    // Clients keep each chunk of a streamed answer as a content: together they
    // are one message, and its thought has its proof in a chunk of its own.
    bool read_model(Value content, const Path &path, std::size_t index,
                    bool goes_on) {
        if (!goes_on) {
            calls_.clear();
            Message &begun = request_.messages.emplace_back(memory_);
            begun.role = Role::assistant;
            begun.source = content;
        }
        Message &message = request_.messages.back();
        if (goes_on) {
            message.source = {};
        }

        std::size_t i = 0;
        for (Value source : content["parts"].elements()) {
            Path where(path, i);
            if (!expect(source, Kind::object, where)) {
                return false;
            }
            Part part;
            part.source = source;
            if (Value call = field(source, "functionCall")) {
                if (!read_call(call, where, index, i, part)) {
                    return false;
                }
            } else if (!read_text_or_media(source, where, part)) {
                return false;
            }
            if (!is_proof(part) || !add_proof(part, message)) {
                message.parts.push_back(part);
            }
            ++i;
        }
        return true;
    }

    static bool is_proof(const Part &part) {
        return part.type == PartType::reasoning && part.text.empty()
               && !part.signature.empty();
    }

    // To the thought before it, whose pieces become one.
    bool add_proof(const Part &proof, Message &message) {
        auto &parts = message.parts;
        std::size_t first = parts.size();
        while (first > 0 && parts[first - 1].type == PartType::reasoning
               && parts[first - 1].signature.empty()) {
            --first;
        }
        if (first == parts.size()) {
            return false;
        }
        std::string text;
        for (std::size_t i = first; i < parts.size(); ++i) {
            text.append(parts[i].text);
        }
        parts.resize(first + 1);
        parts[first].text = arena_copy(memory_, text);
        parts[first].signature = proof.signature;
        parts[first].source = {};
        return true;
    }

    bool read_call(Value call, const Path &path, std::size_t content,
                   std::size_t index, Part &part) {
        Path where(path, "functionCall");
        part.type = PartType::tool_call;
        if (!expect(call, Kind::object, where)
            || !required_text(call, where, "name", part.name)
            || !optional_text(call, where, "id", part.id)) {
            return false;
        }
        Value args = call["args"];
        if (!args.is_null() && !expect(args, Kind::object,
                                       Path(where, "args"))) {
            return false;
        }
        part.arguments = args.is_null() ? "{}" : args.raw();
        part.signature = field(part.source, "thoughtSignature").string();
        if (part.signature == no_signature) {
            part.signature = {};
        }
        if (part.id.empty()) {
            // By its place, so that it is the same in every later request.
            part.id = arena_concat(memory_, {"call_", std::to_string(content),
                                             "_", std::to_string(index)});
        }
        calls_.add(part.id, part.name);
        return true;
    }

    bool read_user(Value content, const Path &path) {
        Message message(memory_);
        message.source = content;

        std::size_t index = 0;
        for (Value source : content["parts"].elements()) {
            Path where(path, index++);
            if (!expect(source, Kind::object, where)) {
                return false;
            }
            if (Value result = field(source, "functionResponse")) {
                if (!read_result(result, source, content, where)) {
                    return false;
                }
                continue;
            }
            Part part;
            part.source = source;
            if (!read_text_or_media(source, where, part)) {
                return false;
            }
            if (part.type == PartType::native) {
                return fail(where, "must have \"text\", \"inlineData\", "
                                   "\"fileData\" or \"functionResponse\"");
            }
            message.parts.push_back(part);
        }
        if (!message.parts.empty()) {
            request_.messages.push_back(std::move(message));
        }
        return true;
    }

    bool read_result(Value result, Value source, Value content,
                     const Path &path) {
        Path where(path, "functionResponse");
        std::string_view id;
        std::string_view name;
        if (!expect(result, Kind::object, where)
            || !required_text(result, where, "name", name)
            || !optional_text(result, where, "id", id)) {
            return false;
        }

        auto call = calls_.answer(id, name);
        if (!call) {
            return fail(where, "answers no function call of the model's "
                               "content before it");
        }

        Message message(memory_);
        message.role = Role::tool;
        message.tool_call_id = *call;
        message.name = name;
        message.source = content;
        if (!read_output(result, source, where, message)) {
            return false;
        }
        request_.messages.push_back(std::move(message));
        return true;
    }

    // What a function gave: by convention a member of the response.
    bool read_output(Value result, Value source, const Path &path,
                     Message &message) {
        Value response = result["response"];
        if (!response.is_null()
            && !expect(response, Kind::object, Path(path, "response"))) {
            return false;
        }
        Value only = response.size() == 1
                         ? (*response.members().begin()).value
                         : Value();
        message.tool_error = only && response["error"];
        bool wrapped = only
                       && (message.tool_error || response["output"]
                           || response["result"]);
        Value said = wrapped ? only : response;

        Part part;
        part.source = source;
        part.text = said.is_string() ? said.string()
                    : said.is_null() ? std::string_view("{}")
                                     : said.raw();
        message.parts.push_back(part);

        Path parts(path, "parts");
        std::size_t index = 0;
        for (Value more : result["parts"].elements()) {
            Path where(parts, index++);
            Part media;
            if (!read_text_or_media(more, where, media)) {
                return false;
            }
            message.parts.push_back(media);
        }
        return true;
    }

    bool read_text_or_media(Value source, const Path &path, Part &part) {
        Value text = source["text"];
        Value data = field(source, "inlineData");
        Value file = field(source, "fileData");
        if (!text.is_null()) {
            part.text = text.string();
            return expect(text, Kind::string, Path(path, "text"))
                   && read_proof(source, part);
        }
        if (!data.is_null()) {
            return read_data(data, Path(path, "inlineData"), part);
        }
        if (!file.is_null()) {
            return read_file(file, Path(path, "fileData"), part);
        }
        part.type = PartType::native;
        return true;
    }

    // Thoughts, and what goes with a text: Google's own signature is of use
    // to nobody else, another provider's is told by its mark.
    bool read_proof(Value source, Part &part) {
        std::string_view proof = field(source, "thoughtSignature").string();
        if (!source["thought"].boolean()) {
            part.signature = proof;
            return true;
        }
        part.type = PartType::reasoning;
        if (proof.starts_with(signature_mark)) {
            part.signature =
                common_base64(proof.substr(signature_mark.size()));
        } else if (proof.starts_with(redacted_mark)) {
            part.type = PartType::redacted_reasoning;
            part.data = common_base64(proof.substr(redacted_mark.size()));
        }
        return true;
    }

    // Google's SDKs write base64 with the alphabet for URLs, which nobody
    // else reads.
    std::string_view common_base64(std::string_view text) {
        if (text.find_first_of("-_") == std::string_view::npos) {
            return text;
        }
        std::string copy(text);
        std::replace(copy.begin(), copy.end(), '-', '+');
        std::replace(copy.begin(), copy.end(), '_', '/');
        return arena_copy(memory_, copy);
    }

    static PartType type_of(std::string_view media_type) {
        return media_type.starts_with("image/")   ? PartType::image
               : media_type.starts_with("audio/") ? PartType::audio
                                                  : PartType::file;
    }

    // Members of both kinds of media may be spelt in two ways.
    bool media_text(Value value, const Path &path, std::string_view name,
                    bool required, std::string_view &out) {
        Value member = field(value, name);
        out = member.string();
        if (member.is_null() ? !required : member.is_string()) {
            return !required || !out.empty()
                   || fail(Path(path, name), "must not be empty");
        }
        return fail(Path(path, name), "must be a string");
    }

    bool read_data(Value data, const Path &path, Part &part) {
        if (!expect(data, Kind::object, path)
            || !media_text(data, path, "mimeType", true, part.media_type)
            || !media_text(data, path, "data", true, part.data)
            || !media_text(data, path, "displayName", false,
                           part.filename)) {
            return false;
        }
        part.data = common_base64(part.data);
        part.media_type = common_media_type(part.media_type);
        part.type = type_of(part.media_type);
        return true;
    }

    bool read_file(Value file, const Path &path, Part &part) {
        if (!expect(file, Kind::object, path)
            || !media_text(file, path, "mimeType", false, part.media_type)
            || !media_text(file, path, "fileUri", true, part.url)
            || !media_text(file, path, "displayName", false,
                           part.filename)) {
            return false;
        }
        if (part.media_type.empty()) {
            part.media_type = media_type_of_url(part.url);
        }
        part.media_type = common_media_type(part.media_type);
        part.type = type_of(part.media_type);
        return true;
    }

    std::pmr::memory_resource *memory_;
    chat::Request &request_;
    Calls calls_;
    bool model_speaks_ = false;     // the content before is the model's
};

}  // namespace

Result<void> read_contents(json::Value root, chat::Request &request,
                           std::pmr::memory_resource *memory) {
    return ContentReader(request, memory).read(root);
}

}  // namespace llm::gemini
