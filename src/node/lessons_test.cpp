#include "node/lessons.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "env/clock.hpp"
#include "env/scope.hpp"
#include "sim/sim.hpp"

namespace meshai::node {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct learning_on_disk : ::testing::Test {
  learning_on_disk() {
    std::string made = (fs::temp_directory_path() / "meshai-lessons-XXXXXX").string();
    folder = ::mkdtemp(made.data());
  }
  ~learning_on_disk() override { fs::remove_all(folder); }

  // One process after another at the same file, each for so long.
  void live(const std::shared_ptr<route::memory>& of, std::chrono::nanoseconds span, const fs::path& file) {
    bool over = false;
    lessons kept(world, file, of);
    env::scope running(world.loop);
    running.spawn(kept.keep());
    pretend.spawn(
        [](env::world in, env::scope& all, lessons& at, std::chrono::nanoseconds time, bool& done) -> task<void> {
          co_await in.clock.sleep_until(in.clock.now() + time);
          co_await all.close();
          co_await at.finish();
          done = true;
        }(world, running, kept, span, over));
    pretend.run([&] { return over; });
  }
  double failed(const route::memory& of) {
    return of.learned.look(model, route::complexity::hard, world.clock.now()).failed;
  }

  sim::simulation pretend{{.longest = std::chrono::hours(200)}};
  sim::host& us = pretend.add_host("us", "10.0.0.1");
  env::world world = us.world();
  fs::path folder;
  const route::target_id model{~std::uint64_t{7}};
  std::shared_ptr<route::memory> first = std::make_shared<route::memory>(1);
  std::shared_ptr<route::memory> next = std::make_shared<route::memory>(2);
};

TEST_F(learning_on_disk, the_next_process_knows_what_the_last_one_learned) {
  for (int i = 0; i < 8; ++i) first->learned.failed(model, route::complexity::hard, world.clock.now());
  live(first, 1s, folder / "lessons.db");
  live(next, 1s, folder / "lessons.db");
  EXPECT_NEAR(failed(*next), 8, 0.01);
}

TEST_F(learning_on_disk, what_was_learned_is_written_while_it_runs_and_fades_on_disk_too) {
  live(first, 1s, folder / "lessons.db");
  {
    bool over = false;
    lessons kept(world, folder / "lessons.db", first);
    env::scope running(world.loop);
    running.spawn(kept.keep());
    for (int i = 0; i < 8; ++i) first->learned.failed(model, route::complexity::hard, world.clock.now());
    pretend.spawn([](env::world in, env::scope& all, bool& done) -> task<void> {
      co_await in.clock.sleep_until(in.clock.now() + 61s);
      co_await all.close();  // as if it was killed: no finish()
      done = true;
    }(world, running, over));
    pretend.run([&] { return over; });
  }
  bool over = false;
  pretend.spawn([](env::world in, bool& done) -> task<void> {
    co_await in.clock.sleep_until(in.clock.now() + 72h);
    done = true;
  }(world, over));
  pretend.run([&] { return over; });
  live(next, 1s, folder / "lessons.db");
  EXPECT_NEAR(failed(*next), 4, 0.1);
}

TEST_F(learning_on_disk, without_a_file_or_with_a_broken_one_it_goes_on) {
  live(first, 2min, {});
  first->learned.failed(model, route::complexity::hard, world.clock.now());
  live(first, 2min, folder / "nowhere" / "lessons.db");
  EXPECT_GT(failed(*first), 0);
}

}  // namespace
}  // namespace meshai::node
