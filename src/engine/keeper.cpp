#include "engine/keeper.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ranges>
#include <utility>
#include <vector>

#include "engine/catalogue.hpp"
#include "engine/child_wait.hpp"
#include "engine/usage.hpp"
#include "env/log.hpp"
#include "env/metrics.hpp"
#include "env/pool.hpp"
#include "env/random.hpp"
#include "env/scope.hpp"

namespace meshai::engine {
using namespace std::chrono_literals;
namespace {

constexpr auto answer_within = 5s;  // a question of ours
constexpr auto help_within = 20s;
constexpr auto diagnosis_beyond = 2s;  // of twice the time after which it ended
constexpr auto grace = 3s;             // between SIGTERM and SIGKILL
constexpr auto loading_poll = 20ms;
// A server that computes but answers nobody may have all its doors taken by waiting requests; not for ever,
// though.
constexpr auto silent_at_work = 300s;

// ggml would start a debugger on itself when it aborts, and print what lies on the stack.
const std::vector<std::string> environment = {"GGML_NO_BACKTRACE=1"};

std::string in_seconds(std::chrono::nanoseconds time) {
  return fmt::format("{} s", std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

task<void> watch(std::shared_ptr<life> of, std::shared_ptr<env::event> stirred) {
  of->ended = co_await of->child->wait();
  stirred->set();
}

}  // namespace

keeper::keeper(const env::world& world, options how, std::shared_ptr<board> shown)
    : world_(world),
      how_(std::move(how)),
      shown_(std::move(shown)),
      stirred_(std::make_shared<env::event>(world.loop)),
      talk_(world, shown_->address().path),
      ready_gauge_(
          world.metrics.get_gauge("meshai_engine_ready", "1 while the engine answers.", {{"node", how_.name}})),
      memory_gauge_(world.metrics.get_gauge("meshai_engine_resident_bytes", "Memory of the engine.",
                                            {{"node", how_.name}})) {}

task<void> keeper::run(std::shared_ptr<keeper> self) {
  auto& restarts = self->world_.metrics.get_counter(
      "meshai_engine_restarts_total", "Starts of the engine after its first.", {{"node", self->how_.name}});
  for (unsigned failures = 0;;) {
    self->enter(state::starting);
    self->ready_since_.reset();
    const auto lived = co_await self->live();
    if (!lived) {
      const bool was_stable =
          self->ready_since_ && self->world_.clock.now() - *self->ready_since_ > self->how_.longest_rest;
      if (was_stable) failures = 0;
      const auto rest =
          rest_after(failures++, self->world_.random.unit(), self->how_.first_rest, self->how_.longest_rest);
      self->enter(state::resting, lived.error().detail);
      self->world_.log.write(env::log_level::warning, "engine.rest",
                             {{"node", env::own_name{self->how_.name}},
                              {"for", std::chrono::nanoseconds(rest)},
                              {"failures", std::int64_t{failures}},
                              {"reason", env::own_name{lived.error().detail}}});
      co_await self->rest(rest);
    }
    restarts.add();
    self->shown_->write([](engine::facts& now) { ++now.restarts; });
  }
}

task<result<void>> keeper::live() {
  const auto with = co_await settle();
  if (!with) co_return std::unexpected(with.error());
  if (auto ok = co_await learn_flags(*with); !ok) co_return ok;
  if (auto ok = start(*with); !ok) co_return ok;
  enter(state::loading);
  const auto began = world_.clock.now();
  auto outcome = co_await load(*with);
  // Killed from outside it has nothing to say.
  const auto end = outcome ? std::nullopt : life_->ended;
  const bool gave_up = end && end->signal != SIGKILL && end->signal != SIGTERM;
  const auto lived = world_.clock.now() - began;
  if (outcome) outcome = co_await guard(*with);
  co_await terminate(outcome ? SIGTERM : SIGKILL);
  if (!gave_up) co_return outcome;
  const auto complaint = co_await diagnose(*with, world_.clock.now() + 2 * lived + diagnosis_beyond);
  if (complaint.empty()) co_return outcome;
  co_return fail(outcome.error().kind, fmt::format("{}: {}", outcome.error().detail, complaint));
}

// What is to be started, and shown from now on.
task<result<launch>> keeper::settle() {
  std::optional<result<launch>> made;
  co_await world_.pool.run([&made, this] { made = prepare(how_); });
  if (*made) {
    shown_->write([&with = **made](engine::facts& now) {
      now.model = model_name(with.file);
      now.form = with.model.quantisation;
      now.program = with.program.name;
      now.version = with.program.version;
      now.context = with.plan.context;
      now.slots = with.plan.slots;
      now.threads = with.plan.threads;
      now.embeddings = with.plan.embeddings;
      now.profile = with.profile;
    });
  }
  co_return std::move(*made);
}

// Asks the program once which options it has.
task<result<void>> keeper::learn_flags(const launch& with) {
  if (known_of_ != with.program_stamp) {
    auto what = with.program.command({"--help"});
    what.environment = environment;
    const auto file = how_.runtime_folder / fmt::format("engine-help-{}-{}", ::getpid(), world_.random.next());
    const auto text = co_await output_of(world_, std::move(what), file, world_.clock.now() + help_within);
    if (!text) co_return std::unexpected(text.error());
    known_ = parse_help(*text);
  }
  auto ok = check_flags(with.program, known_);
  known_of_ = ok ? with.program_stamp : "";
  co_return ok;
}

result<void> keeper::start(const launch& with) {
  const auto& socket = shown_->address().path;
  ::unlink(socket.c_str());
  auto what = with.program.command(
      make_flags(with.plan, with.model, *with.profile, with.file, with.adapter, socket, known_));
  what.environment = environment;
  // What runs on a graphics card reserves far more addresses than it uses.
  if (with.program.own_prefix) what.address_space = with.plan.address_space;
  what.own_network = true;
  auto started = world_.process.start(what);
  if (!started) return std::unexpected(started.error());
  anew_ = false;
  life_ = std::make_shared<life>(std::move(*started), std::nullopt);
  watching_.emplace(world_.loop);
  watching_->spawn(watch(life_, stirred_));
  shown_->write([pid = life_->child->pid()](engine::facts& now) { now.pid = pid; });
  return {};
}

task<result<void>> keeper::load(const launch& with) {
  const auto began = world_.clock.now();
  const auto by = began + how_.load_timeout;
  for (;;) {
    if (life_->ended) co_return fail(error_kind::unavailable, ending());
    if (co_await talk_.health(std::min(by, world_.clock.now() + answer_within))) break;
    if (world_.clock.now() >= by)
      co_return fail(error_kind::timeout,
                     fmt::format("the model was not loaded within {}", in_seconds(how_.load_timeout)));
    co_await pause(loading_poll);
  }
  auto warmed = co_await warm(with, by);
  if (!warmed && !life_->ended) co_await pause(1s);  // where the connection broke, its end is not far
  if (life_->ended) co_return fail(error_kind::unavailable, ending());
  if (!warmed) co_return warmed;
  show_ready(with, world_.clock.now() - began);
  co_return result<void>();
}

// Ready means that one real token came out; and the system prompt stays in every slot's memory.
task<result<void>> keeper::warm(const launch& with, instant by) {
  if (with.plan.embeddings) co_return co_await talk_.first_vector(by);
  for (int slot = 0; slot < with.plan.slots; ++slot) {
    if (auto ok = co_await talk_.first_token(slot, with.profile->system, by); !ok) co_return ok;
  }
  co_return result<void>();
}

void keeper::show_ready(const launch& with, std::chrono::nanoseconds load_time) {
  const auto usage = usage_of(life_->child->pid()).value_or(process_usage{});
  ready_since_ = last_answer_ = world_.clock.now();
  processor_then_ = usage.processor;
  memory_bound_ = usage.anonymous + with.plan.growth;
  shown_->write([&](engine::facts& now) {
    now.memory = usage.resident;
    now.memory_bound = memory_bound_;
    now.load_time = std::chrono::duration_cast<std::chrono::milliseconds>(load_time);
  });
  enter(state::ready);
  world_.log.write(env::log_level::info, "engine.ready",
                   {{"node", env::own_name{how_.name}},
                    {"model", env::own_name{model_name(with.file)}},
                    {"pid", std::int64_t{life_->child->pid()}},
                    {"load_time", load_time},
                    {"context", std::int64_t{with.plan.context}},
                    {"slots", std::int64_t{with.plan.slots}},
                    {"memory", static_cast<std::int64_t>(usage.resident)}});
}

task<result<void>> keeper::guard(const launch& with) {
  for (;;) {
    co_await pause(how_.health_every);
    if (life_->ended) co_return fail(error_kind::unavailable, ending());
    const bool answered = (co_await talk_.health(world_.clock.now() + answer_within)).has_value();
    if (life_->ended) co_return fail(error_kind::unavailable, ending());
    if (auto ok = check_alive(answered); !ok) co_return ok;
    if (!should_begin_anew(with) || !co_await idle()) continue;
    // From here on requests go elsewhere; one that came at this very moment is seen by the second look.
    enter(state::starting);
    if (co_await idle()) co_return result<void>();
    enter(state::ready);
  }
}

// An error where it hangs. Where it has taken too much, it shall begin anew; what goes far beyond is RLIMIT_AS's
// to stop.
result<void> keeper::check_alive(bool answered) {
  const auto usage = usage_of(life_->child->pid());
  if (!usage) return {};  // it has just ended
  const auto now = world_.clock.now();
  if (answered) {
    last_answer_ = now;
    processor_then_ = usage->processor;
  }
  const auto silent = now - last_answer_;
  const bool computes = usage->processor - processor_then_ > 50ms;
  if (silent > how_.hung_after && (!computes || silent > silent_at_work))
    return fail(error_kind::timeout, fmt::format("llama-server hung: no sign of life for {}", in_seconds(silent)));

  const auto anonymous = static_cast<std::int64_t>(usage->anonymous);
  memory_gauge_.set(static_cast<std::int64_t>(usage->resident));
  shown_->write([&](engine::facts& facts) { facts.memory = usage->resident; });
  if (usage->anonymous > memory_bound_ && !std::exchange(anew_, true))
    world_.log.write(env::log_level::warning, "engine.memory_high",
                     {{"node", env::own_name{how_.name}},
                      {"anonymous", anonymous},
                      {"bound", static_cast<std::int64_t>(memory_bound_)}});
  return {};
}

bool keeper::should_begin_anew(const launch& with) {
  if (anew_) return true;
  const auto stamp = stamp_of(how_);
  if (stamp.empty() || stamp == with.stamp) return false;
  anew_ = true;
  world_.log.write(env::log_level::info, "engine.model_changed", {{"node", env::own_name{how_.name}}});
  return true;
}

task<bool> keeper::idle() {
  const auto busy = co_await talk_.busy(world_.clock.now() + answer_within);
  co_return busy && *busy == 0;
}

// Ends its life, if it has not ended by itself.
task<void> keeper::terminate(int signal) {
  for (const int number : {signal, SIGKILL}) {
    const auto by = world_.clock.now() + grace;
    if (!life_->ended) life_->child->signal(number);
    while (!life_->ended && world_.clock.now() < by) co_await pause(by - world_.clock.now());
  }
  co_await watching_->close();
  life_.reset();
  ::unlink(shown_->address().path.c_str());
  shown_->write([](engine::facts& now) { now.pid = 0; });
}

// Starts it once more where nobody asks it anything, and hears what it says. In service it is mute: what it says
// about a request may hold words of it.
task<std::string> keeper::diagnose(const launch& with, instant by) {
  const auto file = how_.runtime_folder / fmt::format("engine-said-{}-{}", ::getpid(), world_.random.next());
  const auto socket = how_.runtime_folder / fmt::format("engine-{}-0.sock", ::getpid());
  auto flags = make_flags(with.plan, with.model, *with.profile, with.file, with.adapter, socket.string(), known_);
  std::erase(flags, "--log-disable");
  auto what = with.program.command(std::move(flags));
  what.environment = environment;
  if (with.program.own_prefix) what.address_space = with.plan.address_space;
  what.own_network = true;
  const auto text = co_await output_of(world_, std::move(what), file, by);
  ::unlink(socket.c_str());
  co_return text ? parse_complaint(*text) : std::string();
}

task<void> keeper::finish() {
  if (watching_) co_await watching_->close();
  if (life_) {
    const std::shared_ptr<env::child> child(life_, life_->child.get());
    child->signal(SIGTERM);
    co_await wait_until(world_, child, world_.clock.now() + grace);
    child->signal(SIGKILL);
    life_.reset();
  }
  ::unlink(shown_->address().path.c_str());
  shown_->write([](engine::facts& now) { now.pid = 0; });
  enter(state::off);
}

void keeper::abandon() noexcept {
  if (!life_) return;
  if (!life_->ended) life_->child->signal(SIGKILL);
  ::unlink(shown_->address().path.c_str());
}

// Cut short where somebody mends the model.
task<void> keeper::rest(std::chrono::nanoseconds time) {
  const auto until = world_.clock.now() + time;
  const auto before = stamp_of(how_);
  while (world_.clock.now() < until && stamp_of(how_) == before)
    co_await pause(std::min<std::chrono::nanoseconds>(until - world_.clock.now(), how_.health_every));
}

task<void> keeper::pause(std::chrono::nanoseconds time) {
  env::scope timer(world_.loop);
  timer.spawn(wake_at(world_.clock, world_.clock.now() + time, stirred_));
  co_await stirred_->wait();
}

void keeper::enter(state next, std::string reason) {
  ready_gauge_.set(next == state::ready);
  shown_->write([&](engine::facts& now) {
    now.coming = next == state::resting ? ready_since_.has_value() : next != state::off && next != state::ready;
    now.state = next;
    now.since = world_.clock.wall();
    now.reason = std::move(reason);
  });
  if (how_.changed) how_.changed(shown_->read());
}

std::string keeper::ending() const {
  if (!life_->ended) return {};
  const auto [code, signal] = *life_->ended;
  return signal ? fmt::format("llama-server was ended by signal {}", signal)
                : fmt::format("llama-server ended with code {}", code);
}

std::chrono::milliseconds rest_after(unsigned failures, double dice, std::chrono::milliseconds first,
                                     std::chrono::milliseconds longest) {
  const auto whole = failures < 20 ? std::min(longest, first * (1 << failures)) : longest;
  return std::chrono::duration_cast<std::chrono::milliseconds>(whole * (0.5 + 0.5 * dice));
}

std::string parse_complaint(std::string_view output) {
  // "0.00.036.865 E llama_model_load: error loading model: ...", "error: ...", "...: GGML_ASSERT(...) failed"
  for (const auto part : std::views::split(output, '\n')) {
    std::string_view line(part);
    const auto at = line.find(" E ");
    const bool is_error = at < 20 && line.find_first_not_of("0123456789. ") == at + 1;
    if (is_error)
      line.remove_prefix(at + 3);
    else if (!line.starts_with("error") && !line.contains("GGML_ASSERT"))
      continue;
    std::string out(line.substr(0, 300));
    std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    return out;
  }
  return {};
}

}  // namespace meshai::engine
