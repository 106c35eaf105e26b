// engine: keeps one llama-server alive and says whether it answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "engine/profile.hpp"
#include "env/network.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"

namespace meshai::engine {

enum class state {
  off,       // not started, or stopped
  starting,  // looks for program and model
  loading,   // llama-server runs and is not ready
  ready,     // a real token came out; it answers
  resting,   // it failed; started again after a pause
};
std::string_view to_string(state where);

struct facts;

struct options {
  std::string name;                   // the node's: part of the socket's name, of log lines and metrics
  std::filesystem::path data_folder;  // absolute
  std::string model = "default";      // as catalogue::resolve takes it
  int context = 0;          // tokens of one conversation; 0: the profile's, else the model's, at most 8192
  int slots = 0;            // answers at once; 0: 2 where memory allows, else 1
  int threads = 0;          // 0: one less than the cores, at least 1
  bool embeddings = false;  // started for embeddings, and only for them
  std::string search_path;  // PATH, for a system's own llama-server
  std::filesystem::path
      runtime_folder;  // absolute; where the socket lies: ours alone (0700), made where it is missing
  std::function<void(const facts&)>
      changed;  // called on the supervisor's loop as soon as it is known; must not end it
  // The pace; shortened in tests.
  std::chrono::milliseconds first_rest{500}, longest_rest{30'000};  // doubled with every failure, with jitter
  std::chrono::milliseconds load_timeout{300'000};                  // to the first token
  std::chrono::milliseconds health_every{1'000};
  std::chrono::milliseconds hung_after{10'000};  // no answer and no CPU time used
  std::uint64_t growth =
      0;  // bytes that its memory may grow after it was ready; 0: 256 MB and the model's checkpoints
};

// What is known right now; for `status`, metrics and routing.
struct facts {
  engine::state state = state::off;
  bool coming = false;  // being started, or ended a moment ago after it had answered: worth waiting for
  wall_time since{};    // of this state
  std::string reason;   // why it rests; empty otherwise
  int pid = 0;          // 0: none
  int restarts = 0;     // since start()
  std::string model;    // the file's name without .gguf
  std::string form;     // quantisation
  std::string program, version;
  int context = 0;  // tokens of one conversation, prompt and answer
  int slots = 0;
  int threads = 0;
  std::uint64_t memory = 0;                // bytes resident, as last seen
  std::uint64_t memory_bound = 0;          // of its anonymous memory: beyond it, it is restarted between requests
  std::chrono::milliseconds load_time{0};  // from its start to the first token
  bool embeddings = false;                 // it answers embeddings and nothing else
  // A prefilled answer goes on where the prefix ends when streamed; a whole answer repeats the prefix.
  bool prefill_stream = true, prefill_whole = false;
  std::shared_ptr<const engine::profile> profile;  // never null once loading
};

class board;
class keeper;

// Lives on world.loop, where start(), stop() and the destructor are called; what says "any thread" may be called
// from every worker.
class supervisor {
 public:
  supervisor(const env::world& world, options how);
  // Kills llama-server where stop() was not awaited.
  ~supervisor();
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  void start();
  // SIGTERM, SIGKILL after 3 s; who waits in wait_ready() is told. For good.
  task<void> stop();

  // Any thread.
  bool ready() const;
  engine::facts facts() const;
  // A Unix socket; the same for the supervisor's whole life.
  const env::address& address() const;
  // On `here`, the caller's own world: at once when ready; timeout with the state and its reason at the deadline;
  // unavailable when it is stopped.
  task<result<void>> wait_ready(const env::world& here, instant deadline) const;
  // The same, as long as it is coming: unavailable, with its state, once it is not. load_timeout bounds it.
  task<result<void>> wait_coming(const env::world& here) const;

 private:
  std::shared_ptr<board> board_;    // what every thread may look at
  std::shared_ptr<keeper> keeper_;  // what does the work, on the loop
  env::scope tasks_;
};

}  // namespace meshai::engine
