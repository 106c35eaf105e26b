// Client and server together, over bad networks.
#include "http/http.hpp"

#include <gtest/gtest.h>

#include "http/server_fixture.hpp"

namespace meshai::http {
namespace {

task<void> call_many(client& with, env::world world, int count, std::vector<std::string>& wrong) {
  const auto whom = parse_origin("http://there")->origin;
  for (int i = 0; i < count; ++i) {
    const std::string body(static_cast<std::size_t>(i * i * 37), static_cast<char>('a' + i));
    const call what{.target = i % 3 == 2 ? "/stream" : "/echo", .body = body};
    // A segment that became a reset tells its receiver only: who waits for the answer needs a deadline.
    const auto deadline = world.clock.now() + 10s;
    auto got = co_await with.send(whom, what, {.headers_by = deadline});
    if (!got) continue;  // a typed error; truncation must not look like an answer
    got->read_by(deadline);
    const auto heard = co_await got->read_all(1 << 20);
    if (heard && *heard != (i % 3 == 2 ? "one,two,three" : body)) wrong.push_back(std::to_string(i));
  }
}

struct together final : http_server {
  explicit together(std::uint64_t seed) : http_server(seed) {
    answers.limit = held.left = 1 << 20;
    sim.set_links(here, there,
                  {.latency_min = 1ms,
                   .latency_max = 30ms,
                   .segment_max = 1 + seed * 17 % 3000,
                   .fragment_reads = true,
                   .reset = loses(seed) ? 0.01 : 0});
  }
  static bool loses(std::uint64_t seed) { return seed % 2 == 0; }
  void TestBody() override {}
};

TEST(http_together, answers_are_whole_or_errors_under_many_seeds) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    together both(seed);
    client with(both.here.world());
    std::vector<std::string> wrong;
    both.finish(call_many(with, both.here.world(), 12, wrong));
    EXPECT_TRUE(wrong.empty()) << "seed " << seed << ", call " << wrong.front();
    if (!together::loses(seed)) {
      EXPECT_EQ(both.answers.seen.size(), 12u) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace meshai::http
