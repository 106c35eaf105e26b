// dispatch: who pays for an attempt, as the node above keeps the accounts.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "dispatch/failure.hpp"
#include "env/awaitable.hpp"
#include "ledger/ledger.hpp"

namespace meshai::dispatch {

// What one attempt came to.
struct expense {
  std::string_view key, node;
  ledger::day_number day = 0;
  ledger::amount cost;
  std::int64_t input = 0, output = 0;  // tokens
  bool sent = false;                   // somebody was asked
  bool estimated = false;              // nobody told them
  bool answered = false;               // its answer, or the end of it, is what the caller got
  bool fallback = false;               // and it stood in for an earlier candidate
  bool failed = false;
};

// Shared by all workers. Thread-safe.
class purse {
 public:
  virtual ~purse() = default;
  virtual std::expected<ledger::hold, ledger::shortage> reserve(std::string_view key, const ledger::claim& what,
                                                                const ledger::moment& at) = 0;
  // Returns once the hold is on disk; a shortage where it cannot be, and then nobody may be asked.
  virtual task<std::optional<ledger::shortage>> written(executor loop, ledger::hold of) = 0;
  // Once for each hold.
  virtual void settle(const ledger::hold& of, const expense& what, instant now) = 0;
};

// What the caller is told: 429 and when to come back, or 400 for what no waiting mends.
failure describe(const ledger::shortage& of);

}  // namespace meshai::dispatch
