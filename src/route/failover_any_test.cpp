// failover under any events.
#include <map>

#include <gtest/gtest.h>

#include "route/failover_fixture.hpp"

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using namespace testing;

// Whatever comes in whatever order: it ends, within its budget, forwards one attempt at a time and says so once.
TEST_F(failing_over, keeps_its_promises_under_any_events) {
  dice roll(3);
  const auto pick = [&](std::size_t n) { return static_cast<int>(roll.next() % n); };
  for (int round = 0; round < 5000; ++round) {
    now = start;
    candidates.assign(1 + roll.next() % 4, {});
    for (auto& each : candidates) {
      each.where = static_cast<tier>(pick(4));
      each.patience = std::chrono::seconds(pick(20) + 1);
      if (pick(2) == 0) each.longest_first_token = std::chrono::milliseconds(pick(2000));
      if (pick(2) == 0) each.longest_gap = std::chrono::milliseconds(pick(2000));
    }
    how = {.bounds = {.attempts = pick(5) + 1},
           .stream = pick(2) == 0,
           .fallback = pick(4) != 0,
           .continues = pick(4) != 0,
           .doubts = pick(2) == 0,
           .seed = roll.next()};
    begin();
    int starts = 0, refunds = 0, forwards = 0, finishes = 0;
    std::map<int, bool> running, hedges, doubtable, ending;
    for (int step = 0; step < 500 && finishes == 0; ++step) {
      std::vector<int> to_expire, to_judge;
      while (const auto a = decides->next()) {
        switch (a->what) {
          case action::kind::start:
            ++starts;
            running[a->attempt] = true;
            hedges[a->attempt] = a->hedge;
            doubtable[a->attempt] = !a->hedge && decides->may_doubt(a->candidate);
            break;
          case action::kind::cancel:
            running[a->attempt] = false;
            break;
          case action::kind::expire:
            to_expire.push_back(a->attempt);
            break;
          case action::kind::judge:
            EXPECT_TRUE(doubtable[a->attempt]);
            to_judge.push_back(a->attempt);
            break;
          case action::kind::forward:
            ++forwards;
            EXPECT_TRUE(running[a->attempt] || ending[a->attempt]) << "round " << round;
            break;
          case action::kind::arm:
            alarm = a->when;
            break;
          case action::kind::finish:
            ++finishes;
            break;
        }
      }
      for (const int one : to_judge) {
        if (pick(2) == 0) {
          decides->doubted(one, now);
        } else {
          decides->token(one, now);
        }
        doubtable[one] = false;
      }
      for (const int one : to_expire) {
        running[one] = false;
        fail(one, fault_kind::timeout);
      }
      if (!to_judge.empty() || !to_expire.empty()) continue;
      std::vector<int> alive;
      for (const auto& [number, is] : running) {
        if (is) alive.push_back(number);
      }
      const int event = pick(8);
      if (alive.empty() || event == 0) {
        if (finishes == 0) {
          if (alarm == never) continue;
          now = std::max(now, alarm);
          decides->tick(now);
        }
        continue;
      }
      const int one = alive[static_cast<std::size_t>(pick(alive.size()))];
      now += std::chrono::milliseconds(pick(3000));
      if (event <= 3) {
        if (doubtable[one] && event > 0) {
          event == 1 ? decides->held(one, now) : decides->doubted(one, now);
          doubtable[one] = event == 1;
        } else {
          decides->token(one, now);
        }
      } else if (event == 4) {
        running[one] = false;
        ending[one] = true;
        decides->ended(one, now);
      } else if (event == 5 && one != decides->forwarded()) {
        running[one] = false;
        ++refunds;
        if (hedges[one] && pick(2) == 0) {
          decides->hedge_denied(one, now);
        } else {
          decides->refused(one, now);
        }
      } else {
        running[one] = false;
        auto why = fault_of(static_cast<fault_kind>(pick(16)));
        why.another_key = pick(5) == 0;
        why.another_way = pick(5) == 0;
        decides->faulted(one, why, now);
      }
    }
    ASSERT_EQ(finishes, 1) << "round " << round;
    EXPECT_LE(forwards, starts);
    if (!how.continues) {
      EXPECT_LE(forwards, 1);
    }
    EXPECT_LE(starts - refunds, how.bounds.attempts);
    if (!how.fallback) {
      EXPECT_LE(starts - refunds, 1);
    }
    EXPECT_FALSE(decides->next());
  }
}

}  // namespace
}  // namespace meshai::route
