// Beta features, where the body names them. Source: Claude on Amazon Bedrock,
// in AWS' docs ("anthropic_beta") and in Anthropic's Python SDK.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "formats/anthropic/anthropic.hpp"

namespace llm::anthropic {

namespace {

constexpr std::string_view white_space = " \t";

std::string_view trim(std::string_view text) {
    std::size_t begin = text.find_first_not_of(white_space);
    if (begin == text.npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(white_space) + 1 - begin);
}

}  // namespace

std::string beta_features(std::string_view listed, json::Value in_body) {
    std::vector<std::string_view> features;
    auto add = [&](std::string_view feature) {
        if (!feature.empty()
            && std::find(features.begin(), features.end(), feature)
                   == features.end()) {
            features.push_back(feature);
        }
    };
    for (json::Value feature : in_body.elements()) {
        add(feature.string());
    }
    while (!listed.empty()) {
        std::string_view feature = listed.substr(0, listed.find(','));
        listed.remove_prefix(std::min(feature.size() + 1, listed.size()));
        add(trim(feature));
    }
    if (features.empty()) {
        return {};
    }

    std::string array;
    json::Writer writer(array);
    writer.begin_array();
    for (std::string_view feature : features) {
        writer.string(feature);
    }
    writer.end_array();
    return array;
}

}  // namespace llm::anthropic
