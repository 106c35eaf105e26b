// What callers may send, and how much of it at once.
#include <gmock/gmock.h>

#include "front/testing.hpp"

namespace meshai::front {
namespace {

using ::testing::HasSubstr;
using namespace meshai::front::testing;

struct volume : door_fixture {
  volume() { m.add("one"); }

  static std::string question_of(std::size_t size) {
    const std::string begin = R"({"model":"auto","messages":[{"role":"user","content":")";
    return begin + std::string(size - begin.size() - 4, 'x') + R"("}]})";
  }
};

TEST_F(volume, a_body_of_32_mb_and_no_more) {
  EXPECT_EQ(settings().max_body, 32u << 20);
  const auto begun = m.world.clock.now();
  const auto got = chat("", "Content-Length: 33554433\r\n");
  EXPECT_EQ(got.status, 413);
  EXPECT_EQ(got.error("code"), "request_too_large");
  EXPECT_THAT(got.error("hint"), HasSubstr("max_body"));
  EXPECT_LT(m.world.clock.now() - begun, 1s) << "before any of it came";

  now->max_body = 100'000;
  EXPECT_EQ(chat(question_of(100'000)).status, 200);
  EXPECT_EQ(chat(question_of(100'001)).status, 413);
  const auto chunked =
      chat("", "Transfer-Encoding: chunked\r\n\r\n186a1\r\n" + std::string(100'001, ' ') + "\r\n0\r\n");
  EXPECT_EQ(chunked.status, 413);
}

TEST_F(volume, bodies_in_flight_share_a_bound_and_what_is_beyond_it_is_a_503) {
  most_bodies = 150'000;
  open();
  // One caller is slow: his body's bytes are held for him.
  const auto slow = request("POST", "/v1/chat/completions", "", "Content-Length: 100000\r\n");
  m.pretend.spawn([](env::world in, std::string head) -> task<void> {
    auto on = co_await in.network.dial({.ip = "10.0.0.1", .port = port, .path = {}}, never);
    const std::string_view pieces[] = {head};
    (void)co_await (*on)->write_all(pieces);
    co_await in.clock.sleep_until(in.clock.now() + 5s);
  }(outside.world(), slow));
  pass(1s);
  EXPECT_EQ(others->bodies(), 100'000u);
  const auto got = chat(question_of(60'000));
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.error("code"), "bodies_in_flight");
  EXPECT_NE(got.error("hint"), "");
  EXPECT_EQ(chat(question_of(40'000)).status, 200);
  pass(10s);
  EXPECT_EQ(others->bodies(), 0u);
  EXPECT_EQ(chat(question_of(60'000)).status, 200);
}

TEST_F(volume, a_body_over_256_kb_is_parsed_off_the_loop) {
  EXPECT_EQ(chat(question_of(256 * 1024)).status, 200);
  EXPECT_EQ(counted.runs, 0);
  EXPECT_EQ(chat(question_of(256 * 1024 + 1)).status, 200);
  EXPECT_EQ(counted.runs, 1);
}

TEST_F(volume, json_is_bounded_in_depth_and_number) {
  const auto with = [](const std::string& value) {
    return R"({"model":"auto","messages":[{"role":"user","content":"x"}],"metadata":)" + value + "}";
  };
  for (const auto& value : {std::string(100, '[') + std::string(100, ']'), std::string(100'000, '[')}) {
    const auto got = chat(with(value));
    EXPECT_EQ(got.status, 400);
    EXPECT_THAT(got.error("message"), HasSubstr("64")) << got.body;
  }
  std::string many = "[0";
  for (int i = 0; i < 200'000; ++i) many += ",0";
  const auto got = chat(with(many + "]"));
  EXPECT_EQ(got.status, 400);
  EXPECT_THAT(got.error("message"), HasSubstr("200000")) << got.body.substr(0, 200);
  EXPECT_EQ(asked(), 0u);
}

TEST_F(volume, headers_of_64_kb_and_no_more) {
  EXPECT_EQ(get("/healthz", "X-Long: " + std::string(60'000, 'x') + "\r\n").status, 200);
  const auto got = get("/healthz", "X-Long: " + std::string(70'000, 'x') + "\r\n");
  EXPECT_EQ(got.status, 431);
  EXPECT_NE(got.error("hint"), "");
}

TEST_F(volume, a_slow_sender_is_cut_off) {
  const auto begun = m.world.clock.now();
  EXPECT_EQ(say("GET /healthz HTT").status, 0);
  EXPECT_LE(m.world.clock.now() - begun, 11s);
  const auto half = m.world.clock.now();
  EXPECT_NE(chat("{", "Content-Length: 1000\r\n").status, 200);
  EXPECT_LE(m.world.clock.now() - half, 11s);
  EXPECT_EQ(others->bodies(), 0u);
}

TEST_F(volume, callers_at_once_are_bounded) {
  most_callers = 2;
  open();
  for (int i = 0; i < 2; ++i) {
    m.pretend.spawn([](env::world in) -> task<void> {
      auto on = co_await in.network.dial({.ip = "10.0.0.1", .port = port, .path = {}}, never);
      co_await in.clock.sleep_until(in.clock.now() + 5s);
    }(outside.world()));
  }
  pass(1s);
  EXPECT_EQ(get("/healthz").status, 0);
  pass(10s);
  EXPECT_EQ(get("/healthz").status, 200);
}

}  // namespace
}  // namespace meshai::front
