#include "catch.hpp"
#include "llm/consumer.hpp"

using namespace llm;

namespace {

// Of "secret".
const std::string secret_hex =
    "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

std::string digest_of_number(int number) {
    auto text = std::to_string(number);
    return std::string(64 - text.size(), 'a') + text;
}

std::string error_of(std::string_view file) {
    auto keys = ConsumerKeys::parse(file);
    return keys ? std::string("no error") : keys.error().message;
}

}  // namespace

TEST_CASE("a key file says whose a key is") {
    auto keys = ConsumerKeys::parse(
        "# who may call\n"
        "\n"
        "alice " + secret_hex + "\n"
        "bob\t" + digest_of_number(1)
        + "  group=research expires=2027-06-30 models=gpt-4o*,o3 \\\r\n");
    REQUIRE_FALSE(keys);
    CHECK(keys.error().message == "line 4: no value in \"\\\"");

    keys = ConsumerKeys::parse(
        "# who may call\n"
        "\n"
        "alice " + secret_hex + "\n"
        "bob\t" + digest_of_number(1)
        + "  group=research expires=2027-06-30 models=gpt-4o*,o3 "
          "deny_models=*-preview rate=200k/m rate.daily=2m/d "
          "meta.cost_center=\"R \\\"17\\\"\" # since May\r\n"
          "  bob " + digest_of_number(2) + " expires=2027-06-30T12:30:01Z");
    REQUIRE(keys);
    CHECK(keys->all().size() == 3);

    auto *alice = keys->find(digest_of_key("secret"));
    REQUIRE(alice != nullptr);
    CHECK(alice->name == "alice");
    CHECK(alice->group.empty());
    CHECK_FALSE(alice->is_expired(INT64_MAX));
    CHECK(alice->may_use("anything"));
    CHECK(alice->rate_of("daily").empty());
    CHECK(keys->find(digest_of_key("Secret")) == nullptr);

    const auto &bob = keys->all()[1];
    CHECK(bob.group == "research");
    // Through that day.
    CHECK_FALSE(bob.is_expired(1814399999));
    CHECK(bob.is_expired(1814400000));
    CHECK(bob.may_use("gpt-4o-mini"));
    CHECK_FALSE(bob.may_use("gpt-4o-preview"));
    CHECK_FALSE(bob.may_use("o3-mini"));
    CHECK(bob.rate_of("daily") == "2m/d");
    CHECK(bob.rate_of("team") == "200k/m");
    CHECK(bob.meta("cost_center") == "R \"17\"");
    CHECK(bob.meta("none").empty());
    CHECK(keys->all()[2].expires == 1814400000 - 86400 + 45001);
}

TEST_CASE("an empty key file lets nobody in") {
    auto keys = ConsumerKeys::parse("");
    REQUIRE(keys);
    CHECK(keys->all().empty());
    CHECK(keys->find(digest_of_key("")) == nullptr);
    CHECK(ConsumerKeys().find(digest_of_key("")) == nullptr);
}

TEST_CASE("every mistake in a key file is named with its line") {
    auto line = "a " + secret_hex;
    CHECK(error_of("\n\nalice\n")
          == "line 3: no SHA-256 of 64 hexadecimal digits after the name");
    // Either might be the key itself.
    CHECK(error_of("alice sk-secret")
          == "line 1: no SHA-256 of 64 hexadecimal digits after the name");
    CHECK(error_of("sk-secret alice")
          == "line 1: no SHA-256 of 64 hexadecimal digits after the name");
    CHECK(error_of(line + "f") == "line 1: no SHA-256 of 64 hexadecimal "
                                  "digits after the name");
    CHECK(error_of("a\"b " + secret_hex) == "line 1: invalid name \"a\"b\"");
    CHECK(error_of(line + " colour=red")
          == "line 1: unknown parameter \"colour\"");
    CHECK(error_of(line + " group") == "line 1: no value in \"group\"");
    CHECK(error_of(line + " group=") == "line 1: no value in \"group\"");
    CHECK(error_of(line + " group=x group=y")
          == "line 1: duplicate parameter \"group\"");
    CHECK(error_of(line + " group=\"a b\"")
          == "line 1: invalid group \"a b\": must be a name");
    CHECK(error_of(line + " group=\"a")
          == "line 1: quotes are wrong in the value of \"group\"");
    CHECK(error_of(line + " group=\"a\"b")
          == "line 1: quotes are wrong in the value of \"group\"");
    CHECK(error_of(line + " group=a\"b\"")
          == "line 1: quotes are wrong in the value of \"group\"");
    for (const char *time :
         {"2027-02-29", "2027-13-01", "27-01-01", "tomorrow", "1970-01-01",
          "2027-01-01T24:00:00Z", "2027-01-01T12:00:00", "2027-01-00"})
    {
        CHECK(error_of(line + " expires=" + time)
              == std::string("line 1: invalid expires \"") + time
                     + "\": must be like 2027-06-30 or "
                       "2027-06-30T12:00:00Z");
    }
    CHECK(error_of(line + " models=a,,b")
          == "line 1: invalid models \"a,,b\": has an empty pattern");
    CHECK(error_of(line + " rate=fast")
          == "line 1: invalid rate \"fast\": has no period: use \"100k/m\", "
             "say");
    CHECK(error_of(line + " rate.x=1/m rate.x=2/m")
          == "line 1: duplicate parameter \"rate.x\"");
    CHECK(error_of(line + " meta.a-b=1")
          == "line 1: unknown parameter \"meta.a-b\"");
    CHECK(error_of(line + " meta.a=\x01")
          == "line 1: invalid meta.a \"\x01\": has a control character");
    CHECK(error_of(line + "\n" + "b " + secret_hex)
          == "line 2: the key of line 1 again");
    CHECK(error_of("\xFF " + secret_hex) == "line 1: is not UTF-8");
    CHECK(error_of(line + " meta.a=" + std::string(70'000, 'x'))
          == "line 1: is too long");
}

TEST_CASE("of many keys each is found") {
    std::string file;
    for (int i = 0; i < 20'000; ++i) {
        std::string hex;
        for (auto byte : digest_of_key(std::to_string(i))) {
            hex.push_back("0123456789abcdef"[byte >> 4]);
            hex.push_back("0123456789ABCDEF"[byte & 0xF]);
        }
        file += "user" + std::to_string(i) + " " + hex + "\n";
    }
    auto keys = ConsumerKeys::parse(file);
    REQUIRE(keys);
    for (int i = 0; i < 20'000; ++i) {
        auto *found = keys->find(digest_of_key(std::to_string(i)));
        REQUIRE(found != nullptr);
        REQUIRE(found->name == "user" + std::to_string(i));
    }
    CHECK(keys->find(digest_of_key("20000")) == nullptr);
}

TEST_CASE("digests are compared to their end") {
    auto a = digest_of_key("a");
    CHECK(equal_in_constant_time(a, a));
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto b = a;
        b[i] ^= 0x80;
        CHECK_FALSE(equal_in_constant_time(a, b));
    }
}

TEST_CASE("patterns of models stand for models") {
    CHECK(matches_model("gpt-4o", "gpt-4o"));
    CHECK(matches_model("gpt-4o", "GPT-4o"));
    CHECK_FALSE(matches_model("gpt-4o", "gpt-4o-mini"));
    CHECK(matches_model("gpt-4o*", "gpt-4o"));
    CHECK(matches_model("*", ""));
    CHECK(matches_model("openai/*", "openai/o3"));
    CHECK(matches_model("*-mini", "gpt-4o-mini-mini"));
    CHECK(matches_model("*a*b*c", "xxaxbxbc"));
    CHECK_FALSE(matches_model("*a*b*c", "xxaxcxb"));
    CHECK_FALSE(matches_model("", "x"));
    CHECK(matches_model("", ""));
    CHECK(matches_model("**", "x"));
    // In no time.
    std::string stars(1000, '*');
    stars.push_back('b');
    CHECK_FALSE(matches_model(stars, std::string(10'000, 'a')));

    std::string allowed[] = {"gpt-*", "o3"};
    std::string denied[] = {"*-preview"};
    CHECK(is_model_allowed(allowed, denied, "gpt-5"));
    CHECK_FALSE(is_model_allowed(allowed, denied, "gpt-5-preview"));
    CHECK_FALSE(is_model_allowed(allowed, denied, "claude"));
    CHECK(is_model_allowed({}, denied, "claude"));
    CHECK_FALSE(is_model_allowed({}, denied, "claude-preview"));
}

TEST_CASE("a list of patterns may have blanks in it") {
    auto keys = ConsumerKeys::parse("a " + secret_hex
                                    + " models=\"gpt-*, o*\" "
                                      "deny_models=\" o1 , o3\"");
    REQUIRE(keys);
    const auto &key = keys->all()[0];
    CHECK(key.may_use("gpt-4o"));
    CHECK(key.may_use("o4"));
    CHECK_FALSE(key.may_use("o1"));
    CHECK_FALSE(key.may_use("o3"));
    CHECK(error_of("a " + secret_hex + " models=\"a, ,b\"")
          == "line 1: invalid models \"a, ,b\": has an empty pattern");
}

TEST_CASE("a credential is in one of the headers that clients use") {
    using enum CredentialSource;
    CHECK(credential_in(authorization, "Bearer sk-1") == "sk-1");
    CHECK(credential_in(authorization, "  bEARER \t sk-1 ") == "sk-1");
    CHECK(credential_in(authorization, "Bearer").empty());
    CHECK(credential_in(authorization, "Bearer  ").empty());
    CHECK(credential_in(authorization, "Bearersk-1").empty());
    CHECK(credential_in(authorization, "Basic dTpw").empty());
    CHECK(credential_in(authorization, "Bearer a b").empty());
    CHECK(credential_in(authorization, "").empty());
    CHECK(credential_in(own_header, " sk-1 ") == "sk-1");
    CHECK(credential_in(own_header, "sk-1") == "sk-1");
    CHECK(credential_in(own_header, "a b").empty());
}

TEST_CASE("a key file is read some lines at a time") {
    std::string file;
    for (int i = 0; i < 10; ++i) {
        file += "# number " + std::to_string(i) + "\nname"
                + std::to_string(i) + " " + digest_of_number(i) + "\n";
    }
    for (std::size_t lines : {1, 3, 20, 100}) {
        ConsumerKeysReader reader(file);
        std::size_t turns = 0;
        while (!reader.done()) {
            REQUIRE(reader.read(lines));
            ++turns;
        }
        CHECK(turns == (20 + lines - 1) / lines);
        auto keys = reader.take();
        REQUIRE(keys.all().size() == 10);
        for (const auto &consumer : keys.all()) {
            CHECK(keys.find(consumer.digest) == &consumer);
        }
    }
}

TEST_CASE("the error of a later turn names the line of the file") {
    std::string file = "a " + digest_of_number(1) + "\n\nb "
                       + digest_of_number(1) + "\n";
    ConsumerKeysReader reader(file);
    REQUIRE(reader.read(2));
    auto read = reader.read(1);
    REQUIRE_FALSE(read);
    CHECK(read.error().message == "line 3: the key of line 1 again");
}

TEST_CASE("a hash in Redis says whose a key is") {
    using Fields = std::vector<std::string_view>;
    auto digest = digest_of_key("secret");
    Fields fields = {"name", "alice", "models", "o3", "meta.team", "R 17"};
    auto alice = consumer_of_fields(digest, fields);
    REQUIRE(alice);
    CHECK(alice->name == "alice");
    CHECK(alice->digest == digest);
    CHECK(alice->meta("team") == "R 17");
    CHECK_FALSE(alice->may_use("gpt-4o"));

    auto error = [&](const Fields &wrong) {
        auto read = consumer_of_fields(digest, wrong);
        return read ? std::string("no error") : read.error().message;
    };
    CHECK(error({}) == "has no field \"name\"");
    CHECK(error({"group", "a"}) == "has no field \"name\"");
    CHECK(error({"name", "a b"}) == "invalid name \"a b\"");
    CHECK(error({"name", "a", "zork", "1"})
          == "unknown parameter \"zork\"");
    CHECK(error({"name", "a", "meta.x", "\xff"}) == "is not UTF-8");
}

TEST_CASE("fields can be packed") {
    std::vector<std::string_view> fields = {"name", "", "x",
                                            std::string_view("\0\n", 2)};
    auto packed = pack_fields(fields);
    CHECK(unpack_fields(packed) == fields);
    CHECK(unpack_fields({}).empty());
    for (std::size_t size = 1; size < packed.size(); ++size) {
        CHECK(unpack_fields(packed.substr(0, size)) != fields);
    }
}

TEST_CASE("a digest in hexadecimal") {
    CHECK(to_hex(digest_of_key("secret")) == secret_hex);
}
