#include "app/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "app/config_check.hpp"

namespace meshai::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::string_view from_the_manual = R"(
[api]
listen = "127.0.0.1:9437"

[[key]]
name = "me"
secret = "env:MESHAI_KEY"

[[node]]
name = "here"
tier = "local"
kind = "engine"
model = "default"

[[node]]
name = "openai"
tier = "cloud"
kind = "openai"
url = "http://127.0.0.1:18080/v1"
key = "env:OPENAI_API_KEY"
models = ["gpt-4o", "gpt-4o-mini"]

[[model]]
name = "gpt-4"
route = ["openai/gpt-4o", "here"]

[limits]
first_token_timeout = "10s"
idle_timeout = "10s"
attempts = 4
)";

constexpr std::string_view one_node = R"(
[[node]]
name = "here"
tier = "local"
kind = "engine"
)";

config parse(std::string_view text) {
  auto parsed = parse_config(text, "t.toml");
  EXPECT_TRUE(parsed) << parsed.error().detail;
  return parsed ? *std::move(parsed) : config{};
}

std::string refusal(std::string_view text) {
  const auto parsed = parse_config(text, "t.toml");
  EXPECT_FALSE(parsed) << text;
  return parsed ? "" : parsed.error().detail;
}

std::string node(std::string_view members) {
  return "[[node]]\nname = \"n\"\n" + std::string(members);
}

TEST(config, the_example_of_the_manual_is_read_as_written) {
  const auto all = parse(from_the_manual);
  EXPECT_THAT(all.api.listen, ElementsAre("127.0.0.1:9437"));
  ASSERT_EQ(all.keys.size(), 1u);
  EXPECT_EQ(all.keys[0].secret.text(), "env:MESHAI_KEY");
  ASSERT_EQ(all.nodes.size(), 2u);
  EXPECT_EQ(all.nodes[0].kind, node_kind::engine);
  EXPECT_EQ(all.nodes[0].model, "default");
  EXPECT_EQ(all.nodes[1].tier, tier::cloud);
  EXPECT_EQ(all.nodes[1].keys.size(), 1u);
  EXPECT_THAT(all.nodes[1].models, ElementsAre("gpt-4o", "gpt-4o-mini"));
  EXPECT_THAT(all.models[0].route, ElementsAre("openai/gpt-4o", "here"));
  EXPECT_EQ(all.limits.first_token_timeout, 10s);
  EXPECT_EQ(all.limits.idle_timeout, 10s);
  EXPECT_EQ(all.limits.attempts, 4);
  EXPECT_EQ(all.limits.request_timeout, 600s);
}

TEST(config, a_provider_has_its_own_url) {
  const auto all = parse(node("tier = \"cloud\"\nkind = \"anthropic\"\nkey = \"env:K\"\nmodels = [\"*\"]"));
  EXPECT_EQ(all.nodes[0].url, "https://api.anthropic.com/v1");
}

TEST(config, several_keys_for_one_node) {
  const auto all =
      parse(node("tier = \"cloud\"\nkind = \"openai\"\nkey = [\"env:A\", \"file:/b\"]\nmodels = [\"*\"]"));
  ASSERT_EQ(all.nodes[0].keys.size(), 2u);
  EXPECT_EQ(all.nodes[0].keys[1].text(), "file:/b");
}

TEST(config, prices_are_by_the_million_and_a_model_may_have_its_own) {
  const std::string cloud = "tier = \"cloud\"\nkind = \"openai\"\nmodels = [\"a\", \"b\"]\n";
  const auto all = parse(node(cloud + "price = { input = 2.5, output = 10, cached = 1.25 }\n"
                                      "prices = { b = { input = 0, output = 1 } }\n"
                                      "latency = \"800ms\"\nenergy = 0.4\n"));
  EXPECT_EQ(all.nodes[0].price, (price{.input = 2.5, .output = 10, .cached = 1.25, .cache_written = {}}));
  EXPECT_EQ(all.nodes[0].prices.at(0).second.output, 1);
  EXPECT_EQ(all.nodes[0].latency, milliseconds(800));
  EXPECT_EQ(all.nodes[0].energy, 0.4);
  for (const auto* wrong : {"price = 3", "price = { input = 1 }", "price = { input = -1, output = 1 }",
                            "price = { input = 1, output = nan }", "price = { input = 1, output = 1, cachd = 1 }",
                            "prices = { a = 1 }", "prices = { a = { output = 1 } }"}) {
    EXPECT_THAT(refusal(node(cloud + wrong)), HasSubstr("what a million tokens cost")) << wrong;
  }
  EXPECT_THAT(refusal(node(cloud + "energy = -1")), HasSubstr("joules a token"));
}

TEST(config, a_key_has_a_budget_a_day_and_a_rate_a_minute) {
  const std::string key = "[[key]]\nname = \"me\"\nsecret = \"env:A\"\n";
  const auto all = parse(key + "budget = { money = 2.5, tokens = 1000000 }\nrate = { requests = 60 }\n" +
                         std::string(one_node));
  EXPECT_EQ(all.keys[0].limits,
            (ledger::limits{
                .money = 2'500'000'000, .tokens = 1'000'000, .requests_a_minute = 60, .tokens_a_minute = {}}));
  for (const auto* wrong : {"budget = 5", "budget = {}", "budget = { money = 0 }", "budget = { tokens = 1.5 }",
                            "budget = { money = 1, per = 2 }", "budget = { money = \"5\" }"}) {
    EXPECT_THAT(refusal(key + wrong + "\n"), HasSubstr("spent a day")) << wrong;
  }
  EXPECT_THAT(refusal(key + "rate = { requests = -1 }\n"), HasSubstr("asked a minute"));
}

TEST(config, a_budget_in_money_alone_wants_a_node_with_a_price) {
  const std::string key = "[[key]]\nname = \"me\"\nsecret = \"env:A\"\nbudget = { money = 2.5 }\n";
  const std::string far = "[[node]]\nname = \"far\"\ntier = \"cloud\"\nkind = \"openai\"\nmodels = [\"m\"]\n";
  const auto said = refusal(key + far);
  EXPECT_THAT(said, HasSubstr("[[key]] \"me\": its budget is in money alone, and no [[node]] has a price"));
  EXPECT_THAT(said, HasSubstr("budget = { tokens"));
  parse(key + far + "price = { input = 1, output = 2 }\n");
  parse(key + far + "prices = { m = { input = 1, output = 2 } }\n");
  parse(key + far + "[[node]]\nname = \"here\"\ntier = \"local\"\nkind = \"engine\"\n");
  parse("[[key]]\nname = \"me\"\nsecret = \"env:A\"\nbudget = { money = 2.5, tokens = 9 }\n" + far);
}

TEST(config, an_error_names_file_line_and_key) {
  EXPECT_EQ(refusal("[api]\nlisten = \"127.0.0.1:1\"\nreech = \"site\"\n"),
            "t.toml:3: [api] reech: is not a key of this table; it knows cors_origins, hosts, insecure_lan, "
            "listen, reach, "
            "tls_cert, tls_key, unknown_model, usage, workers");
  EXPECT_THAT(refusal("[api]\nreach = \"everywhere\"\n"), HasSubstr("t.toml:2: [api] reach: must be \"device\""));
  EXPECT_THAT(refusal("[limits]\nidle_timeout = 10\n"),
              HasSubstr("t.toml:2: [limits] idle_timeout: must be a time"));
  EXPECT_THAT(refusal("[limits]\nattempts = 0\n"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("[limits]\nhedge_share = 1.5\n"), HasSubstr("share from 0 to 1"));
  EXPECT_THAT(refusal("[limits]\nhedge_share = \"5%\"\n"), HasSubstr("share from 0 to 1"));
  EXPECT_THAT(refusal("[api\n"), HasSubstr("t.toml:"));
  EXPECT_THAT(refusal("node = 1\n"), HasSubstr("[[node]]"));
  EXPECT_THAT(refusal("[nodes]\n"), HasSubstr("nodes: is not a key"));
}

TEST(config, care_keeps_classes_near) {
  const auto read = parse(std::string(one_node) +
                          "[[care]]\nclass = \"secret\"\nreach = \"device\"\n"
                          "[[care]]\nclass = [\"personal\", \"secret\"]\nreach = \"site\"\n");
  ASSERT_EQ(read.care.size(), 2u);
  EXPECT_EQ(read.care[0].classes, std::vector{care::content::secret});
  EXPECT_EQ(read.care[0].within, reach::device);
  EXPECT_EQ(read.care[1].classes, (std::vector{care::content::personal, care::content::secret}));
  EXPECT_EQ(read.care[1].within, reach::site);
  EXPECT_THAT(refusal("[[care]]\nreach = \"device\"\n"), HasSubstr("[[care]] class: is missing"));
  EXPECT_THAT(refusal("[[care]]\nclass = \"secret\"\n"), HasSubstr("[[care]] reach: is missing"));
  EXPECT_THAT(refusal("[[care]]\nclass = \"secrets\"\nreach = \"device\"\n"),
              HasSubstr("[[care]] class: must be \"secret\", \"personal\", \"medical\" or \"legal\""));
  EXPECT_THAT(refusal("[[care]]\nclass = \"secret\"\nreach = \"cloud\"\n"),
              HasSubstr("[[care]] reach: must be \"device\", \"site\" or \"mesh\""));
}

TEST(config, the_secret_itself_is_refused) {
  const auto wrong = refusal("[[key]]\nname = \"me\"\nsecret = \"sk-very-secret\"\n");
  EXPECT_THAT(wrong, HasSubstr("env:NAME"));
  EXPECT_THAT(wrong, testing::Not(HasSubstr("very-secret")));
}

TEST(config, a_tier_is_not_a_label) {
  const std::string local = "tier = \"local\"\nkind = \"openai-compatible\"\nmodels = [\"*\"]\nurl = ";
  for (const auto* url : {"\"http://127.0.0.1:1/v1\"", "\"http://[::1]:1/v1\"", "\"http://localhost:1/v1\"",
                          "\"unix:///run/x.sock\""}) {
    EXPECT_TRUE(parse_config(node(local + url), "t")) << url;
  }
  EXPECT_THAT(refusal(node(local + "\"http://192.168.1.9/v1\"")), HasSubstr("not on this device"));
  EXPECT_THAT(refusal(node(local + "\"https://api.example.com/v1\"")), HasSubstr("not on this device"));
  const std::string near = "tier = \"neighbour\"\nkind = \"openai-compatible\"\nmodels = [\"*\"]\nurl = ";
  EXPECT_TRUE(parse_config(node(near + "\"http://192.168.1.9/v1\""), "t"));
  EXPECT_THAT(refusal(node(near + "\"http://8.8.8.8/v1\"")), HasSubstr("public address"));
  EXPECT_THAT(refusal(node("tier = \"cloud\"\nkind = \"engine\"")), HasSubstr("must be \"local\""));
  // A name is held to its tier when it is dialled.
  EXPECT_TRUE(parse_config(node(near + "\"http://box.example/v1\""), "t"));
}

TEST(config, what_is_near_goes_through_no_proxy) {
  const std::string rest =
      "kind = \"openai-compatible\"\nmodels = [\"*\"]\nurl = \"http://127.0.0.1/v1\"\nproxy = ";
  for (const std::string near : {"tier = \"local\"\n", "tier = \"neighbour\"\n"}) {
    EXPECT_THAT(refusal(node(near + rest + "\"http://127.0.0.1:3128\"")),
                HasSubstr("proxy: does not go with tier"));
    EXPECT_TRUE(parse_config(node(near + rest + "\"none\""), "t"));
  }
  EXPECT_TRUE(parse_config(node("tier = \"cloud\"\n" + rest + "\"http://127.0.0.1:3128\""), "t"));
}

TEST(config, a_key_leaves_only_encrypted) {
  const std::string base = "tier = \"cloud\"\nkind = \"openai\"\nkey = \"env:K\"\nmodels = [\"*\"]\nurl = ";
  EXPECT_TRUE(parse_config(node(base + "\"https://api.example.com/v1\""), "t"));
  EXPECT_TRUE(parse_config(node(base + "\"http://127.0.0.1:80/v1\""), "t"));
  EXPECT_THAT(refusal(node(base + "\"http://api.example.com/v1\"")), HasSubstr("https://"));
}

TEST(config, an_authority_is_a_file) {
  const std::string base = "tier = \"cloud\"\nkind = \"openai\"\nmodels = [\"*\"]\nca = ";
  EXPECT_EQ(parse(node(base + "\"file:/etc/ca.pem\"")).nodes[0].ca, "/etc/ca.pem");
  for (const auto* wrong : {"\"/etc/ca.pem\"", "\"env:CA\"", "\"file:\"", "false", "\"none\""})
    EXPECT_THAT(refusal(node(base + wrong)), HasSubstr("ca: must be \"file:PATH\"")) << wrong;
}

TEST(config, routes_lead_to_nodes_that_are_there) {
  EXPECT_THAT(refusal(std::string(one_node) + "[[model]]\nname = \"m\"\nroute = [\"there\"]\n"),
              HasSubstr("names no node; there are here"));
  EXPECT_THAT(refusal(std::string(from_the_manual) + "[[model]]\nname = \"m\"\nroute = [\"openai/o9\"]\n"),
              HasSubstr("does not list that model"));
  EXPECT_THAT(refusal(std::string(from_the_manual) + "[[model]]\nname = \"m\"\nroute = [\"openai\"]\n"),
              HasSubstr("several models"));
}

TEST(config, names_are_unique_and_plain) {
  EXPECT_THAT(refusal(std::string(one_node) + std::string(one_node)), HasSubstr("stands there twice"));
  EXPECT_THAT(refusal("[[node]]\nname = \"a/b\"\ntier = \"local\"\nkind = \"engine\"\n"),
              HasSubstr("letters, digits"));
}

TEST(config, nobody_to_answer_is_refused) {
  EXPECT_THAT(refusal("[api]\n"), HasSubstr("no [[node]]"));
}

TEST(config, listen_takes_addresses_only) {
  EXPECT_EQ(parse_listen("127.0.0.1:9437")->port, 9437);
  EXPECT_EQ(parse_listen("[::1]:80")->ip, "::1");
  for (const auto* wrong :
       {"", "9437", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "::1:80", "1.2.3:4"}) {
    EXPECT_FALSE(parse_listen(wrong)) << wrong;
  }
}

TEST(config, without_listen_both_loopback_addresses_are_taken) {
  const auto addresses = listen_addresses({});
  ASSERT_EQ(addresses.size(), 2u);
  EXPECT_EQ(addresses[0].text(), "127.0.0.1:9437");
  EXPECT_EQ(addresses[1].text(), "[::1]:9437");
  EXPECT_EQ(listen_addresses({.listen = {"10.0.0.1:80"}}).size(), 1u);
}

TEST(config, durations_have_a_unit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1h"), 3600s);
  for (const auto* wrong : {"", "10", "s", "-1s", "1.5s", "10 s", "99999999999s"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

class start : public testing::Test {
 protected:
  void SetUp() override { ::setenv("MESHAI_TEST_SECRET", "k-123", 1); }
  void TearDown() override { ::unsetenv("MESHAI_TEST_SECRET"); }

  static std::string refused(std::string_view text) {
    const auto all = parse(text);
    const auto checked = check_start(all);
    return checked ? "" : checked.error().detail;
  }
  static constexpr std::string_view key_ = "[[key]]\nname = \"me\"\nsecret = \"env:MESHAI_TEST_SECRET\"\n";
};

TEST_F(start, is_open_on_loopback_only_while_no_node_has_a_key) {
  EXPECT_EQ(refused(one_node), "");
  const std::string paid =
      std::string(one_node) +
      "[[node]]\nname = \"o\"\ntier = \"cloud\"\nkind = \"openai\"\nmodels = [\"*\"]\nkey = \"env:K\"\n";
  EXPECT_THAT(refused(paid), HasSubstr("export MESHAI_KEY="));
  EXPECT_EQ(refused(paid + std::string(key_)), "");
}

TEST_F(start, beyond_loopback_demands_a_key_and_tls) {
  const std::string lan = "[api]\nlisten = \"0.0.0.0:9437\"\n";
  EXPECT_THAT(refused(lan + std::string(one_node)), HasSubstr("without a key"));
  EXPECT_THAT(refused(lan + std::string(one_node) + std::string(key_)), HasSubstr("tls_cert"));
  EXPECT_EQ(refused(lan + "insecure_lan = true\n" + std::string(one_node) + std::string(key_)), "");
}

TEST_F(start, names_the_line_to_type_where_a_secret_is_unset) {
  ::unsetenv("MESHAI_TEST_SECRET");
  EXPECT_THAT(refused(std::string(one_node) + std::string(key_)), HasSubstr("export MESHAI_TEST_SECRET="));
}

TEST_F(start, a_secret_is_one_word) {
  ::setenv("MESHAI_TEST_SECRET", "two words", 1);
  const auto secret = read_secret({secret_source::kind::environment, "MESHAI_TEST_SECRET"});
  ASSERT_FALSE(secret);
  EXPECT_THAT(secret.error().detail, testing::Not(HasSubstr("two words")));
}

}  // namespace
}  // namespace meshai::app
