#include <algorithm>

#include "credentials/aws.hpp"
#include "llm/sigv4.hpp"
#include "llm/url.hpp"

namespace llm::credentials::aws {

namespace {

// Of the API.
constexpr std::string_view version = "2011-06-15";

// What AssumeRole and AssumeRoleWithWebIdentity have in common.
struct StsCall {
    StsCall(const Role &role, Url url)
        : arn(role.arn),
          session_name(role.session_name),
          external_id(role.external_id),
          duration(std::to_string(role.duration)),
          region(role.region),
          server(std::move(url.server)),
          path(prefix_of(url) + "/") {}

    HttpRequest request(std::size_t index, std::string_view action,
                        std::string_view token) const {
        auto post = post_form(index, path,
                              form({{"Action", action},
                                    {"Version", version},
                                    {"RoleArn", arn},
                                    {"RoleSessionName", session_name},
                                    {"DurationSeconds", duration},
                                    {"ExternalId", external_id},
                                    {"WebIdentityToken", token}}));
        // JSON is not among the answers that are documented.
        post.headers.back().second = "text/xml";
        return post;
    }

    std::string arn;
    std::string session_name;
    std::string external_id;
    std::string duration;
    std::string region;
    std::string server;
    std::string path;
};

class WebIdentitySource final : public Source {
public:
    WebIdentitySource(StsCall call, std::string_view file)
        : call_(std::move(call)) {
        servers_.push_back(call_.server);
        files_.emplace_back(file);
    }

    std::unique_ptr<Fetch> begin() const override {
        return std::make_unique<Run>(*this);
    }

private:
    class Run final : public Fetch {
    public:
        explicit Run(const WebIdentitySource &source) : source_(source) {}

        Result<Step> next(const Outcome &outcome) override {
            switch (state_) {
            case State::begin:
                state_ = State::file;
                return Step(ReadFile{source_.files_.front()});
            case State::file:
                if (!is_sendable(outcome.text)) {
                    return trouble("the file of the token holds none");
                }
                state_ = State::keys;
                // This one is not signed: the token is the proof.
                return Step(source_.call_.request(
                    0, "AssumeRoleWithWebIdentity", outcome.text));
            case State::keys:
                break;
            }
            auto keys = read_sts(outcome, detail_);
            if (!keys) {
                return std::move(keys.error());
            }
            return Step(std::move(*keys));
        }

    private:
        enum class State : std::uint8_t { begin, file, keys };

        const WebIdentitySource &source_;
        State state_ = State::begin;
    };

    StsCall call_;
};

class RoleSource final : public Source {
public:
    RoleSource(StsCall call, std::unique_ptr<Source> base)
        : call_(std::move(call)), base_(std::move(base)) {
        servers_ = base_->servers();
        files_ = base_->files();
        servers_.push_back(call_.server);
    }

    std::unique_ptr<Fetch> begin() const override {
        return std::make_unique<Run>(*this);
    }

private:
    class Run final : public Fetch {
    public:
        explicit Run(const RoleSource &source)
            : source_(source), base_(source.base_->begin()) {}

        Result<Step> next(const Outcome &outcome) override {
            if (base_) {
                auto step = base_->next(outcome);
                if (!step) {
                    detail_ = base_->detail();
                    return step;
                }
                auto *keys = std::get_if<Credential>(&*step);
                if (keys == nullptr) {
                    return step;
                }
                base_.reset();
                return Step(source_.request(*keys, outcome.now));
            }
            auto keys = read_sts(outcome, detail_);
            if (!keys) {
                return std::move(keys.error());
            }
            return Step(std::move(*keys));
        }

    private:
        const RoleSource &source_;
        std::unique_ptr<Fetch> base_;   // until it has given its keys
    };

    HttpRequest request(const Credential &keys, Time now) const {
        auto post = call_.request(servers_.size() - 1, "AssumeRole", {});

        // As it is sent; the port of a scheme's own is not.
        auto url = parse_base_url(call_.server);
        std::string host(url->authority);
        if (url->explicit_port && url->port == (url->tls ? 443 : 80)) {
            host.resize(host.rfind(':'));
        }
        post.headers.emplace_back("Host", host);

        HeaderField signed_headers[] = {
            {"content-type", post.headers.front().second}};
        std::string_view payload[] = {post.body};
        SigV4Request request;
        request.host = host;
        request.path = post.path;
        request.headers = signed_headers;
        request.payload = payload;
        for (auto &header : sign_sigv4(
                 request, {keys.access_key, keys.secret_key, keys.token},
                 {call_.region, "sts"}, now)) {
            post.headers.emplace_back(header.name, std::move(header.value));
        }
        return post;
    }

    StsCall call_;
    std::unique_ptr<Source> base_;
};

// Of the API's reference: letters, digits and these, 2 to 64 in all.
bool is_session_name(std::string_view text) noexcept {
    return text.size() >= 2 && text.size() <= 64
           && std::all_of(text.begin(), text.end(), [](unsigned char c) {
                  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
                         || (c >= 'A' && c <= 'Z')
                         || std::string_view("_+=,.@-").find(
                                static_cast<char>(c))
                                != std::string_view::npos;
              });
}

Result<StsCall> sts_call(const Role &role) {
    auto url = split_url(role.sts_url);
    if (!url) {
        return std::move(url.error());
    }
    if (url->path.find('?') != url->path.npos) {
        return invalid_request("has a query");
    }
    if (!role.arn.starts_with("arn:") || !is_sendable(role.arn)) {
        return invalid_request("has an invalid role, an ARN begins with "
                               "\"arn:\"");
    }
    if (!is_session_name(role.session_name)) {
        return invalid_request("has an invalid session name");
    }
    return StsCall(role, std::move(*url));
}

}  // namespace

Result<std::unique_ptr<Source>> from_web_identity(
    const Role &role, std::string_view token_file) {
    auto call = sts_call(role);
    if (!call) {
        return std::move(call.error());
    }
    return std::unique_ptr<Source>(std::make_unique<WebIdentitySource>(std::move(*call),
                                                         token_file));
}

Result<std::unique_ptr<Source>> assume_role(const Role &role,
                                            std::unique_ptr<Source> base) {
    auto call = sts_call(role);
    if (!call) {
        return std::move(call.error());
    }
    return std::unique_ptr<Source>(std::make_unique<RoleSource>(std::move(*call),
                                                  std::move(base)));
}

}  // namespace llm::credentials::aws
