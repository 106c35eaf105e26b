#include "node/engines.hpp"

#include <algorithm>
#include <utility>

#include "env/clock.hpp"

namespace meshai::node {
namespace {

using namespace std::chrono_literals;

route::presence presence_of(const engine::facts& now) {
  if (now.state == engine::state::ready) return route::presence::here;
  return now.coming ? route::presence::coming : route::presence::gone;
}

bool same(const engine::options& a, const engine::options& b) {
  return a.name == b.name && a.model == b.model && a.context == b.context && a.slots == b.slots &&
         a.threads == b.threads && a.embeddings == b.embeddings && a.data_folder == b.data_folder;
}

}  // namespace

engines::engines(env::world& world, route::health& known) : world_(world), known_(known), retiring_(world.loop) {}

engines::list engines::prepare(const std::vector<engine::options>& wanted) {
  list out;
  for (const auto& how : wanted) {
    const auto kept = std::ranges::find_if(known_engines_, [&](const auto& one) { return same(one.how, how); });
    if (kept != known_engines_.end()) {
      out.push_back({how.name, kept->by});
      continue;
    }
    auto started_with = how;
    if (generation_ > 0) started_with.name += "." + std::to_string(generation_);
    // One that was replaced ends in its own time, and that says nothing about its node.
    started_with.changed = [this, name = how.name, number = ++made_](const engine::facts& now) {
      const auto in_use = number_of_.find(name);
      if (in_use != number_of_.end() && in_use->second == number)
        known_.set_presence(route::make_target_id(name), presence_of(now));
    };
    known_engines_.push_back({how, std::make_shared<engine::supervisor>(world_, std::move(started_with)), made_});
    out.push_back({how.name, known_engines_.back().by});
  }
  return out;
}

void engines::put_to_use(list now, std::weak_ptr<const void> old_users) {
  ++generation_;
  const auto stays = [&](const entry& one) {
    return std::ranges::any_of(now, [&](const running& kept) { return kept.by == one.by; });
  };
  for (auto& one : known_engines_) {
    if (!stays(one)) {
      retiring_.spawn(retire(one.by, old_users));
    } else if (!one.started) {
      one.started = true;
      one.by->start();
    }
  }
  std::erase_if(known_engines_, [&](const entry& one) { return !stays(one); });
  tell_presence();
  current_ = std::move(now);
}

void engines::tell_presence() {
  const auto before = std::exchange(number_of_, {});
  for (const auto& one : known_engines_) {
    number_of_[one.how.name] = one.number;
    known_.set_presence(route::make_target_id(one.how.name), presence_of(one.by->facts()));
  }
  // A node of this name that is no engine any more is there by itself.
  for (const auto& [name, number] : before) {
    if (!number_of_.contains(name)) known_.set_presence(route::make_target_id(name), route::presence::here);
  }
}

task<void> engines::retire(std::shared_ptr<engine::supervisor> gone, std::weak_ptr<const void> users) {
  while (!users.expired()) co_await world_.clock.sleep_until(world_.clock.now() + 100ms);
  co_await gone->stop();
}

task<void> engines::stop() {
  co_await retiring_.close();
  for (auto& one : known_engines_) co_await one.by->stop();
}

}  // namespace meshai::node
