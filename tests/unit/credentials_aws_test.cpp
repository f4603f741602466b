// Credentials of AWS.
#include "catch.hpp"
#include "credentials.hpp"

using namespace llm;
using namespace llm::credentials;
using namespace llm::testing;

namespace {

constexpr std::string_view session_json =
    R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAX",)"
    R"("SecretAccessKey":"s/k+=","Token":"tok","Expiration":)"
    R"("2026-01-02T09:04:05Z"})";

// The answer in the reference of AssumeRole, with other values.
constexpr std::string_view role_xml =
    R"(<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult>
  <AssumedRoleUser>
    <AssumedRoleId>ARO123EXAMPLE123:TestAR</AssumedRoleId>
    <Arn>arn:aws:sts::123456789012:assumed-role/demo/TestAR</Arn>
  </AssumedRoleUser>
  <Credentials>
    <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>
    <SecretAccessKey>wJalr/XUtnFEMI</SecretAccessKey>
    <SessionToken>AQoDYXdz==</SessionToken>
    <Expiration>2026-01-02T04:04:05.123Z</Expiration>
  </Credentials>
</AssumeRoleResult>
<ResponseMetadata><RequestId>c6104cbe</RequestId></ResponseMetadata>
</AssumeRoleResponse>)";

Credential example_keys(std::string token = {}) {
    Credential keys;
    keys.kind = Credential::Kind::aws;
    keys.access_key = "AKIDEXAMPLE";
    keys.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    keys.token = std::move(token);
    return keys;
}

aws::Role example_role() {
    aws::Role role;
    role.arn = "arn:aws:iam::123456789012:role/gateway";
    role.sts_url = "https://sts.us-east-1.amazonaws.com";
    role.region = "us-east-1";
    return role;
}

std::string profile_error(std::string_view text, std::string_view name) {
    auto keys = aws::read_profile(text, name);
    return keys ? "" : keys.error().message;
}

// The end of a fetch with one request, answered with this.
Result<Step> container_answer(int status, std::string_view body) {
    auto source = aws::from_container("http://169.254.170.2/c", "", "");
    REQUIRE(source);
    auto fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    return fetch->next({status, body, now});
}

std::string container_error(int status, std::string_view body) {
    auto step = container_answer(status, body);
    return step ? "" : step.error().message;
}

}  // namespace

TEST_CASE("keys that are known are there at once, and do not end") {
    auto step = aws::from_keys(example_keys())->begin()->next({0, {}, now});
    REQUIRE(step);
    const auto &keys = std::get<Credential>(*step);
    CHECK(keys.access_key == "AKIDEXAMPLE");
    CHECK(keys.expires == never);
}

TEST_CASE("a profile of a shared credentials file") {
    constexpr std::string_view text =
        "# keys\n"
        "[default]\r\n"
        "aws_access_key_id = AKDEFAULT\r\n"
        "aws_secret_access_key=a/b+c=\r\n"
        "\n"
        "[profile work]\n"
        "  AWS_ACCESS_KEY_ID=AKWORK\n"
        "; a comment\n"
        "aws_secret_access_key = w\n"
        "aws_session_token = t==\n"
        "region = eu-west-1\n"
        "[half]\n"
        "aws_access_key_id = AKHALF";
    auto keys = aws::read_profile(text, "default");
    REQUIRE(keys);
    CHECK(keys->kind == Credential::Kind::aws);
    CHECK(keys->access_key == "AKDEFAULT");
    CHECK(keys->secret_key == "a/b+c=");
    CHECK(keys->token == "");

    keys = aws::read_profile(text, "work");
    REQUIRE(keys);
    CHECK(keys->access_key == "AKWORK");
    CHECK(keys->token == "t==");

    CHECK(profile_error(text, "other") == "has no profile \"other\"");
    CHECK(profile_error(text, "half")
          == "has no valid \"aws_secret_access_key\" in profile \"half\"");
    CHECK(profile_error("", "default") == "has no profile \"default\"");
    CHECK(profile_error("[default]\naws_access_key_id = a b\n"
                        "aws_secret_access_key = c", "default")
          == "has no valid \"aws_access_key_id\" in profile \"default\"");
}

TEST_CASE("a container's agent is asked with the token of the pod") {
    auto source = aws::from_container("http://169.254.170.23/v1/credentials",
                                      "", "/var/run/pod/token");
    REQUIRE(source);
    CHECK((*source)->servers().front() == "http://169.254.170.23");
    auto fetch = (*source)->begin();
    auto step = fetch->next({0, {}, now});
    REQUIRE(step);
    CHECK(std::get<ReadFile>(*step).path == "/var/run/pod/token");
    auto request = request_of(fetch->next({0, "eyJ.x.y", now}));
    CHECK(request.path == "/v1/credentials");
    CHECK(header_of(request, "Authorization") == "eyJ.x.y");

    step = fetch->next({200, session_json, now});
    REQUIRE(step);
    const auto &keys = std::get<Credential>(*step);
    CHECK(keys.kind == Credential::Kind::aws);
    CHECK(keys.access_key == "ASIAX");
    CHECK(keys.secret_key == "s/k+=");
    CHECK(keys.token == "tok");
    CHECK(keys.expires == now + 6 * 3600);
}

TEST_CASE("a task's agent wants no token, or one of the environment") {
    auto source = aws::from_container("http://169.254.170.2/v2/c?id=1", "", "");
    REQUIRE(source);
    auto request = request_of((*source)->begin()->next({0, {}, now}));
    CHECK(request.path == "/v2/c?id=1");
    CHECK(header_of(request, "Authorization") == "(none)");

    source = aws::from_container("http://localhost/c", "Basic abc", "");
    REQUIRE(source);
    request = request_of((*source)->begin()->next({0, {}, now}));
    CHECK(header_of(request, "Authorization") == "Basic abc");
}

TEST_CASE("the SDKs send the pod's token to few hosts") {
    CHECK(aws::is_container_url("http://169.254.170.2/x"));
    CHECK(aws::is_container_url("http://169.254.170.23/v1/credentials"));
    CHECK(aws::is_container_url("http://[fd00:ec2::23]/v1/credentials"));
    CHECK(aws::is_container_url("http://localhost:1338/x"));
    CHECK(aws::is_container_url("https://anywhere.example/x"));
    CHECK_FALSE(aws::is_container_url("http://anywhere.example/x"));
    CHECK_FALSE(aws::is_container_url("http://localhost.example/x"));
    CHECK_FALSE(aws::is_container_url("/v2/credentials"));
}

TEST_CASE("an answer without all of its keys is an error") {
    constexpr auto none =
        "the container's credentials endpoint sent no credentials: keys, "
        "token and expiration are not all in its answer";
    CHECK(container_error(200, "") == none);
    CHECK(container_error(200, "{}") == none);
    CHECK(container_error(200, R"({"AccessKeyId":"a","SecretAccessKey":"b",)"
                               R"("Token":"c","Expiration":"soon"})") == none);
    CHECK(container_error(200, R"({"AccessKeyId":"a","SecretAccessKey":"b",)"
                               R"("Token":"c"})") == none);
    CHECK(container_error(200, R"({"AccessKeyId":"a\n","SecretAccessKey":"b",)"
                               R"("Token":"c","Expiration":)"
                               R"("2026-01-02T09:04:05Z"})") == none);
    CHECK(container_error(200, R"({"AccessKeyId":"a","SecretAccessKey":"b",)"
                               R"("Token":"c","Expiration":)"
                               R"("2026-01-02T03:04:10Z"})")
          == "the container's credentials endpoint gave credentials that have "
             "expired already, or this machine's clock is wrong");
    CHECK(container_error(403, R"({"code":"AccessDenied","message":"no"})")
          == "the container's credentials endpoint answered 403 "
             "(AccessDenied)");
    CHECK(container_error(200, R"({"Code":"AssumeRoleUnauthorizedAccess",)"
                               R"("Message":"EC2 cannot assume the role"})")
          == "the container's credentials endpoint answered 200 "
             "(AssumeRoleUnauthorizedAccess)");
}

TEST_CASE("points of time are of the calendar") {
    auto ends = [](std::string_view time) {
        auto step = container_answer(
            200, R"({"AccessKeyId":"a","SecretAccessKey":"b","Token":"c",)"
                 R"("Expiration":")" + std::string(time) + "\"}");
        return step ? std::get<Credential>(*step).expires : Time{-1};
    };
    CHECK(ends("2026-01-02T09:04:05Z") == 1767344645);
    CHECK(ends("2026-01-02T09:04:05.5Z") == 1767344645);
    CHECK(ends("2028-02-29T00:00:00Z") == 1835395200);
    for (auto bad : {"2027-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
                     "2026-01-02T24:00:00Z", "2026-01-02T09:04:05",
                     "2026-01-02 09:04:05Z", "2026-01-02T09:04:05+01:00",
                     "2026-01-02T09:04:05.Z", "2026-1-2T9:4:5Z", "Z", ""}) {
        INFO(bad);
        CHECK(ends(bad) == -1);
    }
}

TEST_CASE("an instance: a token, its role, the role's keys") {
    auto source = aws::from_instance("http://169.254.169.254/");
    REQUIRE(source);
    auto fetch = (*source)->begin();
    auto request = request_of(fetch->next({0, {}, now}));
    CHECK(request.method == HttpRequest::Method::put);
    CHECK(request.path == "/latest/api/token");
    CHECK(header_of(request, "X-aws-ec2-metadata-token-ttl-seconds")
          == "21600");

    request = request_of(fetch->next({200, "TOKEN==", now}));
    CHECK(request.method == HttpRequest::Method::get);
    CHECK(request.path == "/latest/meta-data/iam/security-credentials/");
    CHECK(header_of(request, "X-aws-ec2-metadata-token") == "TOKEN==");

    request = request_of(fetch->next({200, "my/role\n", now}));
    CHECK(request.path
          == "/latest/meta-data/iam/security-credentials/my%2Frole");
    CHECK(header_of(request, "X-aws-ec2-metadata-token") == "TOKEN==");

    auto step = fetch->next({200, session_json, now});
    REQUIRE(step);
    CHECK(std::get<Credential>(*step).access_key == "ASIAX");
}

TEST_CASE("an instance without a role, or without metadata, says so") {
    auto source = aws::from_instance(aws::default_metadata_url);
    REQUIRE(source);
    auto fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    auto step = fetch->next({403, "", now});
    REQUIRE_FALSE(step);
    CHECK(step.error().message
          == "the instance's metadata service answered 403 (no_token)");

    fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    (void) fetch->next({200, "t", now});
    step = fetch->next({404, "<html>", now});
    REQUIRE_FALSE(step);
    CHECK(step.error().message
          == "the instance's metadata service answered 404 (no_role): the "
             "instance has no role");

    // A role's name cannot lead elsewhere.
    fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    (void) fetch->next({200, "t", now});
    CHECK_FALSE(fetch->next({200, "..", now}));
}

TEST_CASE("a pod's token is exchanged for a role's keys") {
    auto source = aws::from_web_identity(example_role(), "/var/run/token");
    REQUIRE(source);
    auto fetch = (*source)->begin();
    auto step = fetch->next({0, {}, now});
    REQUIRE(step);
    CHECK(std::get<ReadFile>(*step).path == "/var/run/token");
    auto request = request_of(fetch->next({0, "eyJ.x.y", now}));
    CHECK(request.method == HttpRequest::Method::post);
    CHECK(request.path == "/");
    CHECK(request.body
          == "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
             "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fgateway"
             "&RoleSessionName=nginx-llm&DurationSeconds=3600"
             "&WebIdentityToken=eyJ.x.y");
    CHECK(header_of(request, "authorization") == "(none)");

    step = fetch->next({200, role_xml, now});
    REQUIRE(step);
    const auto &keys = std::get<Credential>(*step);
    CHECK(keys.access_key == "ASIAIOSFODNN7EXAMPLE");
    CHECK(keys.secret_key == "wJalr/XUtnFEMI");
    CHECK(keys.token == "AQoDYXdz==");
    CHECK(keys.expires == now + 3600);
}

TEST_CASE("a role on top is asked for with a signature") {
    // The signatures are botocore's for the same requests.
    for (auto [token, signature] :
         {std::pair{"", "8122bab08c7609c0acd584fd1c8a3485"
                        "aca83e5a3e200572bf8d37dee41088e5"},
          std::pair{"SESSIONTOKENEXAMPLE",
                    "295662b7328a7fbdf028ec41c5769fe7"
                    "2e0470ee35f1707eb100608ff4fcd09c"}}) {
        auto source = aws::assume_role(example_role(),
                                       aws::from_keys(example_keys(token)));
        REQUIRE(source);
        auto fetch = (*source)->begin();
        auto request = request_of(fetch->next({0, {}, now}));
        CHECK((*source)->servers()[request.server]
              == "https://sts.us-east-1.amazonaws.com");
        CHECK(request.path == "/");
        CHECK(request.body
              == "Action=AssumeRole&Version=2011-06-15"
                 "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fgateway"
                 "&RoleSessionName=nginx-llm&DurationSeconds=3600");
        CHECK(header_of(request, "Host") == "sts.us-east-1.amazonaws.com");
        CHECK(header_of(request, "x-amz-date") == "20260102T030405Z");
        auto authorization = header_of(request, "authorization");
        INFO(authorization);
        CHECK(authorization.ends_with(std::string("Signature=") + signature));

        auto step = fetch->next({200, role_xml, now});
        REQUIRE(step);
        CHECK(std::get<Credential>(*step).access_key
              == "ASIAIOSFODNN7EXAMPLE");
    }
}

TEST_CASE("a role on top of an instance's: one after the other") {
    auto base = aws::from_instance(aws::default_metadata_url);
    REQUIRE(base);
    auto role = example_role();
    role.external_id = "ext 1";
    auto source = aws::assume_role(role, std::move(*base));
    REQUIRE(source);
    CHECK((*source)->servers()
          == std::vector<std::string>{"http://169.254.169.254",
                                      "https://sts.us-east-1.amazonaws.com"});
    auto fetch = (*source)->begin();
    CHECK(request_of(fetch->next({0, {}, now})).server == 0);
    CHECK(request_of(fetch->next({200, "t", now})).server == 0);
    CHECK(request_of(fetch->next({200, "role", now})).server == 0);
    auto request = request_of(fetch->next({200, session_json, now}));
    CHECK(request.server == 1);
    CHECK(request.body.ends_with("&ExternalId=ext%201"));
    CHECK(header_of(request, "x-amz-security-token") == "tok");

    // A failure below is the failure of all.
    fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    CHECK_FALSE(fetch->next({500, "", now}));
}

TEST_CASE("a refusal of STS is told by its code, the rest is for the log") {
    auto source = aws::assume_role(example_role(),
                                   aws::from_keys(example_keys()));
    REQUIRE(source);
    auto fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    auto step = fetch->next(
        {403,
         "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
         "<Message>User: arn:aws:iam::123456789012:user/a is not authorized "
         "&amp; &quot;no&quot;</Message></Error></ErrorResponse>", now});
    REQUIRE_FALSE(step);
    CHECK(step.error().message == "AWS STS answered 403 (AccessDenied)");
    CHECK(fetch->detail()
          == "User: arn:aws:iam::123456789012:user/a is not authorized & "
             "\"no\"");

    fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    step = fetch->next(
        {403,
         "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>"
         "Signature expired: 20260102T030405Z is now earlier than "
         "20260102T040405Z</Message></Error></ErrorResponse>", now});
    REQUIRE_FALSE(step);
    CHECK(step.error().message
          == "AWS STS answered 403 (SignatureDoesNotMatch): the signature was "
             "too old when it came: this machine's clock is behind AWS's");

    for (auto nonsense : {"", "<Credentials>", "<Credentials></Credentials>",
                          "{}"}) {
        fetch = (*source)->begin();
        (void) fetch->next({0, {}, now});
        CHECK_FALSE(fetch->next({200, nonsense, now}));
    }
}

TEST_CASE("what a role may be asked for with") {
    auto refused = [](const aws::Role &role) {
        auto source = aws::from_web_identity(role, "/f");
        return source ? "" : source.error().message;
    };
    auto role = example_role();
    role.arn = "gateway";
    CHECK(refused(role)
          == "has an invalid role, an ARN begins with \"arn:\"");
    role = example_role();
    role.session_name = "a b";
    CHECK(refused(role) == "has an invalid session name");
    role.session_name = "a";
    CHECK(refused(role) == "has an invalid session name");
    role = example_role();
    role.sts_url = "sts";
    CHECK_FALSE(refused(role).empty());
}

TEST_CASE("regions, of hosts and for hosts") {
    CHECK(aws::region_of_host("bedrock-runtime.eu-west-1.amazonaws.com")
          == "eu-west-1");
    CHECK(aws::region_of_host("bedrock-runtime-fips.us-gov-west-1."
                              "amazonaws.com") == "us-gov-west-1");
    CHECK(aws::region_of_host("bedrock-mantle.us-east-1.api.aws")
          == "us-east-1");
    CHECK(aws::region_of_host("bedrock-runtime.eu-west-1.example.com") == "");
    CHECK(aws::region_of_host("127.0.0.1") == "");
    CHECK(aws::service_of_host("bedrock-runtime.eu-west-1.amazonaws.com")
          == "bedrock");
    CHECK(aws::service_of_host("bedrock-mantle.us-east-1.api.aws")
          == "bedrock-mantle");
    CHECK(aws::sts_url("eu-west-1") == "https://sts.eu-west-1.amazonaws.com");
    CHECK(aws::sts_url("cn-north-1")
          == "https://sts.cn-north-1.amazonaws.com.cn");
    CHECK(aws::is_region("us-east-1"));
    CHECK_FALSE(aws::is_region(""));
    CHECK_FALSE(aws::is_region("us-east-1.evil.example/"));
}

TEST_CASE("AWS's refusals of a signature say what to look at") {
    auto meaning = [](std::string_view type, std::string_view message) {
        const char *found = aws::explain_refusal(type, message);
        return std::string(found ? found : "(none)");
    };
    CHECK(meaning("InvalidSignatureException",
                  "Signature expired: 20260102T030405Z is now earlier than "
                  "20260102T031000Z (20260102T031500Z - 5 min.)")
          == "the signature was too old when it came: this machine's clock is "
             "behind AWS's");
    CHECK(meaning("InvalidSignatureException",
                  "Signature not yet current: 20260102T040405Z is still "
                  "later than 20260102T031500Z")
          == "the signature is of the future: this machine's clock is ahead "
             "of AWS's");
    // Whoever has read the message has put the meaning in its place.
    for (std::string words :
         {"this machine's clock is behind AWS's",
          "the signature was too old when it came: this machine's clock is "
          "behind AWS's"}) {
        CHECK(meaning("InvalidSignatureException", "refused: " + words)
              == words);
    }
    CHECK(meaning("RequestTimeTooSkewed", "")
          == "this machine's clock is more than five minutes off from AWS's");
    CHECK(meaning("InvalidSignatureException:http://internal.amazon.com/",
                  "The request signature we calculated does not match the "
                  "signature you provided.")
          == "the secret key is not the access key's, or the request was "
             "changed on its way to AWS");
    CHECK(meaning("InvalidSignatureException",
                  "Credential should be scoped to a valid region.")
          == "the \"region\" or \"service\" of \"auth aws\" is not the "
             "host's");
    CHECK(meaning("ExpiredTokenException", "")
          == "the session token has expired");
    CHECK(meaning("UnrecognizedClientException", "")
          == "AWS does not know the access key or session token");
    CHECK(meaning("AccessDeniedException",
                  "You don't have access to the model") == "(none)");
    CHECK(meaning("", "") == "(none)");
}
