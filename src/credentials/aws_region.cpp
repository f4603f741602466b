#include <algorithm>

#include "credentials/aws.hpp"

namespace llm::credentials::aws {

bool is_region(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 63
           && std::all_of(text.begin(), text.end(), [](unsigned char c) {
                  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
                         || c == '-';
              });
}

std::string_view region_of_host(std::string_view host) noexcept {
    for (std::string_view service :
         {"bedrock-runtime.", "bedrock-runtime-fips.", "bedrock-mantle."}) {
        if (!host.starts_with(service)) {
            continue;
        }
        auto rest = host.substr(service.size());
        auto region = rest.substr(0, rest.find('.'));
        auto domain = rest.substr(region.size());
        bool is_aws = domain == ".amazonaws.com"
                      || domain == ".amazonaws.com.cn"
                      || domain == ".api.aws";
        return is_aws && is_region(region) ? region : std::string_view();
    }
    return {};
}

std::string_view service_of_host(std::string_view host) noexcept {
    return host.starts_with("bedrock-mantle.") ? "bedrock-mantle" : "bedrock";
}

std::string sts_url(std::string_view region) {
    std::string url("https://sts.");
    url.append(region).append(".amazonaws.com");
    return region.starts_with("cn-") ? url.append(".cn") : url;
}

}  // namespace llm::credentials::aws
