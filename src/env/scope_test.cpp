#include "env/scope.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "env/event.hpp"
#include "env/metrics.hpp"

namespace meshai::env {
namespace {

task<void> wait_for(event& e, int& passed) {
  co_await e.wait();
  ++passed;
}

task<void> close_all(scope& s, bool& done) {
  co_await s.close();
  done = true;
}

TEST(event, set_before_wait_is_not_lost_and_resets_itself) {
  boost::asio::io_context io;
  event e(io.get_executor());
  scope s(io.get_executor());
  int passed = 0;
  e.set();
  s.spawn(wait_for(e, passed));
  io.poll();
  EXPECT_EQ(passed, 1);
  io.restart();
  s.spawn(wait_for(e, passed));
  io.poll();
  EXPECT_EQ(passed, 1);
  e.set();
  io.poll();
  EXPECT_EQ(passed, 2);
}

TEST(scope, close_cancels_and_joins) {
  boost::asio::io_context io;
  event one(io.get_executor()), two(io.get_executor());
  scope s(io.get_executor());
  int passed = 0;
  bool done = false;
  s.spawn(wait_for(one, passed));
  s.spawn(wait_for(two, passed));
  io.poll();
  EXPECT_EQ(s.running(), 2u);
  boost::asio::co_spawn(io, close_all(s, done), boost::asio::detached);
  io.restart();
  io.poll();
  EXPECT_TRUE(done);
  EXPECT_EQ(passed, 0);
  EXPECT_EQ(s.running(), 0u);
}

TEST(scope, destroying_cancels_without_touching_what_is_gone) {
  boost::asio::io_context io;
  event e(io.get_executor());
  int passed = 0;
  {
    scope s(io.get_executor());
    s.spawn(wait_for(e, passed));
    io.poll();
  }
  io.restart();
  io.poll();
  e.set();
  EXPECT_EQ(passed, 0);
}

TEST(metrics, render_is_prometheus_text) {
  metrics m;
  m.get_counter("meshai_requests_total", "Requests.", {{"node", "a\"b"}}).add(3);
  m.get_gauge("meshai_open", "Open.").set(-2);
  const double bounds[] = {0.1, 1};
  auto& h = m.get_histogram("meshai_seconds", "Time.", bounds);
  h.observe(0.1);
  h.observe(0.5);
  h.observe(7);
  EXPECT_EQ(m.render(),
            "# HELP meshai_requests_total Requests.\n# TYPE meshai_requests_total counter\n"
            "meshai_requests_total{node=\"a\\\"b\"} 3\n"
            "# HELP meshai_open Open.\n# TYPE meshai_open gauge\nmeshai_open -2\n"
            "# HELP meshai_seconds Time.\n# TYPE meshai_seconds histogram\n"
            "meshai_seconds_bucket{le=\"0.1\"} 1\nmeshai_seconds_bucket{le=\"1\"} 2\n"
            "meshai_seconds_bucket{le=\"+Inf\"} 3\nmeshai_seconds_sum 7.6\nmeshai_seconds_count 3\n");
}

}  // namespace
}  // namespace meshai::env
