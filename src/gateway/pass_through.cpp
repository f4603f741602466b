// Calls that are passed on as they are.
#include "llm/pass_through.hpp"

#include <utility>

#include "llm/exchange.hpp"
#include "llm/url.hpp"

namespace llm {

namespace {

bool starts_with_nocase(std::string_view text,
                        std::string_view prefix) noexcept {
    if (text.size() < prefix.size()) {
        return false;
    }
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        char c = text[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c)
            != prefix[i]) {
            return false;
        }
    }
    return true;
}

bool is_json(std::string_view content_type) noexcept {
    return starts_with_nocase(content_type, "application/json");
}

bool is_identity(std::string_view encoding) noexcept {
    return encoding.empty() || starts_with_nocase(encoding, "identity");
}

Error no_such_path() {
    Error error;
    error.kind = ErrorKind::not_found;
    error.message = "there is no such path";
    error.code = "unknown_url";
    return error;
}

Error bad_answer(std::string message) {
    Error error;
    error.kind = ErrorKind::bad_gateway;
    error.message = std::move(message);
    return error;
}

}  // namespace

Result<void> Exchange::open_pass_through(const PassThroughCall &call) {
    operation_ = Operation::pass_through;
    pass_ = std::make_unique<PassThrough>();
    pass_->call = call;
    query_ = call.query;

    std::string path;
    if (!pass_through::append_path(call.path, {}, path)
        || !pass_through::is_query(call.query)) {
        return no_such_path();
    }

    auto argument = pass_through::find_argument(call.query, "model");
    if (!argument) {
        return argument.error();
    }
    pass_->model_in_query = *argument;

    std::string_view boundary = pass_through::boundary_of(call.content_type);
    if (!body_.empty() && is_json(call.content_type)) {
        json::ParseLimits limits;
        limits.depth = limits_.max_depth;
        if (auto parsed = document_.parse(body_, limits); !parsed) {
            return parsed;
        }
        json::Value model = document_.root()["model"];
        if (!model.is_null() && !model.is_string()) {
            return invalid_request("\"model\" must be a string", "model");
        }
        head_.model = model.string();
    } else if (!body_.empty() && !boundary.empty()) {
        auto field = pass_through::find_field(body_, boundary, "model", true);
        if (!field) {
            return field.error();
        }
        pass_->model_in_body = *field;
        if (pass_->model_in_body) {
            head_.model = body_.substr(pass_->model_in_body->offset,
                                       pass_->model_in_body->length);
        }
    }
    if (pass_->model_in_query) {
        pass_->model = pass_through::decode_argument(
            query_.substr(pass_->model_in_query->offset,
                          pass_->model_in_query->length));
        // Whoever goes by the one must not be told the other.
        if (!head_.model.empty() && head_.model != pass_->model) {
            return invalid_request("the \"model\" of the query is not that of "
                                   "the body",
                                   "model");
        }
        head_.model = pass_->model;
    }
    return check_model_name();
}

void Exchange::note_model(std::string_view beginning) {
    std::string_view boundary =
        pass_through::boundary_of(pass_->call.content_type);
    if (boundary.empty() || !head_.model.empty()) {
        return;
    }
    auto field =
        pass_through::find_field(beginning, boundary, "model", false);
    if (field && *field && (*field)->length <= limits_.max_model) {
        pass_->model = beginning.substr((*field)->offset, (*field)->length);
        head_.model = pass_->model;
    }
}

void Exchange::prepare_pass_through() {
    same_format_ = true;
    std::vector<json::Edit> edits;
    bool renamed = !head_.model.empty() && target_.model != head_.model;
    if (renamed && pass_->model_in_body) {
        edits.push_back({pass_->model_in_body->offset,
                         pass_->model_in_body->length,
                         std::string(target_.model)});
    } else if (renamed && document_.root()["model"]) {
        std::string name;
        json::append_string(name, target_.model);
        edits.push_back(
            json::set_member(body_, document_.root(), "model", name));
    }
    splice(edits);
}

std::string Exchange::pass_through_path(std::string_view base) const {
    const Quirks &quirks = target_.quirks;
    std::string path;
    if (quirks.hosting == Hosting::azure_deployments
        && !target_.model.empty()) {
        path.append(base).append("/deployments/");
        append_segment(path, target_.model);
        // A deployment's paths have no version of their own.
        (void) pass_through::append_path({{}, pass_->call.path.rest}, {}, path);
    } else {
        (void) pass_through::append_path(pass_->call.path, base, path);
    }

    std::string query(query_);
    if (pass_->model_in_query && target_.model != head_.model) {
        std::string name;
        append_segment(name, target_.model);
        query.replace(pass_->model_in_query->offset,
                      pass_->model_in_query->length, name);
    }
    if (!quirks.api_version.empty()
        && query.find("api-version=") == query.npos) {
        query.append(query.empty() ? "" : "&")
            .append("api-version=")
            .append(quirks.api_version);
    }
    return query.empty() ? path : path + '?' + query;
}

Exchange::Step Exchange::begin_pass_through(const AnswerHead &head) {
    raw_ = delivered_ = false;
    pass_->answer_type = head.content_type;
    readable_error_ = is_identity(head.content_encoding);

    if (head.status == 101 && pass_->call.upgrade) {
        status_ = 101;
        content_type_ = {};
        raw_ = true;
        pass_->realtime_reader = {};
        mode_ = Mode::tunnel;
        return Step::ready;
    }
    if (head.status < 200) {
        return fail(bad_answer("the provider answered with status "
                               + std::to_string(head.status)
                               + ", which is no answer to an API call"));
    }
    if (head.status >= 400) {
        mode_ = Mode::error_body;
        return Step::more;
    }

    using Kind = pass_through::UsageReader::Kind;
    Kind kind = Kind::none;
    if (is_identity(head.content_encoding)) {
        kind = is_json(pass_->answer_type) ? Kind::json
               : starts_with_nocase(pass_->answer_type, "text/event-stream")
                   ? Kind::events
                   : Kind::none;
    }
    pass_->usage_reader =
        pass_through::UsageReader(kind, limits_.max_event);
    status_ = head.status;
    content_type_ = pass_->answer_type;
    raw_ = true;
    mode_ = Mode::raw;
    return Step::ready;
}

bool Exchange::relay_error(std::string_view key) {
    // What is said of a key may repeat it.
    if (operation_ != Operation::pass_through || answer_head_.status < 400
        || answer_head_.status == 401 || !readable_error_
        || collected_.empty() || collected_.size() >= limits_.max_error
        || (!key.empty() && collected_.find(key) != collected_.npos)) {
        return false;
    }
    mode_ = Mode::over;
    raw_ = true;
    status_ = answer_head_.status;
    content_type_ = pass_->answer_type;
    output_ = collected_;
    return true;
}

}  // namespace llm
