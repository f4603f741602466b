// Credentials of Google and Azure, and when to fetch the next.
#include "catch.hpp"
#include "credentials.hpp"
#include "files.hpp"
#include "llm/json.hpp"
#include "llm/jwt.hpp"

#include "text/base64.hpp"

using namespace llm;
using namespace llm::credentials;
using namespace llm::testing;

namespace {

std::string service_account() {
    std::string out;
    json::Writer writer(out);
    writer.begin_object()
        .member("type", "service_account")
        .member("project_id", "p")
        .member("private_key_id", "key-1")
        .member("private_key", testing::read_file("tests/unit/data/rfc7515-a2.pem"))
        .member("client_email", "gateway@p.iam.gserviceaccount.com")
        .member("token_uri", "https://oauth2.googleapis.com/token")
        .end_object();
    return out;
}

std::string refusal(std::string_view json) {
    auto source = google::from_file(json, google::default_scope, {});
    return source ? "" : source.error().message;
}

// Base64url as the decoder of plain base64 has it.
std::string decode(std::string_view text) {
    std::string plain(text);
    for (char &c : plain) {
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    return base64::decode(plain).value_or("");
}

Result<Step> token_answer(int status, std::string_view body) {
    auto source = google::from_metadata(google::default_metadata_url,
                                        "default", {});
    REQUIRE(source);
    auto fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    return fetch->next({status, body, now});
}

std::string token_error(int status, std::string_view body) {
    auto step = token_answer(status, body);
    return step ? "" : step.error().message;
}

Time token_end(std::string_view body) {
    auto step = token_answer(200, body);
    REQUIRE(step);
    return std::get<Credential>(*step).expires;
}

Credential bearer(Time expires) {
    Credential credential;
    credential.token = "t";
    credential.expires = expires;
    return credential;
}

using Advice = Keeper::Advice;

}  // namespace

TEST_CASE("a service account's key signs what is exchanged for a token") {
    auto source = google::from_file(service_account(), "scope-a scope-b", {});
    REQUIRE(source);
    CHECK((*source)->servers()
          == std::vector<std::string>{"https://oauth2.googleapis.com"});

    auto fetch = (*source)->begin();
    auto request = request_of(fetch->next({0, {}, now}));
    CHECK(request.method == HttpRequest::Method::post);
    CHECK(request.path == "/token");
    CHECK(header_of(request, "Content-Type")
          == "application/x-www-form-urlencoded");

    constexpr std::string_view grant =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
        "&assertion=";
    REQUIRE(request.body.starts_with(grant));
    auto token = request.body.substr(grant.size());
    auto first = token.find('.');
    auto second = token.find('.', first + 1);
    CHECK(decode(token.substr(0, first))
          == R"({"alg":"RS256","typ":"JWT","kid":"key-1"})");
    CHECK(decode(token.substr(first + 1, second - first - 1))
          == R"({"iss":"gateway@p.iam.gserviceaccount.com",)"
             R"("scope":"scope-a scope-b",)"
             R"("aud":"https://oauth2.googleapis.com/token",)"
             R"("iat":1767323045,"exp":1767326645})");

    auto step = fetch->next(
        {200, R"({"access_token":"ya29.x","expires_in":3599,)"
              R"("token_type":"Bearer"})", now});
    REQUIRE(step);
    const auto &credential = std::get<Credential>(*step);
    CHECK(credential.kind == Credential::Kind::bearer);
    CHECK(credential.token == "ya29.x");
    CHECK(credential.expires == now + 3599);
}

TEST_CASE("another token endpoint gets the assertion that is meant for "
          "Google's") {
    auto source = google::from_file(service_account(), "s",
                                    "http://127.0.0.1:8080/x/token");
    REQUIRE(source);
    CHECK((*source)->servers().front() == "http://127.0.0.1:8080");
    auto request = request_of((*source)->begin()->next({0, {}, now}));
    CHECK(request.path == "/x/token");
    auto claims = request.body.substr(request.body.find('.') + 1);
    claims = decode(claims.substr(0, claims.find('.')));
    CHECK(claims.find(R"("aud":"https://oauth2.googleapis.com/token")")
          != claims.npos);
}

TEST_CASE("a user's refresh token is exchanged") {
    auto source = google::from_file(
        R"({"type":"authorized_user","client_id":"id","client_secret":"s/1",)"
        R"("refresh_token":"1//r"})", google::default_scope, {});
    REQUIRE(source);
    auto request = request_of((*source)->begin()->next({0, {}, now}));
    CHECK(request.body
          == "grant_type=refresh_token&client_id=id&client_secret=s%2F1"
             "&refresh_token=1%2F%2Fr");
}

TEST_CASE("the metadata server is asked with its header") {
    auto source = google::from_metadata("http://metadata.google.internal",
                                        "sa@p.iam", "a b");
    REQUIRE(source);
    CHECK((*source)->servers().front() == "http://metadata.google.internal");
    auto request = request_of((*source)->begin()->next({0, {}, now}));
    CHECK(request.method == HttpRequest::Method::get);
    CHECK(request.path
          == "/computeMetadata/v1/instance/service-accounts/sa%40p.iam/token"
             "?scopes=a%2Cb");
    CHECK(header_of(request, "Metadata-Flavor") == "Google");
}

TEST_CASE("a file that is no key says what is wrong and nothing of itself") {
    CHECK(refusal("hello") == "is not a JSON object");
    CHECK(refusal("[]") == "is not a JSON object");
    CHECK(refusal("{}")
          == "has a \"type\" other than \"service_account\" and "
             "\"authorized_user\"");
    CHECK(refusal(R"({"type":"service_account"})")
          == "has no \"client_email\"");
    CHECK(refusal(R"({"type":"service_account","client_email":"a",)"
                  R"("private_key":"secret"})")
          == "has a \"private_key\" that is not a private key in PEM without "
             "a passphrase");
    CHECK(refusal(R"({"type":"authorized_user","client_id":"i",)"
                  R"("client_secret":"s"})")
          == "has no \"refresh_token\"");
    CHECK(refusal(R"({"type":"service_account","token_uri":"ftp://x"})")
          .starts_with("has a token endpoint whose URL "));
}

TEST_CASE("how long a token lasts, in the ways it is said") {
    CHECK(token_end(R"({"access_token":"t","expires_in":60})") == now + 60);
    // Azure's identity endpoints write numbers as strings.
    CHECK(token_end(R"({"access_token":"t","expires_in":"60"})") == now + 60);
    CHECK(token_end(R"({"access_token":"t","expires_in":60.5})") == now + 60);
    CHECK(token_end(R"({"access_token":"t","expires_on":"1767323345"})")
          == 1767323345);
    CHECK(token_end(R"({"access_token":"t"})") == now + 300);
    // More than a year is not believed.
    CHECK(token_end(R"({"access_token":"t","expires_in":9007199254740993})")
          == now + 366 * 86400);
}

TEST_CASE("an answer that is no token is an error") {
    constexpr std::string_view who = "Google's metadata server";
    auto sent_none = [who](std::string_view why) {
        return std::string(who) + " sent no token: " + std::string(why);
    };
    CHECK(token_error(200, "") == sent_none("its answer is not a JSON object"));
    CHECK(token_error(200, "<html>")
          == sent_none("its answer is not a JSON object"));
    CHECK(token_error(200, "{}")
          == sent_none("its answer has no \"access_token\""));
    CHECK(token_error(200, R"({"access_token":7})")
          == sent_none("its answer has no \"access_token\""));
    CHECK(token_error(200, R"({"access_token":"a\r\nX: y"})")
          == sent_none("its \"access_token\" cannot be sent"));
    CHECK(token_error(200, R"({"access_token":"t","token_type":"mac"})")
          == sent_none("its \"token_type\" is not \"Bearer\""));
    const auto expired = std::string(who)
                         + " gave credentials that have expired already, or "
                           "this machine's clock is wrong";
    CHECK(token_error(200, R"({"access_token":"t","expires_in":0})")
          == expired);
    CHECK(token_error(200, R"({"access_token":"t","expires_in":-5})")
          == expired);
    CHECK(token_error(200, R"({"access_token":"t","expires_on":1})")
          == expired);
    CHECK(token_error(404, "<html>not found")
          == std::string(who) + " answered 404");
}

TEST_CASE("a refusal is told by its code; the words are for the log") {
    auto source = google::from_metadata(google::default_metadata_url,
                                        "default", {});
    REQUIRE(source);
    auto fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    auto step = fetch->next(
        {401,
         R"({"error":"invalid_client","error_description":"AADSTS7000215: )"
         R"(Invalid client secret abc8Q~0123456789abcdefghijklmno provided )"
         R"(for app '11111111-2222-3333-4444-555555555555'.\r\nTrace"})",
         now});
    REQUIRE_FALSE(step);
    CHECK(step.error().kind == ErrorKind::bad_gateway);
    CHECK(step.error().message
          == "Google's metadata server answered 401 (invalid_client)");
    CHECK(fetch->detail()
          == "AADSTS7000215: Invalid client secret *** provided for app "
             "'11111111-2222-3333-4444-555555555555'.  Trace");

    // What is no code is not repeated.
    CHECK(token_error(400, R"({"error":"bad request, see <a href=x>"})")
          == "Google's metadata server answered 400");
    CHECK(token_error(400, R"({"error":"eyJhbGciOiJSUzI1NiJ9abcdef"})")
          == "Google's metadata server answered 400");
    // The shape of Google's other APIs.
    CHECK(token_error(403, R"({"error":{"code":403,"status":)"
                           R"("PERMISSION_DENIED","message":"m"}})")
          == "Google's metadata server answered 403 (PERMISSION_DENIED)");
}

TEST_CASE("an application of Azure shows its secret") {
    auto url = azure::token_url("https://login.microsoftonline.com/",
                                "contoso.com");
    CHECK(url == "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/"
                 "token");
    azure::Application application;
    application.token_url = url;
    application.client_id = "app";
    application.client_secret = "a~b+c";
    auto source = azure::from_application(application);
    REQUIRE(source);
    CHECK((*source)->files().empty());
    auto request = request_of((*source)->begin()->next({0, {}, now}));
    CHECK(request.path == "/contoso.com/oauth2/v2.0/token");
    CHECK(request.body
          == "grant_type=client_credentials&client_id=app&scope=https%3A%2F%2F"
             "cognitiveservices.azure.com%2F.default&client_secret=a~b%2Bc");
    // A tenant is one step of the path, whatever it looks like.
    CHECK(azure::token_url("https://h", "a/../b?")
          == "https://h/a%2F..%2Fb%3F/oauth2/v2.0/token");
}

TEST_CASE("a workload shows its platform's token, read anew each time") {
    azure::Application application;
    application.token_url = "https://h/t/oauth2/v2.0/token";
    application.client_id = "app";
    application.token_file = "/var/run/token";
    auto source = azure::from_application(application);
    REQUIRE(source);
    CHECK((*source)->files() == std::vector<std::string>{"/var/run/token"});

    auto fetch = (*source)->begin();
    auto step = fetch->next({0, {}, now});
    REQUIRE(step);
    CHECK(std::get<ReadFile>(*step).path == "/var/run/token");
    auto request = request_of(fetch->next({0, "eyJ.a.b", now}));
    CHECK(request.body
          == "grant_type=client_credentials&client_id=app&scope=https%3A%2F%2F"
             "cognitiveservices.azure.com%2F.default&client_assertion_type="
             "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A"
             "jwt-bearer&client_assertion=eyJ.a.b");

    fetch = (*source)->begin();
    (void) fetch->next({0, {}, now});
    auto nothing = fetch->next({0, "", now});
    REQUIRE_FALSE(nothing);
    CHECK(nothing.error().message == "the file of the token holds none");
}

TEST_CASE("managed identities: of a machine, of a service") {
    auto machine = azure::from_machine(azure::default_metadata_url, "",
                                       azure::default_scope);
    REQUIRE(machine);
    auto request = request_of((*machine)->begin()->next({0, {}, now}));
    CHECK((*machine)->servers().front() == "http://169.254.169.254");
    CHECK(request.path
          == "/metadata/identity/oauth2/token?api-version=2018-02-01"
             "&resource=https%3A%2F%2Fcognitiveservices.azure.com");
    CHECK(header_of(request, "Metadata") == "true");

    auto service = azure::from_app_service("http://127.0.0.1:41741/msi/token/",
                                           "853b9a84", "user-1",
                                           "https://ai.azure.com/.default");
    REQUIRE(service);
    request = request_of((*service)->begin()->next({0, {}, now}));
    CHECK(request.path
          == "/msi/token/?api-version=2019-08-01"
             "&resource=https%3A%2F%2Fai.azure.com&client_id=user-1");
    CHECK(header_of(request, "X-IDENTITY-HEADER") == "853b9a84");
}

TEST_CASE("a URL is a server and what a request asks of it") {
    auto url = split_url("https://h:8443/a/b/?c=d");
    REQUIRE(url);
    CHECK(url->server == "https://h:8443");
    CHECK(url->path == "/a/b/?c=d");
    url = split_url("http://[::1]");
    REQUIRE(url);
    CHECK(url->server == "http://[::1]");
    CHECK(url->path == "");

    for (auto bad : {"", "h/a", "ftp://h/", "https:///a", "https://h/a b",
                     "https://h/a\nb", "https://u:p@h/", "https://h?a=b",
                     "https://h/#a"}) {
        INFO(bad);
        CHECK_FALSE(split_url(bad));
    }
}

TEST_CASE("a credential is used, then renewed while it still serves") {
    Keeper keeper;
    CHECK(keeper.advice(now) == Advice::fetch);
    CHECK(keeper.usable(now) == nullptr);

    keeper.store(bearer(now + 3600), now);
    CHECK(keeper.renew_at() == now + 3290);
    CHECK(keeper.advice(now) == Advice::use);
    CHECK(keeper.advice(now + 3289) == Advice::use);
    CHECK(keeper.advice(now + 3290) == Advice::renew);
    REQUIRE(keeper.usable(now + 3290));
    CHECK(keeper.usable(now + 3290)->token == "t");
    // Not up to the last second: a call may wait before it is sent.
    CHECK(keeper.advice(now + 3589) == Advice::renew);
    CHECK(keeper.advice(now + 3590) == Advice::fetch);
    CHECK(keeper.usable(now + 3590) == nullptr);
}

TEST_CASE("one that lives for a short time serves for three quarters of it") {
    Keeper keeper;
    keeper.store(bearer(now + 90), now);
    CHECK(keeper.renew_at() == now + 60);
    CHECK(keeper.advice(now + 60) == Advice::renew);
}

TEST_CASE("one that does not end is never renewed") {
    Keeper keeper;
    keeper.store(bearer(never), now);
    CHECK(keeper.renew_at() == never);
    CHECK(keeper.advice(now + 1000000000) == Advice::use);
    CHECK_FALSE(keeper.reject(now + 1000));
}

TEST_CASE("after a failure there is a pause, longer each time") {
    Keeper keeper;
    Time at = now;
    for (Time pause : {1, 2, 4, 8, 16, 30, 30, 30}) {
        keeper.failed(at);
        CHECK(keeper.advice(at) == Advice::refuse);
        CHECK(keeper.wait(at) == pause);
        CHECK(keeper.advice(at + pause - 1) == Advice::refuse);
        at += pause;
        CHECK(keeper.advice(at) == Advice::fetch);
        CHECK(keeper.wait(at) == 0);
    }
    keeper.store(bearer(at + 3600), at);
    keeper.failed(at + 3300);
    CHECK(keeper.wait(at + 3300) == 1);
}

TEST_CASE("a renewal that fails leaves what there is in use") {
    Keeper keeper;
    keeper.store(bearer(now + 3600), now);
    keeper.failed(now + 3300);
    CHECK(keeper.advice(now + 3300) == Advice::use);
    CHECK(keeper.advice(now + 3301) == Advice::renew);
    keeper.failed(now + 3595);
    CHECK(keeper.advice(now + 3595) == Advice::refuse);
}

TEST_CASE("without a pause the next call tries again") {
    Keeper keeper(0);
    keeper.failed(now);
    CHECK(keeper.advice(now) == Advice::fetch);
}

TEST_CASE("a clock that is set back makes nobody wait for it") {
    constexpr Time hours = 2 * 3600;
    Keeper keeper;
    keeper.failed(now);
    CHECK(keeper.wait(now - hours) == 0);
    CHECK(keeper.advice(now - hours) == Advice::fetch);

    keeper.store(bearer(now + 3600), now);
    CHECK(keeper.reject(now - hours));
    CHECK(keeper.advice(now - hours) == Advice::fetch);
}

TEST_CASE("one that the provider refuses is dropped, but not all the time") {
    Keeper keeper;
    CHECK_FALSE(keeper.reject(now));
    keeper.store(bearer(now + 3600), now);
    CHECK_FALSE(keeper.reject(now + 29));
    CHECK(keeper.advice(now + 29) == Advice::use);
    CHECK(keeper.reject(now + 30));
    CHECK(keeper.advice(now + 30) == Advice::fetch);
}
