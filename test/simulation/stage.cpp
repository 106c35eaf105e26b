#include "stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/check.hpp"
#include "client.hpp"
#include "env/clock.hpp"
#include "env/scope.hpp"
#include "node/node.hpp"

namespace meshai::simulation {
namespace {

constexpr std::uint16_t door_port = 9437, local_ports = 8000;
constexpr std::size_t max_bodies =
    512 << 10;                 // of bodies in flight; the last request of all takes up exactly so much
constexpr auto settling = 1s;  // before the first caller: discovery has its time

chat::dialect dialect_of(fake::protocol of) {
  return of == fake::protocol::openai      ? chat::dialect::openai
         : of == fake::protocol::anthropic ? chat::dialect::anthropic
                                           : chat::dialect::gemini;
}

// One provider: a program on its own host, or on the node's.
class place {
 public:
  place(sim::host& on, const provider& plan, env::address at)
      : host_(on), plan_(plan), world_(on.world()), at_(std::move(at)), serving_(world_.loop) {}

  // With what is left of its plays.
  void start() {
    running_ = std::make_unique<fake::provider>(
        world_, fake::options{.speaks = plan_.speaks,
                              .models = plan_.models,
                              .prefill = plan_.prefill,
                              .asked = plan_.asked,
                              .logprob = plan_.logprob,
                              .says = [voice = plan_.voice](std::string_view prompt, std::string_view begun) {
                                return go_on(std::string(prompt), voice, std::string(begun));
                              }});
    for (auto i = posts_.size(); i < plan_.plays.size() && !healed_; ++i) {
      auto next = plan_.plays[i].how;
      next.times = 1;
      running_->play(std::move(next));
    }
    auto listener = world_.network.listen(at_, false);
    CHECK(listener);
    listener_ = *std::move(listener);
    serving_.spawn(running_->serve(*listener_));
  }

  task<void> end() {
    if (!running_) co_return;
    listener_->close();
    if (!at_.is_loopback()) host_.crash();
    co_await running_->close();
    take_posts();
    // Its accepting coroutine refers to both until its next turn.
    co_await world_.clock.sleep_until(world_.clock.now() + 1ns);
    running_.reset();
    listener_.reset();
  }

  void take_posts() {
    for (const auto& each : running_->requests()) {
      if (each.method != "POST") continue;
      const auto at = each.body.find("[c");
      const auto end = each.body.find(']', at);
      posts_.push_back(at == each.body.npos ? "" : each.body.substr(at + 1, end - at - 1));
    }
  }

  void heal() {
    if (running_) running_->clear();
    healed_ = true;
  }

  bool is_up() const { return running_ != nullptr; }
  const env::address& at() const { return at_; }
  const std::vector<std::string>& posts() const { return posts_; }
  sim::host& host() { return host_; }

 private:
  sim::host& host_;
  const provider& plan_;
  env::world world_;
  env::address at_;
  std::unique_ptr<fake::provider> running_;
  std::unique_ptr<env::listener> listener_;
  std::vector<std::string> posts_;
  bool healed_ = false;
  env::scope serving_;
};

class stage {
 public:
  stage(const plan& what, mischief how, bool keep_log)
      : plan_(what),
        how_(how),
        pretend_({.seed = what.seed,
                  .longest = std::chrono::hours(12),
                  .most_steps = 20'000'000,
                  .keep_log = keep_log}),
        us_(pretend_.add_host("us", "10.0.0.1")),
        real_(us_.world()),
        network_(watch(real_.network, real_, saw_.seen, how)),
        door_{.ip = us_.ip(), .port = door_port, .path = {}},
        errands_{.of = plan_, .door = door_, .seen = saw_.seen, .what = how} {
    saw_.seen.clock = &real_.clock;
    saw_.begun = real_.clock.now();
  }

  void run(const std::function<void(const record&)>& look) {
    settle();
    callers_and_events();
    if (saw_.stopped == never && saw_.came_to_rest) when_all_is_quiet();
    close_down();
    saw_.trace = pretend_.trace();
    saw_.log = pretend_.log();
    look(saw_);
  }

 private:
  env::world watched() {
    return {real_.loop,    real_.clock, real_.random, real_.entropy, *network_,
            real_.process, real_.pool,  real_.log,    real_.metrics};
  }

  // Runs until the flag is set; a run that does not come to that is itself a finding.
  void finish(task<void> work) {
    bool done = false;
    pretend_.spawn(mark(std::move(work), done));
    if (pretend_.run([&] { return done; }) != sim::outcome::done) saw_.came_to_rest = false;
  }
  static task<void> mark(task<void> work, bool& done) {
    co_await std::move(work);
    done = true;
  }
  task<void> pass(std::chrono::nanoseconds span) { co_await real_.clock.sleep_until(real_.clock.now() + span); }

  // ---- the beginning

  void settle() {
    for (std::size_t i = 0; i < plan_.providers.size(); ++i) {
      const auto& one = plan_.providers[i];
      const bool local = one.where == tier::local;
      auto* host = &us_;
      if (!local) {
        host = &pretend_.add_host(one.name, fmt::format("10.0.1.{}", i + 1));
        pretend_.set_links(us_, *host, one.link);
      }
      env::address at{.ip = local ? "127.0.0.1" : host->ip(),
                      .port = static_cast<std::uint16_t>(local ? local_ports + i : 80),
                      .path = {}};
      saw_.node_at[at.text()] = one.name;
      places_.push_back(std::make_unique<place>(*host, one, at));
      places_.back()->start();
    }
    std::vector<env::world> worlds(static_cast<std::size_t>(plan_.workers), watched());
    node_ = std::make_unique<node::node>(
        std::move(worlds),
        node::options{.version = "test", .addresses = {door_}, .read_plan = [this] { return next_plan(); }});
    const auto begun = node_->begin(node_plan(""));
    CHECK(begun);
    for (int i = 0; i < plan_.workers; ++i) pretend_.spawn(serve(static_cast<std::size_t>(i)));
    finish(pass(settling));
  }

  task<void> serve(std::size_t worker) {
    std::vector<node::door> doors(1);
    doors.front().at = *network_->listen(door_, true);
    co_await node_->serve(worker, std::move(doors));
    ++served_;
  }

  node::plan node_plan(const std::string& without) {
    node::plan out;
    for (std::size_t i = 0; i < plan_.providers.size(); ++i) {
      const auto& one = plan_.providers[i];
      if (one.name == without) continue;
      route::node shown;
      shown.name = one.name;
      shown.where = how_ == mischief::mislabel_tier ? tier::local : one.where;
      shown.dialect = dialect_of(one.speaks);
      shown.weight = one.weight;
      shown.prefill = one.told_prefill;
      shown.any_model = one.discovers;
      if (!one.discovers) {
        for (const auto& name : one.models) shown.models.push_back({.name = name, .where = {}, .context = {}});
      }
      out.nodes.push_back(std::move(shown));
      const bool gemini = one.speaks == fake::protocol::gemini;
      upstream::node_options reached;
      reached.node = one.name;
      reached.where = one.where;
      reached.dialect = dialect_of(one.speaks);
      if (how_ != mischief::crowd) reached.places = [n = one.places] { return n; };
      reached.url = "http://" + places_[i]->at().text() + (gemini ? "/v1beta" : "/v1");
      out.upstreams.push_back(std::move(reached));
    }
    for (auto route : plan_.routes) {
      std::erase_if(route.route, [&](const std::string& stop) {
        return !plan_.find(stop.substr(0, stop.find('/'))) || stop.substr(0, stop.find('/')) == without;
      });
      if (!route.route.empty()) out.routes.push_back(std::move(route));
    }
    out.unknown_model_auto = plan_.unknown_model_auto;
    out.limits = plan_.limits;
    out.max_bodies = max_bodies;
    out.max_waiting = static_cast<std::size_t>(plan_.max_waiting);
    if (how_ == mischief::storm) out.limits.attempts = 100;
    if (how_ == mischief::ignore_share) out.limits.hedge_share = 1;
    if (how_ == mischief::hedge_up) out.limits.hedge_up = true;
    const bool capped = how_ != mischief::ignore_cap;
    out.api = capped ? plan_.api : meshai::reach::cloud;
    auto rules = std::make_shared<front::admission_rules>();
    for (const auto& one : plan_.keys) {
      rules->callers.push_back({.name = one.name,
                                .key = secret(one.secret),
                                .models = one.models,
                                .reach = capped ? one.reach : meshai::reach::cloud});
    }
    out.rules = std::move(rules);
    return out;
  }

  result<node::plan> next_plan() {
    auto out = node_plan(reload_without_);
    if (reload_is_bad_) out.routes.push_back({.name = "nowhere", .route = {"nobody"}});
    return out;
  }

  // ---- the storm

  void callers_and_events() {
    std::size_t total = 0;
    for (const auto& each : plan_.callers) total += each.asks.size();
    saw_.answers.reserve(total);
    per_caller_.resize(plan_.callers.size());
    int left = static_cast<int>(plan_.callers.size());
    for (std::size_t i = 0; i < plan_.callers.size(); ++i) {
      const auto& who = plan_.callers[i];
      auto& host = pretend_.add_host(who.name, fmt::format("10.0.2.{}", i + 1));
      callers_.push_back(&host);
      pretend_.set_links(host, us_, who.link);
      for (std::size_t k = 0; k < who.asks.size(); ++k) {
        per_caller_[i].push_back({.tag = fmt::format("{}.{}", who.name, k), .what = &who.asks[k], .key = who.key});
      }
      pretend_.spawn(run_caller(host.world(), errands_, who, per_caller_[i], left));
    }
    int mishaps = static_cast<int>(plan_.events.size());
    for (const auto& each : plan_.events) pretend_.spawn(happen(each, mishaps));
    if (pretend_.run([&] { return left == 0 && mishaps == 0; }) != sim::outcome::done) saw_.came_to_rest = false;
    for (auto& each : per_caller_) std::ranges::move(each, std::back_inserter(saw_.answers));
  }

  sim::host* host_of(const std::string& who) {
    for (std::size_t i = 0; i < plan_.callers.size(); ++i)
      if (plan_.callers[i].name == who) return callers_[i];
    for (std::size_t i = 0; i < plan_.providers.size(); ++i)
      if (plan_.providers[i].name == who) return &places_[i]->host();
    return nullptr;
  }

  task<void> happen(const event& what, int& left) {
    co_await pass(what.at);
    auto* host = host_of(what.who);
    switch (what.what) {
      case mishap::crash:
        if (host) co_await crash(what);
        break;
      case mishap::cut:
        if (!host) break;
        saw_.seen.note("the way to " + what.who + " is cut");
        pretend_.cut(us_, *host);
        co_await pass(what.lasts);
        pretend_.heal(us_, *host);
        saw_.seen.note("the way to " + what.who + " is whole again");
        break;
      case mishap::reload:
      case mishap::bad_reload:
        if (saw_.stopped == never) co_await reload(what);
        break;
      case mishap::stop:
        if (saw_.stopped == never) co_await stop(what.lasts);
        break;
    }
    --left;
  }

  task<void> crash(const event& what) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (plan_.providers[i].name != what.who || !places_[i]->is_up()) continue;
      saw_.seen.note(what.who + " crashes");
      co_await places_[i]->end();
      co_await pass(what.lasts);
      places_[i]->start();
      saw_.seen.note(what.who + " is there again");
    }
  }

  task<void> reload(const event& what) {
    reload_is_bad_ = what.what == mishap::bad_reload;
    reload_without_ = what.who;
    const auto taken = co_await node_->reload();
    saw_.seen.note(reload_is_bad_ ? "a broken configuration is offered" : "reloaded without " + what.who);
    if (reload_is_bad_) {
      saw_.bad_reload_taken = saw_.bad_reload_taken || taken.has_value();
      co_return;
    }
    saw_.good_reload_refused = saw_.good_reload_refused || !taken;
    saw_.gone_since.clear();
    if (!what.who.empty()) saw_.gone_since[what.who] = real_.clock.now();
  }

  task<void> stop(std::chrono::nanoseconds grace) {
    saw_.stopped = real_.clock.now();
    saw_.seen.note("the node is stopped");
    co_await node_->stop(grace);
    saw_.seen.note("the node has stopped");
  }

  // ---- the end

  // Longer than anything that a provider did keeps the node away from it, and than a connection may lie idle.
  std::chrono::nanoseconds quiet() const {
    std::chrono::nanoseconds out = 80s;
    for (const auto& each : plan_.providers) {
      for (const auto& one : each.plays) {
        if (one.how.status == 200) continue;
        const bool long_open = one.how.status >= 401 && one.how.status <= 404;
        if (long_open || !one.how.code.empty()) out = std::max<std::chrono::nanoseconds>(out, 31min);
        // A date, or what cannot be read: an hour is the longest that is believed.
        if (!one.how.headers.empty() && one.rests_for == 0ms) out = std::max<std::chrono::nanoseconds>(out, 61min);
      }
    }
    return out;
  }

  // Every provider is well and every way is clean: now each must answer, and nothing may be left of what has been.
  void when_all_is_quiet() {
    for (std::size_t i = 0; i < plan_.providers.size(); ++i) {
      if (plan_.providers[i].where != tier::local) {
        pretend_.set_links(us_, places_[i]->host(), {.latency_min = 1ms, .latency_max = 1ms});
      }
      places_[i]->heal();
    }
    auto& auditor = pretend_.add_host("auditor", "10.0.3.1");
    finish(audit(auditor.world()));
  }

  task<void> audit(env::world world) {
    if (!saw_.gone_since.empty()) co_await reload({.what = mishap::reload});
    co_await pass(quiet());
    result<std::unique_ptr<env::stream>> kept;
    if (how_ == mischief::keep_connection) kept = co_await world.network.dial(door_, never);
    const int key = plan_.keys.empty() ? -1 : 0;
    std::string headers = "Host: " + door_.text() + "\r\n";
    if (key >= 0) headers += "Authorization: Bearer " + plan_.keys.front().secret + "\r\n";
    saw_.metrics = co_await fetch(world, door_, "GET /metrics HTTP/1.1\r\n" + headers + "\r\n");
    last_asks_.resize(plan_.providers.size());
    for (std::size_t i = 0; i < plan_.providers.size(); ++i) {
      const auto& one = plan_.providers[i];
      auto& what = last_asks_[i];
      what = {.stream = i % 2 == 0,
              .model = one.name + "/" + one.models.front(),
              .reach = {},
              .fallback = {},
              .hangs_up = {}};
      heard now{.tag = "cz." + one.name, .what = &what, .key = key};
      now.begun = world.clock.now();
      // The last one takes up the whole room for bodies: it fits only if nothing else is in it.
      const auto padded = i + 1 == plan_.providers.size() ? max_bodies : 0;
      const auto came = co_await fetch(world, door_, request_text(errands_, key, now.tag, what, padded));
      read_answer(came, what.anthropic, what.stream, now);
      now.ended = world.clock.now();
      saw_.last_answers.push_back(std::move(now));
    }
  }

  void close_down() {
    if (!saw_.came_to_rest) {  // what still runs refers to the node: it is not taken away under it
      (void)node_.release();
      return;
    }
    if (saw_.stopped == never) finish(stop(1s));
    saw_.open_after_stop = open_lines(true);
    if (pretend_.run([&] { return served_ == plan_.workers; }) != sim::outcome::done) saw_.came_to_rest = false;
    finish(pass(10s));
    if (!saw_.came_to_rest) return close_down();
    node_.reset();
    saw_.open_after_all = open_lines(true) + open_lines(false);
    for (auto& each : places_) finish(each->end());
    saw_.ran_dry = pretend_.run() == sim::outcome::dry;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      saw_.posts[plan_.providers[i].name] = places_[i]->posts();
    }
  }

  std::size_t open_lines(bool inward) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        saw_.seen.lines, [&](const line& each) { return each.inward == inward && each.closed == never; }));
  }

  const plan& plan_;
  mischief how_;
  record saw_;  // what is torn down with the pretend world still writes into it
  sim::simulation pretend_;
  sim::host& us_;
  env::world real_;
  std::unique_ptr<env::network> network_;
  env::address door_;
  errands errands_;
  std::vector<std::unique_ptr<place>> places_;
  std::vector<sim::host*> callers_;
  std::vector<std::vector<heard>> per_caller_;
  std::unique_ptr<node::node> node_;
  std::vector<ask> last_asks_;
  int served_ = 0;
  std::string reload_without_;
  bool reload_is_bad_ = false;
};

}  // namespace

void run(const plan& what, mischief how, bool keep_log, const std::function<void(const record&)>& look) {
  stage(what, how, keep_log).run(look);
}

}  // namespace meshai::simulation
