#include "dispatch/alarms.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "sim/sim.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;

struct bell {
  bell(env::world& in, std::shared_ptr<alarms> among) : world(in), rung(in.loop), alarm(std::move(among), rung) {}
  env::world& world;
  env::event rung;
  dispatch::alarm alarm;
  std::vector<instant> heard;
};

task<void> listen(bell& to) {
  for (;;) {
    co_await to.rung.wait();
    to.heard.push_back(to.world.clock.now());
  }
}

class alarm_test : public testing::Test {
 protected:
  alarm_test() {
    pretend.spawn(listen(one));
    pretend.spawn(listen(two));
  }
  void run() { pretend.run(); }

  sim::simulation pretend{{.seed = 1, .between = {}, .within = {}, .keep_log = false}};
  env::world world = pretend.add_host("us", "10.0.0.1").world();
  std::shared_ptr<alarms> all = std::make_shared<alarms>(world);
  bell one{world, all}, two{world, all};
  instant start = world.clock.now();
};

TEST_F(alarm_test, rings_at_its_time_and_can_be_set_again) {
  one.alarm.set(start + 2s);
  two.alarm.set(start + 1s);  // before the sleeper would wake
  run();
  EXPECT_EQ(one.heard, (std::vector{start + 2s}));
  EXPECT_EQ(two.heard, (std::vector{start + 1s}));
  one.alarm.set(start + 3s);
  run();
  EXPECT_EQ(one.heard, (std::vector{start + 2s, start + 3s}));
}

TEST_F(alarm_test, rings_all_that_are_due) {
  one.alarm.set(start + 1s);
  two.alarm.set(start + 1s);
  run();
  EXPECT_EQ(one.heard, (std::vector{start + 1s}));
  EXPECT_EQ(two.heard, (std::vector{start + 1s}));
}

TEST_F(alarm_test, keeps_the_earlier_of_two_rings) {
  one.alarm.set(start + 1s);
  one.alarm.set(start + 5s);
  two.alarm.set(start + 5s);
  two.alarm.set(start + 1s);
  run();
  EXPECT_EQ(one.heard, (std::vector{start + 1s}));
  EXPECT_EQ(two.heard, (std::vector{start + 1s}));
}

TEST_F(alarm_test, one_that_has_gone_rings_nothing) {
  {
    alarm brief(all, one.rung);
    brief.set(start + 1s);
  }
  two.alarm.set(start + 2s);
  run();
  EXPECT_TRUE(one.heard.empty());
  EXPECT_EQ(two.heard, (std::vector{start + 2s}));
}

TEST_F(alarm_test, never_is_no_time) {
  one.alarm.set(never);
  run();
  EXPECT_TRUE(one.heard.empty());
  EXPECT_EQ(world.clock.now(), start);
}

}  // namespace
}  // namespace meshai::dispatch
