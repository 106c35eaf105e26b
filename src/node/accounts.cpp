#include "node/accounts.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <limits>
#include <span>
#include <utility>

#include "env/clock.hpp"
#include "env/log.hpp"
#include "env/metrics.hpp"
#include "env/pool.hpp"
#include "env/random.hpp"
#include "env/scope.hpp"

namespace meshai::node {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto pause = 500ms;               // between two looks at the file
constexpr std::size_t most_waiting = 4096;  // attempts

ledger::shortage unwritten() {
  return {.of = ledger::shortage::kind::unwritten, .again = 1000ms};
}

// Another process has spent it since: it may come back, and today's rest is known in a moment.
ledger::shortage spent_elsewhere(const store::batch::opening& one) {
  const bool money = one.limits.money.has_value();
  return {.of = money ? ledger::shortage::kind::money : ledger::shortage::kind::tokens,
          .wanted = money ? one.hold.most.money : one.hold.most.tokens,
          .left = 0,
          .limit = money ? *one.limits.money : one.limits.tokens.value_or(0),
          .again = 1000ms,
          .held = true};
}

task<void> tick(env::clock& clock, env::event& rung) {
  for (;;) {
    co_await clock.sleep_until(clock.now() + std::chrono::nanoseconds(pause));
    rung.set();
  }
}

}  // namespace

// Set and read on its own loop, but for what is handed over before it is woken.
struct accounts::waiter {
  explicit waiter(executor on) : loop(on), come(on) {}
  executor loop;
  env::event come;
  std::optional<ledger::shortage> wrong;
};

accounts::accounts(const env::world& on, std::filesystem::path file)
    : world_(on), file_(std::move(file)), wake_(on.loop) {
  on.entropy.fill(std::as_writable_bytes(std::span(&holder_, 1)));
  holder_ &= std::numeric_limits<std::int64_t>::max();
}

void accounts::begin() {
  if (file_.empty()) return;
  auto first = take();
  work(first);
  conclude(first);
  keys_changed_ = false;
}

void accounts::use(limits_by_key configured, bool usage) {
  configured_ = std::move(configured);
  {
    const std::lock_guard lock(mutex_);
    usage_ = usage && !file_.empty();
  }
  set_limits();
}

// A name of the configuration stands over an issued one.
void accounts::set_limits() {
  auto all = configured_;
  for (const auto& [digest, who] : issued_->callers) all.emplace(who.name, who.limits);
  std::erase_if(all, [](const auto& one) { return !one.second.any(); });
  book_->set_limits(std::move(all));
  const std::lock_guard lock(mutex_);
  read_again_ = true;  // what they have spent so far
}

task<void> accounts::keep(std::function<void()> keys_changed) {
  if (file_.empty()) co_return;
  env::scope beside(world_.loop);
  beside.spawn(tick(world_.clock, wake_));
  for (;;) {
    co_await wake_.wait();
    const auto done = co_await go_round();
    if (std::exchange(keys_changed_, false)) keys_changed();
    for (const auto& one : done.asking) one->set();
  }
}

task<void> accounts::look_again() {
  if (file_.empty()) co_return;
  const auto seen = std::make_shared<env::event>(world_.loop);
  {
    const std::lock_guard lock(mutex_);
    pending_.asking.push_back(seen);
    read_again_ = true;
  }
  wake_.set();
  co_await seen->wait();
}

task<void> accounts::finish() {
  if (!file_.empty()) (void)co_await go_round();
}

task<accounts::round> accounts::go_round() {
  auto now = take();
  // Whoever cancels waits for the pool, and then what was written is still concluded.
  co_await world_.pool.run([this, &now] { work(now); });
  conclude(now);
  co_return now;
}

accounts::round accounts::take() {
  round out;
  {
    const std::lock_guard lock(mutex_);
    out = std::exchange(pending_, round());
  }
  out.today = ledger::day_of(world_.clock.wall());
  return out;
}

// ---- on the pool

void accounts::work(round& on) {
  on.wrong = write_and_read(on);
  if (on.wrong && on.wrong->kind != error_kind::unavailable) open_.reset();
}

std::optional<error> accounts::write_and_read(round& on) {
  bool broken = false, again = false;
  {
    const std::lock_guard lock(mutex_);
    broken = broken_;
    again = std::exchange(read_again_, false);
  }
  if (!open_) {
    on.nothing_there = store::has_no_ledger(file_);
    if (on.nothing_there && on.batch.empty() && !broken) return std::nullopt;
    auto opened = store::open_ledger(file_, store::database::access::create);
    if (!opened) return opened.error();
    open_.emplace(*std::move(opened));
    seen_ = -1;
  }
  // Where it could not be written, an empty transaction tells whether it can be now.
  if (!on.batch.empty() || broken) {
    if (auto done = store::write(*open_, holder_, on.batch); !done) return done.error();
  }
  const auto version = open_->version_of_data();
  if (!version) return version.error();
  const bool denied = std::ranges::any_of(on.batch.opened, &store::batch::opening::denied);
  if (*version == seen_ && on.today == read_on_ && !denied && !again) return std::nullopt;
  auto spent = store::totals(*open_, on.today, holder_);
  if (!spent) return spent.error();
  auto keys = store::list_keys(*open_);
  if (!keys) return keys.error();
  on.spent = *std::move(spent);
  on.keys = *std::move(keys);
  seen_ = *version;
  read_on_ = on.today;
  return std::nullopt;
}

// ---- on the first loop again

void accounts::put_back(round& from) {
  const std::lock_guard lock(mutex_);
  for (auto& [who, more] : from.batch.spent) pending_.batch.spent[who] += more;
  for (auto& [who, more] : from.paid) pending_.paid[who] += more;
  pending_.batch.closed.insert(pending_.batch.closed.end(), from.batch.closed.begin(), from.batch.closed.end());
  read_again_ = true;
}

void accounts::conclude(round& done) {
  const bool failed = done.wrong.has_value();
  if (failed) put_back(done);
  for (std::size_t i = 0; i < done.waiting.size(); ++i) {
    const auto& one = done.waiting[i];
    if (failed) {
      one->wrong = unwritten();
    } else if (done.batch.opened[i].denied) {
      one->wrong = spent_elsewhere(done.batch.opened[i]);
    }
    boost::asio::post(one->loop, [one] { one->come.set(); });
  }
  complain(failed ? store::how_to_mend(file_, *done.wrong) : std::string());
  if (failed) {
    // It may hold keys: without them nobody can tell who may come in.
    if (issued_->callers.empty() && !issued_->demanded && !done.nothing_there) {
      auto closed = std::make_shared<front::issued_keys>();
      closed->demanded = true;
      issued_ = std::move(closed);
      keys_changed_ = true;
    }
    return;
  }
  totals own;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [who, more] : done.paid) paid_[who] += more;
    std::erase_if(paid_, [&](const auto& one) { return one.first.first < done.today - 1; });
    for (const auto& [who, more] : paid_) {
      if (who.first == done.today) own[who.second] = more;
    }
  }
  if (!done.keys) return;
  learn_keys(*std::move(done.keys));
  for (const auto& key : book_->keys()) {
    auto spent = done.spent[key];
    spent -= own[key];
    book_->set_elsewhere(key, done.today, spent);
  }
}

void accounts::learn_keys(std::vector<store::issued_key> all) {
  auto now = std::make_shared<front::issued_keys>();
  now->demanded = !all.empty();
  for (auto& one : all) {
    if (one.revoked || configured_.contains(one.name)) continue;
    now->callers.emplace(one.digest, front::caller{.name = std::move(one.name),
                                                   .key = {},
                                                   .models = std::move(one.models),
                                                   .reach = one.reach,
                                                   .limits = one.limits});
  }
  const auto same = [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.name == b.second.name;  // a made key is not changed
  };
  if (now->demanded == issued_->demanded && std::ranges::equal(now->callers, issued_->callers, same)) return;
  issued_ = std::move(now);
  keys_changed_ = true;
  set_limits();
  const std::lock_guard lock(mutex_);
  read_again_ = false;  // what they have spent is told right after this
}

// Said once, and again when it is another trouble.
void accounts::complain(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    broken_ = !why.empty();
    if (trouble_ == why) return;
    trouble_ = why;
  }
  if (why.empty()) {
    world_.log.write(env::log_level::info, "ledger.mended", {});
  } else {
    world_.log.write(env::log_level::error, "ledger.unavailable", {{"why", env::own_name{why}}});
  }
}

std::string accounts::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void accounts::measure(env::metrics& into) const {
  const ledger::moment at{.now = world_.clock.now(), .wall = world_.clock.wall()};
  const auto set = [&](std::string_view name, std::string_view help, const std::string& key, std::int64_t n) {
    into.get_gauge(name, help, {{"key", key}}).set(n);
  };
  for (const auto& key : book_->keys()) {
    const auto stands = book_->look(key, at);
    if (!stands || !stands->limits.any()) continue;
    set("meshai_key_spent_tokens", "Tokens that a key has spent today (UTC).", key, stands->spent.tokens);
    set("meshai_key_reserved_tokens", "Tokens held for its attempts that run.", key, stands->held.tokens);
    set("meshai_key_spent_money_millionths", "Money that a key has spent today (UTC), in millionths.", key,
        stands->spent.money / 1000);
    set("meshai_key_reserved_money_millionths", "Money held for its attempts that run, in millionths.", key,
        stands->held.money / 1000);
  }
  const std::lock_guard lock(mutex_);
  into.get_gauge("meshai_ledger_up", "1 while what is spent can be written down.").set(!broken_);
}

// ---- from any worker

std::expected<ledger::hold, ledger::shortage> accounts::reserve(std::string_view key, const ledger::claim& what,
                                                                const ledger::moment& at) {
  auto held = book_->reserve(key, what, at);
  if (!held || !held->budget) return held;
  bool refused = file_.empty();
  {
    const std::lock_guard lock(mutex_);
    refused = refused || broken_ || pending_.waiting.size() >= most_waiting;
  }
  if (!refused) return held;
  book_->settle(*held, {}, at.now);
  return std::unexpected(unwritten());
}

void accounts::poke() {
  boost::asio::post(world_.loop, [self = weak_from_this()] {
    if (const auto still = self.lock()) still->wake_.set();
  });
}

task<std::optional<ledger::shortage>> accounts::written(executor loop, ledger::hold of) {
  const auto mine = std::make_shared<waiter>(loop);
  const ledger::moment at{.now = of.begun, .wall = world_.clock.wall()};
  const auto stands = book_->look(of.key, at);
  {
    const std::lock_guard lock(mutex_);
    pending_.batch.opened.push_back({.hold = of, .limits = stands ? stands->limits : ledger::limits{}});
    pending_.waiting.push_back(mine);
  }
  poke();
  co_await mine->come.wait();
  co_return mine->wrong;
}

void accounts::settle(const ledger::hold& of, const dispatch::expense& what, instant now) {
  book_->settle(of, what.cost, now);
  const std::lock_guard lock(mutex_);
  if (of.budget) {
    auto& opened = pending_.batch.opened;
    const auto found = std::ranges::find(opened, of.number, [](const auto& one) { return one.hold.number; });
    if (found == opened.end()) {
      pending_.batch.closed.push_back(of.number);
    } else {
      pending_.waiting.erase(pending_.waiting.begin() + (found - opened.begin()));
      opened.erase(found);
    }
  }
  if (!what.sent || (!usage_ && !of.budget)) return;
  auto& to = pending_.batch.spent[{what.day, std::string(what.key), std::string(what.node)}];
  to += {.attempts = 1,
         .answers = what.answered,
         .fallbacks = what.fallback,
         .faults = what.failed,
         .estimated = what.estimated,
         .input = what.input,
         .output = what.output,
         .cost = what.cost};
  if (of.number != 0) pending_.paid[{what.day, std::string(what.key)}] += what.cost;
}

}  // namespace meshai::node
