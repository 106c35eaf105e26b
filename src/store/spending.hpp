// store: what is held and what was spent, by day, key and node. No text of a question or an answer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "ledger/ledger.hpp"
#include "store/database.hpp"

namespace meshai::store {

// What happened at one node, for one key, on one day.
struct tally {
  std::int64_t attempts = 0, answers = 0;
  std::int64_t fallbacks = 0;  // of the answers: given in place of an earlier candidate
  std::int64_t faults = 0;
  std::int64_t estimated = 0;  // attempts whose tokens nobody told
  std::int64_t input = 0, output = 0;
  ledger::amount cost;

  tally& operator+=(const tally& more);
};

using spender = std::tuple<ledger::day_number, std::string, std::string>;  // day, key, node
using tallies = std::map<spender, tally>;

// What is written at once.
struct batch {
  struct opening {
    ledger::hold hold;
    ledger::limits limits;
    bool denied = false;  // out: others have spent it meanwhile
  };
  std::vector<opening> opened;
  std::vector<std::uint64_t> closed;  // holds of this holder
  tallies spent;

  bool empty() const { return opened.empty() && closed.empty() && spent.empty(); }
};

// In one transaction: first what comes free, then what is held. `holder` is the process.
result<void> write(database& in, std::int64_t holder, batch& all);

// What was spent and is held on that day by key, without the holds of `but`.
result<std::map<std::string, ledger::amount>> totals(database& in, ledger::day_number day, std::int64_t but);

// Of these days, both included.
result<tallies> read_spending(database& in, ledger::day_number from, ledger::day_number to);
// What is held for attempts that run, or whose node was killed: by day and key.
result<std::map<std::pair<ledger::day_number, std::string>, ledger::amount>> read_holds(database& in,
                                                                                        ledger::day_number from,
                                                                                        ledger::day_number to);

}  // namespace meshai::store
