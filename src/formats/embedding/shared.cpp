#include "formats/embedding/shared.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "text/base64.hpp"

namespace llm::embedding {

using json::Value;

namespace {

std::string element(std::string_view name, std::size_t index) {
    return std::string(name) + '[' + std::to_string(index) + ']';
}

bool is_tokens(Value value) {
    if (value.is_packed()) {
        return true;
    }
    auto elements = value.elements();
    return value.is_array() && value.size() != 0
           && std::all_of(elements.begin(), elements.end(),
                          [](Value token) { return token.is_number(); });
}

Error empty_input(std::string param) {
    return invalid_request("an empty text has no embedding",
                           std::move(param));
}

void append_float(std::string &out, float value) {
    char digits[32];
    auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

std::string little_endian(std::span<const float> floats) {
    std::string bytes;
    bytes.reserve(floats.size() * 4);
    for (float value : floats) {
        auto bits = std::bit_cast<std::uint32_t>(value);
        for (int shift = 0; shift < 32; shift += 8) {
            bytes.push_back(static_cast<char>(bits >> shift & 0xFF));
        }
    }
    return bytes;
}

}  // namespace

Result<std::string_view> read_text(Value object, std::string_view name) {
    Value value = object[name];
    if (value.is_null() || value.is_string()) {
        return value.string();
    }
    return invalid_request('"' + std::string(name) + "\" must be a string",
                           std::string(name));
}

Result<std::optional<std::int64_t>> read_dimensions(Value value,
                                                    std::string_view name) {
    if (value.is_null()) {
        return std::optional<std::int64_t>();
    }
    auto number = value.integer();
    if (!number || *number < 1) {
        return invalid_request('"' + std::string(name)
                                   + "\" must be a whole number above 0",
                               std::string(name));
    }
    return std::optional<std::int64_t>(*number);
}

Result<Purpose> read_purpose(Value value, std::string_view name) {
    if (value.is_null()) {
        return Purpose::unset;
    }
    if (value.string() == "TASK_TYPE_UNSPECIFIED") {
        return Purpose::unset;
    }
    if (auto purpose = find_purpose(value.string())) {
        return *purpose;
    }
    return unsupported("this gateway knows no such \"" + std::string(name)
                           + "\"",
                       std::string(name));
}

Result<std::optional<bool>> read_truncate(Value value,
                                          std::string_view name) {
    if (value.is_null()) {
        return std::optional<bool>();
    }
    if (value.is_bool()) {
        return std::optional<bool>(value.boolean());
    }
    if (value.string() == "END" || value.string() == "NONE") {
        return std::optional<bool>(value.string() == "END");
    }
    return unsupported("other providers cannot be told this way to cut a "
                       "text that is too long",
                       std::string(name));
}

Result<void> read_input(Value value, std::string_view name,
                        Request &request) {
    if (value.is_string()) {
        if (value.string().empty()) {
            return empty_input(std::string(name));
        }
        request.inputs.push_back({value.string(), {}});
        return {};
    }
    if (!value.is_array() || value.size() == 0) {
        return invalid_request('"' + std::string(name)
                                   + "\" must be a string or a list of "
                                     "strings, and not empty",
                               std::string(name));
    }
    if (is_tokens(value)) {
        request.inputs.push_back({{}, value});
        return {};
    }

    request.list = true;
    for (Value item : value.elements()) {
        std::size_t index = request.inputs.size();
        if (item.is_string()) {
            if (item.string().empty()) {
                return empty_input(element(name, index));
            }
            request.inputs.push_back({item.string(), {}});
        } else if (is_tokens(item)) {
            request.inputs.push_back({{}, item});
        } else if (item.is_object()) {
            return unsupported("only texts are translated for other "
                               "providers",
                               element(name, index));
        } else {
            return invalid_request("an input is a string or a list of tokens",
                                   element(name, index));
        }
    }
    if (request.inputs.size() != value.size()) {
        return invalid_request("texts and tokens are mixed",
                               std::string(name));
    }
    return {};
}

void keep_extra(Value root, std::span<const std::string_view> known,
                Request &request) {
    for (auto member : root.members()) {
        if (std::find(known.begin(), known.end(), member.name)
            == known.end()) {
            request.extra.push_back(member);
        }
    }
}

Result<void> want_texts(const Request &request, std::string_view api) {
    for (const Input &input : request.inputs) {
        if (input.tokens) {
            return unsupported("the " + std::string(api)
                                   + " API takes texts, not tokens",
                               "input");
        }
    }
    return {};
}

Result<void> want_one(const Request &request, std::string_view model) {
    if (request.inputs.size() == 1) {
        return {};
    }
    return unsupported("the model \"" + std::string(model.substr(0, 128))
                           + "\" takes one text a call, and "
                           + std::to_string(request.inputs.size())
                           + " are more than the gateway makes calls for",
                       "input");
}

void write_texts(const Request &request, json::Writer &writer) {
    writer.begin_array();
    for (const Input &input : request.inputs) {
        writer.string(input.text);
    }
    writer.end_array();
}

void write_inputs(const Request &request, json::Writer &writer) {
    auto write = [&](const Input &input) {
        if (input.tokens) {
            writer.raw(input.tokens.raw());
        } else {
            writer.string(input.text);
        }
    };
    if (!request.list && request.inputs.size() == 1) {
        write(request.inputs.front());
        return;
    }
    writer.begin_array();
    for (const Input &input : request.inputs) {
        write(input);
    }
    writer.end_array();
}

// What is more is no float.
constexpr double largest = std::numeric_limits<float>::max();

bool read_floats(const Vector &vector, std::vector<float> &out) {
    if (!vector.numbers) {
        out.assign(vector.floats.begin(), vector.floats.end());
        return true;
    }
    out.clear();
    out.reserve(vector.numbers.size());
    if (!vector.numbers.is_packed()) {
        for (Value component : vector.numbers.elements()) {
            auto number = component.number();
            if (!number || std::fabs(*number) > largest) {
                return false;
            }
            out.push_back(static_cast<float>(*number));
        }
        return true;
    }

    // JSON's white space and commas stand between the numbers.
    std::string_view text = vector.numbers.raw();
    text = text.substr(1, text.size() - 2);
    for (;;) {
        text.remove_prefix(
            std::min(text.find_first_not_of(" \t\r\n,"), text.size()));
        if (text.empty()) {
            return true;
        }
        double number = 0;
        auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || std::fabs(number) > largest) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        out.push_back(static_cast<float>(number));
    }
}

void write_numbers(const Vector &vector, json::Writer &writer) {
    if (vector.numbers) {
        writer.raw(vector.numbers.raw());
        return;
    }
    std::string text = "[";
    text.reserve(vector.floats.size() * 14);
    for (float value : vector.floats) {
        if (text.size() > 1) {
            text.push_back(',');
        }
        append_float(text, value);
    }
    text.push_back(']');
    writer.raw(text);
}

Result<void> write_vector(const Vector &vector, Encoding encoding,
                          json::Writer &writer) {
    if (encoding == Encoding::floats) {
        write_numbers(vector, writer);
        return {};
    }
    std::vector<float> floats;
    if (!read_floats(vector, floats)) {
        return wrong_answer("a number in an embedding of the answer is no "
                            "32-bit float");
    }
    writer.string(base64::encode(little_endian(floats)));
    return {};
}

Error wrong_answer(std::string message) {
    Error error;
    error.kind = ErrorKind::bad_gateway;
    error.message = std::move(message);
    return error;
}

namespace {

Result<void> add_base64(std::string_view text, Response &response) {
    auto bytes = base64::decode(text);
    if (!bytes || bytes->empty() || bytes->size() % 4 != 0) {
        return wrong_answer("an embedding of the answer is no base64 of "
                            "32-bit floats");
    }
    auto &vector =
        response.vectors.emplace_back(response.vectors.get_allocator()
                                          .resource());
    vector.floats.reserve(bytes->size() / 4);
    for (std::size_t at = 0; at < bytes->size(); at += 4) {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            bits |= std::uint32_t{static_cast<unsigned char>((*bytes)[at + i])}
                    << (8 * i);
        }
        float value = std::bit_cast<float>(bits);
        if (!std::isfinite(value)) {
            return wrong_answer("an embedding of the answer is not finite");
        }
        vector.floats.push_back(value);
    }
    return {};
}

}  // namespace

Result<void> add_vector(Value value, Response &response) {
    if (value.is_string()) {
        return add_base64(value.string(), response);
    }
    if (!value.is_array()) {
        return wrong_answer("the answer has no embedding");
    }
    if (!value.is_packed() && !is_tokens(value) && value.size() != 0) {
        std::size_t index = 0;
        for (Value component : value.elements()) {
            if (!component.is_number()) {
                break;
            }
            ++index;
        }
        return wrong_answer("component " + std::to_string(index)
                            + " of the embedding is no number");
    }
    response.vectors.emplace_back(response.vectors.get_allocator().resource())
        .numbers = value;
    return {};
}

Result<void> add_vectors(Value list, Response &response) {
    for (Value vector : list.elements()) {
        if (auto added = add_vector(vector, response); !added) {
            return added;
        }
    }
    // Numbers among the vectors would not have been seen.
    if (response.vectors.empty() || response.vectors.size() != list.size()) {
        return wrong_answer("the answer has no embedding");
    }
    return {};
}

void set_usage(Value tokens, Response &response) {
    auto count = tokens.integer();
    if (!count || *count < 0) {
        return;
    }
    response.usage.known = true;
    response.usage.prompt_tokens += *count;
    response.usage.total_tokens = response.usage.prompt_tokens;
}

}  // namespace llm::embedding
