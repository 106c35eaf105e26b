// A provider for measuring behind: OpenAI's chat completions, one thread, no JSON library, nothing between it and
// the socket. It answers a whole request at once, and a streamed one with as many chunks, at such a distance, as
// the model's name says: "s40-10000" is forty chunks ten milliseconds apart.
//
// What it answers carries the number that stands in the question ("number 00000042"), each chunk its place and the
// time at which it was written, so that whoever reads it sees what was lost, doubled, reordered or mixed up, and
// how long it was on the way.
//
//   bench_fake        prints the port it listens at on loopback, and serves until it is ended
#include <cstring>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "canned.hpp"
#include "net.hpp"

namespace meshai::bench {
namespace {

struct caller {
  int fd = -1;
  std::uint64_t serial = 0;  // descriptors are used again: a timer must not wake another's stream
  std::string in, out;
  bool writing = false;  // the socket was full
  std::string number, model;
  plan todo;
  int sent = 0;
  bool streaming = false;
};

struct alarm {
  std::int64_t at;
  int fd;
  std::uint64_t serial;
  bool operator<(const alarm& other) const { return at > other.at; }  // the earliest on top
};

class provider {
 public:
  provider();
  [[noreturn]] void run();

 private:
  void accept_all();
  void readable(caller& who);
  bool take_request(caller& who);
  void answer_whole(caller& who);
  void begin_stream(caller& who);
  void next_chunk(caller& who);
  void append_event(std::string& out, std::string_view delta, std::string_view finish, std::string_view model);
  bool flush(caller& who);
  void drop(int fd);
  int wait(epoll_event* events, int most);

  int door_ = -1, poll_ = -1;
  std::uint64_t serials_ = 0;
  std::unordered_map<int, caller> callers_;
  std::priority_queue<alarm> alarms_;
  std::string event_;
};

provider::provider() {
  door_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto at = loopback(0);
  if (::bind(door_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(door_, 4096) != 0)
    stop("listen");
  socklen_t size = sizeof at;
  ::getsockname(door_, reinterpret_cast<sockaddr*>(&at), &size);
  poll_ = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{.events = EPOLLIN, .data = {.fd = door_}};
  ::epoll_ctl(poll_, EPOLL_CTL_ADD, door_, &wanted);
  std::printf("%d\n", ntohs(at.sin_port));
  std::fflush(stdout);
}

void provider::accept_all() {
  for (;;) {
    const int fd = ::accept4(door_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    send_at_once(fd);
    auto& who = callers_[fd];
    who.fd = fd;
    who.serial = ++serials_;
    epoll_event wanted{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &wanted);
  }
}

void provider::drop(int fd) {
  ::close(fd);
  callers_.erase(fd);
}

void provider::readable(caller& who) {
  char bytes[16384];
  const auto n = ::read(who.fd, bytes, sizeof bytes);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return drop(who.fd);
  who.in.append(bytes, static_cast<std::size_t>(n));
  while (!who.streaming && take_request(who)) {
    who.sent = 0;
    if (who.todo.chunks > 0) {
      begin_stream(who);
    } else {
      answer_whole(who);
    }
    if (!flush(who)) return drop(who.fd);
  }
}

// One whole request out of what has come.
bool provider::take_request(caller& who) {
  const auto end = who.in.find("\r\n\r\n");
  if (end == who.in.npos) return false;
  const std::string_view head(who.in.data(), end + 2);
  const auto length = header(head, "content-length");
  const auto size = length.empty() ? 0u : std::strtoul(length.data(), nullptr, 10);
  if (who.in.size() < end + 4 + size) return false;
  const std::string_view body(who.in.data() + end + 4, size);
  who.model = quoted(body, "\"model\":\"");
  const auto number = body.find(number_mark);
  who.number = number == body.npos ? "" : body.substr(number + number_mark.size(), number_digits);
  who.todo = plan_of(who.model);
  who.in.erase(0, end + 4 + size);
  return true;
}

void provider::answer_whole(caller& who) {
  std::string body =
      "{\"id\":\"chatcmpl-BenchBenchBenchBenchBench\",\"object\":\"chat.completion\",\"created\":1760000000,"
      "\"model\":"
      "\"";
  body += who.model;
  body += "\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"";
  body += words;
  body += who.number;
  body +=
      "\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_"
      "tokens\":31,\"completion_tokens\":48,\"total_tokens\":79,\"prompt_tokens_details\":{\"cached_tokens\":0,"
      "\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_"
      "prediction_tokens\":0,\"rejected_prediction_tokens\":0}},\"service_tier\":\"default\",\"system_"
      "fingerprint\":"
      "\"fp_bench\"}";
  who.out += "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_bench\r\nContent-Length: ";
  who.out += std::to_string(body.size());
  who.out += "\r\n\r\n";
  who.out += body;
}

// One event of a stream as one HTTP chunk. `finish` is JSON.
void provider::append_event(std::string& out, std::string_view delta, std::string_view finish,
                            std::string_view model) {
  event_ =
      "data: {\"id\":\"chatcmpl-BenchBenchBenchBenchBench\",\"object\":\"chat.completion.chunk\",\"created\":"
      "1760000000,\"model\":\"";
  event_ += model;
  event_ +=
      "\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_bench\",\"choices\":[{\"index\":0,\"delta\":";
  event_ += delta;
  event_ += ",\"logprobs\":null,\"finish_reason\":";
  event_ += finish;
  event_ += "}]}\n\n";
  char size[16];
  out.append(size, static_cast<std::size_t>(std::snprintf(size, sizeof size, "%zx\r\n", event_.size())));
  out += event_;
  out += "\r\n";
}

void provider::begin_stream(caller& who) {
  who.streaming = true;
  who.out +=
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
      "x-request-id: req_bench\r\nTransfer-Encoding: chunked\r\n\r\n";
  append_event(who.out, "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}", "null", who.model);
  next_chunk(who);
}

// Writes one chunk and sets the alarm for the next; the last one brings the end with it.
void provider::next_chunk(caller& who) {
  char delta[96];
  const auto size = std::snprintf(delta, sizeof delta, "{\"content\":\"%s.%05d.%016lx \"}", who.number.c_str(),
                                  who.sent, static_cast<unsigned long>(now()));
  append_event(who.out, {delta, static_cast<std::size_t>(size)}, "null", who.model);
  if (++who.sent < who.todo.chunks) {
    alarms_.push({now() + who.todo.gap, who.fd, who.serial});
    return;
  }
  append_event(who.out, "{}", "\"stop\"", who.model);
  who.out += "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
  who.streaming = false;
}

// False when the caller is gone.
bool provider::flush(caller& who) {
  const auto n = ::send(who.fd, who.out.data(), who.out.size(), MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
  if (n > 0) who.out.erase(0, static_cast<std::size_t>(n));
  const bool full = !who.out.empty();
  if (full != who.writing) {
    who.writing = full;
    epoll_event wanted{.events = full ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.fd = who.fd}};
    ::epoll_ctl(poll_, EPOLL_CTL_MOD, who.fd, &wanted);
  }
  return true;
}

// Until something comes or the next alarm is due.
int provider::wait(epoll_event* events, int most) {
  timespec left{};
  if (alarms_.empty()) return ::epoll_wait(poll_, events, most, -1);
  const auto span = std::max<std::int64_t>(0, alarms_.top().at - now());
  left.tv_sec = span / 1'000'000'000;
  left.tv_nsec = span % 1'000'000'000;
  return ::epoll_pwait2(poll_, events, most, &left, nullptr);
}

void provider::run() {
  epoll_event events[256];
  for (;;) {
    const int count = wait(events, 256);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == door_) {
        accept_all();
        continue;
      }
      const auto found = callers_.find(fd);
      if (found == callers_.end()) continue;
      if ((events[i].events & EPOLLOUT) && !flush(found->second)) {
        drop(fd);
        continue;
      }
      if (events[i].events & ~static_cast<unsigned>(EPOLLOUT)) readable(found->second);
    }
    for (const auto due = now(); !alarms_.empty() && alarms_.top().at <= due;) {
      const auto next = alarms_.top();
      alarms_.pop();
      const auto found = callers_.find(next.fd);
      if (found == callers_.end() || found->second.serial != next.serial) continue;
      next_chunk(found->second);
      if (!flush(found->second)) drop(next.fd);
    }
  }
}

}  // namespace
}  // namespace meshai::bench

int main() {
  meshai::bench::provider().run();
}
