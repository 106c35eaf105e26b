// A whole node in the pretend world: what discovery finds, what reach holds back, and how a configuration is
// swapped.
#include "node/node.hpp"

#include <gmock/gmock.h>

#include "caller.hpp"
#include "fake.hpp"
#include "sim/sim.hpp"

namespace meshai::node {
namespace {

using namespace std::chrono_literals;
using fake::heard;
using ::testing::HasSubstr;

struct whole_node : ::testing::Test {
  whole_node() { first.rules = std::make_shared<const front::admission_rules>(); }
  ~whole_node() override {
    bool done = false;
    pretend.spawn(mark(node->stop(0ns), done));
    pretend.run([&] { return done; });
  }

  // A provider at `at`, and the node that leads to it; its models are discovered.
  fake::provider& add(std::string name, tier where, sim::host& on, env::address at, fake::options how = {}) {
    worlds.push_back(std::make_unique<env::world>(on.world()));
    auto& made = *providers.emplace_back(std::make_unique<fake::provider>(*worlds.back(), std::move(how)));
    listeners.push_back(*worlds.back()->network.listen(at, false));
    pretend.spawn(made.serve(*listeners.back()));
    route::node shown;
    shown.name = name;
    shown.where = where;
    shown.any_model = true;
    first.nodes.push_back(std::move(shown));
    upstream::node_options reached;
    reached.node = std::move(name);
    reached.where = where;
    reached.url = "http://" + at.text() + "/v1";
    first.upstreams.push_back(std::move(reached));
    return made;
  }

  void begin() {
    next = [this] { return copy_of(first); };
    node = std::make_unique<class node>(std::vector{ours},
                                        options{.version = "test", .read_plan = [this] { return next(); }});
    ASSERT_TRUE(node->begin(copy_of(first)));
    std::vector<door> doors(2);
    doors[0].at = *us.world().network.listen({.ip = "0.0.0.0", .port = 9437, .path = {}}, false);
    doors[1].at = *us.world().network.listen({.ip = "0.0.0.0", .port = 9438, .path = {}}, false);
    doors[1].owner = true;
    pretend.spawn(node->serve(0, std::move(doors)));
    pass(1s);  // discovery
  }

  static plan copy_of(const plan& from) {
    plan out;
    out.nodes = from.nodes;
    for (const auto& each : from.upstreams) {
      upstream::node_options to;
      to.node = each.node;
      to.where = each.where;
      to.url = each.url;
      out.upstreams.push_back(std::move(to));
    }
    out.limits = from.limits;
    out.api = from.api;
    out.care = from.care;
    out.rules = from.rules;
    return out;
  }

  void pass(std::chrono::nanoseconds span) {
    bool over = false;
    pretend.spawn(mark(sleep(us.world(), span), over));
    pretend.run([&] { return over; });
  }
  static task<void> sleep(env::world in, std::chrono::nanoseconds span) {
    co_await in.clock.sleep_until(in.clock.now() + span);
  }
  static task<void> mark(task<void> work, bool& done) {
    co_await std::move(work);
    done = true;
  }

  heard say(std::string raw, std::uint16_t port = 9437) {
    heard out;
    bool done = false;
    pretend.spawn(
        fake::converse(us.world(), {.ip = "127.0.0.1", .port = port, .path = {}}, std::move(raw), out, done));
    pretend.run([&] { return done; });
    return out;
  }
  heard ask(std::string_view model, std::string_view more = {}) {
    const auto body = R"({"model":")" + std::string(model) + R"(","messages":[{"role":"user","content":"2+2?"}]})";
    return say(fake::request_text("POST", "/v1/chat/completions", body, more));
  }
  heard reload() { return say(fake::request_text("POST", "/mesh/reload", {}), 9438); }

  static std::size_t posts(const fake::provider& of) {
    return static_cast<std::size_t>(std::ranges::count(of.requests(), std::string("POST"), &fake::seen::method));
  }

  sim::simulation pretend{{.between = {.latency_min = 1ms, .latency_max = 1ms}}};
  sim::host& us = pretend.add_host("us", "10.0.0.1");
  sim::host& outside = pretend.add_host("outside", "203.0.113.5");
  std::vector<std::unique_ptr<env::world>> worlds;
  std::vector<std::unique_ptr<env::listener>> listeners;
  std::vector<std::unique_ptr<fake::provider>> providers;
  env::world real = us.world();
  fake::counting_pool counted{real.pool};
  env::world ours{real.loop,    real.clock, real.random, real.entropy, real.network,
                  real.process, counted,    real.log,    real.metrics};
  plan first;
  std::function<result<plan>()> next;
  std::unique_ptr<class node> node;
};

const env::address ollama_at{.ip = "127.0.0.1", .port = 11434, .path = {}};

TEST_F(whole_node, a_model_that_a_local_ollama_passes_on_counts_as_cloud) {
  auto& ollama = add("ollama", tier::local, us, ollama_at,
                     {.models = {"llama3:latest", "gpt-oss:120b-cloud"}, .remote = {"gpt-oss:120b-cloud"}});
  begin();
  const auto here = ask("llama3:latest", "x-mesh-reach: device\r\n");
  EXPECT_EQ(here.status, 200) << here.body;
  EXPECT_EQ(here.header("x-mesh-route"), "ollama/llama3:latest; tier=local; attempts=1");
  for (const auto* model : {"gpt-oss:120b-cloud", "ollama/gpt-oss:120b-cloud"}) {
    for (const auto* bound : {"device", "site", "mesh"}) {
      const auto refused = ask(model, "x-mesh-reach: " + std::string(bound) + "\r\n");
      // By its bare name the question may go on like `auto`, but never to that model.
      if (refused.status == 200) {
        EXPECT_THAT(refused.header("x-mesh-route"), HasSubstr("llama3:latest"));
        EXPECT_EQ(model, std::string("gpt-oss:120b-cloud"));
      } else {
        EXPECT_EQ(refused.status, 403) << refused.body;
      }
    }
  }
  for (const auto& seen : ollama.requests()) EXPECT_FALSE(seen.body.contains("120b-cloud")) << seen.body;
  const auto far = ask("gpt-oss:120b-cloud");
  EXPECT_EQ(far.status, 200) << far.body;
  EXPECT_EQ(far.header("x-mesh-route"), "ollama/gpt-oss:120b-cloud; tier=cloud; attempts=1");
  const auto listed = say(fake::request_text("GET", "/v1/models", {}));
  EXPECT_THAT(listed.body, HasSubstr(R"("id":"gpt-oss:120b-cloud")"));
}

TEST_F(whole_node, an_api_held_to_this_device_lists_and_asks_nothing_beyond) {
  add("ollama", tier::local, us, ollama_at,
      {.models = {"llama3:latest", "gpt-oss:120b-cloud"}, .remote = {"gpt-oss:120b-cloud"}});
  auto& far = add("far", tier::cloud, outside, {.ip = "203.0.113.5", .port = 80, .path = {}}, {.models = {"big"}});
  first.upstreams.back().url = "http://far.example/v1";
  pretend.set_name("far.example", {"203.0.113.5"});
  first.api = reach::device;
  begin();
  pass(20min);  // several rounds of discovery
  EXPECT_TRUE(pretend.looked_up().empty()) << "a look-up is a word to the outside";
  EXPECT_TRUE(far.requests().empty());
  const auto listed = say(fake::request_text("GET", "/v1/models", {}));
  EXPECT_THAT(listed.body, HasSubstr("llama3"));
  EXPECT_THAT(listed.body, ::testing::Not(HasSubstr("120b-cloud")));
  EXPECT_EQ(ask("auto").status, 200);
  EXPECT_EQ(ask("far/big").status, 403);
  EXPECT_TRUE(far.requests().empty());
}

TEST_F(whole_node, what_the_owner_keeps_near_stays_near_from_a_reload_on) {
  auto& far = add("far", tier::cloud, outside, {.ip = "203.0.113.5", .port = 80, .path = {}}, {.models = {"big"}});
  begin();
  const auto mail =
      fake::request_text("POST", "/v1/chat/completions",
                         R"({"model":"far/big","messages":[{"role":"user","content":"a@example.com"}]})");
  EXPECT_EQ(say(mail).status, 200);
  EXPECT_EQ(posts(far), 1u);
  first.care = {{{care::content::personal}, reach::device}};
  EXPECT_EQ(reload().status, 200);
  const auto refused = say(mail);
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("care_excludes_all"));
  EXPECT_EQ(posts(far), 1u);
  EXPECT_EQ(ask("far/big").status, 200);
}

std::size_t gets(const fake::provider& of) {
  return static_cast<std::size_t>(std::ranges::count(of.requests(), std::string("GET"), &fake::seen::method));
}

TEST_F(whole_node, a_lost_node_is_looked_for_and_used_as_soon_as_it_is_there) {
  auto& far = add("far", tier::cloud, outside, {.ip = "203.0.113.5", .port = 80, .path = {}}, {.models = {"big"}});
  begin();
  EXPECT_EQ(ask("far/big").status, 200);
  pretend.cut(us, outside);
  // Until its breaker stays open for the longest time, 30 s.
  for (int i = 0; i < 12; ++i) {
    EXPECT_NE(ask("far/big").status, 200);
    pass(10s);
  }
  EXPECT_EQ(ask("far/big").header("x-mesh-route"), "none; attempts=0")
      << "it is looked for, not tried out on callers";
  const auto before = gets(far);
  pretend.heal(us, outside);
  pass(18s);
  EXPECT_GT(gets(far), before);
  const auto again = ask("far/big");
  EXPECT_EQ(again.status, 200) << again.body;
}

TEST_F(whole_node, what_refuses_to_answer_is_not_called_on_by_probes) {
  auto& far = add("far", tier::cloud, outside, {.ip = "203.0.113.5", .port = 80, .path = {}}, {.models = {"big"}});
  first.nodes.back().any_model = false;
  first.nodes.back().models = {{.name = "big", .where = {}, .context = {}}};
  begin();
  far.play({.status = 500});
  for (int i = 0; i < 12; ++i) {
    (void)ask("far/big");
    pass(1s);
  }
  EXPECT_EQ(gets(far), 0u);
}

TEST_F(whole_node, an_idle_node_that_dies_is_known_before_it_is_needed) {
  add("far", tier::cloud, outside, {.ip = "203.0.113.5", .port = 80, .path = {}}, {.models = {"big"}});
  begin();
  EXPECT_EQ(ask("far/big").status, 200);
  pretend.cut(us, outside);
  pass(3min);
  const auto refused = ask("far/big");
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(refused.header("x-mesh-route"), "none; attempts=0");
}

// mark_remote looks for each of them: also that may not hold up the loop.
TEST_F(whole_node, a_long_list_of_models_is_parsed_off_the_loop) {
  fake::options how;
  how.models.clear();
  for (int i = 0; i < 4000; ++i) how.models.push_back("model-" + std::to_string(i) + std::string(50, 'x'));
  how.remote = {how.models.back()};
  add("ollama", tier::local, us, ollama_at, how);
  begin();
  EXPECT_EQ(counted.runs, 2);
  EXPECT_EQ(ask(how.models.front(), "x-mesh-reach: device\r\n").status, 200);
  EXPECT_EQ(ask("ollama/" + how.models.back(), "x-mesh-reach: device\r\n").status, 403);
}

TEST_F(whole_node, what_is_off_is_not_even_asked_for_its_models) {
  auto& off = add("off", tier::local, us, ollama_at);
  first.nodes.back().off = "the variable K is not set; type: export K=...";
  add("on", tier::local, us, {.ip = "127.0.0.1", .port = 8080, .path = {}});
  begin();
  EXPECT_TRUE(off.requests().empty());
  EXPECT_EQ(ask("auto").status, 200);
  const auto status = say(fake::request_text("GET", "/mesh/status", {}), 9438);
  EXPECT_THAT(status.body, HasSubstr("export K="));
}

TEST_F(whole_node, a_configuration_is_swapped_whole_or_not_at_all) {
  auto& one = add("one", tier::local, us, ollama_at, {.models = {"small"}});
  begin();
  next = []() -> result<plan> { return fail(error_kind::malformed, "t.toml:3: [api] reech: is not a key"); };
  const auto refused = reload();
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.error("message"), HasSubstr("reech"));
  EXPECT_EQ(ask("small").status, 200);
  // A plan that parses and cannot be put to use leaves nothing of itself behind either.
  next = [this] {
    auto wrong = copy_of(first);
    wrong.api = reach::device;
    wrong.routes.push_back({.name = "gone", .route = {"nowhere"}});
    return result<plan>(std::move(wrong));
  };
  EXPECT_EQ(reload().status, 422);
  EXPECT_EQ(ask("small").status, 200);

  // What runs finishes on the old one.
  one.play({.text = "a b c", .gap = 1s, .times = 1});
  heard running;
  bool done = false;
  const auto body = R"({"model":"small","stream":true,"messages":[{"role":"user","content":"x"}]})";
  pretend.spawn(fake::converse(us.world(), {.ip = "127.0.0.1", .port = 9437, .path = {}},
                               fake::request_text("POST", "/v1/chat/completions", body), running, done));
  pass(1500ms);
  next = [this] {
    auto other = copy_of(first);
    other.nodes[0].name = "renamed";
    other.upstreams[0].node = "renamed";
    return result<plan>(std::move(other));
  };
  EXPECT_EQ(reload().status, 200);
  pretend.run([&] { return done; });
  EXPECT_TRUE(running.whole);
  EXPECT_THAT(running.body, HasSubstr("[DONE]"));
  EXPECT_THAT(running.header("x-mesh-route"), HasSubstr("one/small"));
  pass(1s);
  EXPECT_EQ(ask("small").header("x-mesh-route"), "renamed/small; tier=local; attempts=1");
}

}  // namespace
}  // namespace meshai::node
