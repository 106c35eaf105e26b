// What happens in one run, as data: who is there, who asks what, and what goes wrong. Dice are thrown only while a
// plan is drawn; so a plan can be shown, edited and run again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/reach.hpp"
#include "fake.hpp"
#include "route/route.hpp"
#include "sim/sim.hpp"

namespace meshai::simulation {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// What a provider does with one POST.
struct play {
  fake::script how;          // its text is always empty: the answer is a function of the prompt
  milliseconds rests_for{};  // what its headers ask for, whatever their form
};

struct provider {
  std::string name;
  tier where = tier::cloud;
  fake::protocol speaks = fake::protocol::openai;
  std::vector<std::string> models;
  bool discovers = false;  // models = ["*"]
  int weight = 1;
  int places = 0;  // how many it answers at once, as its configuration says; 0: no bound
  double logprob = -0.1;  // how sure of its tokens it says it is
  int voice = 0;   // its answers' wording: providers of one voice say the same
  fake::going_on prefill = fake::going_on::continues, asked = fake::going_on::continues;
  std::optional<bool> told_prefill;  // what its configuration says of prefills
  sim::link link;                    // between the node and it; local ones share the node's host
  std::vector<play> plays;           // one for each POST, in order; after the last it is healthy
};

struct ask {
  milliseconds after{};  // the previous one's end, or the caller's beginning
  bool anthropic = false, stream = true, hard = false, usage = false;
  bool tool = false;  // there is one, and the answer is a call of it
  std::string model;
  std::optional<meshai::reach> reach;
  std::optional<bool> fallback;
  bool in_headers = false;  // reach and fallback as x-mesh-* instead of `mesh`
  int words = 6;            // of the prompt
  int word_size = 4;
  std::optional<milliseconds> hangs_up;        // so long after the request has been sent
  milliseconds reads_every{}, writes_every{};  // a slow caller's pauses
};

struct caller {
  std::string name;
  int key = -1;  // in plan::keys; -1: none, wrong_key: one that nobody knows
  static constexpr int wrong_key = -2;
  bool keeps_alive = true;
  sim::link link;
  std::vector<ask> asks;
};

struct key {
  std::string name, secret;
  meshai::reach reach = meshai::reach::cloud;
  std::vector<std::string> models;
};

enum class mishap {
  crash,       // `who` loses its power for `lasts`
  cut,         // between the node and `who`, for `lasts`
  reload,      // a configuration without `who`, if that is not empty
  bad_reload,  // a configuration that cannot be used
  stop         // the node, with `lasts` as its grace
};
struct event {
  milliseconds at{};
  mishap what = mishap::crash;
  std::string who;
  milliseconds lasts{};
};

struct plan {
  std::uint64_t seed = 0;
  int workers = 1;
  int max_waiting = 256;  // in the line before one node
  route::limits limits;
  meshai::reach api = meshai::reach::cloud;
  bool unknown_model_auto = false;
  std::vector<route::model_route> routes;
  std::vector<key> keys;
  std::vector<provider> providers;
  std::vector<caller> callers;
  std::vector<event> events;

  const provider* find(const std::string& name) const;
};

plan draw(std::uint64_t seed);

inline constexpr int voices = 2;
// What a provider of this voice answers to this prompt. The voices begin alike and go apart after the tag.
std::string answer_to(const std::string& prompt, int voice);
// What a provider says where `begun` has been said already, maybe by another: that answer, or nothing more of what
// is none.
std::string go_on(const std::string& prompt, int voice, const std::string& begun);
// The call that every provider makes where there is a tool.
inline constexpr std::string_view tool_name = "get_weather";
inline constexpr std::string_view tool_schema =
    R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}}})";
inline constexpr std::string_view tool_arguments = R"({"city":"Paris","days":7})";
// The prompt of a request, which begins with its tag.
std::string prompt_of(const std::string& tag, const ask& what);

bool is_clean(const sim::link& of);
bool is_healthy(const fake::script& of);

// The plan in words, one line for each part.
std::string tell(const plan& of);
std::string tell(const fake::script& of);

}  // namespace meshai::simulation
