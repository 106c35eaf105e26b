// What is spent, on a real disk: held before, settled after, and what a killed process leaves.
#include "node/accounts.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "env/clock.hpp"
#include "env/metrics.hpp"
#include "env/scope.hpp"
#include "sim/sim.hpp"

namespace meshai::node {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct keeping : ::testing::Test {
  keeping() {
    std::string made = (fs::temp_directory_path() / "meshai-accounts-XXXXXX").string();
    folder = ::mkdtemp(made.data());
    start();
  }
  ~keeping() override {
    kill();
    fs::permissions(folder, fs::perms::owner_all);
    fs::remove_all(folder);
  }

  void start() {
    all = std::make_shared<accounts>(world, file());
    all->use(limits, true);
    all->begin();
    running = std::make_unique<env::scope>(world.loop);
    running->spawn(all->keep([this] { ++changes; }));
  }
  // As a process is killed: nothing is written any more.
  void kill() {
    running.reset();
    pass(1ms);
    all.reset();
  }
  void pass(std::chrono::nanoseconds span) {
    bool over = false;
    pretend.spawn(sleep(world, span, over));
    pretend.run([&] { return over; });
  }
  static task<void> sleep(env::world in, std::chrono::nanoseconds span, bool& over) {
    co_await in.clock.sleep_until(in.clock.now() + span);
    over = true;
  }

  std::expected<ledger::hold, ledger::shortage> reserve(std::int64_t tokens, std::string_view key = "me") {
    return all->reserve(key, {.most = {.tokens = tokens, .money = tokens}},
                        {.now = world.clock.now(), .wall = world.clock.wall()});
  }
  std::optional<ledger::shortage> write(const ledger::hold& of) { return write(*all, of); }
  std::optional<ledger::shortage> write(accounts& by, const ledger::hold& of) {
    std::optional<ledger::shortage> out;
    bool over = false;
    pretend.spawn([](accounts& in, executor loop, ledger::hold one, std::optional<ledger::shortage>& into,
                     bool& done) -> task<void> {
      into = co_await in.written(loop, one);
      done = true;
    }(by, world.loop, of, out, over));
    pretend.run([&] { return over; });
    return out;
  }
  void settle(const ledger::hold& of, std::int64_t tokens, std::string_view key = "me") {
    all->settle(of,
                {.key = key,
                 .node = "sky",
                 .day = today(),
                 .cost = {.tokens = tokens, .money = tokens},
                 .input = tokens,
                 .sent = true,
                 .answered = true},
                world.clock.now());
  }
  void look() {
    bool over = false;
    pretend.spawn([](accounts& at, bool& done) -> task<void> {
      co_await at.look_again();
      done = true;
    }(*all, over));
    pretend.run([&] { return over; });
  }
  ledger::day_number today() const { return ledger::day_of(world.clock.wall()); }
  store::database open() { return *store::open_ledger(file(), store::database::access::create); }
  fs::path file() const { return store::ledger_file(folder); }

  fs::path folder;
  sim::simulation pretend{{}};
  sim::host& us = pretend.add_host("us", "10.0.0.1");
  env::world world = us.world();
  limits_by_key limits{{"me", {.money = {}, .tokens = 100}}};
  std::shared_ptr<accounts> all;
  std::unique_ptr<env::scope> running;
  int changes = 0;
};

TEST_F(keeping, nothing_is_written_before_there_is_something) {
  pass(5s);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(keeping, what_was_settled_is_there_after_a_restart) {
  const auto held = reserve(80);
  ASSERT_TRUE(held);
  EXPECT_FALSE(write(*held));
  settle(*held, 30);
  pass(1s);
  kill();
  start();
  EXPECT_FALSE(reserve(71));
  EXPECT_TRUE(reserve(70));
}

TEST_F(keeping, what_was_not_settled_when_it_was_killed_counts_as_spent) {
  const auto held = reserve(80);
  ASSERT_TRUE(held);
  EXPECT_FALSE(write(*held));
  kill();
  start();
  EXPECT_FALSE(reserve(21));
  const auto rest = reserve(20);
  ASSERT_TRUE(rest);
  EXPECT_FALSE(write(*rest));
}

TEST_F(keeping, another_process_spends_from_the_same_budget) {
  const auto other = std::make_shared<accounts>(world, file());
  other->use(limits, true);
  other->begin();
  env::scope beside(world.loop);
  beside.spawn(other->keep([] {}));
  const auto mine = reserve(60);
  ASSERT_TRUE(mine);
  EXPECT_FALSE(write(*mine));
  // It has not looked since: its own book would allow it, the file does not.
  const auto theirs =
      other->reserve("me", {.most = {.tokens = 60}}, {.now = world.clock.now(), .wall = world.clock.wall()});
  ASSERT_TRUE(theirs);
  const auto denied = write(*other, *theirs);
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->of, ledger::shortage::kind::tokens);
  other->settle(*theirs, {.key = "me", .node = "sky"}, world.clock.now());
  pass(2s);
  EXPECT_EQ(other->book()->look("me", {.now = world.clock.now(), .wall = world.clock.wall()})->spent.tokens, 60);
  settle(*mine, 10);
  pass(2s);
  EXPECT_EQ(other->book()->look("me", {.now = world.clock.now(), .wall = world.clock.wall()})->spent.tokens, 10);
  EXPECT_EQ(all->book()->look("me", {.now = world.clock.now(), .wall = world.clock.wall()})->spent.tokens, 10);
  beside.cancel();
  pass(1ms);
}

TEST_F(keeping, usage_is_added_up_for_who_has_no_budget_too) {
  for (int i = 0; i < 3; ++i) settle(*reserve(1, ""), 5, "");
  pass(1s);
  auto db = open();
  const auto seen = *store::read_spending(db, today(), today());
  EXPECT_EQ(seen.at({today(), "", "sky"}).answers, 3);
  EXPECT_EQ(seen.at({today(), "", "sky"}).cost.tokens, 15);
}

TEST_F(keeping, where_no_usage_is_wanted_only_budgets_are_kept) {
  all->use(limits, false);
  settle(*reserve(1, ""), 5, "");
  pass(1s);
  EXPECT_FALSE(fs::exists(file()));
  const auto held = reserve(10);
  EXPECT_FALSE(write(*held));
  settle(*held, 10);
  pass(1s);
  auto db = open();
  EXPECT_EQ(store::read_spending(db, today(), today())->size(), 1u);
}

TEST_F(keeping, keys_that_are_made_and_revoked_are_noticed_within_a_second) {
  EXPECT_FALSE(all->issued()->demanded);
  auto db = open();
  ASSERT_TRUE(store::add_key(db, {.name = "phone", .digest = crypto::sha256("a"), .limits = {.tokens = 50}}));
  pass(1s);
  EXPECT_EQ(changes, 1);
  ASSERT_EQ(all->issued()->callers.size(), 1u);
  EXPECT_EQ(all->issued()->callers.begin()->second.name, "phone");
  EXPECT_FALSE(reserve(51, "phone"));
  ASSERT_TRUE(*store::revoke_key(db, "phone", wall_time()));
  pass(1s);
  EXPECT_TRUE(all->issued()->callers.empty());
  EXPECT_TRUE(all->issued()->demanded);
  EXPECT_EQ(changes, 2);
}

TEST_F(keeping, a_key_is_refused_at_once_where_the_owner_asks_to_look) {
  auto db = open();
  ASSERT_TRUE(store::add_key(db, {.name = "phone", .digest = crypto::sha256("a")}));
  look();
  ASSERT_EQ(all->issued()->callers.size(), 1u);
  ASSERT_TRUE(*store::revoke_key(db, "phone", wall_time()));
  const auto before = world.clock.now();
  look();
  EXPECT_TRUE(all->issued()->callers.empty());
  EXPECT_EQ(changes, 2);
  EXPECT_LT(world.clock.now() - before, 100ms) << "not at the next of its own looks";
}

TEST_F(keeping, a_name_of_the_configuration_stands_over_an_issued_one) {
  auto db = open();
  ASSERT_TRUE(store::add_key(db, {.name = "me", .digest = crypto::sha256("a")}));
  pass(1s);
  EXPECT_TRUE(all->issued()->callers.empty());
  EXPECT_TRUE(all->issued()->demanded);
  EXPECT_FALSE(reserve(101));
}

TEST_F(keeping, a_damaged_file_closes_the_door_and_refuses_budgets_until_it_is_gone) {
  kill();
  std::ofstream(file()) << std::string(8192, 'x');
  start();
  EXPECT_TRUE(all->issued()->demanded);
  EXPECT_THAT(all->trouble(), HasSubstr("mv " + file().string()));
  const auto held = reserve(10);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().of, ledger::shortage::kind::unwritten);
  EXPECT_TRUE(reserve(10, "")) << "who has no budget goes on";
  fs::rename(file(), folder / "damaged");
  pass(2s);
  EXPECT_EQ(all->trouble(), "");
  EXPECT_TRUE(reserve(10));
}

TEST_F(keeping, what_cannot_be_written_is_refused_and_given_back) {
  kill();
  fs::remove_all(folder);
  std::ofstream(folder) << "a file where the folder should be";
  start();
  EXPECT_FALSE(all->issued()->demanded) << "there is no file: nobody made a key";
  const auto held = reserve(80);
  ASSERT_TRUE(held);
  const auto wrong = write(*held);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->of, ledger::shortage::kind::unwritten);
  all->settle(*held, {.key = "me", .node = "sky"}, world.clock.now());
  EXPECT_NE(all->trouble(), "");
  fs::remove(folder);
  fs::create_directory(folder);
  pass(2s);
  EXPECT_EQ(all->trouble(), "");
  EXPECT_TRUE(reserve(100));
}

TEST_F(keeping, measures_name_keys_and_no_secrets) {
  const auto held = reserve(80);
  EXPECT_FALSE(write(*held));
  all->measure(world.metrics);
  const auto text = world.metrics.render();
  EXPECT_THAT(text, HasSubstr("meshai_key_reserved_tokens{key=\"me\"} 80"));
  EXPECT_THAT(text, HasSubstr("meshai_ledger_up 1"));
}

}  // namespace
}  // namespace meshai::node
