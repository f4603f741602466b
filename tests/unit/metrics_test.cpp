#include "catch.hpp"

#include "llm/metrics.hpp"

using llm::metrics::Exposition;
using llm::metrics::Kind;

TEST_CASE("a family has its help and type before its samples", "[metrics]") {
    std::string out;
    Exposition exposition(out);
    exposition.family("llm_cache_hits_total", Kind::counter, "Answers.");
    exposition.sample({{"zone", "answers"}, {"match", "exact"}}, 3);
    exposition.sample({{"zone", "answers"}, {"match", "semantic"}}, 0);
    exposition.family("llm_cache_entries", Kind::gauge, "Entries now.");
    exposition.sample({}, 18446744073709551615u);

    CHECK(out == "# HELP llm_cache_hits_total Answers.\n"
                 "# TYPE llm_cache_hits_total counter\n"
                 "llm_cache_hits_total{zone=\"answers\",match=\"exact\"} 3\n"
                 "llm_cache_hits_total{zone=\"answers\",match=\"semantic\"} 0\n"
                 "# HELP llm_cache_entries Entries now.\n"
                 "# TYPE llm_cache_entries gauge\n"
                 "llm_cache_entries 18446744073709551615\n");
}

TEST_CASE("values of labels are escaped", "[metrics]") {
    std::string out;
    Exposition exposition(out);
    exposition.family("x", Kind::gauge, "X.");
    out.clear();
    exposition.sample({{"a", "say \"hi\"\\\n"}}, 1);
    CHECK(out == "x{a=\"say \\\"hi\\\"\\\\\\n\"} 1\n");
}

TEST_CASE("values of labels are UTF-8, whatever they were", "[metrics]") {
    std::string out;
    Exposition exposition(out);
    exposition.family("x", Kind::gauge, "X.");
    out.clear();
    // Names of models are what clients write into a path.
    exposition.sample({{"a", "m\xC3\xBC\xFF\xE2\x82"}}, 1);
    exposition.sample({{"a", std::string_view("n\0\r\x7F", 4)}}, 2);
    CHECK(out == "x{a=\"m\xC3\xBC\\\\xff\\\\xe2\\\\x82\"} 1\n"
                 "x{a=\"n\\\\x00\\\\x0d\\\\x7f\"} 2\n");
}

TEST_CASE("billionths are written as decimals", "[metrics]") {
    std::string out;
    Exposition exposition(out);
    exposition.family("x_total", Kind::counter, "X.");
    out.clear();
    exposition.sample_nano({}, 0);
    exposition.sample_nano({{"a", "b"}}, 1'000'000'005);
    exposition.sample_nano({}, 18446744073709551615u);
    CHECK(out == "x_total 0.000000000\n"
                 "x_total{a=\"b\"} 1.000000005\n"
                 "x_total 18446744073.709551615\n");
}
