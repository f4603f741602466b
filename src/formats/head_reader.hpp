// The few members of a request that routing needs, where they are called what
// OpenAI calls them.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/fields.hpp"
#include "llm/format.hpp"

namespace llm::fields {

// Reads what llm::Format::parse_head() promises. Functions return false after
// they have set the error; result() is that or the head.
class HeadReader : Reader {
public:
    explicit HeadReader(json::Value root) : root_(root) {}

    // That the body is an object is checked with its model.
    bool read_model();
    // A member that must be an array with something in it.
    bool check_list(std::string_view name);
    // `otherwise`: whether the API streams where the request does not say.
    bool read_stream(bool otherwise = false);
    bool read_stream_options();
    bool read_max_tokens(std::string_view name, std::int64_t least);

    using Reader::fail;

    Result<RequestHead> result(bool read);

    RequestHead head;

private:
    json::Value root_;
};

}  // namespace llm::fields
