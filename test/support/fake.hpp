// A provider that cannot be had here: OpenAI's, Anthropic's and Gemini's protocols to the letter, and every way in
// which they go wrong, as data.
//
// What a fake answers is a `script`. It comes from, in this order: the first rule whose `times` are not used up,
// the prompt itself where its last message is "fake:{...}", or a default: the text "You said: ..." or a call of
// the first tool. Like the real ones, a fake refuses what its protocol does not know.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "env/network.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"

namespace meshai::fake {

enum class protocol { openai, anthropic, gemini };

// Where an answer breaks, and how.
enum class fault {
  none,
  reset,          // the connection is gone: before the head (at = -1) or after piece `at`
  stall,          // nothing more comes, the connection stays
  end,            // the body ends properly, but too early
  truncate,       // half of piece `at`, then the end
  garbage,        // piece `at` is not JSON
  error_event,    // an error object instead of piece `at`
  html,           // an HTML page with status 200
  no_done,        // the protocol's end is missing, the connection stays open
  no_finish,      // the end comes without a finish reason
  double_finish,  // the finish reason comes twice
  endless,        // tokens without end
};

struct tool_use {
  std::string name, arguments;  // JSON text
};

struct script {
  std::string text;
  std::string thinking;
  std::vector<tool_use> calls;
  std::string finish;               // in the protocol's own words; empty: what fits
  int status = 200;                 // else: an error answer
  std::string type, code, message;  // of the error
  std::vector<std::pair<std::string, std::string>> headers;
  fake::fault fault = fake::fault::none;
  int at = -1;  // piece of the stream, 0 the first token
  std::chrono::milliseconds first_token{0}, gap{0};
  int times = 1 << 30;  // how often it is played (rules only)
};
// {"text", "thinking", "calls":[{"name","arguments":{}}], "status", "fault":"reset", "at", "first_token_ms", ...}.
// Unknown members are a bug of the test: CHECKed.
script parse_script(std::string_view json);

struct seen {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string header(std::string_view name) const;
};

struct options {
  protocol speaks = protocol::openai;
  std::string key;  // demanded where it is not empty
  std::vector<std::string> models{"fake-model"};
  bool keep_requests = true;  // the last 1,000 of them
};

class provider {
 public:
  provider(env::world& world, options how) : world_(world), how_(std::move(how)), connections_(world.loop) {}

  // Accepts until the listener is closed.
  task<void> serve(env::listener& at);
  task<void> close() { return connections_.close(); }

  void play(script next) { rules_.push_back(std::move(next)); }
  void clear() { rules_.clear(); }
  const std::deque<seen>& requests() const { return requests_; }
  std::size_t connections() const { return connections_.running(); }
  int broken_off() const { return broken_off_; }  // answers whose asker went away

 private:
  task<void> attend(std::unique_ptr<env::stream> stream);
  task<bool> answer(env::stream& to, const seen& asked);
  task<bool> hold(env::stream& to);
  task<bool> answer_control(env::stream& to, const seen& asked);

  env::world& world_;
  options how_;
  std::deque<script> rules_;
  std::deque<seen> requests_;
  env::scope connections_;
  int broken_off_ = 0;
};

}  // namespace meshai::fake
