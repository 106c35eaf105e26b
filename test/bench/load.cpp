// Asks as many times as it can over so many connections, each of them waiting for its answer before it asks again,
// and looks at every answer: the words, the number of the question, and of a stream each chunk's place.
//
//   bench_load --port 8080 --connections 16 --seconds 2 --model whole
//   bench_load --port 8080 --connections 512 --once --model s20-50000
//
// Prints one JSON object: what was answered and lost, and percentiles in microseconds.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "canned.hpp"
#include "net.hpp"

namespace meshai::bench {
namespace {

struct options {
  int port = 0;
  int connections = 1;
  std::int64_t duration = 1'000'000'000;
  std::int64_t warm = 200'000'000;  // answers of this first while are not counted in the percentiles
  bool once = false;                // each connection asks once, and all end
  std::string model = "whole";
  std::string path = "/v1/chat/completions";
  std::string headers;
  bool stream() const { return model.starts_with('s'); }
};

struct tally {
  std::uint64_t answers = 0, counted = 0, chunks = 0, failed = 0, reconnects = 0;
  std::uint64_t lost = 0, doubled = 0, reordered = 0;  // chunks
  std::string first_failure;
  std::vector<std::int64_t> whole, first, transit;  // nanoseconds
};

struct asker {
  int fd = -1;
  std::string in;
  std::string text;  // the body, decoded; of a stream what is not yet looked at
  std::uint64_t number = 0;
  std::int64_t asked = 0, start = 0;
  bool waiting = false, head = false, chunked = false, ended = false, finished = false, done = false;
  bool over = false;       // asks no more
  std::uint64_t left = 0;  // of the body or of the chunk
  int next = 0;            // which chunk comes
  bool first_counts = false;
};

class load {
 public:
  explicit load(options how);
  int run();

 private:
  void connect(asker& who);
  void ask(asker& who);
  void readable(asker& who);
  bool take(asker& who);
  bool take_head(asker& who);
  bool take_chunked(asker& who);
  void look_at_events(asker& who);
  void look_at_chunk(asker& who, std::string_view content);
  void look_at_whole(asker& who);
  void answered(asker& who);
  void failed(asker& who, const std::string& why);
  void begin_due();
  void print(std::int64_t span);

  options how_;
  plan plan_;
  tally tally_;
  std::vector<asker> askers_;
  std::uint64_t numbers_ = 0;
  std::size_t begun_ = 0, over_ = 0;
  std::int64_t began_ = 0, counts_from_ = 0, until_ = 0, seen_ = 0;
  int poll_ = -1;
};

load::load(options how) : how_(std::move(how)), plan_(plan_of(how_.model)), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
  askers_.resize(static_cast<std::size_t>(how_.connections));
}

void load::connect(asker& who) {
  who.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto to = loopback(how_.port);
  if (::connect(who.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) stop("connect");
  send_at_once(who.fd);
  ::fcntl(who.fd, F_SETFL, O_NONBLOCK);
  epoll_event wanted{.events = EPOLLIN, .data = {.ptr = &who}};
  ::epoll_ctl(poll_, EPOLL_CTL_ADD, who.fd, &wanted);
}

void load::ask(asker& who) {
  char number[32];
  who.number = ++numbers_;
  std::snprintf(number, sizeof number, "%08lu", static_cast<unsigned long>(who.number));
  const std::string body =
      "{\"model\":\"" + how_.model +
      "\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful assistant. Keep it "
      "short.\"},{\"role\":\"user\",\"content\":\"Tell me about the river Danube, number " +
      std::string(number) + ".\"}],\"temperature\":0.7,\"max_tokens\":256" +
      (how_.stream() ? ",\"stream\":true}" : "}");
  const std::string request = "POST " + how_.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(how_.port) +
                              "\r\nAccept: */*\r\nUser-Agent: bench\r\nContent-Type: application/json\r\n" +
                              how_.headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  who.text.clear();
  who.head = who.chunked = who.ended = who.finished = who.done = false;
  who.next = 0;
  who.waiting = true;
  who.asked = now();
  who.first_counts = who.asked >= counts_from_;
  if (::send(who.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    failed(who, "the question did not get out");
}

void load::failed(asker& who, const std::string& why) {
  ++tally_.failed;
  if (tally_.first_failure.empty())
    tally_.first_failure = why + " | " + who.in.substr(0, 300) + who.text.substr(0, 300);
  if (tally_.failed > 1000) {
    std::fprintf(stderr, "bench_load: too many failures: %s\n", tally_.first_failure.c_str());
    std::exit(1);
  }
  ::close(who.fd);
  who.in.clear();
  who.waiting = false;
  connect(who);
  answered(who);
}

// The end of an answer, good or bad: the next question, or none.
void load::answered(asker& who) {
  who.waiting = false;
  if (!who.over && (how_.once || now() >= until_)) {
    who.over = true;
    ++over_;
  } else if (!who.over) {
    ask(who);
  }
}

void load::readable(asker& who) {
  char bytes[65536];
  const auto n = ::read(who.fd, bytes, sizeof bytes);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    if (who.waiting) return failed(who, "the connection ended before its answer");
    ++tally_.reconnects;
    ::close(who.fd);
    return connect(who);
  }
  seen_ = now();
  who.in.append(bytes, static_cast<std::size_t>(n));
  if (!take(who)) return;
  if (!who.ended) return;
  if (!who.in.empty()) return failed(who, "something follows the answer");
  if (how_.stream()) {
    if (who.next < plan_.chunks) tally_.lost += static_cast<std::uint64_t>(plan_.chunks - who.next);
    if (who.next != plan_.chunks || !who.finished || !who.done) return failed(who, "the stream is not whole");
  } else {
    look_at_whole(who);
    if (!who.done) return failed(who, "not the answer");
  }
  ++tally_.answers;
  if (who.asked >= counts_from_) {
    ++tally_.counted;
    tally_.whole.push_back(seen_ - who.asked);
  }
  answered(who);
}

// Takes what has come. False when the answer failed.
bool load::take(asker& who) {
  if (!who.head && !take_head(who)) return false;
  if (!who.head) return true;
  if (who.chunked) {
    if (!take_chunked(who)) return false;
  } else {
    const auto size = std::min<std::size_t>(who.left, who.in.size());
    who.text.append(who.in, 0, size);
    who.in.erase(0, size);
    who.left -= size;
    who.ended = who.left == 0;
  }
  if (how_.stream()) look_at_events(who);
  return true;
}

bool load::take_head(asker& who) {
  const auto end = who.in.find("\r\n\r\n");
  if (end == who.in.npos) return true;
  const std::string_view head(who.in.data(), end + 2);
  if (!head.starts_with("HTTP/1.1 200")) return failed(who, "not a 200"), false;
  const auto length = header(head, "content-length");
  who.chunked = header(head, "transfer-encoding") == "chunked";
  if (!who.chunked && length.empty()) return failed(who, "an answer without an end"), false;
  who.left = who.chunked ? 0 : std::strtoull(length.data(), nullptr, 10);
  who.in.erase(0, end + 4);
  who.head = true;
  return true;
}

bool load::take_chunked(asker& who) {
  std::size_t at = 0;
  for (;;) {
    if (who.left > 2) {  // of the chunk and the line end behind it
      const auto size = std::min<std::size_t>(who.left - 2, who.in.size() - at);
      who.text.append(who.in, at, size);
      at += size;
      who.left -= size;
      if (who.left > 2) break;
    }
    if (who.left > 0) {
      if (who.in.size() - at < 2) break;
      if (who.in.compare(at, 2, "\r\n") != 0) return failed(who, "a chunk without its end"), false;
      at += 2;
      who.left = 0;
    }
    const auto line = who.in.find("\r\n", at);
    if (line == who.in.npos) break;
    const auto size = std::strtoull(who.in.c_str() + at, nullptr, 16);
    if (size == 0) {
      if (who.in.size() < line + 4) break;
      at = line + 4;
      who.ended = true;
      break;
    }
    at = line + 2;
    who.left = size + 2;
  }
  who.in.erase(0, at);
  return true;
}

void load::look_at_events(asker& who) {
  std::size_t at = 0;
  for (;;) {
    const auto end = who.text.find("\n\n", at);
    if (end == who.text.npos) break;
    const std::string_view event(who.text.data() + at, end - at);
    at = end + 2;
    if (event == "data: [DONE]") {
      who.done = true;
    } else if (const auto content = quoted(event, "\"content\":\""); !content.empty()) {
      look_at_chunk(who, content);
    }
    if (event.find("\"finish_reason\":\"stop\"") != event.npos) who.finished = true;
  }
  who.text.erase(0, at);
}

// "00000042.00003.000001b2c3d4e5f6 ": the number, the place, the time it was written.
void load::look_at_chunk(asker& who, std::string_view content) {
  ++tally_.chunks;
  if (content.size() != 32 || std::strtoull(content.data(), nullptr, 10) != who.number || who.done) {
    ++tally_.reordered;
    if (tally_.first_failure.empty()) tally_.first_failure = "a chunk of another stream: " + std::string(content);
    return;
  }
  const auto place = static_cast<int>(std::strtol(content.data() + 9, nullptr, 10));
  if (place == who.next) {
    ++who.next;
  } else if (place < who.next) {
    ++tally_.doubled;
  } else {
    ++tally_.reordered;
  }
  if (!who.first_counts) return;
  if (place == 0) tally_.first.push_back(seen_ - who.asked);
  tally_.transit.push_back(seen_ - static_cast<std::int64_t>(std::strtoull(content.data() + 15, nullptr, 16)));
}

void load::look_at_whole(asker& who) {
  const auto content = quoted(who.text, "\"content\":\"");
  who.done = who.text.starts_with('{') && who.text.ends_with('}') &&
             content.size() == words.size() + number_digits && content.starts_with(words) &&
             std::strtoull(content.data() + words.size(), nullptr, 10) == who.number &&
             who.text.find("\"finish_reason\":\"stop\"") != who.text.npos &&
             who.text.find("\"total_tokens\":79") != who.text.npos;
}

// Streams begin one after the other, spread over the life of one: callers do not march in step. Where all shall
// run at once, over its first quarter.
void load::begin_due() {
  const auto at = now();
  while (begun_ < askers_.size() && askers_[begun_].start <= at) ask(askers_[begun_++]);
}

int load::run() {
  for (auto& who : askers_) connect(who);
  const auto life = std::min<std::int64_t>(plan_.chunks * plan_.gap / (how_.once ? 4 : 1), 1'000'000'000);
  began_ = now();
  counts_from_ = how_.once ? 0 : began_ + how_.warm;
  until_ = began_ + how_.duration;
  for (std::size_t i = 0; i < askers_.size(); ++i)
    askers_[i].start = began_ + life * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(askers_.size());
  epoll_event events[256];
  while (over_ < askers_.size()) {
    begin_due();
    if (now() > until_ + 20'000'000'000) stop("bench_load: an answer never came");
    timespec left{.tv_sec = 1, .tv_nsec = 0};
    if (begun_ < askers_.size()) {
      const auto span = std::clamp<std::int64_t>(askers_[begun_].start - now(), 0, 999'999'999);
      left = {.tv_sec = 0, .tv_nsec = span};
    }
    const int count = ::epoll_pwait2(poll_, events, 256, &left, nullptr);
    for (int i = 0; i < count; ++i) readable(*static_cast<asker*>(events[i].data.ptr));
  }
  print(now() - began_);
  return tally_.failed + tally_.lost + tally_.doubled + tally_.reordered > 0 ? 1 : 0;
}

void print_percentiles(const char* name, std::vector<std::int64_t>& of) {
  std::ranges::sort(of);
  const auto at = [&](double share) {
    return of.empty()
               ? 0.0
               : static_cast<double>(of[static_cast<std::size_t>(share * static_cast<double>(of.size() - 1))]) /
                     1e3;
  };
  std::printf(",\"%s\":{\"count\":%zu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name, of.size(),
              at(0.5), at(0.9), at(0.99), at(1));
}

void load::print(std::int64_t span) {
  const auto& t = tally_;
  const auto counted_for = std::max<std::int64_t>(1, span - (how_.once ? 0 : how_.warm));
  std::printf("{\"answers\":%lu,\"chunks\":%lu,\"failed\":%lu,\"lost\":%lu,\"doubled\":%lu,\"reordered\":%lu",
              t.answers, t.chunks, t.failed, t.lost, t.doubled, t.reordered);
  std::printf(",\"reconnects\":%lu,\"seconds\":%.4f,\"per_second\":%.1f", t.reconnects,
              static_cast<double>(span) / 1e9,
              static_cast<double>(t.counted) * 1e9 / static_cast<double>(counted_for));
  print_percentiles("answer_us", tally_.whole);
  print_percentiles("first_us", tally_.first);
  print_percentiles("transit_us", tally_.transit);
  std::printf("}\n");
  if (!t.first_failure.empty()) std::fprintf(stderr, "bench_load: %s\n", t.first_failure.c_str());
}

options parse(int count, char** arguments) {
  options out;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--once") {
      out.once = true;
      continue;
    }
    if (i + 1 == count) stop("bench_load: an option without its value");
    const std::string value = arguments[++i];
    if (name == "--port") out.port = std::atoi(value.c_str());
    if (name == "--connections") out.connections = std::atoi(value.c_str());
    if (name == "--seconds") out.duration = static_cast<std::int64_t>(std::atof(value.c_str()) * 1e9);
    if (name == "--model") out.model = value;
    if (name == "--path") out.path = value;
    if (name == "--header") out.headers += value + "\r\n";
  }
  return out;
}

}  // namespace
}  // namespace meshai::bench

int main(int count, char** arguments) {
  return meshai::bench::load(meshai::bench::parse(count, arguments)).run();
}
