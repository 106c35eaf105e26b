// meshai supervise: what `meshai up` leaves behind. It holds the listening sockets, starts the node again when it
// ends by itself, and puts a newer one in its place. It talks to nobody but its own user, and reads nothing from
// outside.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <random>

#include "app/commands.hpp"
#include "app/config.hpp"
#include "app/inheritance.hpp"
#include "app/instance.hpp"
#include "app/listening.hpp"
#include "app/supervision.hpp"
#include "app/terminal.hpp"
#include "os/line.hpp"
#include "os/listener.hpp"
#include "os/os.hpp"

namespace meshai::app {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

constexpr milliseconds first_backoff = 100ms, longest_backoff = 30s;
constexpr auto healthy_after = 60s;  // a node that lived so long begins its backoff anew
constexpr auto patience_to_begin =
    300s;  // of a node that is to replace another: a large model is read from a disk
constexpr auto patience_to_end = 15s;

struct child {
  pid_t pid = 0;
  clock::time_point begun;
  os::descriptor held;   // until this is closed it waits, so that no node runs of which nobody was told
  os::descriptor ready;  // nothing once it said so
  replacement runs;
};

class supervisor {
 public:
  supervisor(paths where, std::filesystem::path program, std::filesystem::path config, instance_lock lock)
      : where_(std::move(where)),
        runs_{.program = std::move(program), .config = std::move(config), .environment = own_environment()},
        lock_(std::move(lock)) {}

  result<void> open(const config& from);
  int run();

 private:
  result<child> start(replacement what);
  void start_current();
  void wait_for_something();
  void heed(int number);
  void bury(pid_t pid, int status);
  void current_ended(const std::string& why, int status);
  void answer_the_line();
  void replace(std::string_view request);
  void replaced();
  void answer(const std::string& what);
  void look_for_ready(std::optional<child>& one);
  void signal_all(int number);
  bool is_done() const { return stopping_ && !current_ && !next_ && retiring_.empty(); }
  void tell();
  void say(std::string_view what) { print(fmt::format("meshai: {}\n", what), 2); }

  paths where_;
  replacement runs_;  // what is started again
  instance_lock lock_;
  std::vector<std::vector<os::descriptor>> doors_;
  os::descriptor owner_, control_, signals_;
  os::line asking_;  // whoever asked to replace the node
  std::optional<child> current_, next_;
  std::vector<pid_t> retiring_;
  std::optional<clock::time_point> start_at_, kill_at_;
  milliseconds backoff_{0};
  supervision told_;
  bool stopping_ = false, was_ready_ = false;
  int result_ = exit_ok;
};

result<void> supervisor::open(const config& from) {
  auto opened = open_listeners(from.api);
  if (!opened) return std::unexpected(opened.error());
  doors_ = *std::move(opened);
  auto owner = os::open_listener({.ip = {}, .port = 0, .path = owner_socket(where_)}, false);
  if (!owner) return std::unexpected(owner.error());
  owner_ = *std::move(owner);
  auto control = os::line::open(supervisor_socket(where_).string());
  if (!control) return std::unexpected(control.error());
  control_ = *std::move(control);
  sigset_t heeded;
  ::sigemptyset(&heeded);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&heeded, number);
  ::sigprocmask(SIG_BLOCK, &heeded, nullptr);
  signals_ = os::descriptor(::signalfd(-1, &heeded, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return fail(error_kind::exhausted, fmt::format("signalfd: {}", std::strerror(errno)));
  return {};
}

int supervisor::run() {
  told_.supervisor = ::getpid();
  start_current();
  while (!is_done() && result_ == exit_ok) wait_for_something();
  std::error_code ignored;
  std::filesystem::remove(supervisor_socket(where_), ignored);
  std::filesystem::remove(owner_socket(where_), ignored);
  std::filesystem::remove(where_.runtime / "supervisor.json", ignored);
  return result_;
}

// ---- children

// Between fork and exec only what signal-safety(7) allows.
result<child> supervisor::start(replacement what) {
  int word[2], hold[2];
  if (::pipe2(word, O_CLOEXEC) != 0) return fail(error_kind::exhausted, std::strerror(errno));
  os::descriptor read_end(word[0]), write_end(word[1]);
  if (::pipe2(hold, O_CLOEXEC) != 0) return fail(error_kind::exhausted, std::strerror(errno));
  os::descriptor wait_end(hold[0]), held(hold[1]);
  // Duplicates at their own numbers: these the child keeps.
  inheritance left{.lock = os::descriptor(::dup(lock_.descriptor())),
                   .ready = os::descriptor(::dup(write_end.get())),
                   .owner = os::descriptor(::dup(owner_.get())),
                   .doors = {}};
  for (const auto& worker : doors_) {
    auto& into = left.doors.emplace_back();
    for (const auto& one : worker) into.emplace_back(::dup(one.get()));
  }
  auto environment = what.environment;
  std::erase_if(environment,
                [](std::string_view one) { return one.starts_with(std::string(inheritance::variable) + "="); });
  environment.push_back(fmt::format("{}={}", inheritance::variable, left.text()));
  std::vector<char*> given;
  given.reserve(environment.size() + 1);
  for (auto& each : environment) given.push_back(each.data());
  given.push_back(nullptr);
  std::array<std::string, 4> words{"meshai", "serve", "--config", what.config.string()};
  std::array<char*, 5> command{words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  const auto path = what.program.string();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(error_kind::exhausted, std::strerror(errno));
  if (pid == 0) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::close(held.get());
    char never = 0;
    while (::read(wait_end.get(), &never, 1) < 0 && errno == EINTR) {
    }
    ::execve(path.c_str(), command.data(), given.data());
    ::_exit(127);
  }
  return child{.pid = pid,
               .begun = clock::now(),
               .held = std::move(held),
               .ready = std::move(read_end),
               .runs = std::move(what)};
}

void supervisor::start_current() {
  start_at_.reset();
  auto made = start(runs_);
  if (!made) {
    say(fmt::format("cannot start the node: {}", made.error().detail));
    start_at_ = clock::now() + longest_backoff;
  } else {
    current_ = *std::move(made);
  }
  tell();
  if (current_) current_->held = {};
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
  return fmt::format("exit status {}", WEXITSTATUS(status));
}

void supervisor::bury(pid_t pid, int status) {
  if (current_ && current_->pid == pid) {
    current_ended(how_it_ended(status), status);
  } else if (next_ && next_->pid == pid) {
    next_.reset();
    answer(fmt::format("the new node ended ({}); the log says why", how_it_ended(status)));
  } else {
    std::erase(retiring_, pid);
  }
}

void supervisor::current_ended(const std::string& why, int status) {
  const auto lived = clock::now() - current_->begun;
  current_.reset();
  if (stopping_) return;
  // What cannot be started at all is told to whoever typed `up`; later the configuration may be mended meanwhile.
  if (!was_ready_ && WIFEXITED(status) && WEXITSTATUS(status) != exit_ok) {
    result_ = WEXITSTATUS(status);
    return;
  }
  if (lived >= healthy_after) backoff_ = 0ms;
  backoff_ = std::clamp(backoff_ * 2, first_backoff, longest_backoff);
  std::random_device dice;
  const auto wait = backoff_ * (50 + dice() % 51) / 100;  // half of it at least: nodes that fell together part
  start_at_ = clock::now() + wait;
  ++told_.restarts;
  told_.last_end = why;
  say(fmt::format("the node ended ({}); it is started again in {} ms", why, wait.count()));
  tell();
}

void supervisor::look_for_ready(std::optional<child>& one) {
  std::array<char, 16> word{};
  const auto size = ::read(one->ready.get(), word.data(), word.size());
  one->ready = os::descriptor();
  if (size <= 0) return;  // it ended, or lets go without a word: SIGCHLD tells the rest
  was_ready_ = true;
  if (&one == &next_) replaced();
}

// ---- replacing

void supervisor::answer_the_line() {
  if (!asking_) {
    if (auto caller = os::line::answer(control_.get())) asking_ = std::move(*caller);
    return;
  }
  if (const auto asked = asking_.receive()) {
    replace(*asked);
  } else if (asking_.gone()) {
    asking_ = {};
  }
}

void supervisor::replace(std::string_view request) {
  auto wish = parse_replacement(request);
  if (!wish) return answer("that is no request");
  if (next_ || stopping_) return answer("the node is being replaced or stopped already");
  if (wish->environment.empty()) wish->environment = runs_.environment;
  auto made = start(*std::move(wish));
  if (!made) return answer(made.error().detail);
  next_ = *std::move(made);
  next_->held = {};
}

void supervisor::replaced() {
  if (current_) {
    retiring_.push_back(current_->pid);
    ::kill(current_->pid, SIGUSR1);  // it finishes what runs
  }
  current_ = std::exchange(next_, std::nullopt);
  runs_ = current_->runs;
  start_at_.reset();
  backoff_ = 0ms;
  tell();
  answer("replaced");
}

void supervisor::answer(const std::string& what) {
  asking_.send(what);
  asking_ = {};
}

// ---- waiting

void supervisor::wait_for_something() {
  std::vector<pollfd> all{{signals_.get(), POLLIN, 0}, {asking_ ? asking_.get() : control_.get(), POLLIN, 0}};
  for (const auto* one : {&current_, &next_})
    all.push_back({*one && (*one)->ready ? (*one)->ready.get() : -1, POLLIN, 0});
  auto until = start_at_;
  if (kill_at_ && (!until || *kill_at_ < *until)) until = kill_at_;
  const auto begin_by = next_ ? std::optional(next_->begun + patience_to_begin) : std::nullopt;
  if (begin_by && (!until || *begin_by < *until)) until = begin_by;
  int patience = -1;
  if (until) {
    const auto left = std::chrono::ceil<milliseconds>(*until - clock::now()).count();
    patience = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  if (::poll(all.data(), all.size(), patience) < 0 && errno != EINTR) {
    result_ = exit_failed;
    return;
  }
  if (all[2].revents != 0) look_for_ready(current_);
  if (all[3].revents != 0) look_for_ready(next_);
  if (all[1].revents != 0) answer_the_line();
  signalfd_siginfo came{};
  while (::read(signals_.get(), &came, sizeof came) == sizeof came) heed(static_cast<int>(came.ssi_signo));
  const auto now = clock::now();
  if (start_at_ && now >= *start_at_ && !stopping_) start_current();
  if (begin_by && next_ && now >= *begin_by) {
    ::kill(next_->pid, SIGKILL);
    answer("the new node could not answer in time");
  }
  if (kill_at_ && now >= *kill_at_) signal_all(SIGKILL);
}

void supervisor::heed(int number) {
  if (number == SIGCHLD) {
    int status = 0;
    while (const pid_t gone = ::waitpid(-1, &status, WNOHANG)) {
      if (gone < 0) break;
      bury(gone, status);
    }
  } else if (number == SIGHUP) {
    if (current_) ::kill(current_->pid, SIGHUP);
  } else {
    stopping_ = true;
    start_at_.reset();
    if (!kill_at_) kill_at_ = clock::now() + patience_to_end;
    signal_all(SIGTERM);  // the second one ends them at once
  }
}

void supervisor::signal_all(int number) {
  for (const auto* one : {&current_, &next_}) {
    if (*one) ::kill((*one)->pid, number);
  }
  for (const auto pid : retiring_) ::kill(pid, number);
}

void supervisor::tell() {
  const auto wall = std::chrono::system_clock::now();
  told_.node = current_ ? current_->pid : 0;
  told_.next_start = 0;
  if (start_at_) {
    const auto at = wall + (*start_at_ - clock::now());
    told_.next_start = std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
  }
  told_.program = print_of_program(runs_.program);
  told_.config = print_of_text(runs_.config);
  (void)lock_.tell_node(told_.node);
  if (auto written = write_supervision(where_, told_); !written) say(written.error().detail);
}

}  // namespace

int supervise(const serve_options& how) {
  os::harden();
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration);
  const auto file = how.config.empty() ? where->config_file() : std::filesystem::absolute(how.config);
  const auto text = read_file(file, 1 << 20);
  if (!text) return complain(text.error().detail, exit_configuration);
  const auto from = parse_config(*text, file.string());
  if (!from) return complain(from.error().detail, exit_configuration);
  auto lock = instance_lock::take(*where, file);
  if (!lock) return complain(lock.error().detail, exit_failed);
  const auto held = hold_supervision(*where);
  if (!held) return complain(held.error().detail, exit_failed);
  const auto program = own_program();
  if (!program) return complain(program.error().detail, exit_failed);
  supervisor keeps(*where, *program, file, *std::move(lock));
  if (auto opened = keeps.open(*from); !opened) return complain(opened.error().detail, exit_failed);
  return keeps.run();
}

}  // namespace meshai::app
