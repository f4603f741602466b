#include "credentials/aws.hpp"
#include "llm/url.hpp"

namespace llm::credentials::aws {

namespace {

constexpr std::string_view instance = "the instance's metadata service";

// Seconds, six hours: the longest that the service grants.
constexpr std::string_view token_life = "21600";

// IMDSv2: a token, then the role's name, then its keys.
class InstanceSource final : public Source {
public:
    explicit InstanceSource(Url url) : prefix_(prefix_of(url)) {
        servers_.push_back(std::move(url.server));
    }

    std::unique_ptr<Fetch> begin() const override {
        return std::make_unique<Run>(*this);
    }

private:
    class Run final : public Fetch {
    public:
        explicit Run(const InstanceSource &source) : source_(source) {}

        Result<Step> next(const Outcome &outcome) override {
            switch (state_) {
            case State::begin:
                return ask_token();
            case State::token:
                return ask_role(outcome);
            case State::role:
                return ask_keys(outcome);
            case State::keys:
                break;
            }
            auto keys = read_session(instance, outcome, detail_);
            if (!keys) {
                return std::move(keys.error());
            }
            return Step(std::move(*keys));
        }

    private:
        enum class State : std::uint8_t { begin, token, role, keys };

        Result<Step> ask_token() {
            HttpRequest request;
            request.method = HttpRequest::Method::put;
            request.path = source_.prefix_ + "/latest/api/token";
            request.headers.emplace_back(
                "X-aws-ec2-metadata-token-ttl-seconds", token_life);
            state_ = State::token;
            return Step(std::move(request));
        }

        Result<Step> ask_role(const Outcome &outcome) {
            if (outcome.status != 200 || !is_sendable(outcome.text)) {
                return refused(instance, outcome.status, "no_token");
            }
            token_ = outcome.text;
            state_ = State::role;
            return get("");
        }

        Result<Step> ask_keys(const Outcome &outcome) {
            // One role; the API allows for several lines.
            auto role = outcome.text.substr(0, outcome.text.find('\n'));
            if (outcome.status != 200 || !is_sendable(role) || role == "."
                || role == "..") {
                auto error = refused(instance, outcome.status, "no_role");
                error.message.append(": the instance has no role");
                return error;
            }
            state_ = State::keys;
            return get(role);
        }

        Result<Step> get(std::string_view role) {
            HttpRequest request;
            request.path = source_.prefix_
                           + "/latest/meta-data/iam/security-credentials/";
            append_segment(request.path, role);
            request.headers.emplace_back("X-aws-ec2-metadata-token", token_);
            return Step(std::move(request));
        }

        const InstanceSource &source_;
        State state_ = State::begin;
        std::string token_;
    };

    std::string prefix_;
};

}  // namespace

Result<std::unique_ptr<Source>> from_instance(std::string_view metadata_url) {
    auto url = split_url(metadata_url);
    if (!url) {
        return std::move(url.error());
    }
    return std::unique_ptr<Source>(std::make_unique<InstanceSource>(std::move(*url)));
}

}  // namespace llm::credentials::aws
