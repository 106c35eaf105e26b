// A provider that cannot be had here: OpenAI's, Anthropic's and Gemini's protocols to the letter, and every way in
// which they go wrong, as data.
//
// What a fake answers is a `script`. It comes from, in this order: the first rule whose `times` are not used up,
// the prompt itself where its last message is "fake:{...}", or a default: the text "You said: ..." or a call of
// the first tool. Like the real ones, a fake refuses what its protocol does not know, and goes on with an answer
// that another one began.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
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
  short_body,     // Content-Length promises more than comes; then the connection is closed
  error_body,     // a JSON error object with status 200, whatever was asked for
};

// A fault may strike in the second half of a call's arguments, wherever that piece is.
inline constexpr int in_call = -2;

// What a model does that is to go on from what the assistant said so far. The text of a script that begins with it
// is the answer that is being continued; any other text is simply said.
enum class going_on {
  continues,  // from its end; llama-server repeats a prefill in a whole answer, and not in a stream
  refused,    // a prefill with 400, as Claude 4.6 and later do
  ignored,    // the answer starts over
  preamble,   // "Sure, continuing: " first
  overlaps,   // its last words are said again first
};

struct tool_use {
  std::string name, arguments;  // JSON text; any text where the model is to write nonsense
};

struct script {
  std::string text;
  std::string thinking;
  std::vector<tool_use> calls;
  std::string finish;               // in the protocol's own words; empty: what fits
  int status = 200;                 // else: an error answer
  std::string type, code, message;  // of the error
  std::string retry_delay;          // Gemini's, among the error's details: "7s"
  std::vector<std::pair<std::string, std::string>> headers;
  fake::fault fault = fake::fault::none;
  int at = -1;  // piece of the stream, 0 the first token; or in_call
  std::chrono::milliseconds first_token{0}, gap{0};
  std::chrono::milliseconds pause{0};  // before piece `at`; then it goes on
  std::chrono::milliseconds drip{0};   // between two pieces of `drip_bytes`, whatever they hold; 0: no drip
  std::size_t drip_bytes = 1;
  std::optional<double> logprob;           // of each token, instead of the provider's own
  std::optional<going_on> prefill, asked;  // instead of the provider's own manner
  int times = 1 << 30;                     // how often it is played (rules only)
};
// {"text", "thinking", "calls":[{"name","arguments":{}}], "status", "fault":"reset", "at":3 or "in_call",
// "first_token_ms", "gap_ms", "drip_ms", "drip_bytes", "logprob", "prefill":"refused", "asked":"preamble", ...}.
// Unknown members are a bug of the test: CHECKed.
script parse_script(std::string_view text);
going_on parse_going_on(std::string_view word);

struct seen {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string header(std::string_view name) const;
};

struct options {
  protocol speaks = protocol::openai;
  std::string key;  // demanded where it is not empty
  std::vector<std::string> models{"fake-model"};
  std::vector<std::string> remote;  // those of `models` that it passes on, as an Ollama's list tells (/api/tags)
  bool keep_requests = true;        // the last 1,000 of them
  // Where the conversation ends with the assistant's message, and where it ends with one of the user that asks to
  // go on with it.
  going_on prefill = going_on::continues, asked = going_on::continues;
  double logprob = -0.25;  // of each token, where the protocol lets a caller ask
  // What its model says to the first words of the user, where the script says nothing; `begun` is what the
  // assistant has said of it already, and is to be its beginning. Without this: an echo of the last words.
  std::function<std::string(std::string_view asked, std::string_view begun)> says;
  bool streams = true;  // false: who asks for a stream gets a whole answer
  bool deaf = false;    // connections are accepted, and nothing is ever read from them
};

struct show;

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
  task<bool> stream(env::stream& to, const show& shown, const script& plays);
  task<bool> hold(env::stream& to);
  task<bool> send(env::stream& to, std::string_view bytes, const script& how);
  task<bool> answer_control(env::stream& to, const seen& asked);

  env::world& world_;
  options how_;
  std::deque<script> rules_;
  std::deque<seen> requests_;
  env::scope connections_;
  int broken_off_ = 0;
};

}  // namespace meshai::fake
