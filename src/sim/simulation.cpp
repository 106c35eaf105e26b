#include <boost/asio/io_context.hpp>

#include <list>

#include "base/check.hpp"
#include "env/scope.hpp"
#include "sim/core.hpp"
#include "sim/host.hpp"
#include "sim/sim.hpp"

namespace meshai::sim {

struct simulation::parts {
  explicit parts(const options& how) : world(how, context->get_executor()) { own.emplace(world.loop); }
  // What is suspended goes with the loop, and on its way out still finds the hosts and the alarms.
  ~parts() {
    world.ending = true;
    own.reset();
    context.reset();
  }

  std::unique_ptr<boost::asio::io_context> context = std::make_unique<boost::asio::io_context>(1);
  core world;
  std::list<host_parts> machines;
  std::list<host> hosts;
  std::optional<env::scope> own;
  std::uint64_t steps = 0;
};

env::world host::world() {
  return parts_.world();
}
const std::string& host::name() const {
  return parts_.name;
}
const std::string& host::ip() const {
  return parts_.ip;
}
void host::install(std::string path, program what) {
  parts_.process.install(std::move(path), std::move(what));
}

void host::crash() {
  parts_.of.note("crashed", {}, parts_.name);
  parts_.process.crash();
  parts_.network.crash();
}

simulation::simulation(options how) : parts_(std::make_unique<parts>(how)) {}
simulation::~simulation() = default;

host& simulation::add_host(std::string name, std::string ip) {
  auto& in = parts_->world;
  CHECK(!in.hosts.contains(ip));
  in.names.try_emplace(name, std::vector{ip});
  auto& made = parts_->machines.emplace_back(in, std::move(name), std::move(ip));
  in.hosts.emplace(made.ip, &made);
  return parts_->hosts.emplace_back(host(made));
}

void simulation::set_name(const std::string& name, std::vector<std::string> ips) {
  parts_->world.names.insert_or_assign(name, std::move(ips));
}

void simulation::set_link(const host& from, const host& to, const link& how) {
  CHECK(how.latency_min <= how.latency_max && how.latency_min.count() >= 0);
  parts_->world.between(from.ip(), to.ip()) = how;
}

void simulation::set_links(const host& one, const host& other, const link& how) {
  set_link(one, other, how);
  set_link(other, one, how);
}

void simulation::cut(const host& one, const host& other) {
  parts_->world.between(one.ip(), other.ip()).cut = true;
  parts_->world.between(other.ip(), one.ip()).cut = true;
}

void simulation::heal(const host& one, const host& other) {
  parts_->world.between(one.ip(), other.ip()).cut = false;
  parts_->world.between(other.ip(), one.ip()).cut = false;
}

void simulation::link_down(const host& which) {
  for (const auto& [ip, other] : parts_->world.hosts) {
    if (ip == which.ip()) continue;
    parts_->world.between(ip, which.ip()).cut = true;
    parts_->world.between(which.ip(), ip).cut = true;
  }
  which.parts_.network.set_stranded(true);
}

void simulation::link_up(const host& which) {
  for (const auto& [ip, other] : parts_->world.hosts) {
    if (ip == which.ip()) continue;
    parts_->world.between(ip, which.ip()).cut = false;
    parts_->world.between(which.ip(), ip).cut = false;
  }
  which.parts_.network.set_stranded(false);
}

void simulation::distrust(std::string tls_host) {
  parts_->world.distrusted.insert(std::move(tls_host));
}

void simulation::spawn(task<void> work) {
  parts_->own->spawn(std::move(work));
}

outcome simulation::run(const std::function<bool()>& until) {
  auto& in = parts_->world;
  const instant end = instant(std::chrono::hours(1000)) + in.how.longest;
  for (;;) {
    parts_->context->restart();
    while (parts_->context->poll_one() != 0) {
      if (++parts_->steps > in.how.most_steps) return outcome::out_of_steps;
    }
    if (until && until()) return outcome::done;
    if (in.alarms.empty()) return outcome::dry;
    if (in.alarms.begin()->first.first > end) return outcome::out_of_time;
    auto next = in.alarms.extract(in.alarms.begin());
    in.now = next.key().first;
    in.note("alarm", {next.key().second});
    next.mapped()();
  }
}

instant simulation::now() const {
  return parts_->world.now;
}
std::uint64_t simulation::seed() const {
  return parts_->world.how.seed;
}
std::uint64_t simulation::trace() const {
  return parts_->world.trace;
}
const std::vector<std::string>& simulation::log() const {
  return parts_->world.lines;
}
const std::vector<std::string>& simulation::secured() const {
  return parts_->world.secured;
}
const std::vector<std::string>& simulation::looked_up() const {
  return parts_->world.looked_up;
}

}  // namespace meshai::sim
