#include <algorithm>

#include "credentials/aws.hpp"
#include "llm/url.hpp"

namespace llm::credentials::aws {

namespace {

constexpr std::string_view container = "the container's credentials endpoint";

class ContainerSource final : public Source {
public:
    ContainerSource(Url url, std::string_view token, std::string_view file)
        : path_(std::move(url.path)), token_(token) {
        servers_.push_back(std::move(url.server));
        if (!file.empty()) {
            files_.emplace_back(file);
        }
    }

    std::unique_ptr<Fetch> begin() const override {
        return std::make_unique<Run>(*this);
    }

private:
    class Run final : public Fetch {
    public:
        explicit Run(const ContainerSource &source)
            : source_(source), reading_(!source.files_.empty()) {}

        Result<Step> next(const Outcome &outcome) override {
            if (asked_) {
                auto keys = read_session(container, outcome, detail_);
                if (!keys) {
                    return std::move(keys.error());
                }
                return Step(std::move(*keys));
            }
            if (reading_) {
                reading_ = false;
                return Step(ReadFile{source_.files_.front()});
            }
            std::string_view token = source_.token_;
            if (!source_.files_.empty()) {
                token = outcome.text;
                if (!is_token(token)) {
                    return trouble("the file of the token holds none");
                }
            }
            asked_ = true;
            HttpRequest request;
            request.path = source_.path_;
            request.headers.emplace_back("Accept", "application/json");
            if (!token.empty()) {
                request.headers.emplace_back("Authorization", token);
            }
            return Step(std::move(request));
        }

    private:
        // It may be "Basic ...", of two words.
        static bool is_token(std::string_view text) noexcept {
            return !text.empty()
                   && std::none_of(text.begin(), text.end(),
                                   [](unsigned char c) {
                                       return c < 0x20 || c == 0x7F;
                                   });
        }

        const ContainerSource &source_;
        bool reading_;
        bool asked_ = false;
    };

    std::string path_;
    std::string token_;
};

}  // namespace

bool is_container_url(std::string_view text) noexcept {
    auto slash = text.find("://");
    if (slash == text.npos) {
        return false;
    }
    auto url = parse_base_url(
        text.substr(0, text.find_first_of("/?#", slash + 3)));
    if (!url) {
        return false;
    }
    constexpr std::string_view hosts[] = {
        "localhost", "127.0.0.1", "::1",
        "169.254.170.2",                    // ECS
        "169.254.170.23", "fd00:ec2::23",   // EKS
    };
    return url->tls
           || std::find(std::begin(hosts), std::end(hosts), url->host)
                  != std::end(hosts);
}

Result<std::unique_ptr<Source>> from_container(std::string_view text,
                                               std::string_view token,
                                               std::string_view token_file) {
    auto url = split_url(text);
    if (!url) {
        return std::move(url.error());
    }
    return std::unique_ptr<Source>(std::make_unique<ContainerSource>(std::move(*url), token,
                                                       token_file));
}

}  // namespace llm::credentials::aws
