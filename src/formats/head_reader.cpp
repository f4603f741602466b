#include "formats/head_reader.hpp"

#include <utility>

namespace llm::fields {

using json::Kind;
using json::Value;

bool HeadReader::read_model() {
    if (!root_.is_object()) {
        error_ = invalid_request("the body must be a JSON object");
        return false;
    }
    Value model = root_["model"];
    head.model = model.string();
    return !head.model.empty()
           || fail(Path("model"), model.is_null() ? missing : not_empty);
}

bool HeadReader::check_list(std::string_view name) {
    Value list = root_[name];
    return (list.is_array() && list.size() > 0)
           || fail(Path(name), list.is_null()
                                   ? missing
                                   : "must be an array that is not empty");
}

bool HeadReader::read_stream(bool otherwise) {
    Value stream = root_["stream"];
    head.stream = stream.boolean(otherwise);
    return stream.is_null() || expect(stream, Kind::boolean, Path("stream"));
}

bool HeadReader::read_stream_options() {
    Value options = root_["stream_options"];
    head.include_usage = options["include_usage"].boolean();
    return options.is_null()
           || expect(options, Kind::object, Path("stream_options"));
}

bool HeadReader::read_max_tokens(std::string_view name, std::int64_t least) {
    Value most = root_[name];
    return most.is_null()
           || integer(most, Path(name), least, head.max_tokens);
}

Result<RequestHead> HeadReader::result(bool read) {
    if (!read) {
        return std::move(error_);
    }
    return head;
}

}  // namespace llm::fields
