// The system's own name files, as far as a resolver that never blocks can use
// them: hosts(5) and the name servers of resolv.conf(5). "search", "domain"
// and "ndots" have no effect: names are looked up as they are written.
#pragma once

#include <string_view>
#include <vector>

namespace llm {

// The addresses that a text in the form of /etc/hosts gives a name, in their
// order; names compare without case. Not checked to be addresses.
std::vector<std::string_view> hosts_addresses(std::string_view text,
                                              std::string_view name);

// The name servers of a text in the form of /etc/resolv.conf, in their order.
std::vector<std::string_view> resolv_nameservers(std::string_view text);

}  // namespace llm
