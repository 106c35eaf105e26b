// upstream: one conversation with one provider: a request written in its dialect, its answer read step by step,
// and every way this can fail as one route::fault. It asks once; whom to ask next is not its business.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/reach.hpp"
#include "base/secret.hpp"
#include "chat/chat.hpp"
#include "env/clock.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"
#include "route/route.hpp"

namespace meshai::http {
class client;
}

namespace meshai::upstream {

using fields = std::vector<std::pair<std::string, std::string>>;

// How one node is reached.
struct node_options {
  std::string node;  // its name in the directory
  meshai::tier where = meshai::tier::cloud;
  chat::dialect dialect = chat::dialect::openai;
  std::string url;           // the API's base, version included: "https://api.openai.com/v1"
  std::string socket;        // a Unix socket to dial instead of the URL's host
  std::vector<secret> keys;  // several are used in turn; one rests after a 429
  fields headers, query;     // sent with every call
  std::string ca;            // PEM file with one more authority
  // Changes each request before it is written, as a model on this device wants it; none: sent as it came. Any
  // thread.
  std::function<chat::request(chat::request)> prepare;
  std::function<int()> places;  // how many it answers at once; none, or 0: no bound. Any thread.
  bool counts = false;          // a llama-server of ours: it tells how many tokens a prompt has
  // Of an engine: whether it answers, and the wait until it does; an error where that is not to be expected. Both
  // or none; any thread, in the world given.
  std::function<bool()> ready;
  std::function<task<result<void>>(env::world)> wait_ready;
  std::string proxy;  // "http://[user:password@]host:port"; empty: none
};

struct endpoint;
int places_at(const endpoint& node);
bool counts_at(const endpoint& node);
bool is_ready(const endpoint& node);
task<result<void>> wait_ready(const endpoint& node, env::world here);

// The nodes as an immutable snapshot.
class endpoints {
 public:
  // refused, naming the node, for a URL that is none, or a key that would leave in clear text to another host.
  static result<std::shared_ptr<const endpoints>> make(std::vector<node_options> nodes);
  ~endpoints();
  const endpoint* find(std::string_view node) const;

 private:
  endpoints();
  std::vector<std::unique_ptr<endpoint>> nodes_;
};

// What the caller sent that goes on to a provider of the same dialect: anthropic-beta, anthropic-version,
// OpenAI-Organization, OpenAI-Project. Others are dropped here, whatever is in it.
using pass_through = fields;

struct call {
  const chat::request* request = nullptr;  // all of these outlive the attempt
  const endpoint* to = nullptr;
  const route::node* node = nullptr;
  const route::candidate* candidate = nullptr;
  const pass_through* headers = nullptr;  // null: none
  route::limits limits;
  // The caller wants a whole answer, and will put it together from steps: asked for as a stream where the node
  // makes streams. One that answers at once is an answer all the same.
  bool collect = false;
  bool certainty = false;  // the steps are to tell how sure the model is, where its dialect has that
};

enum class progress {
  more,    // steps were appended
  ended,   // the stream is over and whole; steps may have been appended too
  answer,  // a whole answer, and no steps: take_answer()
  fault,   // why()
};

// One attempt. Destroying it closes its connection unless the answer was read to its end.
class attempt {
 public:
  virtual ~attempt() = default;
  // Waits for at least one step. All that has already arrived comes at once. After anything but `more` it is over.
  virtual task<progress> read(std::vector<chat::delta>& into) = 0;
  virtual chat::answer take_answer() = 0;
  virtual const route::fault& why() const = 0;
  // The way to the node is gone on this machine, and the connection does not know: see env::stream.
  virtual bool stranded() const = 0;
  // What the node cannot express and the caller let go.
  virtual const std::vector<std::string>& dropped() const = 0;
};

// A model as a node lists it.
struct discovered {
  std::string name;
  bool remote = false;  // an Ollama that passes it on to another host: counts as cloud
  bool embeddings = false;
  std::optional<std::int64_t> context;  // tokens
};

// One per worker.
class client {
 public:
  // `known` is where keys rest.
  client(env::world& world, http::client& over, route::health& known);

  // Begins one attempt; nothing is sent before the first read().
  std::unique_ptr<attempt> open(const call& what);

  // GET /models (and Ollama's own list where it is one). At most 10,000 models, 4 MB.
  task<result<std::vector<discovered>>> models(const endpoint& of, instant deadline);

  // Where counts_at(of): the tokens of this prompt, as its model reads it. The model is not asked.
  task<result<std::int64_t>> count(const endpoint& of, std::string_view model, const chat::request& asked,
                                   instant deadline);

  // Whether it can be reached: an idle connection, or a new one that is kept for later. Nothing is asked.
  task<result<void>> reach(const endpoint& of, std::chrono::nanoseconds connect_timeout);
  // The same for a node that may be needed in a moment: begun, and not waited for. At most once in ten seconds.
  void stand_by(const endpoint& of, std::chrono::nanoseconds connect_timeout);

 private:
  env::world& world_;
  http::client& http_;
  route::health& known_;
  std::unordered_map<std::string, instant> stood_by_;  // when it was last begun, by origin
  env::scope connecting_;
};

}  // namespace meshai::upstream
