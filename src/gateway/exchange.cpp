#include "llm/exchange.hpp"

#include <algorithm>
#include <utility>

#include "formats/member_names.hpp"
#include "formats/tool_name.hpp"
#include "llm/url.hpp"

namespace llm {

namespace {

// Of a Content-Type header: the media type, without parameters.
std::string_view media_type(std::string_view value) {
    value = value.substr(0, value.find(';'));
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) {
        value.remove_suffix(1);
    }
    return value;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

Error bad_gateway(std::string message) {
    Error error;
    error.kind = ErrorKind::bad_gateway;
    error.message = std::move(message);
    return error;
}

}  // namespace

// Sees every frame and event of a stream, in order: accounts for it and hands
// it on, relayed or written anew.
class Exchange::Tap final : public wire::FrameSink, public chat::EventSink {
public:
    explicit Tap(Exchange &exchange) : x_(exchange) {}

    void on_frame(const wire::Frame &frame) override {
        if (x_.ended_ && (!x_.relays_ || x_.replaced_)) {
            return;
        }

        failed_now_ = false;
        x_.reader_->read(frame, *this);

        if (!x_.relays_ || (failed_now_ && !x_.started_)
            || x_.replaced_) {
            return;
        }
        // An error frame goes out as the provider sent it.
        x_.edited_.clear();
        switch (x_.reader_->relay(frame, x_.head_.include_usage, x_.edited_)) {
        case Relay::as_is:
            x_.output_.append(frame.raw);
            break;
        case Relay::edited:
            x_.output_.append(x_.edited_);
            break;
        case Relay::drop:
            break;
        }
    }

    void on_event(const chat::Event &event) override {
        using Type = chat::Event::Type;

        switch (event.type) {
        case Type::start:
            if (event.id.empty() && !x_.request_id_.empty()) {
                chat::Event named = event;
                named.id = x_.request_id_;
                return on_event(named);
            }
            if (!event.model.empty()) {
                x_.account_.response_model = event.model;
            }
            break;
        case Type::text:
        case Type::reasoning:
        case Type::refusal:
        case Type::tool_arguments:
            x_.completion_.add(event.text);
            break;
        case Type::tool_call:
            if (auto name = x_.client_name(event.name); name != event.name) {
                chat::Event named = event;
                named.name = name;
                return on_event(named);
            }
            break;
        case Type::finish:
            x_.account_.finish_reason = event.finish_reason;
            break;
        case Type::usage:
            x_.account_.usage = event.usage;
            break;
        case Type::error:
            fail(event);
            return;
        case Type::done:
            x_.ended_ = true;
            x_.account_.complete = true;
            tell_estimate();
            break;
        default:
            break;
        }

        if (event.type != Type::ping) {
            x_.started_ = true;
        }
        if (x_.observer_) {
            x_.observer_->on_event(event);
        }
        if (!x_.relays_) {
            x_.writer_->write(event, x_.output_);
        }
    }

private:
    // What the provider does not say the gateway guesses, before the end.
    void tell_estimate() {
        if (x_.relays_ || x_.account_.usage.known) {
            return;
        }
        x_.estimate_usage();
        chat::Event usage;
        usage.type = chat::Event::Type::usage;
        usage.usage = x_.account_.usage;
        x_.writer_->write(usage, x_.output_);
    }

    void fail(const chat::Event &event) {
        if (x_.observer_) {
            x_.observer_->on_event(event);
        }
        x_.ended_ = true;
        failed_now_ = true;
        x_.error_ = *event.error;
        if (!x_.started_) {
            return;
        }
        x_.broken_ = true;
        // In the same format the frame itself says it, if it is an error and
        // not something that nobody can read; at the end there is none.
        if (!x_.relays_ || at_end
            || event.error->kind == ErrorKind::bad_gateway) {
            x_.replaced_ = true;
            x_.write_failure(event);
        }
    }

    Exchange &x_;
    bool failed_now_ = false;

public:
    bool at_end = false;
};

Exchange::Exchange(const Format &client, std::string_view body,
                   const ExchangeLimits &limits,
                   std::pmr::memory_resource *memory)
    : client_(client),
      body_(body),
      limits_(limits),
      memory_(memory),
      document_(memory) {}

Result<void> Exchange::open(const RouteMatch &route) {
    if (body_.empty()) {
        return invalid_request("the request's body is empty");
    }

    json::ParseLimits limits;
    limits.depth = limits_.max_depth;

    if (auto parsed = document_.parse(body_, limits); !parsed) {
        return parsed;
    }
    if (!document_.root().is_object()) {
        return invalid_request("the request's body must be a JSON object");
    }

    embeddings_ = route.embeddings;
    single_ = route.single;
    if (embeddings_) {
        operation_ = Operation::embeddings;
    }
    auto head = embeddings_ ? embeddings_->parse_head(document_, route)
                            : client_.parse_head(document_, route);
    if (!head) {
        return head.error();
    }
    head_ = *head;
    query_ = route.query;
    return check_model_name();
}

Result<void> Exchange::check_model_name() const {
    // Servers in Go, Ollama for one, take members whatever their case, and the
    // last one counts: another model than the one that all goes by here.
    for (const auto &member : document_.root().members()) {
        if (member.name != "model"
            && equal_ignoring_case(member.name, "model")) {
            std::string name(member.name);
            return invalid_request("\"" + name + "\" could be taken for "
                                       "\"model\"",
                                   name);
        }
    }
    if (head_.model.size() > limits_.max_model) {
        return invalid_request("the model's name is longer than "
                                   + std::to_string(limits_.max_model)
                                   + " bytes",
                               "model");
    }
    if (is_step(head_.model)) {
        return invalid_request("\"" + std::string(head_.model)
                                   + "\" is no model's name",
                               "model");
    }
    return {};
}

Result<const chat::Request *> Exchange::request() {
    if (!request_) {
        auto parsed =
            kept_ ? client_.parse_prompt(document(), first_, memory_)
                  : client_.parse_request(document(), memory_);
        if (!parsed) {
            return parsed.error();
        }
        request_ = std::make_unique<chat::Request>(std::move(*parsed));
        request_->model = head_.model;
        request_->stream = head_.stream;
    }
    return request_.get();
}

Result<void> Exchange::prepare(const Target &target,
                               std::string_view betas) {
    target_ = target;
    same_format_ = target.format == &client_;
    mode_ = Mode::idle;
    error_ = {};
    pieces_.clear();
    written_.clear();
    prompt_tokens_.reset();
    account_ = {};
    completion_ = {};

    if (operation_ == Operation::models) {
        return {};
    }
    if (operation_ == Operation::embeddings) {
        return prepare_embeddings();
    }
    if (operation_ == Operation::pass_through) {
        prepare_pass_through();
        return {};
    }

    WriteOptions options;
    options.model = target.model;
    options.drop_unsupported = target.drop_unsupported;
    options.quirks = target.quirks;
    options.betas = betas;

    if (!same_format_) {
        auto parsed = request();
        if (!parsed) {
            return parsed.error();
        }
        if (const auto &names = (*parsed)->essential;
            !names.empty() && !target.drop_unsupported) {
            std::string name(names.front());
            return in_clients_words(
                unsupported(name + " cannot be sent to this model's provider",
                            name),
                client_, *parsed, document_.root());
        }
        auto outcome = target.format->write_request(**parsed, options, written_);
        if (!outcome) {
            return in_clients_words(std::move(outcome.error()), client_,
                                    *parsed, document_.root());
        }
        pieces_.push_back(written_);
        return {};
    }

    splice(client_.request_edits(body_, document(), options));
    return {};
}

void Exchange::release_pieces() noexcept {
    pieces_ = {};
    written_ = {};
}

void Exchange::splice(const std::vector<json::Edit> &edits) {
    for (const auto &edit : edits) {
        written_.append(edit.text);
    }

    // Views into `written_` only now that it does not move any more.
    std::size_t position = 0;
    std::size_t used = 0;
    auto piece = [&](std::string_view view) {
        if (!view.empty()) {
            pieces_.push_back(view);
        }
    };
    for (const auto &edit : edits) {
        piece(body_.substr(position, edit.offset - position));
        piece(std::string_view(written_).substr(used, edit.text.size()));
        used += edit.text.size();
        position = edit.offset + edit.length;
    }
    piece(body_.substr(position));
}

std::string Exchange::request_path(std::string_view base) const {
    if (operation_ == Operation::embeddings) {
        embedding::Call call;
        call.model = target_.model;
        call.single = same_format_
                          ? single_
                          : target_.embeddings->is_single(*embedding_request_);
        call.quirks = target_.quirks;
        return embedding::request_path(*target_.embeddings, base, call);
    }
    if (operation_ == Operation::pass_through) {
        return pass_through_path(base);
    }
    std::string path;
    append_path(path, base,
                operation_ == Operation::models
                    ? std::string(target_.format->models_path())
                    : target_.format->path(call_path()));
    return path;
}

void Exchange::set_context(std::string_view unique, std::int64_t now) {
    unique_ = unique;
    now_ = now;
}

AnswerContext Exchange::answer_context(std::int64_t prompt_estimate) const {
    AnswerContext context;
    context.request_model = head_.model;
    context.include_usage = head_.include_usage;
    context.now = now_;
    context.unique = unique_;
    context.prompt_estimate = prompt_estimate;
    context.query = query_;
    context.request = document().root();
    return context;
}

Exchange::Step Exchange::begin(const AnswerHead &head) {
    request_id_ = head.request_id;
    error_type_ = head.error_type;
    answer_head_ = {head.status, {}, {}, request_id_, error_type_};
    drop_collected();
    output_.clear();
    completion_ = {};
    started_ = ended_ = replaced_ = streaming_ = broken_ = false;
    error_ = {};
    account_ = {};
    if (observer_) {
        observer_->on_begin();
    }

    if (operation_ == Operation::pass_through) {
        return begin_pass_through(head);
    }
    if (!head.content_encoding.empty()
        && !equal_ignoring_case(head.content_encoding, "identity")) {
        return fail(bad_gateway("the provider sent a compressed answer "
                                "(content-encoding: " +
                                std::string(head.content_encoding) +
                                ") although identity was asked for"));
    }
    if (head.status < 200 || (head.status >= 300 && head.status < 400)) {
        return fail(bad_gateway("the provider answered with status " +
                                std::to_string(head.status) +
                                ", which is no answer to an API call"));
    }
    if (head.status >= 400) {
        mode_ = Mode::error_body;
        return Step::more;
    }

    auto type = media_type(head.content_type);
    if (!equal_ignoring_case(type, answer_wire().stream_type)) {
        mode_ = Mode::one_shot;
        return Step::more;
    }
    if (!head_.stream) {
        return fail(bad_gateway("the provider sent a stream although none "
                                "was asked for"));
    }

    mode_ = Mode::stream;
    streaming_ = true;
    // A client of the same API may want its stream in another framing.
    relays_ = same_format_
              && client_.client_stream_type(query_) == client_.stream_type();
    framer_ = target_.format->make_hosted_framer(target_.quirks.hosting,
                                                 limits_.max_event);
    reader_ = target_.format->make_reader();
    writer_ = client_.make_writer(answer_context(
        !same_format_ && client_.begins_with_usage() ? prompt_tokens() : 0));
    return Step::more;
}

Exchange::Step Exchange::feed(std::string_view bytes) {
    switch (mode_) {
    case Mode::one_shot:
        return collect(bytes);

    case Mode::error_body:
        collected_.append(
            bytes.substr(0, limits_.max_error - collected_.size()));
        // There may be no end of it.
        return collected_.size() < limits_.max_error ? Step::more
                                                     : finish_error();

    case Mode::stream: {
        Tap tap(*this);
        auto outcome = framer_->feed(bytes, tap);
        if (!outcome) {
            return abort(bad_gateway(outcome.error().message));
        }
        if (ended_ && !started_) {
            return fail(std::move(error_));
        }
        if (!started_) {
            return Step::more;
        }
        status_ = 200;
        content_type_ = client_.client_stream_type(query_);
        return Step::ready;
    }

    case Mode::raw:
        pass_->usage_reader.feed(bytes);
        output_.append(bytes);
        return Step::ready;

    case Mode::tunnel:
        pass_->realtime_reader.feed(bytes);
        account_.usage = pass_->realtime_reader.usage();
        return Step::ready;

    case Mode::idle:
    case Mode::over:
        break;
    }
    return Step::more;
}

// The limit is one for all that is held for a client.
Exchange::Step Exchange::collect(std::string_view bytes) {
    std::size_t held = whole_ ? whole_->held_ : held_;
    if (bytes.size() > limits_.max_response - held) {
        return fail(bad_gateway("the provider's answer is larger than " +
                                std::to_string(limits_.max_response) +
                                " bytes (llm_max_response_size)"));
    }
    collected_.append(bytes);
    held_ += bytes.size();
    if (whole_) {
        whole_->held_ += bytes.size();
    }
    return Step::more;
}

void Exchange::drop_collected() noexcept {
    if (whole_) {
        whole_->held_ -= held_;
    }
    held_ = 0;
    collected_.clear();
}

Exchange::Step Exchange::finish() {
    switch (mode_) {
    case Mode::one_shot:
        return finish_one_shot();

    case Mode::error_body:
        return finish_error();

    case Mode::stream: {
        Tap tap(*this);
        auto outcome = framer_->finish(tap);
        if (!outcome) {
            return abort(bad_gateway(outcome.error().message));
        }
        tap.at_end = true;
        if (!ended_) {
            reader_->end(tap);
        }
        if (!started_) {
            return fail(ended_ && !error_.message.empty()
                            ? std::move(error_)
                            : bad_gateway("the provider's stream was empty"));
        }
        mode_ = Mode::over;
        estimate_usage();
        status_ = 200;
        content_type_ = client_.client_stream_type(query_);
        return Step::complete;
    }

    case Mode::raw:
        pass_->usage_reader.finish();
        account_.usage = pass_->usage_reader.usage();
        account_.response_model = pass_->usage_reader.model();
        account_.complete = true;
        mode_ = Mode::over;
        return Step::complete;

    case Mode::tunnel:
        account_.complete = true;
        mode_ = Mode::over;
        return Step::complete;

    case Mode::idle:
    case Mode::over:
        break;
    }
    return Step::complete;
}

Exchange::Step Exchange::abort(Error error) {
    if (mode_ == Mode::raw && delivered_) {
        // Of an answer that nobody here can read the missing end must do.
        account_.usage = pass_->usage_reader.usage();
        error_ = std::move(error);
        broken_ = true;
        mode_ = Mode::over;
        return Step::complete;
    }
    if (mode_ != Mode::stream || !started_) {
        return fail(std::move(error));
    }

    if (!ended_) {
        error_ = std::move(error);
        ended_ = broken_ = true;
        chat::Event event;
        event.type = chat::Event::Type::error;
        event.error = &error_;
        if (observer_) {
            observer_->on_event(event);
        }
        write_failure(event);
    }
    mode_ = Mode::over;
    estimate_usage();
    return Step::complete;
}

// The last event of a stream that has begun.
void Exchange::write_failure(const chat::Event &event) {
    if (!relays_ || !reader_->break_off(*event.error, output_)) {
        writer_->write(event, output_);
    }
}

void Exchange::abandon() {
    mode_ = Mode::over;
    estimate_usage();
}

Exchange::Step Exchange::fail(Error error) {
    mode_ = Mode::over;
    streaming_ = false;
    output_.clear();
    error_ = std::move(error);
    return Step::failed;
}

Exchange::Step Exchange::finish_error() {
    return fail(target_.format->parse_error(answer_head_, collected_));
}

Exchange::Step Exchange::finish_one_shot() {
    // The answer's document lives as long as the answer is written.
    json::Document own(memory_);
    json::Document &document = kept_ ? kept_->document : own;
    json::ParseLimits limits;
    limits.duplicates = true;
    limits.pack_numbers = operation_ == Operation::embeddings;

    if (auto parsed = document.parse(collected_, limits); !parsed) {
        return fail(bad_gateway("the provider's answer is no " +
                                std::string(target_.format->name()) +
                                " answer: " + parsed.error().message));
    }
    if (operation_ == Operation::models) {
        return finish_models(document.root());
    }
    if (operation_ == Operation::embeddings) {
        return finish_embeddings(document.root());
    }
    auto response = target_.format->parse_response(document, memory_);
    if (!response) {
        return fail(std::move(response.error()));
    }

    if (response->id.empty()) {
        response->id = request_id_;
    }
    for (auto &choice : response->choices) {
        for (auto &part : choice.message.parts) {
            part.name = client_name(part.name);
        }
    }
    account_for(*response);
    if (observer_) {
        observer_->on_response(*response);
    }

    if (kept_) {
        mode_ = Mode::over;
        status_ = 200;
        kept_->chat.emplace(std::move(*response));
    } else if (same_format_ && !head_.stream) {
        mode_ = Mode::over;
        status_ = 200;
        content_type_ = "application/json";
        output_ = std::move(collected_);
    } else {
        write_answer(*response);
    }
    return Step::complete;
}

std::string_view Exchange::client_name(std::string_view name) const {
    return request_ && !same_format_ ? whole_tool_name(name, *request_) : name;
}

void Exchange::account_for(chat::Response &response) {
    account_.response_model = response.model;
    account_.usage = response.usage;
    account_.complete = true;
    for (const auto &choice : response.choices) {
        account_.finish_reason = choice.finish_reason;
    }
    if (!response.usage.known) {
        for (const auto &choice : response.choices) {
            for (const auto &part : choice.message.parts) {
                completion_.add(part.text);
                completion_.add(part.arguments);
            }
        }
        estimate_usage();
        response.usage = account_.usage;
    }
}

void Exchange::write_answer(const chat::Response &response) {
    begin_answer();
    if (head_.stream) {
        replay(response);
    } else {
        client_.write_response(
            response, answer_context(account_.usage.prompt_tokens), output_);
    }
}

// Once it is there as a whole.
void Exchange::begin_answer() {
    mode_ = Mode::over;
    status_ = 200;
    streaming_ = head_.stream;
    content_type_ = head_.stream ? client_.client_stream_type(query_)
                                 : "application/json";
}

void Exchange::answer(chat::Response &response) {
    account_ = {};
    error_ = {};
    broken_ = false;
    completion_ = {};
    output_.clear();
    guessed_ = !response.usage.known && !response.usage.estimated;
    account_for(response);
    write_answer(response);
}

Rendition Exchange::rendition() const {
    Rendition made;
    made.format_ = &client_;
    made.stream_ = head_.stream;
    made.model_ = head_.model;
    made.include_usage_ = head_.include_usage;
    made.content_type_ = content_type_;
    made.now_ = now_;
    if (guessed_) {
        made.prompt_guess_ = account_.usage.prompt_tokens;
    }
    made.unique_size_ = unique_.size();
    made.text_ = output_;
    made.account_ = account_;

    // Nobody could have put it into the response: it was made afterwards.
    for (auto at = unique_.empty() ? std::string::npos : output_.find(unique_);
         at != std::string::npos;
         at = output_.find(unique_, at + unique_.size())) {
        made.unique_at_.push_back(at);
    }
    return made;
}

bool Exchange::answer(const Rendition &rendition) {
    if (client_.echoes_request() || rendition.format_ != &client_
        || rendition.stream_ != head_.stream
        || rendition.model_ != head_.model
        || rendition.include_usage_ != head_.include_usage
        || (head_.stream
            && rendition.content_type_ != client_.client_stream_type(query_))
        || rendition.now_ != now_
        || (rendition.prompt_guess_
            && *rendition.prompt_guess_ != prompt_tokens())
        || rendition.unique_size_ != unique_.size()) {
        return false;
    }

    error_ = {};
    broken_ = false;
    account_ = rendition.account_;
    output_ = rendition.text_;
    for (std::size_t at : rendition.unique_at_) {
        unique_.copy(output_.data() + at, unique_.size());
    }
    begin_answer();
    return true;
}

Exchange::Step Exchange::finish_models(json::Value root) {
    auto known = target_.format->parse_models(root);
    if (!known) {
        return fail(bad_gateway("the provider's list of models is none of " +
                                std::string(target_.format->name())));
    }

    if (!wanted_model_.empty()) {
        return finish_model(target_.format->listed_models(root));
    }

    mode_ = Mode::over;
    status_ = 200;
    content_type_ = "application/json";
    if (same_format_ && !shows_model_) {
        output_ = std::move(collected_);
        return Step::complete;
    }

    std::vector<std::string_view> names;
    for (auto name : *known) {
        if (!shows_model_ || shows_model_(name)) {
            names.push_back(name);
        }
    }
    client_.write_models(names, now_, output_);
    return Step::complete;
}

Exchange::Step Exchange::finish_model(json::Value list) {
    for (json::Value model : list.elements()) {
        std::string_view name = target_.format->listed_name(model);
        if (name != wanted_model_ || (shows_model_ && !shows_model_(name))) {
            continue;
        }
        mode_ = Mode::over;
        status_ = 200;
        content_type_ = "application/json";
        client_.write_model(name, same_format_ ? model : json::Value(), now_,
                            output_);
        return Step::complete;
    }
    return fail(model_not_found(wanted_model_));
}

void Exchange::replay(const chat::Response &response) {
    struct Sink final : chat::EventSink {
        StreamWriter &writer;
        std::string &out;
        Sink(StreamWriter &writer, std::string &out)
            : writer(writer), out(out) {}
        void on_event(const chat::Event &event) override {
            writer.write(event, out);
        }
    };

    auto writer =
        client_.make_writer(answer_context(account_.usage.prompt_tokens));
    Sink sink(*writer, output_);
    llm::replay(response, sink);
}

void Exchange::refuse(const Error &error) {
    mode_ = Mode::over;
    streaming_ = raw_ = false;
    status_ = client_.error_status(error);
    content_type_ = "application/json";
    output_.clear();
    client_.write_error(error, output_);
}

void Exchange::fail_stream(const Error &error) {
    chat::Event event;
    event.type = chat::Event::Type::error;
    event.error = &error;
    output_.clear();
    client_.make_writer(answer_context(0))->write(event, output_);
    broken_ = true;
}

std::int64_t Exchange::prompt_tokens() {
    if (!prompt_tokens_ && count_prompt_ && operation_ == Operation::chat) {
        if (auto parsed = request()) {
            prompt_tokens_ = count_prompt_(**parsed, target_.model);
        }
    }
    if (!prompt_tokens_ && operation_ == Operation::embeddings) {
        if (auto parsed = embedding_request()) {
            prompt_tokens_ =
                embedding::estimate_tokens(**parsed, target_.model);
        }
    }
    if (!prompt_tokens_) {
        prompt_tokens_ = estimate_prompt_tokens(document().root());
    }
    return *prompt_tokens_;
}

std::int64_t Exchange::completion_tokens() const noexcept {
    return completion_.tokens(tokens::family_of(
        target_.model.empty() ? head_.model : target_.model));
}

void Exchange::estimate_usage() {
    chat::Usage &usage = account_.usage;
    // Once: a stream may have told its client already.
    if ((usage.known && account_.complete) || usage.estimated) {
        return;
    }
    // Of an answer that broke off the provider may have named the prompt's
    // tokens, and some of the answer's, as Anthropic does.
    if (!usage.known) {
        usage.prompt_tokens = prompt_tokens();
    }
    usage.completion_tokens = std::max(usage.completion_tokens,
                                       completion_tokens());
    usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
    usage.estimated = true;
}

}  // namespace llm
