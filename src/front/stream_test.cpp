// When an answer's head leaves, and what keeps the line alive until then.
#include <gmock/gmock.h>

#include "front/testing.hpp"

namespace meshai::front {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace meshai::front::testing;

struct head_of_stream : door_fixture {
  head_of_stream() { m.limits.first_token_timeout = 10min; }
};

TEST_F(head_of_stream, leaves_with_the_first_token) {
  m.add("one").play({.text = "Two and two", .first_token = 5s, .gap = 1s});
  const auto got = chat(hello_stream);
  EXPECT_EQ(got.status, 200);
  EXPECT_GE(got.head_at, 5s);
  EXPECT_LT(got.head_at, 7s);
  EXPECT_EQ(got.pieces.front().first, got.head_at) << "in one packet";
  EXPECT_THAT(got.pieces.front().second, HasSubstr("Two"));
  EXPECT_TRUE(got.whole);
  EXPECT_THAT(got.body, HasSubstr("data: [DONE]\n\n"));
}

TEST_F(head_of_stream, an_error_before_it_is_a_status) {
  m.add("one").play({.status = 503, .message = "busy", .first_token = 2s});
  const auto got = chat(hello_stream);
  EXPECT_EQ(got.status, 503) << got.body;
  EXPECT_EQ(got.header("content-type"), "application/json");
  EXPECT_NE(got.error("hint"), "");
}

TEST_F(head_of_stream, a_failover_before_it_is_not_seen) {
  m.add("first").play({.status = 500, .message = "x", .first_token = 3s});
  m.add("second").play({.text = "Four."});
  m.nodes[0].weight = 1'000'000'000;
  const auto got = chat(hello_stream);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("x-mesh-route"), "second/fake-model; tier=cloud; attempts=2; complexity=simple");
  EXPECT_THAT(got.body, ::testing::Not(HasSubstr("500")));
}

TEST_F(head_of_stream, after_15_s_of_silence_comments_keep_the_line_alive) {
  EXPECT_EQ(m.limits.headers_after, 15s);
  m.add("one").play({.text = "Four.", .first_token = 50s});
  const auto got = chat(hello_stream);
  EXPECT_EQ(got.status, 200);
  EXPECT_GE(got.head_at, 15s);
  EXPECT_LT(got.head_at, 16s);
  ASSERT_GE(got.pieces.size(), 4u);
  for (int i = 0; i < 3; ++i) {
    const auto& [when, what] = got.pieces[static_cast<std::size_t>(i)];
    EXPECT_THAT(what, StartsWith(":"));
    EXPECT_GE(when, 15s * (i + 1));
    EXPECT_LT(when, 15s * (i + 1) + 1s);
  }
  EXPECT_THAT(got.body, HasSubstr("Four."));
  EXPECT_TRUE(got.whole);
}

TEST_F(head_of_stream, headers_after_is_the_operators_to_set) {
  m.limits.headers_after = 2s;
  m.add("one").play({.text = "Four.", .first_token = 5s});
  const auto got = chat(hello_stream);
  EXPECT_GE(got.head_at, 2s);
  EXPECT_LT(got.head_at, 3s);
}

TEST_F(head_of_stream, a_fault_after_it_is_an_error_event) {
  m.add("one").play({.status = 500, .message = "broken", .first_token = 20s, .times = 1});
  m.providers[0]->play({.status = 400, .message = "odd", .first_token = 20s});
  const auto got = chat(hello_stream);
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.whole);
  EXPECT_THAT(got.body, HasSubstr("data: {\"error\":{"));
  EXPECT_THAT(got.body, HasSubstr("\"hint\":"));
  EXPECT_THAT(got.body, ::testing::Not(HasSubstr("[DONE]"))) << "never a success";

  m.providers[0]->clear();
  m.providers[0]->play({.status = 400, .message = "odd", .first_token = 20s});
  const auto claude = post("/v1/messages", R"({"stream":true,)" + hello_claude.substr(1));
  EXPECT_EQ(claude.status, 200);
  EXPECT_THAT(claude.body, HasSubstr("event: error\ndata: {\"type\":\"error\""));
  EXPECT_THAT(claude.body, ::testing::Not(HasSubstr("message_stop")));
}

// What happens after the head stands in the last chunk.
TEST_F(head_of_stream, the_story_ends_in_the_last_chunk) {
  m.limits.headers_after = 1s;
  m.add("first").play({.status = 500, .message = "x", .first_token = 3s});
  m.add("second").play({.text = "Four."});
  m.nodes[0].weight = 1'000'000'000;
  const auto got = chat(hello_stream);
  EXPECT_EQ(got.header("x-mesh-route"), "first/fake-model; tier=cloud; attempts=1; complexity=simple");
  EXPECT_THAT(got.body, HasSubstr(R"("node":"second","model":"fake-model","tier":"cloud","attempts":2)"));
}

}  // namespace
}  // namespace meshai::front
