#include "formats/openai/part_read.hpp"

#include "formats/openai/data_url.hpp"
#include "formats/openai/tables.hpp"

namespace llm::openai {

using chat::Part;
using chat::PartType;
using fields::Path;
using json::Kind;
using json::Value;

std::string_view take_image_url(Part &part) {
    if (is_data_url(part.url)) {
        auto data = parse_data_url(part.url);
        if (!data) {
            return "must be a base64 data URL";
        }
        part.url = {};
        part.media_type = data->media_type;
        part.data = data->data;
        return {};
    }
    bool web = part.url.starts_with("https://")
               || part.url.starts_with("http://");
    return web ? "" : "must be an http, https or data URL";
}

bool PartReader::read_text(Value value, const Path &path, Part &part) {
    part.text = value["text"].string();
    return expect(value["text"], Kind::string, Path(path, "text"));
}

bool PartReader::read_refusal(Value value, const Path &path, Part &part) {
    part.type = PartType::refusal;
    part.text = value["refusal"].string();
    return expect(value["refusal"], Kind::string, Path(path, "refusal"));
}

bool PartReader::read_audio(Value value, const Path &path, Part &part) {
    part.type = PartType::audio;
    Value audio = value["input_audio"];
    Path where(path, "input_audio");
    std::string_view format;
    if (!expect(audio, Kind::object, where)
        || !required_text(audio, where, "data", part.data)
        || !required_text(audio, where, "format", format)) {
        return false;
    }
    part.media_type = audio_media_type(format);
    return !part.media_type.empty()
           || fail(Path(where, "format"), "must be \"wav\" or \"mp3\"");
}

bool PartReader::take_file_data(std::string_view url, const Path &path,
                                Part &part) {
    if (url.empty()) {
        return true;
    }
    auto data = parse_data_url(url);
    if (!data) {
        return fail(path, "must be a base64 data URL");
    }
    part.media_type = data->media_type;
    part.data = data->data;
    return true;
}

}  // namespace llm::openai
