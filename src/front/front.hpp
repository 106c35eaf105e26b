// front: the HTTP door. Callers come in here; what they ask goes to dispatch, and its answer goes out in their
// dialect.
//
// The order in which a request is met: Host and Origin (is this a page of somebody else's?), the key, the path,
// the size, and only then the body. Whoever fails one of these is told so in the dialect of the path it asked for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "dispatch/dispatch.hpp"
#include "env/awaitable.hpp"
#include "env/network.hpp"
#include "env/world.hpp"
#include "front/admission.hpp"
#include "http/http.hpp"

namespace meshai::front {

// What the front needs of the configuration: an immutable snapshot. A running request keeps the one it began with.
struct settings {
  std::shared_ptr<const dispatch::snapshot> setup;
  std::shared_ptr<const admission_rules> rules;
  std::shared_ptr<const issued_keys> issued = std::make_shared<const issued_keys>();
  std::shared_ptr<ledger::book> accounts = std::make_shared<ledger::book>();  // shared by all workers
  std::size_t max_body = 32 << 20;                                            // bytes of one request
};

// What callers do together, over all workers. Thread-safe.
class crowd final : public http::body_budget {
 public:
  crowd(std::size_t max_connections, std::size_t max_bodies)
      : max_connections_(max_connections), max_bodies_(max_bodies) {}

  // From now on; who is inside stays.
  void bound(std::size_t max_connections, std::size_t max_bodies) {
    max_connections_ = max_connections;
    max_bodies_ = max_bodies;
  }

  bool enter() { return take(connections_, 1, max_connections_); }
  void leave() { connections_.fetch_sub(1, std::memory_order_relaxed); }
  std::size_t inside() const { return connections_.load(std::memory_order_relaxed); }

  // Bytes of all request bodies in flight.
  std::size_t bodies() const { return bodies_.load(std::memory_order_relaxed); }
  bool try_acquire(std::size_t bytes) override { return take(bodies_, bytes, max_bodies_); }
  void release(std::size_t bytes) noexcept override { bodies_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  static bool take(std::atomic<std::size_t>& from, std::size_t n, std::size_t limit) {
    if (from.fetch_add(n, std::memory_order_relaxed) + n <= limit) return true;
    from.fetch_sub(n, std::memory_order_relaxed);
    return false;
  }

  std::atomic<std::size_t> max_connections_, max_bodies_;
  std::atomic<std::size_t> connections_{0}, bodies_{0};
};

// What the node above answers for the front.
class office {
 public:
  virtual ~office() = default;
  virtual bool ready() const = 0;           // somebody could answer now
  virtual std::string metrics() const = 0;  // Prometheus text
  virtual std::string status() const = 0;   // a JSON object, for the owner
  virtual task<result<void>> reload() = 0;  // for the owner
  virtual task<void> read_keys() = 0;       // for the owner: those that were made and revoked up to now
};

// One per worker.
class front {
 public:
  front(env::world& world, dispatch::dispatcher& asks, crowd& others, office& above,
        std::shared_ptr<const settings> now);
  ~front();

  // From now on, for new requests.
  void use(std::shared_ptr<const settings> now);

  // Accepts until the listener is closed. `who` makes it a TLS door and is asked for at each connection, so that a
  // renewed certificate serves the next one. `owner` is the owner's own socket.
  task<void> serve(env::listener& at, bool owner, std::function<std::shared_ptr<const env::identity>()> who);

  // What is being answered may end within `grace`, then every connection is ended and joined; a request that comes
  // over an idle connection within `patience` is still answered. Again while it runs: with what is left of the
  // shorter grace.
  task<void> close(std::chrono::nanoseconds grace, std::chrono::nanoseconds patience = {});

 private:
  friend class door;
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace meshai::front
