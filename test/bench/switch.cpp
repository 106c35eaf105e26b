// How fast an answer goes on elsewhere when its provider fails. One process is the provider that fails, the one
// that helps, the caller, and whoever breaks things, so that one clock sees it all:
//   T0  the fault is made         T1  the node has logged its verdict
//   T2  the first byte of the next question has come to the helper       T3  the first new token has come to the
//   caller
// Every instant is taken when this process has been woken for it: that wait is in the figures.
//
// Told what to do line by line: "node PORT LOG", then "run FAULT COUNT" any number of times. Prints the ports of
// its providers, then one JSON object for each run.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "victim.hpp"

namespace meshai::bench {
namespace {

constexpr std::int64_t patience = 10'000'000'000;

struct shot {
  std::int64_t fault = 0, closed = 0, verdict = 0, switched = 0, token = 0;
};

struct tally {
  std::vector<shot> shots;
  std::uint64_t wrong = 0, failed = 0;
};

class injector {
 public:
  explicit injector(std::vector<char*> engine);
  void run();

 private:
  void meet(int port, const std::string& log);
  void call();
  void shoot(const std::string& fault, int count);
  bool one(const std::string& fault, tally& into);
  void strike(const std::string& fault);
  bool begin(const std::string& fault);
  bool heal(const std::string& model);
  void ask(const std::string& model, const char* what, int most);
  bool turn(std::int64_t until);
  template <class Condition>
  bool wait(Condition over);
  bool answered() const { return said_.ends_with("\r\n0\r\n\r\n"); }
  void hear();
  void read_log();
  int contents() const;
  std::string text() const;
  void start_process();
  bool start_engine();
  void end_process();

  std::vector<char*> engine_;
  victim weak_{victim::role::breaks}, helper_{victim::role::helps};
  int killable_ = -1, killable_port_ = 0, engine_port_ = 0;
  int poll_ = -1, caller_ = -1, log_ = -1, witness_ = -1;
  int port_ = 0;
  pid_t process_ = 0;
  std::uint64_t numbers_ = 0;
  std::string number_, said_;
  shot now_;
};

void watch(int poll, int fd) {
  epoll_event wanted{.events = EPOLLIN, .data = {.fd = fd}};
  ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &wanted);
}

injector::injector(std::vector<char*> engine) : engine_(std::move(engine)), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
  int weak = 0, helper = 0;
  weak_.open(listen_somewhere(weak));
  helper_.open(listen_somewhere(helper));
  killable_ = listen_somewhere(killable_port_);
  ::close(listen_somewhere(engine_port_));
  watch(poll_, weak_.poll());
  watch(poll_, helper_.poll());
  std::printf("%d %d %d %d\n", weak, killable_port_, engine_port_, helper);
  std::fflush(stdout);
}

void injector::run() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string what, name;
    int number = 0;
    words >> what;
    if (what == "node" && words >> number >> name) meet(number, name);
    if (what == "run" && words >> name >> number) {
      call();
      shoot(name, number);
    }
  }
}

void injector::meet(int port, const std::string& log) {
  port_ = port;
  log_ = ::open(log.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (log_ < 0) stop("the node's log");
  watch(poll_, log_);
}

// Anew for each run: between two of them the node may have taken the caller for gone.
void injector::call() {
  if (caller_ >= 0) ::close(caller_);
  caller_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto to = loopback(port_);
  if (::connect(caller_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) stop("connect to the node");
  send_at_once(caller_);
  ::fcntl(caller_, F_SETFL, O_NONBLOCK);
  watch(poll_, caller_);
}

// ---- hearing

// One turn of everything; false when nothing came before `until`.
bool injector::turn(std::int64_t until) {
  const auto left = until - now();
  if (left <= 0) return false;
  timespec wait{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
  epoll_event events[8];
  const int count = ::epoll_pwait2(poll_, events, 8, &wait, nullptr);
  for (int i = 0; i < count; ++i) {
    const int fd = events[i].data.fd;
    if (fd == log_) {
      read_log();
    } else if (fd == caller_) {
      hear();
    } else if (fd == witness_) {
      now_.closed = now();
      ::close(std::exchange(witness_, -1));
    } else if (fd == helper_.poll()) {
      helper_.serve();
    } else {
      weak_.serve();
    }
  }
  return count > 0;
}

// False: it did not happen in time.
template <class Condition>
bool injector::wait(Condition over) {
  for (const auto until = now() + patience; !over();) {
    if (!turn(until)) return false;
  }
  return true;
}

void injector::hear() {
  char bytes[65536];
  const auto n = ::read(caller_, bytes, sizeof bytes);
  if (n == 0) stop("the node has hung up");
  if (n < 0) return;
  const std::string_view fresh(bytes, static_cast<std::size_t>(n));
  if (now_.fault != 0 && now_.token == 0 && fresh.contains("\"content\":\"")) now_.token = now();
  said_ += fresh;
}

void injector::read_log() {
  char bytes[16384];
  const auto n = ::read(log_, bytes, sizeof bytes);
  if (n <= 0) return;
  const std::string_view fresh(bytes, static_cast<std::size_t>(n));
  if (now_.fault != 0 && now_.verdict == 0 && fresh.contains("attempt.failed")) now_.verdict = now();
}

int injector::contents() const {
  int found = 0;
  constexpr std::string_view mark = "\"content\":\"";
  for (auto at = said_.find(mark); at != said_.npos; at = said_.find(mark, at + 1)) {
    found += said_[at + mark.size()] != '"';
  }
  return found;
}

std::string injector::text() const {
  std::string all;
  constexpr std::string_view mark = "\"content\":\"";
  for (auto at = said_.find(mark); at != said_.npos; at = said_.find(mark, at + 1)) {
    const auto from = at + mark.size();
    all += said_.substr(from, said_.find('"', from) - from);
  }
  return all;
}

// ---- asking

void injector::ask(const std::string& model, const char* what, int most) {
  char number[16];
  std::snprintf(number, sizeof number, "%08lu", static_cast<unsigned long>(++numbers_));
  number_ = number;
  const auto body = R"({"model":")" + model + R"(","stream":true,"max_tokens":)" + std::to_string(most) +
                    R"(,"messages":[{"role":"user","content":"Write a long story, number )" + number_ + ", " +
                    what + R"(."}]})";
  said_.clear();
  now_ = {};
  victim::put(caller_,
              "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer k-bench\r\n"
              "Content-Type: application/json\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body);
}

// False: not answered in time.
bool injector::heal(const std::string& model) {
  ask(model, "heal", 4);
  return wait([this] { return answered(); });
}

// As far as the fault.
bool injector::begin(const std::string& fault) {
  ask(fault, "break", 400);
  if (fault == "status") return wait([this] { return weak_.held >= 0; });
  return wait([this] { return contents() >= pieces_before; });
}

// ---- breaking

void injector::strike(const std::string& fault) {
  const int fd = weak_.held;
  now_.fault = now();
  if (fault == "reset") {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    weak_.drop(fd);
  } else if (fault == "close") {
    weak_.drop(fd);
  } else if (fault == "garbage") {
    victim::put(fd, victim::event("{\"id\":\"c\",\"choices\":[{"));
  } else if (fault == "error") {
    victim::put(fd, victim::event(R"({"error":{"message":"overloaded","type":"server_error","code":null}})"));
  } else if (fault == "status") {
    victim::put(
        fd, "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  } else if (fault == "kill" || fault == "engine") {
    ::kill(process_, SIGKILL);
  }
  // "stall": nothing comes any more.
}

bool injector::one(const std::string& fault, tally& into) {
  helper_.first_piece = fault == "status" ? 0 : pieces_before;
  if (fault == "kill") start_process();
  if (fault == "engine" && !start_engine()) return false;
  // Healthy answers between, or the node's breaker would keep it from being asked at all.
  for (int i = 0; i < 2; ++i) {
    if (!heal(fault)) return false;
  }
  if (!begin(fault)) return false;
  ::usleep(static_cast<useconds_t>(std::rand() % 1000));
  while (turn(now() + 1)) {
  }
  if (fault == "engine") {
    // Its own connection to the engine tells when the kernel has closed the engine's sockets.
    witness_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto to = loopback(engine_port_);
    if (::connect(witness_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) stop("connect to the engine");
    watch(poll_, witness_);
  }
  strike(fault);
  if (!wait([this] { return answered(); }) || !wait([this] { return witness_ < 0; })) return false;
  end_process();
  if (weak_.held >= 0) weak_.drop(weak_.held);
  now_.switched = helper_.began;
  const bool right =
      fault == "engine" ? text().ends_with(text_from(pieces_before, number_)) : text() == text_from(0, number_);
  into.wrong += !right;
  into.shots.push_back(now_);
  return true;
}

void injector::shoot(const std::string& fault, int count) {
  weak_.become(fault == "status"  ? victim::role::mute
               : fault == "stall" ? victim::role::drips
                                  : victim::role::breaks);
  // The node hedges only what it knows: gaps between tokens.
  for (int i = 0; fault == "stall" && i < 20; ++i) heal(fault);
  const auto unasked = helper_.whole_ones;
  tally all;
  for (int i = 0; i < count; ++i) {
    if (one(fault, all)) continue;
    ++all.failed;
    end_process();
    std::fprintf(stderr, "bench_switch: %s: no answer to number %s\n%s\n", fault.c_str(), number_.c_str(),
                 said_.c_str());
    break;
  }
  std::printf("{\"fault\":\"%s\",\"wrong\":%lu,\"failed\":%lu,\"suspected\":%lu,\"shots\":[", fault.c_str(),
              all.wrong, all.failed, helper_.whole_ones - unasked);
  const char* comma = "";
  for (const auto& s : all.shots) {
    const auto since = [&](std::int64_t when) {
      return when == 0 ? -1.0 : static_cast<double>(when - s.fault) / 1e3;
    };
    std::printf("%s[%.1f,%.1f,%.1f,%.1f]", std::exchange(comma, ","), since(s.closed), since(s.verdict),
                since(s.switched), since(s.token));
  }
  std::puts("]}");
  std::fflush(stdout);
}

// ---- processes

void injector::start_process() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) stop("pipe");
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The witness has the lower number: the kernel closes it just before the connections.
    ::dup2(ends[1], 3);
    ::dup2(killable_, 4);
    ::close_range(5, ~0U, 0);
    victim here(victim::role::breaks);
    here.open(4);
    here.serve_for_ever();
  }
  ::close(ends[1]);
  witness_ = ends[0];
  watch(poll_, witness_);
}

bool injector::start_engine() {
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close_range(3, ~0U, 0);
    auto words = engine_;
    auto port = std::to_string(engine_port_);
    words.push_back(const_cast<char*>("--port"));
    words.push_back(port.data());
    words.push_back(nullptr);
    ::execv(words[0], words.data());
    std::_Exit(127);
  }
  for (const auto until = now() + 3 * patience; now() < until; ::usleep(20'000)) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto to = loopback(engine_port_);
    std::string got;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
      victim::put(fd, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
      char bytes[1024];
      for (ssize_t n = 0; (n = ::read(fd, bytes, sizeof bytes)) > 0;)
        got.append(bytes, static_cast<std::size_t>(n));
    }
    ::close(fd);
    if (got.starts_with("HTTP/1.1 200")) return true;
  }
  return false;
}

void injector::end_process() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  process_ = 0;
  if (witness_ >= 0) ::close(std::exchange(witness_, -1));
}

}  // namespace
}  // namespace meshai::bench

// The words of the command line start an engine, without its --port.
int main(int count, char** words) {
  ::signal(SIGPIPE, SIG_IGN);
  meshai::bench::injector(std::vector<char*>(words + 1, words + count)).run();
}
