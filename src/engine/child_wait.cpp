#include "engine/child_wait.hpp"

#include <fstream>
#include <system_error>
#include <utility>

#include "engine/board.hpp"
#include "env/event.hpp"
#include "env/scope.hpp"

namespace meshai::engine {
namespace {

constexpr std::streamsize max_output = 1 << 20;

task<void> wait_for(std::shared_ptr<env::child> child, std::shared_ptr<env::event> ended) {
  co_await child->wait();
  ended->set();
}

struct removed_at_end {
  std::filesystem::path file;
  ~removed_at_end() {
    std::error_code none;
    std::filesystem::remove(file, none);
  }
};

}  // namespace

task<void> wait_until(env::world world, std::shared_ptr<env::child> child, instant by) {
  const auto woken = std::make_shared<env::event>(world.loop);
  env::scope both(world.loop);
  both.spawn(wait_for(std::move(child), woken));
  both.spawn(wake_at(world.clock, by, woken));
  co_await woken->wait();
  co_await both.close();
}

task<result<std::string>> output_of(env::world world, env::command what, std::filesystem::path file, instant by) {
  const removed_at_end cleanup{file};
  what.output = file.string();
  auto started = world.process.start(what);
  if (!started) co_return std::unexpected(started.error());
  std::shared_ptr<env::child> child = std::move(*started);
  co_await wait_until(world, child, by);
  child.reset();  // kills what still runs

  std::ifstream in(file, std::ios::binary);
  std::string out(static_cast<std::size_t>(max_output), '\0');
  in.read(out.data(), max_output);
  out.resize(static_cast<std::size_t>(in.gcount()));
  co_return out;
}

}  // namespace meshai::engine
