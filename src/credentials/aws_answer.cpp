#include "credentials/aws.hpp"
#include "llm/json.hpp"

namespace llm::credentials::aws {

namespace {

constexpr std::string_view sts = "AWS STS";

constexpr struct {
    std::string_view entity;
    char character;
} entities[] = {
    {"&lt;", '<'},   {"&gt;", '>'},   {"&quot;", '"'},
    {"&apos;", '\''}, {"&amp;", '&'},
};

std::string unescape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        bool found = false;
        for (const auto &[entity, character] : entities) {
            if (text.starts_with(entity)) {
                out += character;
                text.remove_prefix(entity.size());
                found = true;
                break;
            }
        }
        if (!found) {
            out += text.front();
            text.remove_prefix(1);
        }
    }
    return out;
}

// Keys of a session; all four have to be there.
Result<Credential> session(std::string_view who, std::string_view access_key,
                           std::string_view secret_key, std::string_view token,
                           std::string_view expiration, Time now) {
    auto expires = parse_time(expiration);
    if (!is_sendable(access_key) || !is_sendable(secret_key)
        || !is_sendable(token) || !expires) {
        std::string message(who);
        return trouble(message.append(
            " sent no credentials: keys, token and expiration are not all "
            "in its answer"));
    }
    Credential credential;
    credential.kind = Credential::Kind::aws;
    credential.access_key = access_key;
    credential.secret_key = secret_key;
    credential.token = token;
    credential.expires = *expires;
    return check_life(who, std::move(credential), now);
}

struct Refusal {
    std::string_view words;     // in the type or message
    const char *meaning;
};

// The first that fits. Services word it differently: Bedrock and STS in their
// message, S3 and EC2 in the error's name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
constexpr Refusal refusals[] = {
    {"RequestTimeTooSkew", "this machine's clock is more than five minutes "
                           "off from AWS's"},
    {"RequestInTheFuture", "this machine's clock is ahead of AWS's"},
    {"RequestExpired", "this machine's clock is behind AWS's"},
    {"Signature expired", "the signature was too old when it came: this "
                          "machine's clock is behind AWS's"},
    {"Signature not yet current", "the signature is of the future: this "
                                  "machine's clock is ahead of AWS's"},
    {"Credential should be scoped to", "the \"region\" or \"service\" of "
                                       "\"auth aws\" is not the host's"},
    {"InvalidSignature", "the secret key is not the access key's, or the "
                         "request was changed on its way to AWS"},
    {"SignatureDoesNotMatch", "the secret key is not the access key's, or "
                              "the request was changed on its way to AWS"},
    {"request signature we calculated does not match",
     "the secret key is not the access key's, or the request was changed on "
     "its way to AWS"},
    {"ExpiredToken", "the session token has expired"},
    {"security token included in the request is expired",
     "the session token has expired"},
    {"UnrecognizedClient", "AWS does not know the access key or session "
                           "token"},
    {"InvalidClientTokenId", "AWS does not know the access key or session "
                             "token"},
    {"security token included in the request is invalid",
     "AWS does not know the access key or session token"},
    {"IncompleteSignature", "the request's signature is not complete"},
    {"MissingAuthenticationToken", "the request has no signature"},
};

}  // namespace

std::string prefix_of(const Url &url) {
    std::string path = url.path;
    while (path.ends_with('/')) {
        path.pop_back();
    }
    return path;
}

std::optional<std::string> element(std::string_view xml,
                                   std::string_view name) {
    std::string tag("<");
    tag.append(name).append(">");
    auto begin = xml.find(tag);
    if (begin == xml.npos) {
        return std::nullopt;
    }
    xml.remove_prefix(begin + tag.size());
    tag.insert(1, "/");
    auto end = xml.find(tag);
    if (end == xml.npos) {
        return std::nullopt;
    }
    return unescape(xml.substr(0, end));
}

Result<Credential> read_session(std::string_view who, const Outcome &outcome,
                                std::string &detail) {
    json::Document document;
    bool is_json = static_cast<bool>(document.parse(outcome.text));
    auto root = is_json ? document.root() : json::Value();
    // The container agent has "code" and "message", the instance's service
    // "Code", which is "Success" where all is well.
    auto code = root[root["Code"] ? "Code" : "code"].string();
    if (outcome.status != 200 || (!code.empty() && code != "Success")) {
        detail = log_text(root[root["Message"] ? "Message" : "message"]
                              .string());
        return refused(who, outcome.status, code);
    }
    return session(who, root["AccessKeyId"].string(),
                   root["SecretAccessKey"].string(), root["Token"].string(),
                   root["Expiration"].string(), outcome.now);
}

Result<Credential> read_sts(const Outcome &outcome, std::string &detail) {
    if (outcome.status != 200) {
        auto error = element(outcome.text, "Error").value_or("");
        auto code = element(error, "Code").value_or("");
        auto message = element(error, "Message").value_or("");
        detail = log_text(message);
        auto refusal = refused(sts, outcome.status, code);
        if (const char *meaning = explain_refusal(code, message)) {
            refusal.message.append(": ").append(meaning);
        }
        return refusal;
    }
    auto keys = element(outcome.text, "Credentials").value_or("");
    auto field = [&keys](std::string_view name) {
        return element(keys, name).value_or("");
    };
    return session(sts, field("AccessKeyId"), field("SecretAccessKey"),
                   field("SessionToken"), field("Expiration"), outcome.now);
}

const char *explain_refusal(std::string_view type,
                            std::string_view message) noexcept {
    // Some end as others do.
    std::string_view kept;
    for (const auto &refusal : refusals) {
        std::string_view meaning = refusal.meaning;
        if (meaning.size() > kept.size() && message.ends_with(meaning)) {
            kept = meaning;
        }
    }
    if (!kept.empty()) {
        return kept.data();
    }
    for (const auto &refusal : refusals) {
        if (type.find(refusal.words) != type.npos
            || message.find(refusal.words) != message.npos) {
            return refusal.meaning;
        }
    }
    return nullptr;
}

}  // namespace llm::credentials::aws
