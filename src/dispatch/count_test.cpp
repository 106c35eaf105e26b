// A prompt that may or may not fit into an engine on this device, counted there.
#include <gtest/gtest.h>

#include "dispatch/testing.hpp"

namespace meshai::dispatch {
namespace {

using testing::mesh;

struct counting : ::testing::Test {
  mesh m;

  void SetUp() override {
    m.add("here", tier::local,
          {.speaks = fake::protocol::anthropic});  // a llama-server counts by Anthropic's call
    m.nodes.back().running_context = [] { return std::int64_t{1000}; };
    m.ways.back().counts = true;
    m.add("far", tier::cloud);
  }
  static chat::request long_question() {
    auto out = mesh::say("What is 2+2? " + std::string(6000, '.'));
    out.mesh.prefer = chat::preference::privacy;  // the nearest first, however hard it looks
    return out;
  }

  query count(const chat::request& asked) {
    auto what = m.make_query(asked);
    bool done = false;
    m.pretend.spawn([](dispatcher& by, query& in, bool& over) -> task<void> {
      if (by.wants_count(in)) co_await by.count(in);
      over = true;
    }(m.asks, what, done));
    m.pretend.run([&] { return done; });
    return what;
  }
  std::string first(query what) {
    testing::outcome out;
    m.pretend.spawn(m.run(std::move(what), out));
    m.pretend.run([&] { return out.ended.has_value(); });
    return out.facts.node;
  }
};

TEST_F(counting, settles_what_the_length_leaves_open) {
  EXPECT_EQ(first(m.make_query(long_question())), "far") << "1500 tokens, by its length";
  const auto counted = count(long_question());
  ASSERT_EQ(counted.counted.size(), 1u);
  EXPECT_EQ(counted.counted.front().node, "here");
  EXPECT_EQ(counted.counted.front().tokens, 14);
  EXPECT_EQ(first(counted), "here");
  EXPECT_TRUE(m.asks.explain(counted).contains(R"("tokens":14,"tokens_by":"count")"));
}

TEST_F(counting, nobody_is_asked_what_the_length_tells) {
  EXPECT_TRUE(count(mesh::say("What is 2+2?")).counted.empty());
  EXPECT_TRUE(count(mesh::say(std::string(9000, 'a'))).counted.empty()) << "it cannot fit";
  EXPECT_EQ(m.providers[0]->requests().size(), 0u);
}

TEST_F(counting, an_engine_that_cannot_count_is_taken_by_the_length) {
  m.providers[0]->play({.status = 500, .message = "broken", .times = 1});
  const auto what = count(long_question());
  EXPECT_TRUE(what.counted.empty());
  EXPECT_EQ(first(what), "far");
}

}  // namespace
}  // namespace meshai::dispatch
