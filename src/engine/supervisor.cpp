#include "engine/supervisor.hpp"

#include <utility>

#include "engine/board.hpp"
#include "engine/keeper.hpp"
#include "engine/launch.hpp"
#include "env/random.hpp"

namespace meshai::engine {

std::string_view to_string(state where) {
  switch (where) {
    case state::off:
      return "off";
    case state::starting:
      return "starting";
    case state::loading:
      return "loading";
    case state::ready:
      return "ready";
    case state::resting:
      return "resting";
  }
  return "unknown";
}

supervisor::supervisor(const env::world& world, options how) : tasks_(world.loop) {
  // The number keeps two supervisors of one node apart: while a configuration is swapped both are there.
  const auto number = static_cast<unsigned>(world.random.next() % 1'000'000);
  board_ = std::make_shared<board>(env::address{.ip = {}, .port = 0, .path = socket_path(how, number)});
  keeper_ = std::make_shared<keeper>(world, std::move(how), board_);
}

supervisor::~supervisor() {
  tasks_.cancel();
  keeper_->abandon();
  board_->close();
}

void supervisor::start() {
  board_->write([](engine::facts& now) { now.coming = true; });
  tasks_.spawn(keeper::run(keeper_));
}

task<void> supervisor::stop() {
  board_->close();
  co_await tasks_.close();
  co_await keeper_->finish();
}

bool supervisor::ready() const {
  return board_->ready();
}

engine::facts supervisor::facts() const {
  return board_->read();
}

const env::address& supervisor::address() const {
  return board_->address();
}

task<result<void>> supervisor::wait_ready(const env::world& here, instant deadline) const {
  return board::wait_ready(board_, here, deadline, false);
}

task<result<void>> supervisor::wait_coming(const env::world& here) const {
  return board::wait_ready(board_, here, never, true);
}

}  // namespace meshai::engine
