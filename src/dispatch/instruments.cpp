#include "dispatch/instruments.hpp"

namespace meshai::dispatch {
namespace {

constexpr std::array seconds_buckets{0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                     1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};  // the conventions' own
constexpr std::array first_token_buckets{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                         0.25,  0.5,   0.75, 1.0,  2.5,  5.0,  7.5,  10.0};
constexpr std::string_view requests = "meshai_requests_total";
constexpr std::string_view requests_help = "Requests by how they ended.";

double seconds(std::chrono::nanoseconds of) {
  return std::chrono::duration<double>(of).count();
}

std::string label_of(const route::candidate& at) {
  return at.listed ? at.model : "other";
}

}  // namespace

instruments::instruments(env::world& world)
    : world_(world),
      done_(world.metrics.get_counter(requests, requests_help, {{"outcome", "done"}})),
      failed_(world.metrics.get_counter(requests, requests_help, {{"outcome", "failed"}})),
      gone_(world.metrics.get_counter(requests, requests_help, {{"outcome", "caller_gone"}})) {}

instruments::series& instruments::of(const route::node& node, const route::candidate& at) {
  auto& slot = series_[at.listed ? at.model_id.value : at.node_id.value];
  if (slot) return *slot;
  auto& m = world_.metrics;
  const env::labels who{{"node", node.name}, {"model", label_of(at)}};
  const auto tokens = [&](const char* type) -> env::counter& {
    return m.get_counter("meshai_tokens_total", "Tokens as the providers counted them.",
                         {{"node", node.name}, {"model", label_of(at)}, {"type", type}});
  };
  slot = std::make_unique<series>(series{
      .attempts = m.get_counter("meshai_attempts_total", "Attempts begun.", who),
      .input = tokens("input"),
      .output = tokens("output"),
      .fallbacks = m.get_counter("meshai_fallbacks_total", "Answers given in place of an earlier candidate.", who),
      .continuations = m.get_counter("meshai_continuations_total", "Answers gone on with in mid-stream.", who),
      .hedges = m.get_counter("meshai_hedges_won_total", "Answers by an attempt begun beside a silent one.", who),
      .doubts = m.get_counter("meshai_doubts_total", "Answers too unsure, so that another model was asked.", who),
      .breaker = m.get_gauge("meshai_breaker_state", "0 closed, 1 open.", who),
      .first_token = m.get_histogram(
          "gen_ai_server_time_to_first_token_seconds", "From the request to its first token.", first_token_buckets,
          {{"gen_ai_provider_name", node.name}, {"gen_ai_response_model", label_of(at)}})});
  return *slot;
}

env::histogram& instruments::duration_of(std::string_view operation) {
  auto& slot = durations_[operation];
  if (slot == nullptr) {
    slot =
        &world_.metrics.get_histogram("gen_ai_client_operation_duration_seconds", "From the request to its end.",
                                      seconds_buckets, {{"gen_ai_operation_name", std::string(operation)}});
  }
  return *slot;
}

void instruments::attempt_begun(const route::node& node, const route::candidate& at) {
  of(node, at).attempts.add();
}

void instruments::attempt_failed(const route::node& node, const route::candidate& at, route::fault_kind why,
                                 bool breaker_opened) {
  auto& counted = of(node, at);
  auto*& slot = counted.faults[static_cast<std::size_t>(why)];
  if (slot == nullptr) {
    slot = &world_.metrics.get_counter(
        "meshai_attempt_faults_total", "Attempts that failed, by what went wrong.",
        {{"node", node.name}, {"model", label_of(at)}, {"fault", std::string(route::to_string(why))}});
  }
  slot->add();
  const auto model = label_of(at);
  world_.log.write(env::log_level::info, "attempt.failed",
                   {{"node", env::own_name{node.name}},
                    {"model", env::own_name{model}},
                    {"fault", env::own_name{route::to_string(why)}}});
  if (!breaker_opened) return;
  counted.breaker.set(1);
  world_.log.write(env::log_level::warning, "breaker.opened",
                   {{"node", env::own_name{node.name}},
                    {"model", env::own_name{model}},
                    {"fault", env::own_name{route::to_string(why)}}});
}

void instruments::first_token(const route::node& node, const route::candidate& by, duration after) {
  of(node, by).first_token.observe(seconds(after));
}

void instruments::answered(const route::node& node, const route::candidate& by, std::string_view operation,
                           duration took, int attempts, bool first_choice, const chat::usage& used) {
  auto& counted = of(node, by);
  counted.breaker.set(0);
  if (!first_choice) counted.fallbacks.add();
  if (used.known) {
    counted.input.add(static_cast<std::uint64_t>(std::max<std::int64_t>(used.input, 0)));
    counted.output.add(static_cast<std::uint64_t>(std::max<std::int64_t>(used.output, 0)));
  }
  done_.add();
  duration_of(operation).observe(seconds(took));
  const auto model = label_of(by);
  world_.log.write(env::log_level::debug, "request.done",
                   {{"node", env::own_name{node.name}},
                    {"model", env::own_name{model}},
                    {"attempts", std::int64_t{attempts}},
                    {"took", took}});
}

void instruments::went_on(const route::node& node, const route::candidate& by) {
  of(node, by).continuations.add();
  const auto model = label_of(by);
  world_.log.write(env::log_level::info, "answer.continued",
                   {{"node", env::own_name{node.name}}, {"model", env::own_name{model}}});
}

void instruments::doubted(const route::node& node, const route::candidate& by) {
  of(node, by).doubts.add();
}

void instruments::hedge_won(const route::node& node, const route::candidate& by) {
  of(node, by).hedges.add();
}

void instruments::failed(std::string_view code, duration took, int attempts) {
  failed_.add();
  world_.log.write(env::log_level::info, "request.failed",
                   {{"code", env::own_name{code}}, {"attempts", std::int64_t{attempts}}, {"took", took}});
}

void instruments::caller_gone(int attempts) {
  gone_.add();
  world_.log.write(env::log_level::debug, "request.abandoned", {{"attempts", std::int64_t{attempts}}});
}

void instruments::held(care::content what) {
  auto& slot = held_[static_cast<std::size_t>(what)];
  if (!slot) {
    slot = &world_.metrics.get_counter("meshai_care_total", "Requests that held what a [[care]] rule is about.",
                                       {{"class", std::string(to_string(what))}});
  }
  slot->add();
}

}  // namespace meshai::dispatch
