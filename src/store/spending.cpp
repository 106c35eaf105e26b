#include "store/spending.hpp"

#include <limits>

namespace meshai::store {
namespace {

constexpr ledger::day_number holds_kept = 400;  // days: they are few

result<void> done(const result<std::int64_t>& changed) {
  if (!changed) return std::unexpected(changed.error());
  return {};
}

result<void> add(database& in, const spender& who, const tally& more) {
  const auto& [day, key, node] = who;
  return done(in.run(
      "INSERT INTO spent (day, key, node, attempts, answers, fallbacks, faults, estimated, input, output, "
      "tokens, money) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT DO UPDATE SET attempts = attempts + excluded.attempts, answers = answers + excluded.answers, "
      "fallbacks = fallbacks + excluded.fallbacks, faults = faults + excluded.faults, "
      "estimated = estimated + excluded.estimated, input = input + excluded.input, "
      "output = output + excluded.output, tokens = tokens + excluded.tokens, money = money + excluded.money",
      {day, std::string_view(key), std::string_view(node), more.attempts, more.answers, more.fallbacks,
       more.faults, more.estimated, more.input, more.output, more.cost.tokens, more.cost.money}));
}

// Nothing is held where it would pass the budget: another process may have spent it since.
result<void> open(database& in, std::int64_t holder, batch::opening& one) {
  const auto& held = one.hold;
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const auto changed = in.run(
      "INSERT INTO hold (holder, number, day, key, tokens, money) SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE "
      "(SELECT total(tokens) FROM spent WHERE day = ?3 AND key = ?4) + "
      "(SELECT total(tokens) FROM hold WHERE day = ?3 AND key = ?4) + ?5 <= ?7 AND "
      "(?6 = 0 OR (SELECT total(money) FROM spent WHERE day = ?3 AND key = ?4) + "
      "(SELECT total(money) FROM hold WHERE day = ?3 AND key = ?4) + ?6 <= ?8)",
      {holder, static_cast<std::int64_t>(held.number), held.day, std::string_view(held.key), held.most.tokens,
       held.most.money, one.limits.tokens.value_or(most), one.limits.money.value_or(most)});
  if (!changed) return std::unexpected(changed.error());
  one.denied = *changed == 0;
  return {};
}

}  // namespace

tally& tally::operator+=(const tally& more) {
  attempts += more.attempts;
  answers += more.answers;
  fallbacks += more.fallbacks;
  faults += more.faults;
  estimated += more.estimated;
  input += more.input;
  output += more.output;
  cost += more.cost;
  return *this;
}

result<void> write(database& in, std::int64_t holder, batch& all) {
  return in.transaction([&]() -> result<void> {
    for (const auto number : all.closed) {
      auto gone = done(
          in.run("DELETE FROM hold WHERE holder = ? AND number = ?", {holder, static_cast<std::int64_t>(number)}));
      if (!gone) return gone;
    }
    for (const auto& [who, more] : all.spent) {
      if (auto added = add(in, who, more); !added) return added;
    }
    for (auto& one : all.opened) {
      if (auto opened = open(in, holder, one); !opened) return opened;
    }
    if (all.opened.empty()) return {};
    return done(in.run("DELETE FROM hold WHERE day < ?", {all.opened.front().hold.day - holds_kept}));
  });
}

result<std::map<std::string, ledger::amount>> totals(database& in, ledger::day_number day, std::int64_t but) {
  std::map<std::string, ledger::amount> out;
  const auto take = [&](const row& one) {
    out[std::string(one.text(0))] += {.tokens = one.integer(1), .money = one.integer(2)};
  };
  if (auto read = in.each("SELECT key, tokens, money FROM spent WHERE day = ?", {day}, take); !read)
    return std::unexpected(read.error());
  auto read = in.each("SELECT key, tokens, money FROM hold WHERE day = ? AND holder <> ?", {day, but}, take);
  if (!read) return std::unexpected(read.error());
  return out;
}

result<tallies> read_spending(database& in, ledger::day_number from, ledger::day_number to) {
  tallies out;
  auto read = in.each(
      "SELECT day, key, node, attempts, answers, fallbacks, faults, estimated, input, output, tokens, money FROM "
      "spent "
      "WHERE day BETWEEN ? AND ?",
      {from, to}, [&](const row& one) {
        out[{one.integer(0), std::string(one.text(1)), std::string(one.text(2))}] = {
            .attempts = one.integer(3),
            .answers = one.integer(4),
            .fallbacks = one.integer(5),
            .faults = one.integer(6),
            .estimated = one.integer(7),
            .input = one.integer(8),
            .output = one.integer(9),
            .cost = {.tokens = one.integer(10), .money = one.integer(11)}};
      });
  if (!read) return std::unexpected(read.error());
  return out;
}

result<std::map<std::pair<ledger::day_number, std::string>, ledger::amount>> read_holds(database& in,
                                                                                        ledger::day_number from,
                                                                                        ledger::day_number to) {
  std::map<std::pair<ledger::day_number, std::string>, ledger::amount> out;
  auto read = in.each(
      "SELECT day, key, tokens, money FROM hold WHERE day BETWEEN ? AND ?", {from, to}, [&](const row& one) {
        out[{one.integer(0), std::string(one.text(1))}] += {.tokens = one.integer(2), .money = one.integer(3)};
      });
  if (!read) return std::unexpected(read.error());
  return out;
}

}  // namespace meshai::store
