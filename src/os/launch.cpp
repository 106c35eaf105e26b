// Between fork and exec the child of a threaded process may only make system calls (signal-safety(7)): all it
// needs is laid out beforehand, and what fails travels home through a pipe that a successful exec closes.
#include "os/launch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include "os/fault.hpp"

namespace meshai::os {
namespace {

enum class step : int { folder, execute };

struct failure {
  step where;
  int code;
};

// The child's status pipe ends up here: just above what it inherits.
constexpr int status_fd = 3;

struct plan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* folder;  // null: ours
  int input;
  int output;
  int status;
  rlim_t address_space;
  pid_t parent;
  bool dies_with_us;
  bool own_network;
};

void limit(__rlimit_resource_t what, rlim_t to) {
  const rlimit both{to, to};
  ::setrlimit(what, &both);
}

[[noreturn]] void give_up(step where) {
  const failure why{where, errno};
  [[maybe_unused]] const auto told = ::write(status_fd, &why, sizeof why);
  ::_exit(127);
}

// By system call: the C library refuses its own two (32 and 33), which whoever started us may have ignored.
void forget_signals() {
  constexpr unsigned long plain[4] = {};  // the kernel's sigaction: SIG_DFL, no flags, no mask
  for (int number = 1; number < NSIG; ++number) ::syscall(SYS_rt_sigaction, number, plain, nullptr, 8);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void keep_descriptors(const plan& of) {
  ::dup2(of.input, STDIN_FILENO);
  ::dup2(of.output, STDOUT_FILENO);
  ::dup2(of.output, STDERR_FILENO);
  ::dup3(of.status, status_fd, O_CLOEXEC);
  ::close_range(status_fd + 1, ~0U, 0);
}

[[noreturn]] void become(const plan& of) {
  forget_signals();
  keep_descriptors(of);
  ::setsid();
  // As root a namespace is free; else one comes with a user namespace, where the kernel allows that.
  if (of.own_network && ::unshare(CLONE_NEWNET) != 0) ::unshare(CLONE_NEWUSER | CLONE_NEWNET);
  if (of.dies_with_us) {
    // After unshare, which forgets it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != of.parent) ::_exit(127);
  }
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  limit(RLIMIT_CORE, 0);
  if (of.address_space != 0) limit(RLIMIT_AS, of.address_space);
  // Where we are undumpable this file is root's, and the filter was inherited from harden().
  if (const int filter = ::open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC); filter >= 0) {
    [[maybe_unused]] const auto written = ::write(filter, "0", 1);
    ::close(filter);
  }
  if (of.folder && ::chdir(of.folder) != 0) give_up(step::folder);
  ::execve(of.program, of.arguments, of.environment);
  give_up(step::execute);
}

// Out of the way of the numbers the child arranges.
descriptor above(int fd) {
  const descriptor low(fd);
  return descriptor(fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, status_fd + 1));
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  // exec's old signature; it does not write to them.
  for (const auto& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

error explain(const failure& why, const env::command& what) {
  auto out = fault(
      why.code, why.where == step::folder ? "entering the folder " + what.directory : "starting " + what.program);
  out.kind = why.code == ENOMEM || why.code == EAGAIN ? error_kind::exhausted : error_kind::unavailable;
  return out;
}

// Blocks every signal while it lives: our handlers must not run in a child that has not shed them yet.
struct quiet {
  quiet() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
  }
  ~quiet() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  sigset_t before;
};

}  // namespace

result<launched> launch(const env::command& what) {
  std::vector<std::string> words{what.program};
  words.insert(words.end(), what.arguments.begin(), what.arguments.end());
  const auto arguments = pointers(words);
  const auto environment = pointers(what.environment);

  const auto input = above(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto to = what.output.empty() ? std::string("/dev/null") : what.output;
  const auto output = above(::open(to.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!input || !output) {
    return fail(error_kind::unavailable, fault(errno, fmt::format("opening {} for {}", to, what.program)).detail);
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(fault(errno, "starting " + what.program));
  const descriptor news(ends[0]);
  auto status = above(ends[1]);

  const plan child{.program = what.program.c_str(),
                   .arguments = arguments.data(),
                   .environment = environment.data(),
                   .folder = what.directory.empty() ? nullptr : what.directory.c_str(),
                   .input = input.get(),
                   .output = output.get(),
                   .status = status.get(),
                   .address_space = what.address_space,
                   .parent = ::getpid(),
                   .dies_with_us = what.dies_with_us,
                   .own_network = what.own_network};
  pid_t pid = -1;
  {
    const quiet until_forked;
    pid = ::fork();
    if (pid == 0) become(child);
  }
  if (pid < 0) return fail(error_kind::exhausted, fault(errno, "starting " + what.program).detail);
  launched out{pid, descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
  status = {};  // ours; the child's closes by exec
  failure why{};
  ssize_t got = 0;
  do {
    got = ::read(news.get(), &why, sizeof why);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof why && out.pidfd) return out;
  const auto reason = got == sizeof why ? explain(why, what) : fault(errno, "watching " + what.program);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return std::unexpected(reason);
}

}  // namespace meshai::os
