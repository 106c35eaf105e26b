// dispatch: one request, as many attempts as needed. It asks route who and when, lets upstream do the talking and
// gives whoever asked one stream of steps with one end.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/reach.hpp"
#include "chat/chat.hpp"
#include "dispatch/failure.hpp"
#include "dispatch/purse.hpp"
#include "dispatch/turnstile.hpp"
#include "env/clock.hpp"
#include "env/world.hpp"
#include "route/route.hpp"
#include "upstream/upstream.hpp"

namespace meshai::dispatch {

struct means;

// What a request needs of the configuration, as one immutable snapshot. Running requests keep theirs.
struct snapshot {
  std::shared_ptr<const route::directory> directory;
  std::shared_ptr<const upstream::endpoints> endpoints;
  route::limits limits;
  meshai::reach api = meshai::reach::cloud;
  std::vector<care::rule> care;
};

struct query {
  std::shared_ptr<const chat::request> request;
  std::shared_ptr<const snapshot> setup;
  std::string who;                           // the name of the caller's key; places are shared out by it
  meshai::reach key = meshai::reach::cloud;  // and how far it lets questions travel
  std::span<const std::string> allowed;      // its models; only looked at before complete() returns
  bool budget = false;                       // it has one: an answer is never without a longest length
  bool only_priced = false;                  // and in money alone: it goes only where the price is known
  upstream::pass_through headers;
  std::string request_id;
  std::vector<route::counted_prompt> counted;  // see dispatcher::count
  bool owner = false;                          // may be told of nodes that it may not use
};

// Who answers, as x-mesh-route tells it. Until somebody does: the candidate that is being asked.
struct head {
  std::string node, model;
  meshai::tier where = meshai::tier::local;
  int attempts = 0;
  int answers = 0;                          // attempts whose steps were forwarded: one more where another went on
  std::optional<route::complexity> judged;  // where complexity chose it
  std::vector<care::content> held;          // of what [[care]] is about
};

enum class progress {
  quiet,   // nothing yet, and the time given is over
  deltas,  // steps, in order; the first ones settle facts()
  answer,  // a whole answer in answer(); nothing follows
  end,     // the stream is over and whole; `into` may hold its last steps
  failed,  // why(); steps sent before stay sent
};

// One request on its way. Single-threaded. Destroying it cancels every attempt within one turn of the loop.
class exchange {
 public:
  virtual ~exchange() = default;
  // Waits for the next thing, at most until `by`. `into` is cleared first and its memory is used again.
  virtual task<progress> next(std::vector<chat::delta>& into, instant by = never) = 0;
  virtual const head& facts() const = 0;
  virtual chat::answer& answer() = 0;
  virtual const chat::usage& usage() const = 0;  // of what was delivered
  virtual chat::story story() const = 0;
  virtual const failure& why() const = 0;
  virtual const route::ranking& ranking() const = 0;  // for --explain
};

// One per worker.
class dispatcher {
 public:
  // `lines`: before nodes that answer only so many at once; shared by all workers, as are `pays` and `remembers`.
  // None: nobody keeps accounts; nothing is remembered of conversations.
  dispatcher(env::world& world, upstream::client& over, route::health& known,
             std::shared_ptr<turnstiles> lines = std::make_shared<turnstiles>(),
             std::shared_ptr<purse> pays = nullptr, std::shared_ptr<route::memory> remembers = nullptr);
  ~dispatcher();

  // Begins at once: chat, completions, embeddings, messages. Never null; a request nobody may take fails at its
  // first next().
  std::unique_ptr<exchange> complete(query what);

  // Whether the prompt may or may not be too long for an engine on this device, by its bytes; then count() asks
  // that engine's tokenizer, for half a second at most each, and notes it in `what`.
  bool wants_count(const query& what) const;
  task<void> count(query& what);

  // Who would be asked, and why: what route::explain says. Nobody is.
  std::string explain(const query& what) const;

  // Anthropic's count_tokens: by a node that can count for this model, within reach.
  task<std::expected<std::int64_t, failure>> count_tokens(query what);

 private:
  std::shared_ptr<means> means_;
};

}  // namespace meshai::dispatch
