#include "sim/network.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

#include "base/check.hpp"
#include "sim/host.hpp"

namespace meshai::sim {
namespace {
using namespace std::chrono_literals;

constexpr std::size_t backlog_bound = 128;
constexpr auto tcp_gives_up_after = 127s;  // Linux: six retransmitted SYNs
constexpr char hello = '\x16';             // the first byte of a TLS handshake record

class listener final : public env::listener {
 public:
  explicit listener(std::shared_ptr<doorway> through) : door_(std::move(through)) {}
  ~listener() override { close(); }

  task<result<std::unique_ptr<env::stream>>> accept() override {
    const auto self = door_;
    while (!self->closed && self->waiting.empty()) co_await self->knocked.wait();
    if (self->closed) co_return fail(error_kind::unavailable, "the listener is closed");
    auto next = std::move(self->waiting.front());
    self->waiting.pop_front();
    co_return next;
  }
  const env::address& local() const override { return door_->local; }
  void close() noexcept override {
    door_->closed = true;
    door_->waiting.clear();
    door_->knocked.set();
  }

 private:
  std::shared_ptr<doorway> door_;
};

class passport final : public env::identity {};

bool is_any(const std::string& ip) {
  return ip == "0.0.0.0" || ip == "::";
}

bool leads_to(const env::address& dialled, const env::address& local) {
  if (dialled.is_unix() || local.is_unix()) return dialled.path == local.path;
  return dialled.port == local.port && (is_any(local.ip) || is_any(dialled.ip) || dialled.ip == local.ip);
}

bool is_numeric(const std::string& host) {
  boost::system::error_code bad;
  boost::asio::ip::make_address(host, bad);
  return !bad;
}

error refused(const env::address& by) {
  return {error_kind::unreachable, "connecting to " + by.text() + ": Connection refused"};
}

}  // namespace

task<bool> network::travel(const std::string& from, const std::string& to, instant deadline) {
  const auto& way = core_.between(from, to);
  const auto there = core_.now + std::chrono::nanoseconds(
                                     core_.chance.between(static_cast<std::uint64_t>(way.latency_min.count()),
                                                          static_cast<std::uint64_t>(way.latency_max.count())));
  clock watch(core_);
  co_await watch.sleep_until(std::min(there, deadline));
  co_return there <= deadline;
}

task<result<std::vector<std::string>>> network::resolve(std::string host, instant deadline) {
  if (is_numeric(host)) co_return std::vector{host};
  if (host == "localhost" || host.ends_with(".localhost")) co_return std::vector<std::string>{"127.0.0.1", "::1"};
  core_.looked_up.push_back(host);
  const auto answered = core_.now + std::chrono::microseconds(core_.chance.between(1'000, 20'000));
  clock watch(core_);
  co_await watch.sleep_until(std::min(answered, deadline));
  core_.note("resolved", {answered <= deadline}, host);
  if (answered > deadline) co_return fail(error_kind::timeout, "looking up " + host + ": no answer in time");
  const auto found = core_.names.find(host);
  if (found == core_.names.end()) co_return fail(error_kind::unreachable, "looking up " + host + ": no such name");
  co_return found->second;
}

network* network::host_of(const env::address& to) {
  if (to.is_loopback() || to.ip == ip_) return this;
  const auto found = core_.hosts.find(to.ip);
  return found == core_.hosts.end() ? nullptr : &found->second->network;
}

std::shared_ptr<doorway> network::open_at(const env::address& to) {
  std::erase_if(doorways_, [](const auto& one) { return one->closed; });
  std::vector<std::shared_ptr<doorway>> fitting;
  std::ranges::copy_if(doorways_, std::back_inserter(fitting),
                       [&](const auto& one) { return leads_to(to, one->local); });
  if (fitting.empty()) return nullptr;
  return fitting[core_.chance.between(0, fitting.size() - 1)];
}

void network::keep(const std::weak_ptr<connection>& which, int end) {
  std::erase_if(lines_, [](const line& one) { return one.which.expired(); });
  lines_.push_back({which, end});
}

void network::set_stranded(bool now) {
  stranded_ = now;
  if (now && tell_) tell_();
}

task<result<std::unique_ptr<env::stream>>> network::dial(env::address to, instant deadline) {
  auto* const there = host_of(to);
  if (stranded_ && there != this)
    co_return fail(error_kind::unavailable, "connecting to " + to.text() + ": the link is down on this machine");
  if (!there) co_return fail(error_kind::unreachable, "connecting to " + to.text() + ": No route to host");
  const auto& way = core_.between(ip_, there->ip_);
  const bool unanswered = core_.chance.happens(way.ignore);
  const bool arrived = co_await travel(ip_, there->ip_, deadline);
  if (arrived && (way.cut || unanswered)) {
    clock watch(core_);
    const auto gives_up = core_.now + tcp_gives_up_after;
    co_await watch.sleep_until(std::min(deadline, gives_up));
    if (gives_up < deadline) co_return fail(error_kind::unreachable, "connecting to " + to.text() + ": no answer");
  }
  core_.note("dialled", {arrived, to.port}, there->ip_);
  if (!arrived || way.cut || unanswered)
    co_return fail(error_kind::timeout, to.text() + " did not answer in time");

  const auto door = core_.chance.happens(way.refuse) ? nullptr : there->open_at(to);
  if (door && door->waiting.size() >= backlog_bound)
    co_return fail(error_kind::timeout, to.text() + " is overrun");
  ends made;
  if (door) {
    auto shown = to;
    if (!to.is_unix()) shown = {.ip = to.is_loopback() ? to.ip : ip_, .port = next_port_++, .path = {}};
    made = connect(core_, ip_, there->ip_, to, shown);
    keep(made.between, 0);
    there->keep(made.between, 1);
    if (core_.chance.happens(way.mute)) {
      there->unheard_.push_back(std::move(made.listener));
    } else {
      door->waiting.push_back(std::move(made.listener));
      door->knocked.set();
    }
  }
  if (!co_await travel(there->ip_, ip_, deadline))
    co_return fail(error_kind::timeout, to.text() + " did not answer in time");
  if (!made.dialler) co_return std::unexpected(refused(to));
  co_return std::move(made.dialler);
}

result<std::unique_ptr<env::listener>> network::listen(const env::address& at, bool reuse_port) {
  auto local = at;
  if (!at.is_unix() && !is_numeric(at.ip))
    return fail(error_kind::malformed, "not a numeric IP address: " + at.ip);
  if (!at.is_unix() && at.port == 0) local.port = next_port_++;
  std::erase_if(doorways_, [](const auto& one) { return one->closed; });
  for (const auto& other : doorways_) {
    if (leads_to(local, other->local) && !(reuse_port && other->shared)) {
      return fail(error_kind::unavailable, "listening on " + at.text() + ": Address already in use");
    }
  }
  auto made = std::make_shared<doorway>(core_.loop, local, reuse_port);
  doorways_.push_back(made);
  return std::make_unique<listener>(std::move(made));
}

// A greeting each way stands for the handshake: it takes the same round trip, and fails where the peer is silent
// or speaks plainly.
task<result<std::unique_ptr<env::stream>>> network::secure_client(std::unique_ptr<env::stream> plain,
                                                                  std::string host, env::trust, instant deadline) {
  core_.secured.push_back(host);
  plain->read_by(deadline);
  plain->write_by(deadline);
  const std::string_view greeting[] = {{&hello, 1}, host, "\n"};
  if (auto sent = co_await plain->write_all(greeting); !sent) co_return std::unexpected(std::move(sent.error()));
  std::string answer;
  while (answer.size() < 2) {
    std::array<char, 2> bytes;
    const auto got = co_await plain->read_some(std::span(bytes).first(2 - answer.size()));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(error_kind::unreachable, host + " hung up during the TLS handshake");
    answer.append(bytes.data(), *got);
    if (answer.front() != hello) co_return fail(error_kind::malformed, host + " does not speak TLS");
  }
  core_.note("secured", {}, host);
  if (core_.distrusted.contains(host)) {
    co_return fail(error_kind::denied, "the certificate of " + host + " is not accepted");
  }
  plain->read_by(never);
  plain->write_by(never);
  co_return std::move(plain);
}

task<result<std::unique_ptr<env::stream>>> network::secure_server(std::unique_ptr<env::stream> plain,
                                                                  std::shared_ptr<const env::identity> who,
                                                                  instant deadline) {
  CHECK(dynamic_cast<const passport*>(who.get()) != nullptr);
  constexpr std::size_t longest = 256;
  plain->read_by(deadline);
  plain->write_by(deadline);
  for (std::string greeting; !greeting.ends_with('\n');) {
    char byte = 0;
    const auto got = co_await plain->read_some(std::span(&byte, 1));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(error_kind::unreachable, "the client hung up during the TLS handshake");
    greeting += byte;
    if (greeting.front() != hello || greeting.size() > longest) {
      co_return fail(error_kind::malformed, "the client does not speak TLS");
    }
  }
  const std::string_view answer[] = {{&hello, 1}, "\n"};
  if (auto sent = co_await plain->write_all(answer); !sent) co_return std::unexpected(std::move(sent.error()));
  plain->read_by(never);
  plain->write_by(never);
  co_return std::move(plain);
}

result<std::shared_ptr<const env::identity>> network::load_identity(const std::string&, const std::string&) {
  return std::make_shared<const passport>();
}

void network::crash() {
  for (const auto& one : doorways_) {
    one->closed = true;
    one->waiting.clear();
    one->knocked.set();
  }
  doorways_.clear();
  for (const auto& one : lines_) {
    if (const auto still = one.which.lock()) break_off(*still, one.end);
  }
  lines_.clear();
  unheard_.clear();
}

}  // namespace meshai::sim
