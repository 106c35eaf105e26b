// ledger: the accounts of all callers of one node. The worst case of an attempt is held before it begins, and what
// it came to takes its place afterwards: the sum of what was spent and what is held never passes the budget of the
// day, however many ask at once.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "env/clock.hpp"
#include "ledger/cost.hpp"
#include "ledger/window.hpp"

namespace meshai::ledger {

// What one key may spend; none: no bound.
struct limits {
  std::optional<std::int64_t> money;   // a day (UTC), in billionths
  std::optional<std::int64_t> tokens;  // a day
  std::optional<std::int64_t> requests_a_minute;
  std::optional<std::int64_t> tokens_a_minute;

  bool operator==(const limits&) const = default;
  bool budget() const { return money || tokens; }
  bool any() const { return budget() || requests_a_minute || tokens_a_minute; }
  // Where a price is not known, nothing else would bound it.
  bool only_priced() const { return money && !tokens; }
};

// Days since 1970, by UTC.
using day_number = std::int64_t;
day_number day_of(wall_time at);

struct moment {
  instant now;
  wall_time wall;
  day_number day() const { return day_of(wall); }
};

// What stands in the way.
struct shortage {
  enum class kind { requests_a_minute, tokens_a_minute, tokens, money, unwritten } of = kind::tokens;
  std::int64_t wanted = 0, left = 0, limit = 0;    // in the unit of `of`
  std::optional<std::chrono::milliseconds> again;  // when to come back; none: it is larger than the limit
  bool held = false;                               // what is held for others would do
};

// Room for one attempt.
struct hold {
  std::uint64_t number = 0;  // 0: nobody keeps an account
  bool budget = false;       // it has to be on disk before the attempt begins
  std::string key;
  day_number day = 0;
  amount most;
  std::int64_t likely = 0;  // tokens, of the rate
  instant begun;
};

struct claim {
  amount most;
  std::int64_t likely = 0;
};

// How an account stands today.
struct standing {
  ledger::limits limits;
  amount spent, held;
  std::int64_t requests = 0, tokens = 0;                         // of the last minute
  std::chrono::milliseconds requests_reset{0}, tokens_reset{0};  // until nothing of it is used
};

// Thread-safe: short locks, no waiting inside.
class book {
 public:
  // Of those that have any. Whoever had some before keeps an account: what was spent stays spent.
  void set_limits(std::map<std::string, limits, std::less<>> of);

  // One more request.
  std::optional<shortage> admit(std::string_view key, const moment& at);
  // Before an attempt. Every hold is settled once.
  std::expected<hold, shortage> reserve(std::string_view key, const claim& what, const moment& at);
  void settle(const hold& of, const amount& spent, instant now);

  // What other processes, and this one before it was started, spent and hold on that day.
  void set_elsewhere(std::string_view key, day_number day, const amount& spent);

  std::optional<standing> look(std::string_view key, const moment& at);
  std::vector<std::string> keys() const;

 private:
  struct account {
    ledger::limits limits;
    day_number day = 0;
    amount elsewhere, spent, held;
    window requests, tokens;
    void turn_to(day_number to);
    std::optional<shortage> short_of(const claim& what, const moment& at);
  };
  account* find(std::string_view key);

  mutable std::mutex mutex_;
  std::map<std::string, account, std::less<>> accounts_;
  std::uint64_t holds_ = 0;
};

}  // namespace meshai::ledger
