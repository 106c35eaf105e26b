#include "dispatch/turnstile.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "env/event.hpp"

namespace meshai::dispatch {

// The state changes under the turnstile's mutex; the event is only touched on the waiter's own loop.
struct turnstile::waiter {
  waiter(executor at, std::string by, std::uint64_t number)
      : loop(at), who(std::move(by)), arrival(number), come(at) {}

  executor loop;
  std::string who;
  std::uint64_t arrival;
  enum class state { waiting, admitted, dropped } now = state::waiting;
  env::event come;
};

namespace {

template <class Waiter>
void wake(const std::shared_ptr<Waiter>& one) {
  boost::asio::post(one->loop, [one] { one->come.set(); });
}

}  // namespace

// Leaves the line, or the place that it got meanwhile, however the wait ends.
class turnstile::turn {
 public:
  turn(std::shared_ptr<turnstile> of, std::shared_ptr<waiter> one) : of_(std::move(of)), one_(std::move(one)) {}
  ~turn() {
    if (of_) of_->give_up(one_);
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

  std::optional<place> take() {
    const auto of = std::exchange(of_, nullptr);
    const std::lock_guard lock(of->mutex_);
    CHECK(one_->now != waiter::state::waiting);
    if (one_->now == waiter::state::dropped) return std::nullopt;
    return place(of, one_->who);
  }

 private:
  std::shared_ptr<turnstile> of_;
  std::shared_ptr<waiter> one_;
};

turnstile::place::~place() {
  if (of_) of_->leave(who_);
}

std::optional<turnstile::place> turnstile::try_enter(std::string_view who, int slots) {
  std::string name(who);
  const std::lock_guard lock(mutex_);
  slots_ = slots;
  if (!may_enter()) return std::nullopt;
  ++inside_;
  auto& own = parties_[name];
  ++own.inside;
  own.turn = ++turns_;
  return place(shared_from_this(), std::move(name));
}

task<std::optional<turnstile::place>> turnstile::enter(executor loop, std::string who, int slots) {
  std::shared_ptr<waiter> mine;
  {
    const std::lock_guard lock(mutex_);
    slots_ = slots;
    if (waiting_ >= most_waiting_ && !make_room(who)) co_return std::nullopt;
    mine = std::make_shared<waiter>(loop, who, arrivals_++);
    parties_[who].line.push_back(mine);
    ++waiting_;
    admit_next();
  }
  turn waits(shared_from_this(), mine);
  co_await mine->come.wait();
  co_return waits.take();
}

std::size_t turnstile::inside() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(inside_);
}

std::size_t turnstile::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

// False: the newcomer's own line is the longest.
bool turnstile::make_room(const std::string& who) {
  const auto longest =
      std::ranges::max_element(parties_, {}, [](const auto& each) { return each.second.line.size(); });
  const auto own = parties_.find(who);
  const auto own_size = own == parties_.end() ? 0 : own->second.line.size();
  if (longest == parties_.end() || longest->second.line.size() <= own_size + 1) return false;
  const auto gone = longest->second.line.back();
  longest->second.line.pop_back();
  --waiting_;
  gone->now = waiter::state::dropped;
  wake(gone);
  return true;
}

void turnstile::admit_next() {
  while (inside_ < slots_ && waiting_ > 0) {
    auto next = parties_.end();
    for (auto at = parties_.begin(); at != parties_.end(); ++at) {
      if (at->second.line.empty()) continue;
      const auto order = [](const party& of) { return std::tuple(of.inside, of.turn, of.line.front()->arrival); };
      if (next == parties_.end() || order(at->second) < order(next->second)) next = at;
    }
    CHECK(next != parties_.end());
    const auto one = next->second.line.front();
    next->second.line.pop_front();
    --waiting_;
    ++next->second.inside;
    next->second.turn = ++turns_;
    ++inside_;
    one->now = waiter::state::admitted;
    wake(one);
  }
}

void turnstile::leave(const std::string& who) {
  const std::lock_guard lock(mutex_);
  free_place(who);
}

void turnstile::free_place(const std::string& who) {
  const auto at = parties_.find(who);
  CHECK(at != parties_.end() && at->second.inside > 0);
  --at->second.inside;
  --inside_;
  admit_next();
  forget(at);
}

void turnstile::give_up(const std::shared_ptr<waiter>& one) {
  const std::lock_guard lock(mutex_);
  if (one->now == waiter::state::admitted) return free_place(one->who);  // while its wait was being cancelled
  if (one->now == waiter::state::dropped) return;
  const auto at = parties_.find(one->who);
  CHECK(at != parties_.end());
  std::erase(at->second.line, one);
  --waiting_;
  forget(at);
}

void turnstile::forget(std::map<std::string, party>::iterator at) {
  if (at->second.inside == 0 && at->second.line.empty()) parties_.erase(at);
}

void turnstile::bound(std::size_t most_waiting) {
  const std::lock_guard lock(mutex_);
  most_waiting_ = most_waiting;
}

std::shared_ptr<turnstile> turnstiles::at(const std::string& node) {
  const std::lock_guard lock(mutex_);
  auto& found = all_[node];
  if (!found) found = std::make_shared<turnstile>(most_waiting_);
  return found;
}

void turnstiles::bound(std::size_t most_waiting) {
  const std::lock_guard lock(mutex_);
  most_waiting_ = most_waiting;
  for (const auto& [node, one] : all_) one->bound(most_waiting);
}

std::vector<turnstiles::count> turnstiles::counts() const {
  const std::lock_guard lock(mutex_);
  std::vector<count> out;
  out.reserve(all_.size());
  for (const auto& [node, one] : all_) out.push_back({node, one->inside(), one->waiting()});
  return out;
}

}  // namespace meshai::dispatch
