// Credentials that a provider's cloud hands out and that end: how to get one,
// and when to get the next.
//
// A Source is one way to come by credentials, as configured; a Fetch is one
// run of it, step by step. Neither does any I/O nor knows what time it is:
// whoever drives a fetch (the nginx module, a test) makes the requests, reads
// the files, and says the time. A Keeper holds what was fetched last and says
// when to fetch again.
//
// The APIs:
//   OAuth 2.0         RFC 6749, RFC 7523
//   Google            https://developers.google.com/identity/protocols/oauth2/service-account
//                     https://cloud.google.com/compute/docs/access/authenticate-workloads
//   Azure             https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
//                     https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
//                     https://learn.microsoft.com/azure/app-service/overview-managed-identity
//   AWS               https://docs.aws.amazon.com/STS/latest/APIReference
//                     https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
//                     https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "llm/result.hpp"

namespace llm::credentials {

// Seconds since 1970-01-01 00:00 UTC.
using Time = std::int64_t;
constexpr Time never = std::numeric_limits<Time>::max();

// What a provider is shown. A bearer token, or keys that sign requests (AWS).
struct Credential {
    enum class Kind : std::uint8_t { bearer, aws };
    Kind kind = Kind::bearer;
    std::string token;          // aws: of a session, may be empty
    std::string access_key;     // aws
    std::string secret_key;     // aws
    Time expires = never;
};

// A request to one of the source's servers.
struct HttpRequest {
    enum class Method : std::uint8_t { get, put, post };
    Method method = Method::get;
    std::size_t server = 0;     // index into Source::servers()
    std::string path;           // appended to the server's URL; may be empty
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;           // of a post
};

// A file that others write anew from time to time; small. Its text is given
// without white space around it.
struct ReadFile {
    std::string path;
};

// What is to be done next; a Credential is the end.
using Step = std::variant<HttpRequest, ReadFile, Credential>;

// What came of the last step.
struct Outcome {
    int status = 0;             // HTTP's; 0 for a file, and at the start
    std::string_view text;      // of the body or file
    Time now = 0;
};

// One run. An error ends it: its message is for anybody, and holds nothing of
// what the server said but a short code.
class Fetch {
public:
    virtual ~Fetch() = default;
    // The first time: what to begin with. Then, given the outcome, what next.
    virtual Result<Step> next(const Outcome &outcome) = 0;
    // What the server said of its refusal, for a log: shortened, on one line,
    // and without anything that looks like a key or token. Empty: nothing.
    const std::string &detail() const noexcept { return detail_; }

protected:
    std::string detail_;
};

class Source {
public:
    virtual ~Source() = default;
    virtual std::unique_ptr<Fetch> begin() const = 0;
    // Base URLs ("https://sts.eu-west-1.amazonaws.com", with a path even), of
    // which every request goes to one.
    const std::vector<std::string> &servers() const noexcept {
        return servers_;
    }
    // The files that a fetch may read.
    const std::vector<std::string> &files() const noexcept { return files_; }

protected:
    std::vector<std::string> servers_;
    std::vector<std::string> files_;
};

// A server's URL in two: what Source::servers() has, and the rest, a path and
// query, which goes into HttpRequest::path. The error says what is wrong
// without quoting the text.
struct Url {
    std::string server;
    std::string path;
};
Result<Url> split_url(std::string_view text);

// Google: an access token for `scope` (several: separated by spaces).
namespace google {

constexpr std::string_view default_scope =
    "https://www.googleapis.com/auth/cloud-platform";
constexpr std::string_view default_token_url =
    "https://oauth2.googleapis.com/token";
constexpr std::string_view default_metadata_url =
    "http://metadata.google.internal";

// The JSON that Google gives out: the key of a service account, or what
// "gcloud auth application-default login" writes (authorized_user).
// `token_url` empty: the file's token_uri.
Result<std::unique_ptr<Source>> from_file(std::string_view json,
                                          std::string_view scope,
                                          std::string_view token_url);

// The service account of the machine (GCE), pod (GKE) or service (Cloud Run);
// `account`: "default" or an e-mail address.
Result<std::unique_ptr<Source>> from_metadata(std::string_view metadata_url,
                                              std::string_view account,
                                              std::string_view scope);

}  // namespace google

// Azure: an access token of Entra ID.
namespace azure {

constexpr std::string_view default_scope =
    "https://cognitiveservices.azure.com/.default";
constexpr std::string_view default_authority =
    "https://login.microsoftonline.com";
constexpr std::string_view default_metadata_url = "http://169.254.169.254";

// A tenant's token endpoint; the tenant is an id or a domain.
std::string token_url(std::string_view authority, std::string_view tenant);

struct Application {
    std::string_view token_url;
    std::string_view client_id;
    std::string_view scope = default_scope;
    // One of the two: a secret, or the file of a token of the application's
    // platform (workload identity).
    std::string_view client_secret = {};
    std::string_view token_file = {};
};
Result<std::unique_ptr<Source>> from_application(
    const Application &application);

// The managed identity of a virtual machine. `client_id` empty: the system's.
Result<std::unique_ptr<Source>> from_machine(std::string_view metadata_url,
                                             std::string_view client_id,
                                             std::string_view scope);

// The managed identity of an App Service, function or container app: what
// IDENTITY_ENDPOINT and IDENTITY_HEADER of its environment say.
Result<std::unique_ptr<Source>> from_app_service(std::string_view endpoint,
                                                 std::string_view header,
                                                 std::string_view client_id,
                                                 std::string_view scope);

}  // namespace azure

// AWS: keys, mostly of a session.
namespace aws {

constexpr std::string_view default_metadata_url = "http://169.254.169.254";
constexpr std::string_view container_server = "http://169.254.170.2";
constexpr std::string_view default_session_name = "nginx-llm";

// "us-gov-west-1": what a host name may be made of.
bool is_region(std::string_view text) noexcept;
// The region in "bedrock-runtime.eu-west-1.amazonaws.com"; empty: none.
std::string_view region_of_host(std::string_view host) noexcept;
// What a signature for this host is for: "bedrock", but for hosts of
// bedrock-mantle, which has a name of its own.
std::string_view service_of_host(std::string_view host) noexcept;
std::string sts_url(std::string_view region);

// Keys that are known; they do not end.
std::unique_ptr<Source> from_keys(Credential keys);

// Those of a profile in a shared credentials file (INI).
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
Result<Credential> read_profile(std::string_view text,
                                std::string_view profile);

// A container's task or pod role (ECS, EKS Pod Identity). `token_file` or
// `token`, both may be empty: what is sent as Authorization.
Result<std::unique_ptr<Source>> from_container(std::string_view url,
                                               std::string_view token,
                                               std::string_view token_file);
// Whether the SDKs send a token to this URL: HTTPS, or a host that is this
// machine or the container agent's.
bool is_container_url(std::string_view url) noexcept;

// An instance's profile (EC2, IMDSv2).
Result<std::unique_ptr<Source>> from_instance(std::string_view metadata_url);

struct Role {
    std::string_view arn;
    std::string_view session_name = default_session_name;
    std::string_view external_id = {};  // may be empty
    int duration = 3600;                // seconds
    std::string_view sts_url;
    std::string_view region;
};

// A role, for the token in a file (EKS: IAM roles for service accounts).
Result<std::unique_ptr<Source>> from_web_identity(const Role &role,
                                                  std::string_view token_file);

// A role on top: what `base` gives signs the request for it.
Result<std::unique_ptr<Source>> assume_role(const Role &role,
                                            std::unique_ptr<Source> base);

// What a refusal by AWS means, where the cause is the signature or the keys:
// the answer's error type (of "x-amzn-errortype", or its XML) and message. A
// message that ends with such a meaning keeps it. nullptr: it is about something else.
const char *explain_refusal(std::string_view type,
                            std::string_view message) noexcept;

}  // namespace aws

// The last credential fetched, and what to do for a call. One fetch at a time:
// who sees `fetch` or `renew` and no fetch under way begins one.
class Keeper {
public:
    enum class Advice : std::uint8_t {
        use,        // what there is
        renew,      // use it, and fetch the next one meanwhile
        fetch,      // there is none to use
        refuse,     // none, and the last fetch failed a moment ago
    };

    // How long nothing is fetched after a failure: this first, then twice as
    // long with every other one, half a minute at most. In seconds; 0: not at
    // all.
    explicit Keeper(Time pause = 1) noexcept : pause_(pause) {}

    Advice advice(Time now) const noexcept;
    // What may be used now; nullptr: nothing.
    const Credential *usable(Time now) const noexcept;
    // When to renew even if nobody asks; `never` where there is no need.
    Time renew_at() const noexcept;

    // A fetch has ended.
    void store(Credential credential, Time now) noexcept;
    void failed(Time now) noexcept;
    // The provider does not take it, whatever its time says: true where it is
    // dropped. What was fetched a moment ago is kept, so that a provider that
    // takes none at all does not make for a fetch with each call.
    bool reject(Time now) noexcept;

    // Seconds until the next fetch may begin, while advice() is refuse.
    Time wait(Time now) const noexcept;

private:
    std::optional<Credential> credential_;
    Time fetched_ = 0;
    Time pause_;
    Time failed_until_ = 0;
    int failures_ = 0;
};

}  // namespace llm::credentials
