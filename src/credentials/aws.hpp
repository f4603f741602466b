// AWS's answers, shared by the sources.
#pragma once

#include "credentials/common.hpp"

namespace llm::credentials::aws {

// The JSON of the container agent and the instance's metadata service:
// {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}.
Result<Credential> read_session(std::string_view who, const Outcome &outcome,
                                std::string &detail);

// The XML of STS: <Credentials> of an AssumeRole..., or <Error>.
Result<Credential> read_sts(const Outcome &outcome, std::string &detail);

// The text between <name> and </name>, where that comes first; entities are
// replaced. No value: there is none.
std::optional<std::string> element(std::string_view xml,
                                   std::string_view name);

// The URL's path without slashes at its end.
std::string prefix_of(const Url &url);

}  // namespace llm::credentials::aws
