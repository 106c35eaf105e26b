#include "sim/process.hpp"

#include <csignal>

#include "env/event.hpp"
#include "env/scope.hpp"
#include "sim/host.hpp"

namespace meshai::sim {

struct running_program {
  running_program(core& of, int number, env::command how)
      : in(of), pid(number), what(std::move(how)), ended(of.loop), scope(of.loop) {}

  void finish(env::exit_status how) {
    if (end) return;
    end = how;
    if (!in.ending)
      in.note("exited", {static_cast<std::uint64_t>(how.code), static_cast<std::uint64_t>(how.signal)});
    ended.set();
  }
  void kill(int number) {
    if (end) return;
    finish({.code = 0, .signal = number});
    scope.cancel();
  }

  core& in;
  const int pid;
  const env::command what;
  std::optional<env::exit_status> end;
  env::event ended;
  env::scope scope;
};

namespace {

// Not kept alive by its own coroutine: a child that nobody holds is killed.
task<void> live(program how, env::world in, std::weak_ptr<running_program> as, env::command what) {
  const int code = co_await how(in, std::move(what));
  if (const auto still = as.lock()) still->finish({.code = code, .signal = 0});
}

class child final : public env::child {
 public:
  explicit child(std::shared_ptr<running_program> of) : program_(std::move(of)) {}
  ~child() override { program_->kill(SIGKILL); }

  int pid() const override { return program_->pid; }
  void signal(int number) override {
    if (number == SIGKILL || number == SIGTERM || number == SIGINT || number == SIGHUP) program_->kill(number);
  }
  task<env::exit_status> wait() override {
    const auto self = program_;
    while (!self->end) co_await self->ended.wait();
    co_return *self->end;
  }

 private:
  std::shared_ptr<running_program> program_;
};

}  // namespace

result<std::unique_ptr<env::child>> process::start(const env::command& what) {
  const auto found = programs_.find(what.program);
  if (found == programs_.end()) {
    return fail(error_kind::unavailable, "starting " + what.program + ": No such file or directory");
  }
  core_.note("started", {}, what.program);
  auto made = std::make_shared<running_program>(core_, next_pid_++, what);
  std::erase_if(running_, [](const auto& one) { return one.expired(); });
  running_.push_back(made);
  made->scope.spawn(live(found->second, host_.world(), made, what));
  return std::make_unique<child>(std::move(made));
}

void process::crash() {
  for (const auto& one : running_) {
    if (const auto still = one.lock()) still->kill(SIGKILL);
  }
  running_.clear();
}

}  // namespace meshai::sim
