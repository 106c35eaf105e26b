#include "upstream/endpoint.hpp"

#include <gtest/gtest.h>

namespace meshai::upstream {
namespace {

using namespace std::chrono_literals;

node_options at(std::string url, std::vector<std::string> keys = {}) {
  node_options made;
  made.node = "n";
  made.url = std::move(url);
  for (const auto& key : keys) made.keys.emplace_back(key);
  return made;
}

TEST(endpoint, a_key_leaves_only_over_tls_or_to_this_machine) {
  for (const auto* url : {"https://api.example.com/v1", "http://127.0.0.1:8080/v1", "http://localhost/v1",
                          "http://[::1]:1/v1", "unix:///run/x.sock"}) {
    EXPECT_TRUE(make_endpoint(at(url, {"sk-1"}))) << url;
  }
  for (const auto* url : {"http://api.example.com/v1", "http://10.0.0.1/v1", "http://localhost.example.com",
                          "http://192.168.1.2", "http://127.example.com", "http://127.0.0.1.example.com"}) {
    const auto made = make_endpoint(at(url, {"sk-1"}));
    ASSERT_FALSE(made) << url;
    EXPECT_TRUE(made.error().detail.contains("\"n\"") && made.error().detail.contains("https://"))
        << made.error().detail;
    EXPECT_FALSE(made.error().detail.contains("sk-1"));
    EXPECT_TRUE(make_endpoint(at(url))) << url;  // without a key
  }
  auto through = at("http://127.0.0.1/v1", {"sk-1"});
  through.proxy = "http://proxy.example.com:3128";
  EXPECT_FALSE(make_endpoint(std::move(through)));
}

// What http then holds every dial to.
TEST(endpoint, is_bound_as_far_as_its_tier) {
  const auto bound = [](tier where, std::string url, std::vector<std::string> keys = {}) {
    auto how = at(std::move(url), std::move(keys));
    how.where = where;
    return (*make_endpoint(std::move(how)))->origin.bound;
  };
  EXPECT_EQ(bound(tier::local, "http://box.example/v1"), reach::device);
  EXPECT_EQ(bound(tier::neighbour, "http://box.example/v1"), reach::site);
  EXPECT_EQ(bound(tier::regional, "http://box.example/v1"), reach::mesh);
  EXPECT_EQ(bound(tier::cloud, "http://box.example/v1"), reach::cloud);
  EXPECT_EQ(bound(tier::neighbour, "https://box.example/v1", {"sk-1"}), reach::site);
  // A key in clear text, to a name that says it is this device.
  EXPECT_EQ(bound(tier::cloud, "http://localhost/v1", {"sk-1"}), reach::device);
}

TEST(endpoint, nothing_near_goes_through_a_proxy) {
  for (const auto where : {tier::local, tier::neighbour, tier::regional, tier::cloud}) {
    auto how = at("http://127.0.0.1/v1");
    how.where = where;
    how.proxy = "http://proxy.example.com:3128";
    const auto made = make_endpoint(std::move(how));
    EXPECT_EQ(made.has_value(), where >= tier::regional);
    const auto why = made ? "" : made.error().detail;
    EXPECT_EQ(why.contains("proxy"), where < tier::regional) << why;
  }
}

TEST(endpoint, an_authority_of_the_operators_is_believed_and_tells_ways_apart) {
  auto how = at("https://x.example/v1");
  how.ca = "/etc/ca.pem";
  const auto made = *make_endpoint(std::move(how));
  EXPECT_EQ(made->origin.ca_files, std::vector<std::string>{"/etc/ca.pem"});
  EXPECT_NE(made->origin.key, (*make_endpoint(at("https://x.example/v1")))->origin.key);
}

TEST(endpoint, a_socket_takes_the_place_of_the_host) {
  auto how = at("http://localhost/v1", {"k"});
  how.socket = "/run/engine.sock";
  const auto made = make_endpoint(std::move(how));
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_TRUE((*made)->origin.is_unix());
  EXPECT_EQ((*made)->target("/chat/completions"), "/v1/chat/completions");
}

TEST(endpoint, refuses_what_is_no_url) {
  for (const auto* url : {"", "api.example.com", "ftp://x", "http://", "http://user:pw@x/"}) {
    const auto made = make_endpoint(at(url));
    ASSERT_FALSE(made) << url;
    EXPECT_TRUE(made.error().detail.contains("\"n\""));
  }
}

TEST(endpoint, joins_paths_and_queries) {
  auto how = at("https://x.example/v1beta/");
  how.query = {{"api-version", "2024-10-21"}, {"a b", "c&d"}};
  const auto made = make_endpoint(std::move(how));
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ((*made)->target("/models/m:streamGenerateContent?alt=sse"),
            "/v1beta/models/m:streamGenerateContent?alt=sse&api-version=2024-10-21&a%20b=c%26d");
  EXPECT_EQ((*made)->target("/models"), "/v1beta/models?api-version=2024-10-21&a%20b=c%26d");
}

TEST(endpoint, sends_each_dialect_its_key) {
  for (const auto& [dialect, name, value] : {std::tuple(chat::dialect::openai, "Authorization", "Bearer sk-1"),
                                             std::tuple(chat::dialect::anthropic, "x-api-key", "sk-1"),
                                             std::tuple(chat::dialect::gemini, "x-goog-api-key", "sk-1")}) {
    auto how = at("https://x.example/v1", {"sk-1"});
    how.dialect = dialect;
    const auto made = make_endpoint(std::move(how));
    EXPECT_EQ((*made)->key_header, name);
    EXPECT_EQ((*made)->keys[0].header.reveal(), value);
  }
}

TEST(endpoint, takes_keys_in_turn_and_lets_them_rest) {
  const auto made = *make_endpoint(at("https://x.example/v1", {"sk-1", "sk-2", "sk-3"}));
  route::health known;
  const instant now{1h};
  std::vector<const endpoint::key*> seen;
  seen.reserve(3);
  for (int i = 0; i < 3; ++i) seen.push_back(made->choose(known, now));
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 3u);
  known.rest(made->keys[1].id, 10s, now);
  for (int i = 0; i < 9; ++i) EXPECT_NE(made->choose(known, now), &made->keys[1]);
  EXPECT_TRUE(made->has_another(made->keys.data(), known, now));
  known.rest(made->keys[2].id, 10s, now);
  EXPECT_FALSE(made->has_another(made->keys.data(), known, now));
  EXPECT_TRUE(made->has_another(made->keys.data(), known, now + 11s));
  EXPECT_EQ((*make_endpoint(at("https://x.example")))->choose(known, now), nullptr);
}

TEST(endpoint, takes_our_keys_out_of_a_providers_words) {
  const auto made = *make_endpoint(at("https://x.example/v1", {"sk-secret", "sk-other"}));
  chat::provider_error said{.status = 401,
                            .type = "sk-other",
                            .code = "x",
                            .param = "sk-secret",
                            .message = "Incorrect API key provided: sk-secret. sk-secretsk-secret"};
  made->scrub(said);
  EXPECT_EQ(said.message, "Incorrect API key provided: [key]. [key][key]");
  EXPECT_EQ(said.type, "[key]");
  EXPECT_EQ(said.param, "[key]");
  said.message.clear();
  for (int i = 0; i < 2000; ++i) said.message += "ü";
  made->scrub(said);
  EXPECT_LE(said.message.size(), 2048u + 3);
  EXPECT_TRUE(said.message.ends_with("ü..."));
}

}  // namespace
}  // namespace meshai::upstream
