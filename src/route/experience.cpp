#include "route/experience.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace meshai::route {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::duration<double> half_life = 72h;
constexpr double remembered = 64;        // answers and failures: older ones give way to newer ones
constexpr double benefit_of_doubt = 10;  // good answers that everybody is taken to have given
constexpr double step = 0.1;             // coarse: among equals the weights decide, not a single failure
constexpr double slow_from = 8'000;      // milliseconds of wait; a step more is taken off for each doubling
constexpr double most_for_slowness = 0.2;
constexpr std::size_t most_records = 4096;  // names that callers make up must not fill the memory

std::uint64_t key_of(target_id model, complexity how) {
  return model.value ^ (static_cast<std::uint64_t>(how) + 1) * 0x9e3779b97f4a7c15;
}

// The weight of what is new grows from a first answer's to that of one in so many.
void average(double& into, double seen, double count) {
  into = into == 0 ? seen : into + (seen - into) / std::clamp(count, 1.0, remembered / 2);
}

}  // namespace

lesson lesson::faded(instant now) const {
  auto out = *this;
  if (at == instant::min() || now <= at) return out;
  const double left = std::exp2(-std::chrono::duration<double>(now - at) / half_life);
  out.answered *= left;
  out.failed *= left;
  out.again *= left;
  out.at = now;
  return out;
}

double lesson::deduction() const {
  const double bad = (failed + again) / (answered + failed + benefit_of_doubt);
  const double slow = wait > slow_from ? std::min(most_for_slowness, step * (1 + std::log2(wait / slow_from))) : 0;
  // What is hardly known fades with its counts, the wait too.
  const double sure = std::min(1.0, answered / benefit_of_doubt);
  const double all = most_deduction * std::min(1.0, bad) + slow * sure;
  return std::floor(std::min(all, most_deduction) / step + 1e-9) * step;
}

lesson& experience::change(target_id model, complexity how, instant now) {
  if (records_.size() >= most_records && !records_.contains(key_of(model, how))) {
    records_.erase(std::ranges::min_element(records_, {}, [](const auto& one) { return one.second.of.at; }));
  }
  auto& found = records_[key_of(model, how)];
  found.changed = true;
  found.of = found.of.faded(now);
  found.of.model = model;
  found.of.how = how;
  found.of.at = now;
  const double all = found.of.answered + found.of.failed;
  if (all >= remembered) {
    const double left = (remembered - 1) / all;
    found.of.answered *= left;
    found.of.failed *= left;
    found.of.again *= left;
  }
  return found.of;
}

void experience::answered(target_id model, complexity how, std::optional<std::chrono::nanoseconds> wait,
                          instant now) {
  const std::lock_guard lock(mutex_);
  auto& of = change(model, how, now);
  ++of.answered;
  if (wait) average(of.wait, std::max(1.0, std::chrono::duration<double, std::milli>(*wait).count()), of.answered);
}

void experience::failed(target_id model, complexity how, instant now) {
  const std::lock_guard lock(mutex_);
  ++change(model, how, now).failed;
}

void experience::asked_again(target_id model, complexity how, instant now) {
  const std::lock_guard lock(mutex_);
  ++change(model, how, now).again;
}

lesson experience::look(target_id model, complexity how, instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(key_of(model, how));
  return found == records_.end() ? lesson{.model = model, .how = how} : found->second.of.faded(now);
}

std::vector<lesson> experience::take_changed() {
  const std::lock_guard lock(mutex_);
  std::vector<lesson> out;
  for (auto& [key, one] : records_) {
    if (std::exchange(one.changed, false)) out.push_back(one.of);
  }
  return out;
}

void experience::restore(const std::vector<lesson>& all) {
  const std::lock_guard lock(mutex_);
  for (const auto& one : all) {
    if (records_.size() >= most_records) return;
    records_.try_emplace(key_of(one.model, one.how), record{.of = one});
  }
}

}  // namespace meshai::route
