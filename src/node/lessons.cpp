#include "node/lessons.hpp"

#include <algorithm>
#include <utility>

#include "env/clock.hpp"
#include "env/log.hpp"
#include "env/pool.hpp"

namespace meshai::node {
namespace {

using namespace std::chrono_literals;

constexpr auto pause = 60s;
constexpr auto kept_for = std::chrono::days(30);  // by then nothing is left of it

}  // namespace

lessons::lessons(env::world& world, std::filesystem::path file, std::shared_ptr<route::memory> of)
    : world_(world), file_(std::move(file)), of_(std::move(of)) {}

task<void> lessons::keep() {
  if (file_.empty()) co_return;
  co_await world_.pool.run([this] { read(); });
  for (;;) {
    co_await world_.clock.sleep_until(world_.clock.now() + std::chrono::nanoseconds(pause));
    co_await world_.pool.run([this] { write(); });
  }
}

task<void> lessons::finish() {
  if (file_.empty()) co_return;
  co_await world_.pool.run([this] { write(); });
}

store::database* lessons::open() {
  if (open_) return &*open_;
  auto opened = store::open_lessons(file_);
  if (!opened) {
    complain(opened.error());
    return nullptr;
  }
  return &open_.emplace(*std::move(opened));
}

void lessons::read() {
  auto* in = open();
  if (!in) return;
  const auto now = world_.clock.now();
  const auto wall = world_.clock.wall();
  const auto rows = store::read_lessons(*in, wall - kept_for);
  if (!rows) return complain(rows.error());
  std::vector<route::lesson> all;
  for (const auto& one : *rows) {
    if (one.how < 0 || one.how > 2) continue;
    // A clock that was set back makes nothing newer than now.
    const auto age =
        std::max(std::chrono::nanoseconds(0), std::chrono::duration_cast<std::chrono::nanoseconds>(wall - one.at));
    all.push_back({.model = {one.model},
                   .how = static_cast<route::complexity>(one.how),
                   .answered = one.answered,
                   .failed = one.failed,
                   .again = one.again,
                   .wait = one.wait,
                   .at = now - age});
  }
  of_->learned.restore(all);
}

void lessons::write() {
  const auto changed = of_->learned.take_changed();
  if (changed.empty()) return;
  auto* in = open();
  if (!in) return;
  const auto now = world_.clock.now();
  const auto wall = world_.clock.wall();
  std::vector<store::lesson_row> rows;
  rows.reserve(changed.size());
  for (const auto& one : changed) {
    rows.push_back({.model = one.model.value,
                    .how = static_cast<int>(one.how),
                    .answered = one.answered,
                    .failed = one.failed,
                    .again = one.again,
                    .wait = one.wait,
                    .at = wall - std::chrono::duration_cast<wall_time::duration>(now - one.at)});
  }
  if (auto written = store::write_lessons(*in, rows); !written) complain(written.error());
}

// Once: what is learned stays in memory, and the next batch tries again.
void lessons::complain(const error& why) {
  open_.reset();
  if (std::exchange(broken_, true)) return;
  world_.log.write(env::log_level::warning, "lessons.unwritten", {{"why", env::own_name{to_string(why.kind)}}});
}

}  // namespace meshai::node
