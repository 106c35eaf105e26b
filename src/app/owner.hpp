// app: the command line's side of the owner's socket: calls to the node that runs in the background.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/paths.hpp"
#include "base/error.hpp"
#include "env/world.hpp"
#include "http/http.hpp"

namespace meshai::app {

struct reply {
  int status = 0;
  std::string body;
};

struct line {
  std::string role, text;
};

struct question {
  std::vector<line> lines;  // the conversation so far
  std::string model = "auto", reach;
  std::optional<double> temperature;
  std::optional<int> max_tokens;
  bool fallback = true;
  std::string prefer;    // as mesh.prefer; empty: what the question needs
  bool explain = false;  // the answer tells why who was asked
};

// The body of a chat completion that asks it, streamed.
std::string write_question(const question& what);

// What came of a question.
struct spoken {
  // An attempt that failed on the way. `streamed`: a part of the answer was its own.
  struct failure {
    std::string node, model, fault;
    bool streamed = false;
  };
  // Somebody whose answer was too unsure, so that another one was asked.
  struct doubt {
    std::string node, model;
    double confidence = 1;
    bool unknowing = false;  // it said that it does not know
  };
  std::string text;
  std::vector<failure> failed;    // in order
  std::vector<doubt> doubted;
  std::string node, model, tier;  // who answered; empty where nobody did
  int attempts = 0;
  std::int64_t input_tokens = 0, output_tokens = 0;
  std::chrono::milliseconds first_token{0}, total{0};
  std::string finish;         // why it ended: "stop", "length", ...
  boost::json::value route;   // why who was asked, where that was wanted
  std::string problem, hint;  // what went wrong; empty for a whole answer
  bool whole() const { return problem.empty() && !finish.empty(); }
};

// Called with each piece of an answer; either may be empty.
struct hearing {
  std::function<void(std::string_view)> text, thought;
};

class owner_client {
 public:
  owner_client(env::world& world, const paths& where);

  task<result<reply>> get(std::string_view path, std::chrono::milliseconds patience);
  task<result<reply>> post(std::string_view path, std::string_view body, std::chrono::milliseconds patience);

  // Streams an answer. Errors are those of the connection to the node.
  task<result<spoken>> ask(const question& what, const hearing& as_it_comes);

  // What keeps the engines of the node from answering, one line each; empty where nothing does.
  task<std::string> engine_trouble();

 private:
  task<result<http::answer>> send(std::string_view method, std::string_view path, std::string_view body,
                                  instant by);

  env::world& world_;
  http::client http_;
  http::origin node_;
};

// Runs one coroutine to its end on a loop of its own.
void run_to_end(const std::function<task<void>(env::world)>& work);

// "no node runs; type: meshai up" and exit_not_running, or nothing when one runs.
std::optional<int> missing_node(const paths& where, bool json = false);

// From the body of an error answer.
void take_problem(std::string_view body, spoken& into);

// What went wrong and, on a line of its own, what to do about it.
std::string describe_problem(const spoken& of);

// "here/smollm2 (local), 1 attempt, first token after 85 ms, 34 tokens in 0.9 s", and before it a line for each
// attempt that failed on the way.
std::string describe_route(const spoken& of);

}  // namespace meshai::app
