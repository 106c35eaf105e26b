#include "ledger/book.hpp"

#include <algorithm>

namespace meshai::ledger {
namespace {

using std::chrono::milliseconds;

// What is held comes back when an answer ends: soon.
constexpr milliseconds until_others_end{1000};

milliseconds until_tomorrow(wall_time at) {
  return std::chrono::floor<std::chrono::days>(at) + std::chrono::days(1) - at;
}

std::optional<shortage> short_of_budget(shortage::kind of, std::int64_t wanted, std::int64_t spent,
                                        std::int64_t held, std::int64_t limit, wall_time at) {
  if (spent <= limit && held <= limit - spent && wanted <= limit - spent - held) return std::nullopt;
  shortage out{.of = of,
               .wanted = wanted,
               .left = std::max<std::int64_t>(0, limit - std::min(limit, spent)),
               .limit = limit,
               .again = until_tomorrow(at)};
  out.held = wanted <= out.left;
  if (out.held) out.again = until_others_end;
  if (wanted > limit) out.again.reset();
  return out;
}

}  // namespace

day_number day_of(wall_time at) {
  return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}

void book::account::turn_to(day_number to) {
  if (to <= day) return;
  day = to;
  elsewhere = spent = held = {};
}

std::optional<shortage> book::account::short_of(const claim& what, const moment& at) {
  auto gone = spent;
  gone += elsewhere;
  using kind = shortage::kind;
  if (limits.money && what.most.money > 0) {
    if (auto wrong = short_of_budget(kind::money, what.most.money, gone.money, held.money, *limits.money, at.wall))
      return wrong;
  }
  if (limits.tokens) {
    if (auto wrong =
            short_of_budget(kind::tokens, what.most.tokens, gone.tokens, held.tokens, *limits.tokens, at.wall))
      return wrong;
  }
  if (!limits.tokens_a_minute) return std::nullopt;
  const auto limit = *limits.tokens_a_minute;
  const auto wait = tokens.wait_for(what.likely, limit, at.now);
  if (wait && wait->count() == 0) return std::nullopt;
  return shortage{.of = kind::tokens_a_minute,
                  .wanted = what.likely,
                  .left = std::max<std::int64_t>(0, limit - tokens.used(at.now)),
                  .limit = limit,
                  .again = wait};
}

void book::set_limits(std::map<std::string, limits, std::less<>> of) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, own] : accounts_) own.limits = {};
  for (auto& [key, given] : of) accounts_[key].limits = given;
}

book::account* book::find(std::string_view key) {
  const auto found = accounts_.find(key);
  return found == accounts_.end() ? nullptr : &found->second;
}

std::optional<shortage> book::admit(std::string_view key, const moment& at) {
  const std::lock_guard lock(mutex_);
  auto* own = find(key);
  if (!own || !own->limits.requests_a_minute) return std::nullopt;
  const auto limit = *own->limits.requests_a_minute;
  const auto wait = own->requests.wait_for(1, limit, at.now);
  if (wait && wait->count() == 0) {
    own->requests.add(1, at.now);
    return std::nullopt;
  }
  return shortage{.of = shortage::kind::requests_a_minute, .wanted = 1, .left = 0, .limit = limit, .again = wait};
}

std::expected<hold, shortage> book::reserve(std::string_view key, const claim& what, const moment& at) {
  const std::lock_guard lock(mutex_);
  auto* own = find(key);
  if (!own) return hold{};
  own->turn_to(at.day());
  if (auto wrong = own->short_of(what, at)) return std::unexpected(*wrong);
  own->held += what.most;
  own->tokens.add(what.likely, at.now);
  return hold{.number = ++holds_,
              .budget = own->limits.budget(),
              .key = std::string(key),
              .day = own->day,
              .most = what.most,
              .likely = what.likely,
              .begun = at.now};
}

void book::settle(const hold& of, const amount& spent, instant now) {
  if (of.number == 0) return;
  const std::lock_guard lock(mutex_);
  auto* own = find(of.key);
  if (!own) return;
  if (spent.tokens < of.likely) {
    own->tokens.give_back(of.likely - spent.tokens, of.begun, now);
  } else {
    own->tokens.add(spent.tokens - of.likely, now);
  }
  if (own->day != of.day) return;  // yesterday's
  own->held -= of.most;
  own->spent += spent;
}

void book::set_elsewhere(std::string_view key, day_number day, const amount& spent) {
  const std::lock_guard lock(mutex_);
  auto* own = find(key);
  if (!own) return;
  own->turn_to(day);
  if (own->day == day) own->elsewhere = spent;
}

std::optional<standing> book::look(std::string_view key, const moment& at) {
  const std::lock_guard lock(mutex_);
  auto* own = find(key);
  if (!own) return std::nullopt;
  own->turn_to(at.day());
  auto spent = own->spent;
  spent += own->elsewhere;
  return standing{.limits = own->limits,
                  .spent = spent,
                  .held = own->held,
                  .requests = own->requests.used(at.now),
                  .tokens = own->tokens.used(at.now),
                  .requests_reset = own->requests.empties_in(at.now),
                  .tokens_reset = own->tokens.empties_in(at.now)};
}

std::vector<std::string> book::keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  out.reserve(accounts_.size());
  for (const auto& [key, own] : accounts_) out.push_back(key);
  return out;
}

}  // namespace meshai::ledger
