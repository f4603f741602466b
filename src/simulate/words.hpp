// What a simulated model understands of a user's text: its words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llm::simulate {

// Words of letters and digits (and of all that is not ASCII), views of text.
std::vector<std::string_view> split_words(std::string_view text);

// The last words that start with a capital, side by side: "New York" of
// "What is the weather in New York?". Empty where there are none.
std::string_view last_name(std::string_view text);

// Whether `needle` is in text, ASCII letters in any case.
bool contains(std::string_view text, std::string_view needle);

// Whether the user's text speaks of a tool: its name or a word of its name
// (get_weather, getWeather: "weather") is in it.
bool mentions(std::string_view text, std::string_view tool_name);

}  // namespace llm::simulate
