#include "os/process.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <csignal>

#include "os/fault.hpp"
#include "os/loop.hpp"

namespace meshai::os {
namespace asio = boost::asio;

namespace {

// glibc has P_PIDFD as a constant only under its own names.
constexpr auto by_pidfd = static_cast<idtype_t>(3);

// What `pidfd` ended with; nothing while it runs.
std::optional<env::exit_status> ended(int pidfd, int options) {
  siginfo_t info{};
  int got = 0;
  do {
    got = ::waitid(by_pidfd, static_cast<id_t>(pidfd), &info, WEXITED | options);
  } while (got != 0 && errno == EINTR);
  if (got != 0 || info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return env::exit_status{.code = info.si_status, .signal = 0};
  return env::exit_status{.code = 0, .signal = info.si_status};
}

// Shared with a pending wait(), so that the child may be destroyed under it.
struct running {
  running(const executor& loop, pid_t of) : pid(of), watch(loop) {}

  const pid_t pid;
  loop_descriptor watch;
  std::optional<env::exit_status> end;
};

class os_child final : public env::child {
 public:
  os_child(std::shared_ptr<running> on, process_starter& starter) : running_(std::move(on)), starter_(starter) {}
  ~os_child() override;

  int pid() const override { return running_->pid; }
  void signal(int number) override;
  task<env::exit_status> wait() override;

 private:
  std::shared_ptr<running> running_;
  process_starter& starter_;
};

void os_child::signal(int number) {
  // Until it is reaped its number is nobody else's, and neither is its group's.
  if (!running_->end) ::kill(running_->pid, number);
}

task<env::exit_status> os_child::wait() {
  const auto self = running_;
  while (!self->end) {
    if (self->end = ended(self->watch.native_handle(), WNOHANG); self->end) break;
    const auto [why] =
        co_await self->watch.async_wait(asio::posix::descriptor_base::wait_read, asio::as_tuple(asio::deferred));
    if (why) throw boost::system::system_error(why);
  }
  co_return *self->end;
}

os_child::~os_child() {
  // What it started itself goes with it: the group is its own.
  if (!running_->end) ::kill(-running_->pid, SIGKILL);
  boost::system::error_code ignored;
  running_->watch.cancel(ignored);
  descriptor pidfd(running_->watch.release());
  if (running_->end) return;
  constexpr int patience_ms = 100;  // a killed process needs a moment to give back its memory
  pollfd gone{pidfd.get(), POLLIN, 0};
  ::poll(&gone, 1, patience_ms);
  if (!ended(pidfd.get(), WNOHANG)) starter_.bury(std::move(pidfd));
}

}  // namespace

process_starter::~process_starter() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  reap();
}

result<launched> process_starter::start(const env::command& what) {
  const std::lock_guard in_turn(one_at_a_time_);
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) thread_ = std::jthread([this](std::stop_token until) { serve(until); });
  order_ = &what;
  outcome_.reset();
  wanted_.notify_one();
  served_.wait(lock, [this] { return outcome_.has_value(); });
  return std::move(*outcome_);
}

void process_starter::serve(std::stop_token until) {
  std::unique_lock lock(mutex_);
  while (wanted_.wait(lock, until, [this] { return order_ != nullptr; })) {
    const auto& what = *std::exchange(order_, nullptr);
    lock.unlock();
    reap();
    auto outcome = launch(what);
    lock.lock();
    outcome_ = std::move(outcome);
    served_.notify_one();
  }
}

void process_starter::bury(descriptor pidfd) {
  const std::lock_guard lock(mutex_);
  dying_.push_back(std::move(pidfd));
}

void process_starter::reap() {
  const std::lock_guard lock(mutex_);
  std::erase_if(dying_, [](const descriptor& one) { return ended(one.get(), WNOHANG).has_value(); });
}

result<std::unique_ptr<env::child>> process::start(const env::command& what) {
  if (!what.program.starts_with('/')) {
    return fail(error_kind::malformed, "a program is named by its absolute path: " + what.program);
  }
  auto made = starter_.start(what);
  if (!made) return std::unexpected(std::move(made.error()));
  auto on = std::make_shared<running>(loop_, made->pid);
  boost::system::error_code why;
  on->watch.assign(made->pidfd.get(), why);
  if (why) {
    ::kill(made->pid, SIGKILL);
    starter_.bury(std::move(made->pidfd));
    return std::unexpected(fault(why.value(), "watching " + what.program));
  }
  made->pidfd.release();
  return std::make_unique<os_child>(std::move(on), starter_);
}

}  // namespace meshai::os
