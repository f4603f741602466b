// One call on its way through the gateway: a client's body goes in, a body for
// the chosen provider comes out; the provider's answer goes in, cut anywhere,
// and the client's answer comes out. Knows no sockets, no HTTP framing and no
// clock: whoever drives it (the nginx module, a test) moves the bytes.
//
// A call may be tried on several providers, of different formats: prepare()
// and begin() start over, as long as nothing has been handed to the client.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/chat.hpp"
#include "llm/embedding_format.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"
#include "llm/pass_through.hpp"
#include "llm/result.hpp"
#include "llm/tokens.hpp"
#include "llm/wire.hpp"

namespace llm {

struct ExchangeLimits {
    std::size_t max_depth = 128;                        // of the client's JSON
    std::size_t max_model = 512;                        // bytes of its name
    std::size_t max_response = std::size_t{32} << 20;   // one-shot, bytes
    std::size_t max_event = std::size_t{16} << 20;      // one event, bytes
    std::size_t max_error = std::size_t{64} << 10;      // error body, bytes
};

// The provider and model that one try goes to.
struct Target {
    const Format *format = nullptr;
    std::string_view model;
    bool drop_unsupported = false;
    Quirks quirks;
    // For Operation::embeddings; nullptr: the provider has none.
    const embedding::Api *embeddings = nullptr;
};

// How a client's call becomes several of a provider's that takes fewer items
// at once: texts of an embeddings call, prompts of a completions call.
// Undivided: one item in one call.
struct Division {
    // The longest list of texts that OpenAI takes: no client of its API will
    // send more, and none has a gateway make more calls.
    static constexpr std::size_t max_calls = 2048;

    std::size_t items = 1;
    std::size_t per_call = 1;       // the last call may have fewer

    std::size_t calls() const noexcept {
        return (items + per_call - 1) / per_call;
    }
};

// What is known of an answer so far, for accounting.
struct Account {
    std::string response_model;     // as the provider names it
    chat::FinishReason finish_reason = chat::FinishReason::none;
    chat::Usage usage;              // estimated where the provider is silent
    bool complete = false;          // the answer came whole
};

// A call that is passed on as it is.
struct PassThroughCall {
    pass_through::Path path;
    std::string_view query;         // as it came, without "?"
    std::string_view content_type;  // of the body
    bool upgrade = false;           // to WebSocket
};

// Sees the answer as the provider gives it, before the client's bytes are made
// of it. Nothing of a try that another one follows has been seen.
class AnswerObserver : public chat::EventSink {
public:
    // A try's answer begins: what was seen before does not count.
    virtual void on_begin() = 0;
    // A whole answer; a stream's events come one by one (on_event).
    virtual void on_response(const chat::Response &response) = 0;

protected:
    ~AnswerObserver() = default;
};

// Counts the tokens of a prompt for a model, with more than its bytes to go by.
using CountPrompt = std::int64_t (*)(const chat::Request &request,
                                     std::string_view model);

// The bytes that answer() has made of a response, for another call that asks
// for the same response in the same way.
class Rendition {
public:
    std::size_t size() const noexcept { return text_.size(); }

private:
    friend class Exchange;

    const Format *format_ = nullptr;
    bool stream_ = false;
    // The AnswerContext that it was made with, and where in the text each
    // call's own unique id is.
    std::string model_;
    bool include_usage_ = false;
    std::string_view content_type_;
    std::int64_t now_ = 0;
    // The prompt's tokens, where the response did not know them.
    std::optional<std::int64_t> prompt_guess_;
    std::size_t unique_size_ = 0;
    std::vector<std::size_t> unique_at_;
    std::string text_;
    Account account_;
};

class Exchange {
public:
    enum class Step : std::uint8_t {
        more,       // nothing to tell the client yet
        ready,      // the head can go out, and what output() holds
        complete,   // likewise, and the answer is whole
        failed,     // see error(); nothing has gone out
    };

    // `body` is the client's and must outlive the exchange, as must `memory`.
    Exchange(const Format &client, std::string_view body,
             const ExchangeLimits &limits, std::pmr::memory_resource *memory);

    // The call number `index` of a Division. It has the whole's context, and
    // the whole must outlive it. Of several, its answer is for join(), and
    // output() is empty; undivided, it is the client's.
    Exchange(Exchange &whole, const Division &division, std::size_t index);
    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;
    ~Exchange();

    // Reads the body as far as routing needs it. `route`: what the client's
    // path says; its views must outlive the exchange.
    Result<void> open(const RouteMatch &route = {});
    // A call for the list of models, which has no body, or, where `model` is
    // not empty, for that one of it; the name must outlive the exchange. With
    // `shows`, only those that it is true for are in the answer.
    void open_models(std::function<bool(std::string_view)> shows = {},
                     std::string_view model = {}) noexcept
    {
        operation_ = Operation::models;
        shows_model_ = std::move(shows);
        wanted_model_ = model;
    }
    // Operation::pass_through; all views must outlive the exchange. The model
    // is read out of the query, or the body: one that the exchange was not
    // given is nobody's business here.
    Result<void> open_pass_through(const PassThroughCall &call);
    // The beginning of such a body, if it tells the model to whoever logs.
    void note_model(std::string_view beginning);
    Operation operation() const noexcept { return operation_; }

    const Format &client() const noexcept { return client_; }
    const RequestHead &head() const noexcept { return head_; }

    // The client's body as JSON.
    json::Value body() const noexcept { return document().root(); }

    // The whole call, read at the first time; lives as long as this object.
    Result<const chat::Request *> request();
    // Likewise, of Operation::embeddings.
    Result<const embedding::Request *> embedding_request();

    // Must outlive the answer. nullptr: nobody.
    void observe(AnswerObserver *observer) noexcept { observer_ = observer; }

    // What is asked where a provider does not say the prompt's tokens, or not
    // as soon as the client's format does; at most once a try. Else they are
    // guessed from the bytes.
    void count_with(CountPrompt count) noexcept { count_prompt_ = count; }

    // The format of the try's provider.
    const Format &provider() const noexcept { return *target_.format; }

    // Of Operation::embeddings, the API that its provider is asked in.
    const embedding::Api *provider_embeddings() const noexcept {
        return target_.embeddings;
    }

    // How the try's provider answers.
    AnswerWire answer_wire() const noexcept {
        return target_.format->answer_wire(target_.quirks.hosting);
    }

    // What the path of the try's request is made of.
    CallPath call_path() const noexcept {
        return {operation_, target_.model, head_.stream, target_.quirks};
    }

    // The path, and query, of the try's request, at a provider whose URL has
    // this path.
    std::string request_path(std::string_view base) const;

    // Starts a try: makes the body for this target. The pieces are views into
    // the client's body or into this object, valid until the next prepare() or
    // release_pieces().
    // `betas`: WriteOptions::betas, of this call to this target.
    Result<void> prepare(const Target &target, std::string_view betas = {});
    const std::vector<std::string_view> &pieces() const noexcept {
        return pieces_;
    }
    // The pieces were copied: their memory is wanted back before the answer.
    void release_pieces() noexcept;
    // Whether the client's own bytes go to the provider, spliced at most.
    bool passes_through() const noexcept { return same_format_; }

    // Whether the client's call may have to be divided.
    bool is_list() const noexcept;
    // The calls that this target takes for the client's. Undivided, too, where
    // prepare() has to say what is wrong with it.
    Division divide(const Target &target);
    // The answers to all calls of a Division, complete and in their order,
    // become the client's: complete or failed. The parts' are used up.
    Step join(std::span<Exchange *const> parts);
    // account() is of all these calls, whatever has come of them.
    void sum_up(std::span<Exchange *const> parts);

    // What the answer's writer needs; unique and now may change per try.
    void set_context(std::string_view unique, std::int64_t now);

    // The provider's head is there; then its body, then its end.
    Step begin(const AnswerHead &head);
    Step feed(std::string_view bytes);
    Step finish();
    // The connection broke or the time is over: before anything went out a
    // failure, else the stream ends with an error event.
    Step abort(Error error);
    // The client left a call that had been sent, and nothing has gone out: it
    // costs its prompt at least, and what has come of the answer. Only
    // account() is of use afterwards.
    void abandon();

    // The answers that take the place of a provider's, once set_context() has
    // been called: an error in the client's shape, or a response that is at
    // hand already, which becomes a stream where the client wants one. Usage
    // that the response does not know is estimated, and then in it.
    void refuse(const Error &error);
    void answer(chat::Response &response);

    // What answer() has made, as long as nobody has taken output().
    Rendition rendition() const;
    // Answers as answer() would with the response that this was made of,
    // without making it again. False, and nothing has changed: this call's
    // answer would look different (another API, a stream, another second).
    bool answer(const Rendition &rendition);

    // Operation::pass_through, after Step::failed: answers with the error that
    // the provider sent, as it is. False: there is none that should be seen,
    // such as one with the key in it (empty: there is none).
    bool relay_error(std::string_view key);
    // The answer's bytes are the provider's.
    bool is_raw() const noexcept { return raw_; }
    // The head of the answer has gone out: what breaks now stays broken.
    void delivered() noexcept { delivered_ = true; }

    // After Step::failed, where the head of a stream is out already: its last
    // event, in the client's shape.
    void fail_stream(const Error &error);

    // The answer to the client, once ready: status, type and bytes. Who takes
    // the bytes clears them.
    int status() const noexcept { return status_; }
    std::string_view content_type() const noexcept { return content_type_; }
    bool streams() const noexcept { return streaming_; }
    // A stream that broke after its first bytes had gone out.
    bool broken() const noexcept { return broken_; }
    std::string &output() noexcept { return output_; }
    const std::string &output() const noexcept { return output_; }

    const Error &error() const noexcept { return error_; }
    const Account &account() const noexcept { return account_; }

private:
    class Tap;

    // What came of one call of several, until it is joined with the others.
    struct Kept {
        explicit Kept(std::pmr::memory_resource *memory) : document(memory) {}

        json::Document document;
        std::optional<embedding::Response> embeddings;
        std::optional<chat::Response> chat;
    };

    const json::Document &document() const noexcept {
        return whole_ ? whole_->document_ : document_;
    }

    Step fail(Error error);
    Step collect(std::string_view bytes);
    void drop_collected() noexcept;
    Step finish_one_shot();
    Step finish_models(json::Value root);
    Step finish_model(json::Value list);
    Step finish_error();
    // embeddings.cpp
    Result<void> prepare_embeddings();
    Step finish_embeddings(json::Value root);
    Step join_embeddings(std::span<Exchange *const> parts);
    // division.cpp
    void join_chats(std::span<Exchange *const> parts);
    Division divide_list(const Target &target);
    // pass_through.cpp
    Result<void> check_model_name() const;
    void prepare_pass_through();
    std::string pass_through_path(std::string_view base) const;
    Step begin_pass_through(const AnswerHead &head);
    // The client's body with changes, as pieces_.
    void splice(const std::vector<json::Edit> &edits);
    // Of a tool that the provider has called.
    std::string_view client_name(std::string_view name) const;
    void account_for(chat::Response &response);
    void write_failure(const chat::Event &event);
    void begin_answer();
    void write_answer(const chat::Response &response);
    void replay(const chat::Response &response);
    std::int64_t prompt_tokens();
    std::int64_t completion_tokens() const noexcept;
    void estimate_usage();
    AnswerContext answer_context(std::int64_t prompt_estimate) const;

    // Of one call of a Division.
    Exchange *const whole_ = nullptr;
    std::size_t first_ = 0;             // item
    std::unique_ptr<Kept> kept_;        // nullptr: undivided
    // Bytes collected of answers; the whole's: of all its parts'.
    std::size_t held_ = 0;

    const Format &client_;
    std::string_view body_;
    ExchangeLimits limits_;
    std::pmr::memory_resource *memory_;

    Operation operation_ = Operation::chat;
    std::function<bool(std::string_view)> shows_model_;
    std::string_view wanted_model_;     // of the list; empty: all of it
    json::Document document_;
    std::string_view query_;            // of the client's path
    RequestHead head_;
    // On the heap, as all that is large and not of every call: this object is
    // held as long as a stream is open.
    std::unique_ptr<chat::Request> request_;
    const embedding::Api *embeddings_ = nullptr;    // the client's
    bool single_ = false;               // of embeddings: the client's route
    std::unique_ptr<embedding::Request> embedding_request_;

    // Operation::pass_through.
    struct PassThrough {
        PassThroughCall call;
        std::string model;              // what head_.model is a view of
        std::optional<pass_through::Found> model_in_body;       // of a form
        std::optional<pass_through::Found> model_in_query;
        std::string answer_type;        // the answer's Content-Type
        pass_through::UsageReader usage_reader;
        pass_through::RealtimeReader realtime_reader;
    };
    std::unique_ptr<PassThrough> pass_;
    bool raw_ = false;
    bool delivered_ = false;
    bool readable_error_ = false;

    // The try.
    Target target_;
    bool same_format_ = false;
    std::string written_;
    std::vector<std::string_view> pieces_;

    // The answer.
    enum class Mode : std::uint8_t {
        idle,
        one_shot,
        stream,
        error_body,
        raw,            // Operation::pass_through
        tunnel,         // likewise, once it is WebSocket
        over,
    };
    Mode mode_ = Mode::idle;
    AnswerHead answer_head_;            // its views are into the strings below
    std::string request_id_;
    std::string error_type_;
    std::string collected_;
    std::unique_ptr<wire::Framer> framer_;
    std::unique_ptr<StreamReader> reader_;
    std::unique_ptr<StreamWriter> writer_;
    std::string edited_;
    tokens::TextEstimate completion_;   // text seen
    std::optional<std::int64_t> prompt_tokens_;     // counted here
    bool started_ = false;      // a meaningful event was seen
    bool ended_ = false;        // done or error was seen
    bool replaced_ = false;     // our own error ends a relayed stream
    bool streaming_ = false;
    bool relays_ = false;       // the stream's frames are the client's, too
    bool broken_ = false;
    bool guessed_ = false;      // an answer at hand did not know its usage
    Error error_;

    std::string unique_;
    std::int64_t now_ = 0;
    int status_ = 0;
    std::string_view content_type_;
    std::string output_;
    Account account_;
    AnswerObserver *observer_ = nullptr;
    CountPrompt count_prompt_ = nullptr;
};

// A whole answer as the events of a stream, for a client that asked for one.
void replay(const chat::Response &response, chat::EventSink &sink);

// A guess at the tokens of a body that is not understood: a quarter of the
// bytes of its texts (OpenAI's rule of thumb for English), media left out.
std::int64_t estimate_prompt_tokens(json::Value body) noexcept;

}  // namespace llm
