#include "catch.hpp"
#include "llm/resolv.hpp"

using namespace llm;

using Views = std::vector<std::string_view>;

TEST_CASE("a hosts file gives a name all its addresses") {
    auto hosts = "# 10.9.9.9 vllm\n"
                 "127.0.0.1\tlocalhost\n"
                 "10.0.0.1  gpu1.lan gpu1   # vllm\r\n"
                 "\n"
                 "   10.0.0.2 GPU1\n"
                 "fe80::1 gpu1 gpu1\n"
                 "10.0.0.3 gpu10";

    CHECK(hosts_addresses(hosts, "localhost") == Views{"127.0.0.1"});
    CHECK(hosts_addresses(hosts, "gpu1")
          == Views{"10.0.0.1", "10.0.0.2", "fe80::1"});
    CHECK(hosts_addresses(hosts, "Gpu1.LAN") == Views{"10.0.0.1"});
    CHECK(hosts_addresses(hosts, "gpu10") == Views{"10.0.0.3"});
    CHECK(hosts_addresses(hosts, "vllm").empty());
    CHECK(hosts_addresses(hosts, "10.0.0.3").empty());
    CHECK(hosts_addresses("", "localhost").empty());
}

TEST_CASE("resolv.conf names the servers to ask") {
    auto conf = "; made by hand\n"
                "search lan\n"
                "nameserver 10.0.0.53 # first\n"
                "  nameserver\t2001:db8::53\n"
                "#nameserver 10.0.0.54\n"
                "nameserver\n"
                "nameservers 10.0.0.55\n"
                "options timeout:1";
    CHECK(resolv_nameservers(conf) == Views{"10.0.0.53", "2001:db8::53"});
    CHECK(resolv_nameservers("").empty());
}
