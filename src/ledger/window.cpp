#include "ledger/window.hpp"

#include <algorithm>

namespace meshai::ledger {

std::int64_t window::second_of(instant at) {
  // Counted from a thousand years before the clock's start: a slot's number is never negative.
  constexpr std::int64_t past = 31'536'000'000;
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count() + past;
}

void window::move_to(std::int64_t second) {
  if (second <= last_) return;
  if (second - last_ >= seconds) {
    slots_.fill(0);
    sum_ = 0;
  } else {
    for (auto each = last_ + 1; each <= second; ++each) {
      sum_ -= slot(each);
      slot(each) = 0;
    }
  }
  last_ = second;
}

std::int64_t window::used(instant now) {
  move_to(second_of(now));
  return sum_;
}

void window::add(std::int64_t n, instant now) {
  move_to(second_of(now));
  slot(last_) += n;
  sum_ += n;
}

void window::give_back(std::int64_t n, instant when, instant now) {
  move_to(second_of(now));
  const auto second = second_of(when);
  if (second > last_ || last_ - second >= seconds) return;
  const auto back = std::min(n, slot(second));
  slot(second) -= back;
  sum_ -= back;
}

std::optional<std::chrono::milliseconds> window::wait_for(std::int64_t n, std::int64_t limit, instant now) {
  if (n > limit) return std::nullopt;
  move_to(second_of(now));
  auto left = sum_;
  auto oldest = last_ - seconds + 1;
  while (left + n > limit) left -= slot(oldest++);
  // A slot leaves when the second that is `seconds` after its own begins.
  const auto gone = oldest - 1 + seconds;
  return until(gone, now);
}

std::chrono::milliseconds window::empties_in(instant now) {
  move_to(second_of(now));
  if (sum_ == 0) return std::chrono::milliseconds(0);
  auto newest = last_;
  while (slot(newest) == 0 && newest > last_ - seconds + 1) --newest;
  return until(newest + seconds, now);
}

std::chrono::milliseconds window::until(std::int64_t second, instant now) const {
  if (second <= last_) return std::chrono::milliseconds(0);
  const auto into = now.time_since_epoch() - std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::seconds(second - last_) - into);
}

}  // namespace meshai::ledger
