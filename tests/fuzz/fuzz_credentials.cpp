// Whatever servers and files say: a step, credentials that can be sent, or an
// error without any of the text. The first byte chooses the source; what comes
// after each NUL is the next answer, whose first byte chooses the status.
#include <algorithm>
#include <vector>

#include "fuzz.hpp"
#include "llm/credentials.hpp"
#include "llm/jwt.hpp"

using namespace llm;
using namespace llm::credentials;

namespace {

constexpr Time now = 1767323045;

bool is_clean(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](unsigned char c) {
        return c < 0x20 || c == 0x7F;
    });
}

aws::Role role() {
    aws::Role role;
    role.arn = "arn:aws:iam::123456789012:role/r";
    role.sts_url = "https://sts.us-east-1.amazonaws.com";
    role.region = "us-east-1";
    return role;
}

std::unique_ptr<Source> take(Result<std::unique_ptr<Source>> source) {
    fuzz::promise(static_cast<bool>(source), "the source can be made");
    return std::move(*source);
}

std::unique_ptr<Source> make(unsigned char which) {
    switch (which % 6) {
    case 0:
        return take(google::from_metadata(google::default_metadata_url,
                                          "default", {}));
    case 1:
        return take(azure::from_application(
            {.token_url = "https://h/t", .client_id = "c",
             .token_file = "/f"}));
    case 2:
        return take(aws::from_container("http://127.0.0.1/c", "", "/f"));
    case 3:
        return take(aws::from_instance(aws::default_metadata_url));
    case 4:
        return take(aws::from_web_identity(role(), "/f"));
    default:
        return take(aws::assume_role(
            role(), take(aws::from_instance(aws::default_metadata_url))));
    }
}

std::string_view next_part(std::string_view &text) {
    auto part = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

void run(std::string_view text) {
    auto source = make(static_cast<unsigned char>(text.front()));
    text.remove_prefix(1);
    auto fetch = source->begin();
    Outcome outcome{0, {}, now};
    for (;;) {
        auto step = fetch->next(outcome);
        fuzz::promise(is_clean(fetch->detail()), "a detail is one line");
        if (!step) {
            fuzz::promise(is_clean(step.error().message)
                              && step.error().message.size() < 300,
                          "an error is short", step.error().message);
            return;
        }
        if (auto *keys = std::get_if<Credential>(&*step)) {
            fuzz::promise(is_clean(keys->token) && is_clean(keys->access_key)
                              && is_clean(keys->secret_key),
                          "credentials can be sent");
            fuzz::promise(keys->expires > now, "credentials are good");
            return;
        }
        bool reads = std::holds_alternative<ReadFile>(*step);
        if (auto *request = std::get_if<HttpRequest>(&*step)) {
            fuzz::promise(request->server < source->servers().size(),
                          "the server is known");
            fuzz::promise(is_clean(request->path), "the path can be sent",
                          request->path);
            for (const auto &[name, value] : request->headers) {
                fuzz::promise(is_clean(value), "headers can be sent", value);
            }
        }
        auto part = next_part(text);
        int status = reads ? 0
                     : part.starts_with('-') ? 400
                                             : 200;
        if (part.starts_with('-')) {
            part.remove_prefix(1);
        }
        outcome = {status, part, now};
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    if (size == 0) {
        return 0;
    }
    std::string_view text(reinterpret_cast<const char *>(data), size);
    run(text);

    // Files, and URLs of the environment.
    (void) google::from_file(text, "s", {});
    if (text.starts_with("-----BEGIN")) {
        // Of anything else OpenSSL takes long to find that it is no key.
        (void) jwt::RsaKey::parse(text);
    }
    if (auto keys = aws::read_profile(text, "default")) {
        fuzz::promise(is_clean(keys->access_key)
                          && is_clean(keys->secret_key)
                          && is_clean(keys->token),
                      "keys can be sent");
    }
    if (auto url = split_url(text)) {
        fuzz::promise(is_clean(url->path), "a path can be sent", url->path);
    }
    (void) aws::is_container_url(text);
    (void) aws::region_of_host(text);
    (void) aws::explain_refusal(text, text);
    return 0;
}
