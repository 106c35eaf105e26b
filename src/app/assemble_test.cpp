#include "app/assemble.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <map>

#include "app/config_check.hpp"

namespace meshai::app {
namespace {

using ::testing::HasSubstr;

// ---- proxies of the environment

struct proxies : ::testing::Test {
  std::string of(std::string_view url) {
    return proxy_from_environment(url, [this](const char* name) { return set[name]; });
  }
  std::map<std::string, std::string> set{{"HTTPS_PROXY", "http://p:1"}, {"http_proxy", "http://q:2"}};
};

TEST_F(proxies, are_taken_by_scheme) {
  EXPECT_EQ(of("https://api.example.com/v1"), "http://p:1");
  EXPECT_EQ(of("http://api.example.com/v1"), "http://q:2");
  EXPECT_EQ(of("unix:///run/x.sock"), "");
  set = {{"https_proxy", "http://r:3"}};
  EXPECT_EQ(of("https://api.example.com/v1"), "http://r:3");
  EXPECT_EQ(of("http://api.example.com/v1"), "");
}

// A request header "Proxy" becomes HTTP_PROXY in a CGI's environment.
TEST_F(proxies, upper_case_http_proxy_is_not_read) {
  set = {{"HTTP_PROXY", "http://evil:1"}};
  EXPECT_EQ(of("http://api.example.com/v1"), "");
}

TEST_F(proxies, no_proxy_lists_hosts_and_their_domains) {
  for (const auto* list : {"example.com", ".example.com", "a, example.com ,b", "api.example.com", "*"}) {
    set["NO_PROXY"] = list;
    EXPECT_EQ(of("https://api.example.com/v1"), "") << list;
  }
  for (const auto* list : {"", "ample.com", "api.example.co", "x.api.example.com", ","}) {
    set["NO_PROXY"] = list;
    EXPECT_EQ(of("https://api.example.com/v1"), "http://p:1") << list;
  }
  set = {{"HTTPS_PROXY", "http://p:1"}, {"no_proxy", "example.com"}};
  EXPECT_EQ(of("https://api.example.com/v1"), "");
}

// ---- a whole plan

struct assembled : ::testing::Test {
  void SetUp() override {
    ::setenv("MESHAI_TEST_A", "k-a", 1);
    ::setenv("HTTPS_PROXY", "http://proxy.example:3128", 1);
    ::setenv("http_proxy", "http://proxy.example:3128", 1);
  }
  void TearDown() override {
    for (const auto* name : {"MESHAI_TEST_A", "MESHAI_TEST_B", "HTTPS_PROXY", "http_proxy"}) ::unsetenv(name);
  }
  static result<node::plan> read(std::string_view text) {
    auto parsed = parse_config(text, "t.toml");
    EXPECT_TRUE(parsed) << parsed.error().detail;
    return assemble(*parsed, {});
  }
  static std::string node(std::string_view members) {
    return "[[node]]\nname = \"n\"\nmodels = [\"m\"]\n" + std::string(members);
  }
};

TEST_F(assembled, a_node_whose_key_is_unset_is_off_and_says_what_to_type) {
  const auto made = read(node("tier = \"cloud\"\nkind = \"openai\"\nkey = \"env:MESHAI_TEST_B\""));
  ASSERT_TRUE(made) << made.error().detail;
  ASSERT_EQ(made->nodes.size(), 1u) << "it is listed";
  EXPECT_THAT(made->nodes[0].off, HasSubstr("export MESHAI_TEST_B="));
  EXPECT_TRUE(made->upstreams[0].keys.empty());
  const auto other = read(node("tier = \"cloud\"\nkind = \"openai\"\nkey = \"file:/nonexistent/key\""));
  EXPECT_THAT(other->nodes[0].off, HasSubstr("/nonexistent/key"));
}

TEST_F(assembled, one_key_of_several_is_enough) {
  const auto made =
      read(node("tier = \"cloud\"\nkind = \"openai\"\nkey = [\"env:MESHAI_TEST_B\", \"env:MESHAI_TEST_A\"]"));
  EXPECT_EQ(made->nodes[0].off, "");
  ASSERT_EQ(made->upstreams[0].keys.size(), 1u);
  EXPECT_EQ(made->upstreams[0].keys[0].reveal(), "k-a");
}

TEST_F(assembled, a_key_of_a_caller_that_cannot_be_read_names_the_line_to_type) {
  const auto made = read("[[key]]\nname = \"me\"\nsecret = \"env:MESHAI_TEST_B\"\n" +
                         node("tier = \"local\"\nkind = \"openai-compatible\"\nurl = \"http://127.0.0.1/v1\""));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().detail, HasSubstr("[[key]] \"me\""));
  EXPECT_THAT(made.error().detail, HasSubstr("export MESHAI_TEST_B="));
}

TEST_F(assembled, the_environments_proxy_is_for_far_nodes_only) {
  const auto proxy_of = [](std::string_view members) { return read(node(members))->upstreams[0].proxy; };
  const std::string rest = "kind = \"openai-compatible\"\nurl = \"http://127.0.0.1:1/v1\"\n";
  EXPECT_EQ(proxy_of("tier = \"local\"\n" + rest), "");
  EXPECT_EQ(proxy_of("tier = \"neighbour\"\n" + rest), "");
  EXPECT_EQ(proxy_of("tier = \"regional\"\n" + rest), "http://proxy.example:3128");
  EXPECT_EQ(proxy_of("tier = \"cloud\"\n" + rest), "http://proxy.example:3128");
  EXPECT_EQ(proxy_of("tier = \"cloud\"\nproxy = \"none\"\n" + rest), "");
  EXPECT_EQ(proxy_of("tier = \"cloud\"\nproxy = \"http://other:1\"\n" + rest), "http://other:1");
}

TEST_F(assembled, ca_headers_and_query_are_the_nodes_own) {
  const auto made =
      read(node("tier = \"cloud\"\nkind = \"openai-compatible\"\nurl = \"https://x.example/v1\"\n"
                "ca = \"file:/etc/ca.pem\"\nheaders = { X-Team = \"blue\" }\nquery = { v = \"1\" }"));
  const auto& to = made->upstreams[0];
  EXPECT_EQ(to.ca, "/etc/ca.pem");
  EXPECT_EQ(to.headers, (upstream::fields{{"X-Team", "blue"}}));
  EXPECT_EQ(to.query, (upstream::fields{{"v", "1"}}));
}

// A server on this device would fetch from inside the house.
TEST_F(assembled, image_urls_go_to_providers_that_fetch_them) {
  const auto takes = [](std::string_view members) { return read(node(members))->nodes[0].image_urls; };
  EXPECT_TRUE(takes("tier = \"cloud\"\nkind = \"openai\"\n"));
  EXPECT_TRUE(takes("tier = \"cloud\"\nkind = \"anthropic\"\n"));
  EXPECT_FALSE(takes("tier = \"cloud\"\nkind = \"gemini\"\n"));
  const std::string own = "kind = \"openai-compatible\"\nurl = \"http://127.0.0.1:1/v1\"\n";
  EXPECT_FALSE(takes("tier = \"local\"\n" + own));
  EXPECT_FALSE(takes("tier = \"neighbour\"\n" + own));
  EXPECT_TRUE(takes("tier = \"local\"\nimage_urls = true\n" + own));
}

TEST_F(assembled, the_engine_is_known_to_take_prefills_and_others_may_be_said_to) {
  const auto made = read("[[node]]\nname = \"here\"\ntier = \"local\"\nkind = \"engine\"\n" +
                         node("tier = \"cloud\"\nkind = \"openai-compatible\"\nurl = \"https://a.example/v1\"\n"
                              "prefill = false"));
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->nodes[0].prefill, true);
  EXPECT_EQ(made->nodes[1].prefill, false);
}

TEST_F(assembled, an_engine_costs_nothing_unless_told_and_the_price_of_others_is_unknown) {
  const std::string engine = "[[node]]\nname = \"here\"\ntier = \"local\"\nkind = \"engine\"\n";
  const std::string cloud = node("tier = \"cloud\"\nkind = \"openai\"\nkey = \"env:MESHAI_TEST_A\"\n");
  const auto made = read(engine + cloud);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->nodes[0].price, price());
  EXPECT_EQ(made->nodes[1].price, std::nullopt);
  const auto told = read(engine + "price = { input = 1, output = 2 }\n" + cloud +
                         "prices = { m = { input = 3, output = 4 } }\nlatency = \"1s\"\nenergy = 2\n");
  ASSERT_TRUE(told) << told.error().detail;
  EXPECT_EQ(told->nodes[0].price->output, 2);
  EXPECT_EQ(told->nodes[1].price_of("m")->output, 4);
  EXPECT_EQ(told->nodes[1].latency, std::chrono::seconds(1));
  EXPECT_EQ(told->nodes[1].energy, 2);
}

TEST_F(assembled, limits_are_taken_over_whole) {
  const auto made = read("[limits]\nhedge_share = 0.2\nhedge_up = true\nidle_timeout = \"3s\"\nattempts = 7\n" +
                         node("tier = \"cloud\"\nkind = \"openai\"\nkey = \"env:MESHAI_TEST_A\""));
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->limits.hedge_share, 0.2);
  EXPECT_TRUE(made->limits.hedge_up);
  EXPECT_EQ(made->limits.idle_timeout, std::chrono::seconds(3));
  EXPECT_EQ(made->limits.attempts, 7);
}

TEST_F(assembled, callers_keys_keep_their_bounds) {
  const auto made = read(
      "[api]\nreach = \"mesh\"\n[[key]]\nname = \"me\"\nsecret = \"env:MESHAI_TEST_A\"\n"
      "reach = \"site\"\nmodels = [\"m\"]\n" +
      node("tier = \"local\"\nkind = \"openai-compatible\"\nurl = \"http://127.0.0.1/v1\""));
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->api, reach::mesh);
  ASSERT_EQ(made->rules->callers.size(), 1u);
  EXPECT_EQ(made->rules->callers[0].reach, reach::site);
  EXPECT_EQ(made->rules->callers[0].models, std::vector<std::string>{"m"});
  EXPECT_TRUE(made->rules->callers[0].key.equals("k-a"));
}

}  // namespace
}  // namespace meshai::app
