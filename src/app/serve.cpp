// meshai serve: the node in the foreground.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "app/assemble.hpp"
#include "app/certificate.hpp"
#include "app/config_check.hpp"
#include "app/daemon.hpp"
#include "app/inheritance.hpp"
#include "app/instance.hpp"
#include "app/ledger_checks.hpp"
#include "app/listening.hpp"
#include "app/supervision.hpp"
#include "app/terminal.hpp"
#include "app/version.hpp"
#include "env/clock.hpp"
#include "env/scope.hpp"
#include "node/node.hpp"
#include "os/listener.hpp"
#include "os/os.hpp"
#include "os/usage.hpp"
#include "store/store.hpp"

namespace meshai::app {
namespace {

using namespace std::chrono_literals;

constexpr auto grace = 10s;
constexpr auto patience_of_idle = 1s;  // for a request that comes over an idle connection to a node that retires
constexpr auto patience_to_answer = 60s;  // of a supervisor: a machine may have nobody who can answer now
constexpr auto patience_to_load = 280s;   // of a supervisor with engines: less than it waits for a new node
constexpr auto patience_to_open = 10s;    // with callers for engines, where others can answer

// Everything that lives as long as the node does.
class daemon {
 public:
  daemon(const serve_options& how, config from, paths where)
      : how_(how),
        from_(std::move(from)),
        where_(std::move(where)),
        runtime_(
            {.log_level = how.verbose ? env::log_level::debug : env::log_level::info, .json_log = how.json_log}) {
    for (std::size_t i = 0; i < worker_count(from_.api); ++i) workers_.push_back(runtime_.make_worker());
  }

  result<void> read_certificate();  // first of all
  result<void> open_doors();
  result<void> take_doors(inheritance from);
  result<void> begin();
  void run();

 private:
  result<void> adopt_doors(std::vector<std::vector<os::descriptor>> doors, os::descriptor owner, bool alone);
  void add_door(std::size_t worker, std::unique_ptr<env::listener> at);
  task<void> live();
  task<int> heed_signals(os::signals& arriving);
  task<void> heed_impatience(os::signals& arriving);
  task<void> settle(env::scope& beside);
  void welcome(env::scope& beside);

  serve_options how_;
  config from_;
  paths where_;
  os::runtime runtime_;
  std::vector<std::unique_ptr<os::worker>> workers_;
  std::unique_ptr<certificate> certificate_;
  std::vector<std::vector<node::door>> doors_;  // by worker
  std::vector<node::door> owners_door_;
  bool ending_ = false;
  std::vector<env::address> addresses_;
  std::unique_ptr<node::node> node_;
  os::descriptor ready_;  // where a supervisor waits for a word
};

void daemon::add_door(std::size_t worker, std::unique_ptr<env::listener> at) {
  node::door made{.at = std::move(at)};
  if (certificate_->wanted()) made.tls = [of = certificate_.get()] { return of->current(); };
  doors_[worker].push_back(std::move(made));
}

// Those that the supervisor holds; it and a node that follows go on with them.
result<void> daemon::take_doors(inheritance from) {
  if (from.doors.size() != workers_.size()) {
    return fail(error_kind::refused,
                fmt::format("[api] workers: there are {} now, and another number takes effect at a start; type: "
                            "meshai down && meshai up",
                            from.doors.size()));
  }
  const auto wanted = listen_addresses(from_.api);
  for (const auto& one : from.doors.front()) {
    const auto at = os::listens_at(one.get());
    const bool named = !at || std::ranges::any_of(wanted, [&](const env::address& each) {
      return each.ip == at->ip && (each.port == at->port || each.port == 0);
    });
    if (!named) {
      return fail(error_kind::refused,
                  fmt::format("[api] listen: the node listens at {}, and another address takes effect at a start; "
                              "type: meshai down && meshai up",
                              at->text()));
    }
  }
  ready_ = std::move(from.ready);
  return adopt_doors(std::move(from.doors), std::move(from.owner), false);
}

// This node's own.
result<void> daemon::open_doors() {
  auto opened = open_listeners(from_.api);
  if (!opened) return std::unexpected(opened.error());
  auto owner = os::open_listener({.ip = {}, .port = 0, .path = owner_socket(where_)}, false);
  if (!owner) return fail(error_kind::refused, owner.error().detail);
  return adopt_doors(*std::move(opened), *std::move(owner), true);
}

// `alone`: nobody else holds the owner's socket, so that its file goes when it is closed.
result<void> daemon::adopt_doors(std::vector<std::vector<os::descriptor>> doors, os::descriptor owner,
                                 bool alone) {
  doors_.resize(workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    for (auto& one : doors[i]) {
      auto taken = os::adopt_listener(workers_[i]->world().loop, std::move(one), false);
      if (!taken) return std::unexpected(taken.error());
      if (i == 0) addresses_.push_back((*taken)->local());
      add_door(i, *std::move(taken));
    }
  }
  auto own = os::adopt_listener(workers_.front()->world().loop, std::move(owner), alone);
  if (!own) return std::unexpected(own.error());
  owners_door_.push_back({.at = *std::move(own), .owner = true});
  return {};
}

result<void> daemon::read_certificate() {
  certificate_ = std::make_unique<certificate>(workers_.front()->world(), from_.api.tls_cert, from_.api.tls_key);
  return certificate_->wanted() ? certificate_->read() : result<void>();
}

result<void> daemon::begin() {
  std::vector<env::world> worlds;
  worlds.reserve(workers_.size());
  for (auto& one : workers_) worlds.push_back(one->world());
  const auto read_plan = [this]() -> result<node::plan> {
    auto read = load_config(how_.config, where_);
    if (!read) return std::unexpected(read.error());
    if (read->api.listen != from_.api.listen || read->api.workers != from_.api.workers) {
      return fail(error_kind::refused,
                  "[api] listen and workers take effect at a start; type: meshai down && meshai up");
    }
    if (read->api.tls_cert != from_.api.tls_cert || read->api.tls_key != from_.api.tls_key) {
      return fail(error_kind::refused, "[api] tls_cert and tls_key are taken up by a new node; type: meshai up");
    }
    return assemble(*read, where_);
  };
  (void)make_private(where_.state);  // where that fails, whoever writes there says so
  node_ =
      std::make_unique<node::node>(std::move(worlds), node::options{.version = MESHAI_VERSION,
                                                                    .addresses = addresses_,
                                                                    .lessons = store::lessons_file(where_.state),
                                                                    .measure = os::measure_process,
                                                                    .read_plan = read_plan,
                                                                    .ledger = store::ledger_file(where_.state)});
  auto plan = assemble(from_, where_);
  if (!plan) return std::unexpected(plan.error());
  // Where that fails the ledger says so when there is something to write.
  if (from_.api.usage) (void)make_private(where_.state);
  return node_->begin(*std::move(plan));
}

// Returns the signal that ends the node.
task<int> daemon::heed_signals(os::signals& arriving) {
  for (;;) {
    const auto number = co_await arriving.next();
    if (number != SIGHUP) co_return number;
    if (const auto swapped = co_await node_->reload(); !swapped) {
      print(fmt::format("meshai: not reloaded: {}\n", swapped.error().detail), 2);
    }
  }
}

// Whoever asks a second time does not want to wait.
task<void> daemon::heed_impatience(os::signals& arriving) {
  while (const auto number = co_await arriving.next()) {
    if (number == SIGTERM || number == SIGINT) co_await node_->stop(0s, 0s);
  }
}

// A node that a supervisor started opens its doors once its engines have loaded: until then who comes waits in the
// kernel, or is answered by the node that this one is to follow. Only then is following it worth it.
task<void> daemon::settle(env::scope& beside) {
  auto& clock = workers_.front()->world().clock;
  const auto begun = clock.now();
  while (!node_->settled() && clock.now() < begun + patience_to_load) {
    if (node_->ready() && clock.now() > begun + patience_to_open) break;
    co_await clock.sleep_until(clock.now() + 10ms);
  }
  if (ending_) co_return;
  welcome(beside);
  const auto until = clock.now() + patience_to_answer;
  while (!node_->ready() && clock.now() < until) co_await clock.sleep_until(clock.now() + 20ms);
  (void)!::write(ready_.get(), "ready", 5);
  ready_ = {};
}

void daemon::welcome(env::scope& beside) {
  beside.spawn(node_->serve(0, std::move(doors_.front())));
  for (std::size_t i = 1; i < workers_.size(); ++i)
    boost::asio::co_spawn(workers_[i]->world().loop, node_->serve(i, std::move(doors_[i])), boost::asio::detached);
}

task<void> daemon::live() {
  const auto world = workers_.front()->world();
  os::signals arriving(world.loop, {SIGTERM, SIGINT, SIGHUP, SIGUSR1});
  env::scope beside(world.loop);
  beside.spawn(node_->serve(0, std::move(owners_door_)));
  if (ready_) {
    beside.spawn(settle(beside));
  } else {
    welcome(beside);
  }
  const bool followed = co_await heed_signals(arriving) == SIGUSR1;
  ending_ = true;
  world.log.write(env::log_level::info, followed ? "node.retiring" : "node.stopping", {});
  beside.spawn(heed_impatience(arriving));
  if (followed) {
    co_await node_->retire(patience_of_idle);
  } else {
    co_await node_->stop(grace);
  }
  co_await beside.close();
  for (auto& one : workers_) one->stop();
}

void daemon::run() {
  std::vector<boost::asio::executor_work_guard<executor>> awake;  // workers without a door yet go on waiting
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    awake.emplace_back(workers_[i]->world().loop);
    threads.emplace_back([this, i] { workers_[i]->run(); });
  }
  boost::asio::co_spawn(workers_.front()->world().loop, live(), boost::asio::detached);
  workers_.front()->world().log.write(env::log_level::info, "node.started",
                                      {{"workers", static_cast<std::int64_t>(workers_.size())}});
  workers_.front()->run();
}

}  // namespace

result<config> load_config(const std::string& file, const paths& where) {
  const auto path = file.empty() ? where.config_file() : std::filesystem::path(file);
  const auto text = read_file(path, 1 << 20);
  if (!text) {
    return fail(error_kind::refused,
                fmt::format("{}; type: meshai up, which writes a configuration, or give one with "
                            "--config",
                            text.error().detail));
  }
  auto parsed = parse_config(*text, path.string());
  if (!parsed) return parsed;
  parsed->print = print_of(*text);
  if (auto checked = check_start(*parsed, keys_were_issued(where)); !checked)
    return std::unexpected(checked.error());
  return parsed;
}

int serve(const serve_options& how) {
  os::harden();
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration);
  const auto file = how.config.empty() ? where->config_file() : std::filesystem::absolute(how.config);
  auto from = load_config(file.string(), *where);
  if (!from) return complain(from.error().detail, exit_configuration);
  auto inherited = take_inheritance();
  std::optional<instance_lock> lock;
  os::descriptor supervisors_lock;
  if (inherited) {
    supervisors_lock = std::move(inherited->lock);
  } else {
    auto taken = instance_lock::take(*where, file);
    if (!taken) return complain(taken.error().detail, exit_failed);
    lock.emplace(*std::move(taken));
  }
  daemon node(how, *std::move(from), *where);
  if (auto read = node.read_certificate(); !read) return complain(read.error().detail, exit_failed);
  const auto opened = inherited ? node.take_doors(*std::move(inherited)) : node.open_doors();
  if (!opened) return complain(opened.error().detail, exit_failed);
  if (auto begun = node.begin(); !begun) return complain(begun.error().detail, exit_configuration);
  node.run();
  return exit_ok;
}

}  // namespace meshai::app
