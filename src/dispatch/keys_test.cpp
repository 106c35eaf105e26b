// What leaves with a request: keys in turn, headers that pass, nothing that must not.
#include <gtest/gtest.h>

#include "dispatch/testing.hpp"
#include "env/scope.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;
using testing::mesh;

// A listener whose connections speak TLS.
class secure_listener final : public env::listener {
 public:
  secure_listener(env::world& world, std::unique_ptr<env::listener> plain)
      : world_(world), plain_(std::move(plain)), who_(*world.network.load_identity("cert.pem", "key.pem")) {}

  task<result<std::unique_ptr<env::stream>>> accept() override {
    auto stream = co_await plain_->accept();
    if (!stream) co_return stream;
    co_return co_await world_.network.secure_server(std::move(*stream), who_, world_.clock.now() + 5s);
  }
  const env::address& local() const override { return plain_->local(); }
  void close() noexcept override { plain_->close(); }

 private:
  env::world& world_;
  std::unique_ptr<env::listener> plain_;
  std::shared_ptr<const env::identity> who_;
};

// A provider behind TLS, and the keys that are sent to it.
fake::provider& add_secure(mesh& m, std::string name, fake::options how, std::vector<std::string> keys) {
  auto& made = m.add(name, tier::cloud, std::move(how));
  auto& way = m.ways.back();
  way.url = "https://10.0.1." + std::to_string(m.providers.size()) + "/v1";
  for (const auto& key : keys) way.keys.emplace_back(key);
  auto listener = m.worlds.back()->network.listen(
      {.ip = "10.0.1." + std::to_string(m.providers.size()), .port = 443, .path = {}}, false);
  m.listeners.push_back(std::make_unique<secure_listener>(*m.worlds.back(), std::move(*listener)));
  m.pretend.spawn(made.serve(*m.listeners.back()));
  return made;
}

constexpr const char* hello = "What is 2+2?";

TEST(keys, are_taken_in_turn) {
  mesh m;
  auto& one = add_secure(m, "one", {}, {"sk-first", "sk-second"});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(m.ask(hello).ended, progress::end);
  std::map<std::string, int> seen;
  for (const auto& each : one.requests()) ++seen[each.header("authorization")];
  EXPECT_EQ(seen, (std::map<std::string, int>{{"Bearer sk-first", 2}, {"Bearer sk-second", 2}}));
}

TEST(keys, one_that_is_refused_rests_and_the_other_answers_at_once) {
  mesh m;
  auto& one = add_secure(m, "one", {.key = "sk-good"}, {"sk-good", "sk-bad"});
  for (int i = 0; i < 6; ++i) {
    const auto got = m.ask(hello);
    EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  }
  int bad = 0;
  for (const auto& each : one.requests()) bad += each.header("authorization") == "Bearer sk-bad";
  EXPECT_EQ(bad, 1);
}

TEST(keys, one_that_is_over_its_rate_rests_and_the_other_answers_at_once) {
  mesh m;
  auto& one = add_secure(m, "one", {}, {"sk-1", "sk-2"});
  one.play({.status = 429, .message = "slow down", .headers = {{"retry-after", "20"}}, .times = 1});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  EXPECT_EQ(got.facts.attempts, 2);
  ASSERT_EQ(one.requests().size(), 2u);
  EXPECT_NE(one.requests()[0].header("authorization"), one.requests()[1].header("authorization"));
  const auto rests = one.requests()[0].header("authorization");
  m.ask(hello);
  m.ask(hello);
  EXPECT_NE(one.requests()[2].header("authorization"), rests);
  EXPECT_NE(one.requests()[3].header("authorization"), rests);
}

TEST(keys, never_come_back_in_an_error) {
  mesh m;
  add_secure(m, "one", {}, {"sk-very-secret"}).play({.status = 400, .message = "Your key sk-very-secret is odd"});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_FALSE(got.problem.message.contains("sk-very-secret")) << got.problem.message;
  EXPECT_TRUE(got.problem.message.contains("[key]"));
}

TEST(keys, a_provider_that_refuses_ours_is_not_the_callers_fault) {
  mesh m;
  add_secure(m, "one", {.key = "sk-good"}, {"sk-bad"});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.problem.status, 502);
  EXPECT_EQ(got.problem.code, "node_key_refused");
  EXPECT_EQ(m.ask(hello).problem.code, "all_nodes_down");  // open for minutes
}

TEST(headers, pass_within_a_dialect_only) {
  mesh m;
  auto& openai = m.add("openai");
  auto& anthropic = m.add("anthropic", tier::cloud, {.speaks = fake::protocol::anthropic});
  m.ways[0].headers = {{"X-Team", "blue"}};
  m.ways[0].query = {{"api-version", "1"}};
  m.headers = {{"OpenAI-Organization", "org-1"}, {"anthropic-beta", "b"}, {"Cookie", "c"}, {"X-Team", "red"}};
  m.ask(mesh::say(hello, true, "openai/fake-model"));
  m.ask(mesh::say(hello, true, "anthropic/fake-model"));
  ASSERT_EQ(openai.requests().size(), 1u);
  ASSERT_EQ(anthropic.requests().size(), 1u);
  EXPECT_EQ(openai.requests()[0].header("openai-organization"), "org-1");
  EXPECT_EQ(openai.requests()[0].header("anthropic-beta"), "");
  EXPECT_EQ(openai.requests()[0].header("cookie"), "");
  EXPECT_EQ(openai.requests()[0].header("x-team"), "blue");
  EXPECT_TRUE(openai.requests()[0].target.ends_with("?api-version=1")) << openai.requests()[0].target;
  EXPECT_EQ(anthropic.requests()[0].header("openai-organization"), "");
  EXPECT_EQ(anthropic.requests()[0].header("anthropic-beta"), "");  // the caller speaks OpenAI's dialect
  EXPECT_NE(anthropic.requests()[0].header("anthropic-version"), "");
}

TEST(models, are_listed_by_their_node) {
  mesh m;
  m.add("one", tier::cloud, {.models = {"a", "b"}});
  m.build();
  std::optional<result<std::vector<upstream::discovered>>> got;
  m.pretend.spawn([](mesh& in, auto& into) -> task<void> {
    into = co_await in.client.models(*in.setup->endpoints->find("one"), in.world.clock.now() + 5s);
  }(m, got));
  m.pretend.run([&] { return got.has_value(); });
  ASSERT_TRUE(got && *got) << (got ? got->error().detail : "nothing");
  ASSERT_EQ((*got)->size(), 2u);
  EXPECT_EQ((**got)[0].name, "a");
}

}  // namespace
}  // namespace meshai::dispatch
