#include "node/node.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <optional>

#include "base/check.hpp"
#include "env/clock.hpp"
#include "env/log.hpp"
#include "env/metrics.hpp"
#include "env/pool.hpp"
#include "env/random.hpp"
#include "env/scope.hpp"
#include "node/accounts.hpp"
#include "node/engines.hpp"
#include "node/lessons.hpp"
#include "node/probes.hpp"
#include "node/status.hpp"
#include "node/worker.hpp"

namespace meshai::node {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using settings = std::shared_ptr<const front::settings>;

namespace {

std::uint64_t make_salt(env::world& world) {
  std::uint64_t salt = 0;
  world.entropy.fill(std::as_writable_bytes(std::span(&salt, 1)));
  return salt;
}

}  // namespace

struct node::parts final : front::office {
  parts(std::vector<env::world> in, options h)
      : worlds(std::move(in)),
        how(std::move(h)),
        lines(std::make_shared<dispatch::turnstiles>()),
        books(std::make_shared<accounts>(worlds.front(), how.ledger)),
        remembers(std::make_shared<route::memory>(make_salt(worlds.front()))),
        crowd(0, 0),  // nobody, before there is a plan
        learned(worlds.front(), how.lessons, remembers),
        kept(worlds.front(), known),
        background(worlds.front().loop),
        begun(worlds.front().clock.now()) {
    for (auto& world : worlds) {
      workers.push_back(std::make_unique<worker>(world, known, lines, books, remembers, crowd, *this, settings()));
    }
    probing.emplace(worlds.front(), workers.front()->upstream(), known);
  }

  // ---- office, from any worker ----
  bool ready() const override;
  std::string metrics() const override;
  std::string status() const override;
  task<result<void>> reload() override;
  task<void> read_keys() override { return books->look_again(); }

  // ---- on the first worker's loop ----
  result<void> put_to_use(plan next);
  void take_keys();  // those that were issued
  result<settings> make_settings();
  void publish(settings next);
  task<void> discover(std::uint64_t mine);
  task<bool> discover_once();

  std::vector<env::world> worlds;
  options how;
  route::health known;
  std::shared_ptr<dispatch::turnstiles> lines;
  std::shared_ptr<accounts> books;
  std::shared_ptr<route::memory> remembers;
  front::crowd crowd;
  lessons learned;
  engines kept;
  std::vector<std::unique_ptr<worker>> workers;
  std::optional<probes> probing;
  env::scope background;
  instant begun;

  plan current;  // upstreams were moved into `reached`
  std::shared_ptr<const upstream::endpoints> reached;
  std::map<std::string, std::vector<route::model>> found;  // models = ["*"], by node
  bool stopping = false;
  std::uint64_t round = 0;  // of the configuration: an old one's discovery ends

  mutable std::mutex mutex;  // guards what is below: status and ready are asked from every worker
  settings published;
  std::string print;  // of the configuration
  engines::list running;
};

namespace {

constexpr auto discovery_pause = 5min;
constexpr auto discovery_retry = 30s;
constexpr auto discovery_timeout = 10s;

limits_by_key limits_of(const front::admission_rules& rules) {
  limits_by_key out;
  for (const auto& one : rules.callers) out.emplace(one.name, one.limits);
  return out;
}

bool wants_discovery(const route::node& node, meshai::reach bound) {
  return node.any_model && node.off.empty() && allows(bound, node.where);
}

}  // namespace

bool node::parts::ready() const {
  const std::lock_guard lock(mutex);
  if (!published) return false;
  const auto now = worlds.front().clock.now();
  return std::ranges::any_of(published->setup->directory->nodes(), [&](const route::node& node) {
    const auto engine = std::ranges::find(running, node.name, &engines::running::node);
    if (engine != running.end()) return engine->by->ready();
    return node.off.empty() && allows(published->setup->api, node.where) &&
           known.look(route::make_target_id(node.name), now).available();
  });
}

std::string node::parts::metrics() const {
  auto& all = worlds.front().metrics;
  if (how.measure) how.measure(all);
  books->measure(all);
  all.get_gauge("meshai_connections", "Connections of callers.").set(static_cast<std::int64_t>(crowd.inside()));
  const std::lock_guard lock(mutex);
  for (const auto& at : lines->counts()) {
    all.get_gauge("meshai_node_running", "Answers in the making at nodes with so many places.",
                  {{"node", at.node}})
        .set(static_cast<std::int64_t>(at.inside));
    all.get_gauge("meshai_node_waiting", "Questions that wait for a place there.", {{"node", at.node}})
        .set(static_cast<std::int64_t>(at.waiting));
  }
  for (const auto& one : running) {
    const auto seen = one.by->facts();
    all.get_gauge("meshai_engine_up", "1 while the engine answers.", {{"node", one.node}})
        .set(seen.state == engine::state::ready);
    all.get_gauge("meshai_engine_restarts", "Restarts since the node began.", {{"node", one.node}})
        .set(seen.restarts);
    all.get_gauge("meshai_engine_memory_bytes", "Resident memory of the engine.", {{"node", one.node}})
        .set(static_cast<std::int64_t>(seen.memory));
  }
  return all.render();
}

std::string node::parts::status() const {
  const std::lock_guard lock(mutex);
  CHECK(published);
  const auto now = worlds.front().clock.now();
  return status_json({.version = how.version,
                      .addresses = how.addresses,
                      .config = print,
                      .uptime = duration_cast<std::chrono::seconds>(now - begun),
                      .connections = crowd.inside(),
                      .now = now,
                      .settings = *published,
                      .known = known,
                      .running = running});
}

result<settings> node::parts::make_settings() {
  auto nodes = current.nodes;
  for (auto& node : nodes) {
    const auto listed = found.find(node.name);
    if (node.any_model && listed != found.end()) node.models = listed->second;
  }
  auto directory = route::directory::make(std::move(nodes), current.routes, current.unknown_model_auto);
  if (!directory) return std::unexpected(directory.error());
  auto setup = std::make_shared<const dispatch::snapshot>(
      dispatch::snapshot{*std::move(directory), reached, current.limits, current.api, current.care});
  return std::make_shared<const front::settings>(front::settings{.setup = std::move(setup),
                                                                 .rules = current.rules,
                                                                 .issued = books->issued(),
                                                                 .accounts = books->book(),
                                                                 .max_body = current.max_body});
}

result<void> node::parts::put_to_use(plan next) {
  auto wanted = kept.prepare(next.engines);
  for (auto& upstream : next.upstreams) {
    const auto engine = std::ranges::find(wanted, upstream.node, &engines::running::node);
    if (engine == wanted.end()) continue;
    upstream.socket = engine->by->address().path;
    upstream.counts = true;
    const auto here = std::ranges::find(next.nodes, upstream.node, &route::node::name);
    CHECK(here != next.nodes.end());
    here->running_context = [by = engine->by] { return std::int64_t{by->facts().context}; };
    if (!upstream.places) upstream.places = [by = engine->by] { return by->facts().slots; };
    upstream.ready = [by = engine->by] { return by->ready(); };
    upstream.wait_ready = [by = engine->by](env::world on) { return by->wait_coming(on); };
    upstream.prepare = [by = engine->by](chat::request asked) {
      const auto profile = by->facts().profile;
      return profile ? engine::apply(*profile, std::move(asked)) : asked;
    };
  }
  auto endpoints = upstream::endpoints::make(std::move(next.upstreams));
  if (!endpoints) return std::unexpected(endpoints.error());
  auto before = std::exchange(current, std::move(next));
  auto reached_before = std::exchange(reached, *std::move(endpoints));
  auto made = make_settings();
  if (!made) {
    current = std::move(before);
    reached = std::move(reached_before);
    return std::unexpected(made.error());
  }
  std::weak_ptr<const void> old_users;
  {
    const std::lock_guard lock(mutex);
    old_users = published;
    running = wanted;
    print = current.print;
  }
  books->use(limits_of(*current.rules), current.usage);
  crowd.bound(current.max_connections, current.max_bodies);
  lines->bound(current.max_waiting);
  // First, so that whoever asks an engine waits for it.
  kept.put_to_use(std::move(wanted), std::move(old_users));
  publish(*std::move(made));
  ++round;
  background.spawn(discover(round));
  probing->watch(current.nodes, reached, current.api, current.limits);
  return {};
}

void node::parts::take_keys() {
  if (auto made = make_settings()) publish(*std::move(made));
}

void node::parts::publish(settings next) {
  {
    const std::lock_guard lock(mutex);
    published = next;
  }
  for (auto& one : workers) {
    boost::asio::post(one->world().loop, [&to = *one, next] { to.use(next); });
  }
}

task<void> node::parts::discover(std::uint64_t mine) {
  while (mine == round) {
    const bool all = co_await discover_once();
    if (mine != round) co_return;
    if (auto made = make_settings()) publish(*std::move(made));
    auto& clock = worlds.front().clock;
    co_await clock.sleep_until(clock.now() + (all ? std::chrono::nanoseconds(discovery_pause) : discovery_retry));
  }
}

// True when every node that lists its own models did.
task<bool> node::parts::discover_once() {
  bool all = true;
  const auto nodes = current.nodes;  // a reload may replace it while we wait
  const auto to = reached;
  for (const auto& node : nodes) {
    if (!wants_discovery(node, current.api)) continue;
    const auto* endpoint = to->find(node.name);
    CHECK(endpoint);
    const auto deadline = worlds.front().clock.now() + discovery_timeout;
    const auto listed = co_await workers.front()->upstream().models(*endpoint, deadline);
    if (!listed) {
      all = false;
      continue;
    }
    auto& models = found[node.name];
    models.clear();
    for (const auto& one : *listed) {
      models.push_back({.name = one.name,
                        .where = one.remote ? std::optional(tier::cloud) : std::nullopt,
                        .context = one.context,
                        .embeddings = one.embeddings});
    }
  }
  co_return all;
}

task<result<void>> node::parts::reload() {
  result<plan> next = fail(error_kind::unavailable, "the configuration cannot be read again");
  if (how.read_plan) {
    co_await worlds.front().pool.run([&] { next = how.read_plan(); });
  }
  auto& log = worlds.front().log;
  auto swapped = next ? put_to_use(*std::move(next)) : std::unexpected(next.error());
  log.write(swapped ? env::log_level::info : env::log_level::warning,
            swapped ? "config.swapped" : "config.refused", {});
  co_return swapped;
}

node::node(std::vector<env::world> worlds, options how)
    : parts_(std::make_unique<parts>(std::move(worlds), std::move(how))) {}

node::~node() = default;

result<void> node::begin(plan first) {
  auto& p = *parts_;
  p.books->use(limits_of(*first.rules), first.usage);
  p.books->begin();
  auto begun = p.put_to_use(std::move(first));
  if (!begun) return begun;
  p.background.spawn(p.books->keep([&p] { p.take_keys(); }));
  p.background.spawn(p.learned.keep());
  return begun;
}

task<void> node::serve(std::size_t worker, std::vector<door> doors) {
  return parts_->workers.at(worker)->serve(std::move(doors));
}

bool node::ready() const {
  return parts_->ready();
}

bool node::settled() const {
  const std::lock_guard lock(parts_->mutex);
  return std::ranges::all_of(parts_->running, [](const engines::running& one) {
    const auto state = one.by->facts().state;
    return state == engine::state::ready || state == engine::state::resting;
  });
}

task<result<void>> node::reload() {
  return parts_->reload();
}

namespace {

using countdown = std::shared_ptr<std::atomic<std::size_t>>;

task<void> stop_worker(worker& one, std::chrono::nanoseconds grace, std::chrono::nanoseconds patience,
                       countdown left) {
  co_await one.stop(grace, patience);
  --*left;
}

}  // namespace

task<void> node::stop(std::chrono::nanoseconds grace, std::chrono::nanoseconds patience) {
  auto& p = *parts_;
  const bool again = std::exchange(p.stopping, true);
  const auto left = std::make_shared<std::atomic<std::size_t>>(p.workers.size() - 1);
  for (std::size_t i = 1; i < p.workers.size(); ++i) {
    auto& one = *p.workers[i];
    boost::asio::co_spawn(one.world().loop, stop_worker(one, grace, patience, left), boost::asio::detached);
  }
  co_await p.workers.front()->stop(grace, patience);
  auto& clock = p.worlds.front().clock;
  while (*left > 0) co_await clock.sleep_until(clock.now() + std::chrono::nanoseconds(10ms));
  if (again) co_return;
  co_await p.background.close();
  co_await p.books->finish();
  co_await p.learned.finish();
  co_await p.probing->stop();
  co_await p.kept.stop();
}

task<void> node::retire(std::chrono::nanoseconds patience) {
  return stop(parts_->current.limits.max_stream, patience);
}

}  // namespace meshai::node
