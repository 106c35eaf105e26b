// http: what the server's tests share: a handler that answers by path, and a caller who says raw bytes.
#pragma once

#include <string>
#include <vector>

#include "env/event.hpp"
#include "http/fixture.hpp"

namespace meshai::http {

// Answers by path; what it saw stands in `seen`.
struct by_path final : handler {
  explicit by_path(const env::world& in) : world(in), go(in.loop) {}

  task<void> handle(request& in, responder& out) override {
    seen.push_back(std::string(in.method()) + " " + std::string(in.target()));
    const auto path = in.path();
    if (path == "/hello") {
      last = co_await out.send(200, {{"Content-Type", "text/plain"}}, "hello");
    } else if (path == "/echo") {
      const auto body = co_await in.body(limit);
      seen.back() += body ? " " + std::string(*body) : " <" + std::string(to_string(body.error().kind)) + ">";
      const int status = body ? 200 : status_of(body.error());
      last = co_await out.send(status, {}, body ? *body : "no");
    } else if (path == "/refuse") {
      last = co_await out.send(401, {}, "who are you?");
    } else if (path == "/stream") {
      (void)out.start(200, {{"Content-Type", "text/event-stream"}});
      (void)co_await out.write("one,");
      (void)co_await out.write("");
      (void)co_await out.write("two,");
      last = co_await out.finish("three");
    } else if (path == "/empty") {
      (void)out.start(200, {});
      last = co_await out.finish();
    } else if (path == "/wait") {
      const gone_mark mark(*this);
      co_await go.wait();
      last = co_await out.send(200, {}, "waited");
    } else if (path == "/half") {
      (void)out.start(200, {});
      last = co_await out.write("half");
    } else if (path == "/flood") {
      (void)out.start(200, {});
      const std::string piece(64 * 1024, 'x');
      for (last = {}; last;) last = co_await out.write(piece);
      flood_ended = world.clock.now();
    } else if (path == "/large") {
      last = co_await out.send(200, {}, std::string(large, 'x'));
    } else if (path == "/inject") {
      last = co_await out.send(200, {{"X", "a\r\nSet-Cookie: b"}}, "");
      EXPECT_FALSE(out.started());
      if (!last) last = co_await out.send(500, {}, "refused");
    } else if (path == "/nothing") {
      co_return;
    } else if (path == "/204") {
      last = co_await out.send(204, {}, "");
    }
  }

  shaped refuse(int status, const error& why) override {
    return {{{"Content-Type", "application/json"}},
            "{\"status\":" + std::to_string(status) + ",\"why\":\"" + why.detail + "\"}"};
  }

  static int status_of(const error& why) {
    switch (why.kind) {
      case error_kind::refused:
        return 413;
      case error_kind::exhausted:
        return 503;
      case error_kind::malformed:
        return 400;
      default:
        return 408;
    }
  }

  // Takes note when the coroutine that waits ends without having been told to go on.
  struct gone_mark {
    explicit gone_mark(by_path& of) : in(of) { ++in.waiting; }
    ~gone_mark() {
      --in.waiting;
      in.waited_until = in.world.clock.now();
    }
    by_path& in;
  };

  env::world world;
  env::event go;
  std::vector<std::string> seen;
  result<void> last;
  std::size_t limit = 1000;
  static constexpr std::size_t large = 1 << 20;
  int waiting = 0;
  instant waited_until{};
  instant flood_ended{};
};

struct budget final : body_budget {
  bool try_acquire(std::size_t bytes) override {
    if (bytes > left) return false;
    left -= bytes;
    return true;
  }
  void release(std::size_t bytes) noexcept override { left += bytes; }
  std::size_t left = 100'000;
};

inline task<void> accept_all(env::world world, server& with, env::scope& serving) {
  const auto door = world.network.listen({.ip = "0.0.0.0", .port = 80}, false);
  while (auto next = co_await (*door)->accept()) serving.spawn(with.serve(std::move(*next)));
}

inline task<void> dial_and_talk(env::world from, std::vector<std::string> parts, std::chrono::nanoseconds pause,
                                bool waits, std::string& out) {
  auto on = co_await from.network.dial({.ip = "10.0.0.2", .port = 80}, never);
  for (const auto& part : parts) {
    if (&part != &parts.front()) co_await from.clock.sleep_until(from.clock.now() + pause);
    if (!co_await say(**on, part)) break;
  }
  if (waits) {
    (*on)->read_by(from.clock.now() + 1s);
    out = co_await hear(**on);
  }
}

inline std::string without_date(std::string text) {
  const std::string date = "Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n";
  for (auto at = text.find("Date: "); at != text.npos; at = text.find("Date: ", at)) text.erase(at, date.size());
  return text;
}

inline constexpr std::string_view hello =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
inline constexpr std::string_view get_hello = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";

struct http_server : fixture {
  explicit http_server(std::uint64_t seed = 1) : fixture(seed) {
    options.budget = &held;
    serving.spawn(accept_all(there.world(), near, serving));
  }
  ~http_server() override {
    serving.cancel();
    sim.run([&] { return serving.running() == 0; });
  }

  // Says `parts` with pauses between them; all that comes back until the end or 1 s of silence, without Date.
  std::string talk(std::vector<std::string> parts, std::chrono::nanoseconds pause = 10ms) {
    std::string out;
    finish(dial_and_talk(here.world(), std::move(parts), pause, true, out));
    return without_date(out);
  }

  budget held;
  server_options options{.budget = &held};
  by_path answers{there.world()};
  server near{there.world(), answers, options};
  env::scope serving{there.world().loop};
};

}  // namespace meshai::http
