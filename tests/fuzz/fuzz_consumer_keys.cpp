// A key file is refused with a message that names a line, or every key of it
// is found. The same bytes as a pattern and as a header are harmless.
#include "fuzz.hpp"
#include "llm/consumer.hpp"

using namespace llm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    std::string_view text(reinterpret_cast<const char *>(data), size);
    auto keys = ConsumerKeys::parse(text);
    if (keys) {
        for (const auto &consumer : keys->all()) {
            fuzz::promise(keys->find(consumer.digest) == &consumer,
                          "a key is found", text);
            fuzz::promise(!consumer.name.empty(), "a key has a name", text);
            (void)consumer.may_use(text.substr(0, 100));
        }
    } else {
        fuzz::promise(keys.error().message.starts_with("line "),
                      "errors name the line", text);
    }

    // In pieces it is the same.
    ConsumerKeysReader reader(text);
    std::size_t lines = 1 + size % 3;
    Result<void> read;
    while (read && !reader.done()) {
        read = reader.read(lines);
    }
    fuzz::promise(static_cast<bool>(read) == static_cast<bool>(keys),
                  "pieces are as good as the whole", text);
    fuzz::promise(!read || reader.take().all().size() == keys->all().size(),
                  "pieces have as many keys", text);

    // What Redis may say, and what may be in memory.
    auto fields = unpack_fields(text);
    fuzz::promise(fields.empty() || pack_fields(fields) == text,
                  "fields are packed as they were", text);
    if (auto consumer = consumer_of_fields({}, fields)) {
        fuzz::promise(!consumer->name.empty(), "a key has a name", text);
    }

    auto half = text.substr(0, size / 2);
    if (half.find('*') == std::string_view::npos) {
        fuzz::promise(matches_model(half, half), "a name matches itself",
                      text);
    }
    (void)matches_model(half, text.substr(size / 2));
    for (auto source :
         {CredentialSource::authorization, CredentialSource::own_header})
    {
        auto key = credential_in(source, text);
        fuzz::promise(key.find_first_of(" \t") == std::string_view::npos,
                      "a credential is one word", text);
    }
    return 0;
}
