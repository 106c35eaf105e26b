#include "store/store.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <thread>

namespace meshai::store {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct file_fixture : ::testing::Test {
  file_fixture() {
    std::string made = (fs::temp_directory_path() / "meshai-store-XXXXXX").string();
    folder = ::mkdtemp(made.data());
  }
  ~file_fixture() override { fs::remove_all(folder); }

  fs::path file() const { return ledger_file(folder); }
  database open(database::access how = database::access::create) {
    auto made = open_ledger(file(), how);
    if (!made) throw std::runtime_error(made.error().detail);
    return *std::move(made);
  }
  static ledger::hold hold_of(std::uint64_t number, std::int64_t tokens, std::int64_t money = 0) {
    return {.number = number, .budget = true, .key = "me", .day = 20'000, .most = {tokens, money}};
  }

  fs::path folder;
};

using storing = file_fixture;

TEST_F(storing, a_file_is_its_owners_alone) {
  const auto old = ::umask(0);
  {
    auto db = open();
    for (const auto& each : fs::directory_iterator(folder)) {
      struct stat is{};
      ASSERT_EQ(::stat(each.path().c_str(), &is), 0);
      EXPECT_EQ(is.st_mode & 0777, 0600u) << each.path();
    }
  }
  ::umask(old);
  EXPECT_FALSE(has_no_ledger(file()));
  EXPECT_TRUE(has_no_ledger(folder / "other"));
}

TEST_F(storing, a_schema_grows_step_by_step_and_a_later_one_is_refused) {
  const std::array<std::string_view, 1> one{"CREATE TABLE a (x INTEGER) STRICT"};
  const std::array<std::string_view, 2> two{one[0], "ALTER TABLE a ADD COLUMN y TEXT"};
  const auto at = folder / "x.db";
  {
    auto db = *database::open(at, database::access::create, one);
    ASSERT_TRUE(db.run("INSERT INTO a (x) VALUES (?)", {std::int64_t{7}}));
  }
  {
    auto db = *database::open(at, database::access::create, two);
    std::int64_t seen = 0;
    ASSERT_TRUE(db.each("SELECT x FROM a WHERE y IS NULL", {}, [&](const row& r) { seen = r.integer(0); }));
    EXPECT_EQ(seen, 7);
  }
  const auto late = database::open(at, database::access::create, one);
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().detail, HasSubstr("later version"));
}

TEST_F(storing, what_is_no_database_is_told_apart_from_what_may_not_be_read) {
  std::ofstream(file()) << std::string(10'000, 'x');
  const auto made = open_ledger(file(), database::access::create);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, error_kind::malformed);
  EXPECT_THAT(how_to_mend(file(), made.error()), HasSubstr("mv " + file().string()));
  const auto missing = open_ledger(folder / "no" / "such.db", database::access::create);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, error_kind::refused);
  EXPECT_FALSE(open_ledger(folder / "none.db", database::access::existing));
}

TEST_F(storing, a_transaction_happens_whole_or_not_at_all) {
  auto db = open();
  const auto done = db.transaction([&]() -> result<void> {
    (void)db.run("INSERT INTO hold VALUES (1, 1, 1, 'me', 1, 1)");
    return fail(error_kind::refused, "no");
  });
  EXPECT_FALSE(done);
  EXPECT_TRUE(read_holds(db, 0, 10)->empty());
}

TEST_F(storing, another_connections_change_is_noticed) {
  auto db = open(), other = open();
  const auto before = *db.version_of_data();
  ASSERT_TRUE(db.run("INSERT INTO hold VALUES (1, 1, 1, 'me', 1, 1)"));
  EXPECT_EQ(*db.version_of_data(), before);
  ASSERT_TRUE(other.run("INSERT INTO hold VALUES (2, 1, 1, 'me', 1, 1)"));
  EXPECT_NE(*db.version_of_data(), before);
}

using keys = file_fixture;

TEST_F(keys, are_kept_as_hashes_with_their_bounds) {
  auto db = open();
  const std::string secret = "sk-mesh-0123456789abcdef";
  const issued_key made{.name = "phone",
                        .digest = crypto::sha256(secret),
                        .ending = "cdef",
                        .reach = reach::site,
                        .models = {"auto", "here/small"},
                        .limits = {.money = 5, .tokens = {}, .requests_a_minute = 60, .tokens_a_minute = {}},
                        .created = wall_time(std::chrono::milliseconds(1234567890123))};
  ASSERT_TRUE(add_key(db, made));
  const auto all = *list_keys(db);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].name, "phone");
  EXPECT_EQ(all[0].digest, made.digest);
  EXPECT_EQ(all[0].reach, reach::site);
  EXPECT_EQ(all[0].models, made.models);
  EXPECT_EQ(all[0].limits, made.limits);
  EXPECT_EQ(all[0].created, made.created);
  EXPECT_FALSE(all[0].revoked);
  for (const auto& each : fs::directory_iterator(folder)) {
    std::ifstream in(each.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(bytes.find("0123456789abcdef"), std::string::npos) << each.path();
  }
}

TEST_F(keys, a_name_is_used_once_at_a_time) {
  auto db = open();
  EXPECT_TRUE(add_key(db, {.name = "me", .digest = crypto::sha256("a")}));
  const auto again = add_key(db, {.name = "me", .digest = crypto::sha256("b")});
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().detail, HasSubstr("\"me\" already"));
  EXPECT_EQ(*revoke_key(db, "me", wall_time()), true);
  EXPECT_EQ(*revoke_key(db, "me", wall_time()), false);
  EXPECT_TRUE(add_key(db, {.name = "me", .digest = crypto::sha256("b")}));
  const auto all = *list_keys(db);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].revoked);
  EXPECT_FALSE(all[1].revoked);
}

using spending = file_fixture;

TEST_F(spending, adds_up_by_day_key_and_node) {
  auto db = open();
  batch one;
  one.spent[{20'000, "me", "sky"}] = {
      .attempts = 2, .answers = 1, .faults = 1, .input = 10, .output = 5, .cost = {15, 100}};
  ASSERT_TRUE(write(db, 1, one));
  one.spent[{20'000, "me", "here"}] = {.attempts = 1, .answers = 1, .fallbacks = 1, .cost = {3, 0}};
  ASSERT_TRUE(write(db, 1, one));
  const auto all = *read_spending(db, 20'000, 20'000);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all.at({20'000, "me", "sky"}).attempts, 4);
  EXPECT_EQ(all.at({20'000, "me", "sky"}).cost, (ledger::amount{30, 200}));
  EXPECT_EQ(all.at({20'000, "me", "here"}).fallbacks, 1);
  EXPECT_TRUE(read_spending(db, 20'001, 20'010)->empty());
  EXPECT_EQ(totals(db, 20'000, 1)->at("me"), (ledger::amount{33, 200}));
}

TEST_F(spending, what_was_never_settled_stays_held) {
  {
    auto db = open();
    batch some;
    some.opened = {{.hold = hold_of(1, 60, 10), .limits = {.tokens = 100}},
                   {.hold = hold_of(2, 30, 1), .limits = {.tokens = 100}}};
    ASSERT_TRUE(write(db, 7, some));
    batch next;
    next.closed = {2};
    next.spent[{20'000, "me", "sky"}].cost = {5, 1};
    ASSERT_TRUE(write(db, 7, next));
  }
  auto db = open();  // as after a crash: nobody closes the first
  EXPECT_EQ(totals(db, 20'000, 8)->at("me"), (ledger::amount{65, 11}));
  EXPECT_EQ(totals(db, 20'000, 7)->at("me"), (ledger::amount{5, 1}));
  EXPECT_EQ(read_holds(db, 20'000, 20'000)->at({20'000, "me"}), (ledger::amount{60, 10}));
}

TEST_F(spending, what_was_never_settled_is_forgotten_after_four_hundred_days) {
  auto db = open();
  const auto hold_on = [&](std::uint64_t number, ledger::day_number day) {
    batch all;
    auto hold = hold_of(number, 100);
    hold.day = day;
    all.opened.push_back({.hold = hold, .limits = {}, .denied = false});
    ASSERT_TRUE(write(db, 1, all));
  };
  const auto held = [&] { return read_holds(db, 0, 30'000)->size(); };
  hold_on(1, 20'000);
  hold_on(2, 20'400);
  EXPECT_EQ(held(), 2u);
  hold_on(3, 20'401);
  EXPECT_EQ(held(), 2u);
  EXPECT_FALSE(read_holds(db, 0, 30'000)->contains({20'000, "me"}));
}

// Two nodes of one user, as while one follows the other.
TEST_F(spending, two_processes_share_one_budget) {
  auto db = open(), other = open();
  batch first;
  first.opened = {{.hold = hold_of(1, 60), .limits = {.tokens = 100}}};
  ASSERT_TRUE(write(db, 1, first));
  EXPECT_FALSE(first.opened[0].denied);
  batch second;
  second.opened = {{.hold = hold_of(1, 60), .limits = {.tokens = 100}},
                   {.hold = hold_of(2, 40), .limits = {.tokens = 100}}};
  ASSERT_TRUE(write(other, 2, second));
  EXPECT_TRUE(second.opened[0].denied);
  EXPECT_FALSE(second.opened[1].denied);
  batch in_money;
  in_money.opened = {{.hold = hold_of(3, 1000, 51), .limits = {.money = 50}},
                     {.hold = hold_of(4, 1000, 0), .limits = {.money = 50}}};
  ASSERT_TRUE(write(other, 2, in_money));
  EXPECT_TRUE(in_money.opened[0].denied);
  EXPECT_FALSE(in_money.opened[1].denied);
}

TEST_F(spending, many_connections_at_once_never_pass_the_budget) {
  (void)open();
  std::atomic<int> granted{0}, failed{0};
  std::vector<std::jthread> threads;
  for (std::int64_t holder = 1; holder <= 4; ++holder) {
    threads.emplace_back([&, holder] {
      auto db = open(database::access::existing);
      for (std::uint64_t number = 1; number <= 20; ++number) {
        batch one;
        one.opened = {{.hold = hold_of(number, 10), .limits = {.tokens = 300}}};
        if (!write(db, holder, one))
          ++failed;
        else if (!one.opened[0].denied)
          ++granted;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(granted, 30);
}

TEST_F(storing, lessons_take_the_place_of_older_ones_and_are_given_up_in_the_end) {
  auto db = *open_lessons(lessons_file(folder));
  const wall_time now{std::chrono::seconds(1'000'000)};
  lesson_row one{
      .model = ~std::uint64_t{0}, .how = 2, .answered = 1.5, .failed = 2, .again = 0.5, .wait = 300, .at = now};
  ASSERT_TRUE(write_lessons(db, std::span(&one, 1)));
  one.failed = 3;
  ASSERT_TRUE(write_lessons(db, std::span(&one, 1)));
  auto other = one;
  other.how = 0;
  other.at = now - std::chrono::days(2);
  ASSERT_TRUE(write_lessons(db, std::span(&other, 1)));
  EXPECT_EQ(read_lessons(db, now - std::chrono::days(3))->size(), 2u);
  const auto read = *read_lessons(db, now - std::chrono::days(1));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].model, one.model);
  EXPECT_EQ(read[0].how, 2);
  EXPECT_EQ(read[0].answered, 1.5);
  EXPECT_EQ(read[0].failed, 3);
  EXPECT_EQ(read[0].again, 0.5);
  EXPECT_EQ(read[0].wait, 300);
  EXPECT_EQ(read[0].at, now);
}

}  // namespace
}  // namespace meshai::store
