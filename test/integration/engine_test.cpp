// The supervisor with the real llama-server and the default model: it answers, comes back, and leaves nothing
// behind.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <fmt/format.h>

#include "engine_fixture.hpp"

namespace meshai::integration {
namespace {

using engine::state;
using engine::supervisor;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

using Engine = engine_fixture;

// Starts it and waits until it is ready; what it knows of itself then.
task<result<engine::facts>> ready(supervisor& it, env::world world) {
  const auto ok = co_await it.wait_ready(world, world.clock.now() + 60s);
  if (!ok) co_return std::unexpected(ok.error());
  co_return it.facts();
}

// Until `holds`, or for a minute.
template <class Condition>
task<bool> until(env::world world, Condition holds) {
  for (const auto by = world.clock.now() + 60s; world.clock.now() < by;) {
    if (holds()) co_return true;
    co_await world.clock.sleep_until(world.clock.now() + 10ms);
  }
  co_return false;
}

// The time to the first token of a streamed answer.
task<result<std::chrono::nanoseconds>> first_token(http::client& client, supervisor& it, env::world world) {
  const std::string body =
      R"({"stream":true,"max_tokens":16,"messages":[{"role":"user","content":"What is 2+2?"}]})";
  const auto began = world.clock.now();
  auto answer = co_await client.send(
      origin_of(it), {.target = "/v1/chat/completions", .headers = {}, .body = body}, {.headers_by = began + 60s});
  if (!answer) co_return std::unexpected(answer.error());
  answer->read_by(began + 60s);
  for (std::string seen;;) {
    const auto piece = co_await answer->read_some();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return fail(error_kind::malformed, "no token in " + seen);
    seen += *piece;
    if (seen.contains("\"content\":\"") && !seen.ends_with("\"content\":\"")) co_return world.clock.now() - began;
  }
}

task<int> answers(supervisor& it, env::world world) {
  it.start();
  const auto facts = co_await ready(it, world);
  EXPECT_TRUE(facts) << facts.error().detail;
  if (facts) {
    EXPECT_EQ(facts->state, state::ready);
    EXPECT_EQ(facts->model, "small");
    EXPECT_EQ(facts->form, "Q4_1");
    EXPECT_EQ(facts->context, 2048);
    EXPECT_EQ(facts->slots, 1);
    EXPECT_FALSE(facts->version.empty());
    EXPECT_TRUE(lives(facts->pid));
    EXPECT_GT(facts->memory, 100'000'000);
    EXPECT_GT(facts->memory_bound, 0);
  }
  http::client client(world);
  const auto answer = co_await ask(client, it, "Say hello.", 8, world.clock.now() + 60s);
  EXPECT_EQ(answer.status, 200) << answer.text;
  EXPECT_FALSE(answer.text.empty());
  const auto first = co_await first_token(client, it, world);
  EXPECT_TRUE(first) << first.error().detail;
  if (facts && first)
    fmt::print("ready after {} ms, first token after {} ms, {} MB resident\n", facts->load_time.count(),
               std::chrono::duration_cast<std::chrono::milliseconds>(*first).count(), facts->memory >> 20);
  co_await it.stop();
  EXPECT_EQ(it.facts().state, state::off);
  EXPECT_FALSE(facts && lives(facts->pid));
  EXPECT_FALSE(fs::exists(it.address().path));
  const auto after = co_await it.wait_ready(world, world.clock.now() + 60s);
  EXPECT_EQ(after.error().kind, error_kind::unavailable);
  co_return 0;
}

TEST_F(Engine, AnswersAndLeavesNothingBehind) {
  supervisor it(world, options());
  finish(answers(it, world));
}

// Sockets, pipes and files that both hold, but for /dev/null: what it inherited from us.
std::set<std::string> shared_descriptors(const fs::path& theirs) {
  const auto held = [](const fs::path& proc) {
    std::set<std::string> out;
    std::error_code gone;
    for (const auto& one : fs::directory_iterator(proc / "fd")) {
      const auto to = fs::read_symlink(one.path(), gone).string();
      if (!gone && to != "/dev/null" && !to.starts_with("anon_inode:")) out.insert(to);
    }
    return out;
  };
  std::set<std::string> out;
  std::ranges::set_intersection(held(theirs), held("/proc/self"), std::inserter(out, out.end()));
  return out;
}

bool may_have_its_own_network() {
  const int child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

task<int> runs_bare(supervisor& it, env::world world) {
  it.start();
  const auto facts = co_await ready(it, world);
  EXPECT_TRUE(facts) << facts.error().detail;
  if (facts) {
    const auto proc = fs::path("/proc") / std::to_string(facts->pid);
    EXPECT_EQ(slurp(proc / "environ"), std::string("GGML_NO_BACKTRACE=1\0", 20));
    EXPECT_THAT(slurp(proc / "status"), HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(slurp(proc / "limits"), Not(HasSubstr("Max address space         unlimited")));
    EXPECT_THAT(slurp(proc / "limits"), HasSubstr("Max core file size        0                    0"));
    EXPECT_EQ(slurp(proc / "coredump_filter"), "00000000\n");
    const auto shared = shared_descriptors(proc);
    EXPECT_TRUE(shared.empty()) << *shared.begin();
    EXPECT_NE(fs::read_symlink(proc / "ns/net") == fs::read_symlink("/proc/self/ns/net"),
              may_have_its_own_network());
    const auto command = slurp(proc / "cmdline");
    EXPECT_THAT(command, AllOf(HasSubstr("--offline"), HasSubstr("--no-slots"), HasSubstr("--log-disable")));
    EXPECT_EQ(fs::status(it.address().path).type(), fs::file_type::socket);
    const auto around = fs::status(fs::path(it.address().path).parent_path()).permissions();
    EXPECT_EQ(around & fs::perms::all, fs::perms::owner_all);
  }
  co_await it.stop();
  co_return 0;
}

TEST_F(Engine, RunsWithAnEmptyEnvironmentInAFolderOfOurs) {
  supervisor it(world, options());
  finish(runs_bare(it, world));
}

task<int> comes_back(supervisor& it, env::world world, int signal, const std::vector<state>& seen) {
  it.start();
  const auto before = co_await ready(it, world);
  EXPECT_TRUE(before) << before.error().detail;
  if (!before) co_return 0;
  ::kill(before->pid, signal);
  EXPECT_TRUE(co_await until(world, [&] { return !it.ready(); }));
  EXPECT_THAT(seen, Contains(state::resting));
  const auto reason = it.facts().reason;
  EXPECT_THAT(reason, HasSubstr(signal == SIGKILL ? "signal 9" : "hung"));
  const auto after = co_await ready(it, world);
  EXPECT_TRUE(after) << after.error().detail;
  if (after) {
    EXPECT_NE(after->pid, before->pid);
    EXPECT_EQ(after->restarts, 1);
    EXPECT_TRUE(after->reason.empty());
  }
  EXPECT_FALSE(lives(before->pid));
  http::client client(world);
  const auto answer = co_await ask(client, it, "Say hello.", 4, world.clock.now() + 60s);
  EXPECT_EQ(answer.status, 200) << answer.text;
  co_await it.stop();
  co_return 0;
}

TEST_F(Engine, ComesBackWhenItIsKilled) {
  std::vector<state> seen;
  auto how = options();
  how.changed = [&seen](const engine::facts& now) { seen.push_back(now.state); };
  supervisor it(world, std::move(how));
  finish(comes_back(it, world, SIGKILL, seen));
}

TEST_F(Engine, IsReplacedWhenItHangs) {
  std::vector<state> seen;
  auto how = options();
  how.hung_after = 1s;
  how.changed = [&seen](const engine::facts& now) { seen.push_back(now.state); };
  supervisor it(world, std::move(how));
  finish(comes_back(it, world, SIGSTOP, seen));
}

// ---- the node itself is killed
// --------------------------------------------------------------------------------------

task<int> hold_for_ever(supervisor& it, env::world world, int tell) {
  it.start();
  const auto facts = co_await ready(it, world);
  const int pid = facts ? facts->pid : 0;
  if (::write(tell, &pid, sizeof pid) != sizeof pid) co_return 1;
  co_await world.clock.sleep_until(never);
  co_return 0;
}

[[noreturn]] void be_a_node(engine::options how, int tell) {
  os::runtime shared(
      {.log_level = env::log_level::error, .json_log = false, .pool_threads = 1, .name_servers = {}});
  const auto worker = shared.make_worker();
  const auto world = worker->world();
  supervisor it(world, std::move(how));
  env::scope scope(world.loop);
  std::optional<int> never_set;
  scope.spawn(Engine::keep(hold_for_ever(it, world, tell), never_set, *worker));
  worker->run();
  ::_exit(1);
}

TEST_F(Engine, DiesWithANodeThatIsKilled) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const auto how = options();
  const int node = ::fork();
  ASSERT_GE(node, 0);
  if (node == 0) be_a_node(how, pipe[1]);
  ::close(pipe[1]);
  int engine = 0;
  ASSERT_EQ(::read(pipe[0], &engine, sizeof engine), static_cast<ssize_t>(sizeof engine));
  ASSERT_GT(engine, 0);
  EXPECT_TRUE(lives(engine));
  ::kill(node, SIGKILL);
  ::waitpid(node, nullptr, 0);
  for (int i = 0; i < 3000 && lives(engine); ++i) ::usleep(10'000);
  EXPECT_FALSE(lives(engine));
  ::close(pipe[0]);

  // The next node clears up after it.
  const auto sockets = [this] {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder / "run")) out.push_back(entry.path().filename());
    return out;
  };
  EXPECT_EQ(sockets().size(), 1);
  supervisor next(world, options());
  finish(answers(next, world));
  EXPECT_EQ(sockets().size(), 0);
}

// ---- models
// ---------------------------------------------------------------------------------------------------------

task<int> takes_up(supervisor& it, env::world world, engine::catalogue models, http::client& client) {
  it.start();
  const auto before = co_await ready(it, world);
  EXPECT_TRUE(before) << before.error().detail;
  // A long answer is on its way when the default changes: it is not cut.
  said whole;
  env::scope asking(world.loop);
  const auto long_answer = [](http::client& with, supervisor& of, said& into, instant by) -> task<void> {
    into = co_await ask(with, of, "Tell me a long story about a river.", 60, by);
  };
  asking.spawn(long_answer(client, it, whole, world.clock.now() + 120s));
  co_await world.clock.sleep_until(world.clock.now() + 200ms);
  EXPECT_TRUE(models.set_default("other"));
  EXPECT_TRUE(co_await until(world, [&] { return it.ready() && it.facts().model == "other"; }));
  co_await asking.join();
  EXPECT_EQ(whole.status, 200) << whole.text;
  co_await it.stop();
  co_return 0;
}

TEST_F(Engine, TakesUpAnotherDefaultBetweenTwoRequests) {
  const engine::catalogue models(folder / "data");
  ASSERT_TRUE(models.add(model, "other"));
  supervisor it(world, options());
  http::client client(world);
  finish(takes_up(it, world, models, client));
}

task<int> waits_for_model(supervisor& it, env::world world, fs::path good, fs::path bad, std::string reason) {
  it.start();
  EXPECT_TRUE(co_await until(world, [&] { return it.facts().state == state::resting; }));
  EXPECT_THAT(it.facts().reason, HasSubstr(reason));
  const auto not_yet = co_await it.wait_ready(world, world.clock.now() + 50ms);
  EXPECT_EQ(not_yet.error().kind, error_kind::timeout);
  fs::remove(bad);
  fs::copy_file(good, bad);
  const auto facts = co_await ready(it, world);
  EXPECT_TRUE(facts) << facts.error().detail;
  EXPECT_TRUE(facts && facts->restarts >= 1);
  co_await it.stop();
  co_return 0;
}

TEST_F(Engine, SaysWhatIsWrongWithAModelAndGoesOnWhenItIsMended) {
  auto content = slurp(model);
  const auto file = folder / "data/models/broken.gguf";
  std::ofstream(file, std::ios::binary) << content.substr(0, content.size() / 2);
  auto how = options();
  how.model = "broken";
  supervisor it(world, how);
  finish(waits_for_model(it, world, model, file, "truncated"));

  // Only llama-server knows which architectures it can run.
  const auto at = content.find("general.architecture") + 20 + 4 + 8;
  ASSERT_EQ(content.substr(at, 5), "llama");
  content.replace(at, 5, "lxxma");
  fs::remove(file);
  std::ofstream(file, std::ios::binary) << content;
  supervisor other(world, how);
  finish(waits_for_model(other, world, model, file, "unknown model architecture: 'lxxma'"));
}

task<int> rests_with(supervisor& it, env::world world, std::string reason) {
  it.start();
  EXPECT_TRUE(co_await until(world, [&] { return it.facts().state == state::resting; }));
  EXPECT_THAT(it.facts().reason, HasSubstr(reason));
  co_await it.stop();
  co_return 0;
}

TEST_F(Engine, RefusesAnOldProgramAndNamesWhatItLacks) {
  fs::remove(folder / "data/engine");
  const auto program = folder / "llama-server";
  std::ofstream(program) << "#!/bin/sh\necho '--model FNAME   model'\n";
  fs::permissions(program, fs::perms::owner_all);
  auto how = options();
  supervisor none(world, how);
  finish(rests_with(none, world, "there is no llama-server"));
  how.search_path = folder.string();
  supervisor old(world, how);
  finish(rests_with(old, world, "does not know --host, --ctx-size, --parallel, --threads, --cache-ram"));
}

TEST_F(Engine, RefusesARuntimeFolderThatIsOpenToOthers) {
  auto how = options();
  fs::create_directory(how.runtime_folder);
  fs::permissions(how.runtime_folder, fs::perms::all);
  supervisor it(world, how);
  finish(rests_with(it, world, "nobody else may enter"));
}

task<int> embeds(supervisor& it, env::world world) {
  it.start();
  const auto facts = co_await ready(it, world);
  EXPECT_TRUE(facts) << facts.error().detail;
  EXPECT_TRUE(facts && facts->embeddings);
  http::client client(world);
  const auto got =
      co_await post(client, it, "/v1/embeddings", R"({"input":["one","two"]})", world.clock.now() + 60s);
  EXPECT_EQ(got.status, 200);
  const auto parsed = boost::json::parse(got.text);
  EXPECT_EQ(parsed.at("data").as_array().size(), 2);
  EXPECT_EQ(parsed.at("data").at(1).at("embedding").as_array().size(), 576);
  co_await it.stop();
  co_return 0;
}

TEST_F(Engine, EmbedsWhereItWasStartedForThat) {
  auto how = options();
  how.embeddings = true;
  how.context = 512;
  supervisor it(world, how);
  finish(embeds(it, world));
}

}  // namespace
}  // namespace meshai::integration
