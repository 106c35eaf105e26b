// What the tests of the real engine share: a data folder of their own with the machine's engine and model in it, a
// loop, and a client to ask with.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "env/clock.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"
#include "http/http.hpp"
#include "os/os.hpp"

namespace meshai::integration {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

inline fs::path installed_data() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data) return fs::path(data) / "meshai";
  const char* home = std::getenv("HOME");
  return fs::path(home ? home : "/nonexistent") / ".local/share/meshai";
}

// The contents of a file in /proc.
inline std::string slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Whether there is such a process; a zombie is none.
inline bool lives(int pid) {
  const auto stat = slurp("/proc/" + std::to_string(pid) + "/stat");
  const auto named = stat.rfind(") ");
  return named != stat.npos && stat[named + 2] != 'Z' && stat[named + 2] != 'X';
}

struct engine_fixture : testing::Test {
  engine_fixture()
      : shared({.log_level = env::log_level::error, .json_log = false, .pool_threads = 2, .name_servers = {}}),
        one(shared.make_worker()),
        world(one->world()) {
    auto pattern = (fs::temp_directory_path() / "meshai-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    fs::create_directories(folder / "data/models");
    fs::create_directory_symlink(installed_data() / "engine", folder / "data/engine");
  }
  ~engine_fixture() override { fs::remove_all(folder); }

  void SetUp() override {
    std::error_code missing;
    model = fs::canonical(installed_data() / "models/default.gguf", missing);
    if (missing || !fs::exists(installed_data() / "engine/root/usr/bin/llama-server"))
      GTEST_SKIP() << "the engine or its model is missing in " << installed_data()
                   << "; tools/setup/engine and models/fetch "
                   << "install them";
    const auto added = engine::catalogue(folder / "data").add(model, "small");
    ASSERT_TRUE(added) << added.error().detail;
  }

  engine::options options() const {
    engine::options how;
    how.name = "here";
    how.data_folder = folder / "data";
    how.runtime_folder = folder / "run";
    how.slots = 1;
    how.context = 2048;
    how.first_rest = 100ms;
    how.health_every = 100ms;
    return how;
  }

  // Runs `work` to its end on this thread.
  template <class T>
  T finish(task<T> work) {
    std::optional<T> out;
    env::scope scope(world.loop);
    scope.spawn(keep(std::move(work), out, *one));
    one->run();
    return std::move(*out);
  }
  template <class T>
  static task<void> keep(task<T> work, std::optional<T>& out, os::worker& on) {
    out.emplace(co_await std::move(work));
    on.stop();
  }

  instant in(std::chrono::nanoseconds time) const { return world.clock.now() + time; }

  os::runtime shared;
  std::unique_ptr<os::worker> one;
  env::world world;
  fs::path folder;
  fs::path model;
};

struct said {
  int status = 0;
  std::string text;  // of the answer, or the body where it was none
};

inline http::origin origin_of(const engine::supervisor& of) {
  http::origin out;
  out.socket_path = of.address().path;
  out.make_key();
  return out;
}

inline task<said> post(http::client& client, const engine::supervisor& to, std::string target, std::string body,
                       instant by) {
  const std::array headers = {wire::header{"Content-Type", "application/json"}};
  const http::call what{.method = "POST", .target = target, .headers = headers, .body = body};
  auto answer = co_await client.send(origin_of(to), what, {.headers_by = by});
  if (!answer) co_return said{0, answer.error().detail};
  answer->read_by(by);
  auto text = co_await answer->read_all(8 << 20);
  co_return said{answer->status(), text ? *text : text.error().detail};
}

// A question in chat; the text of the answer.
inline task<said> ask(http::client& client, const engine::supervisor& to, std::string question, int max_tokens,
                      instant by) {
  namespace json = boost::json;
  const json::object body{{"messages", json::array{json::object{{"role", "user"}, {"content", question}}}},
                          {"max_tokens", max_tokens}};
  auto got = co_await post(client, to, "/v1/chat/completions", json::serialize(body), by);
  boost::system::error_code bad;
  const auto parsed = json::parse(got.text, bad);
  if (!bad && got.status == 200) got.text = parsed.at("choices").at(0).at("message").at("content").as_string();
  co_return got;
}

}  // namespace meshai::integration
