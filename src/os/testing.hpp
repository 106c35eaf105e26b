// os: what its tests share: a running loop, a folder of their own, and generous deadlines.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "env/clock.hpp"
#include "env/network.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"
#include "os/os.hpp"

namespace meshai::os {

inline instant in(std::chrono::milliseconds span) {
  return std::chrono::steady_clock::now() + span;
}
// Long enough for the slowest machine; reached only by a test that fails.
inline instant soon() {
  return in(std::chrono::seconds(30));
}

struct temp_folder {
  temp_folder() {
    auto name = (std::filesystem::temp_directory_path() / "meshai-os-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~temp_folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::filesystem::path path;
};

struct fixture {
  explicit fixture(options how = {.log_level = env::log_level::error})
      : shared(std::move(how)), one(shared.make_worker()), world(one->world()) {}

  // Runs `work` to its end on the worker's loop and returns what it returns.
  template <class T>
  T finish(task<T> work) {
    std::optional<T> out;
    env::scope scope(world.loop);
    scope.spawn(store(std::move(work), out, *one));
    one->run();
    return std::move(*out);
  }

  template <class T>
  static task<void> store(task<T> work, std::optional<T>& out, worker& on) {
    out.emplace(co_await std::move(work));
    on.stop();
  }

  runtime shared;
  std::unique_ptr<worker> one;
  env::world world;
};

// Both ends of a connection within this process.
struct connected {
  std::unique_ptr<env::stream> client;
  std::unique_ptr<env::stream> server;
};

inline task<result<connected>> connect_pair(env::network& network, env::address at) {
  auto listener = network.listen(at, false);
  if (!listener) co_return std::unexpected(listener.error());
  auto client = co_await network.dial((*listener)->local(), soon());
  if (!client) co_return std::unexpected(client.error());
  auto server = co_await (*listener)->accept();
  if (!server) co_return std::unexpected(server.error());
  co_return connected{std::move(*client), std::move(*server)};
}

inline env::address loopback(std::uint16_t port = 0) {
  return {.ip = "127.0.0.1", .port = port, .path = {}};
}

inline task<result<void>> write(env::stream& to, std::string_view text) {
  const std::string_view pieces[] = {text};
  co_return co_await to.write_all(pieces);
}

// Up to `size` bytes, fewer where the stream ends.
inline task<result<std::string>> read(env::stream& from, std::size_t size) {
  std::string out;
  while (out.size() < size) {
    char buffer[4096];
    auto n = co_await from.read_some(std::span(buffer).first(std::min(sizeof buffer, size - out.size())));
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) break;
    out.append(buffer, *n);
  }
  co_return out;
}

}  // namespace meshai::os
