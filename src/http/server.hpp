// http: answering. The server reads heads and hands each request to a handler before its body has been read, so
// that who may not ask never gets to send one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "env/clock.hpp"
#include "env/network.hpp"
#include "env/world.hpp"
#include "wire/wire.hpp"

namespace meshai::http {

// A bound on the bytes of bodies held at once, by all connections of all workers. Thread-safe.
class body_budget {
 public:
  virtual ~body_budget() = default;
  virtual bool try_acquire(std::size_t bytes) = 0;
  virtual void release(std::size_t bytes) noexcept = 0;
};

struct server_options {
  std::chrono::nanoseconds head_timeout = std::chrono::seconds(10);  // from the first byte of a head to its end
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(75);  // between requests
  // A body must bring body_progress bytes (or its rest) in every body_window, and all of itself in body_timeout.
  std::chrono::nanoseconds body_window = std::chrono::seconds(10);
  std::size_t body_progress = 16 * 1024;
  std::chrono::nanoseconds body_timeout = std::chrono::minutes(10);
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(30);  // for each 64 KB that a caller takes
  // A body that the handler did not want is read and dropped up to this, to keep the connection.
  std::size_t drain_limit = 64 * 1024;
  // Beyond it the connection is closed, but not before the caller has had this long to see the answer.
  std::chrono::nanoseconds linger = std::chrono::seconds(2);
  wire::head_limits head;
  body_budget* budget = nullptr;  // none: bounded by the limit given to body() alone
};

class connection;  // inside of the room only

// A request whose head has come.
class request {
 public:
  const wire::request_head& head() const;
  std::string_view method() const { return head().method; }
  std::string_view target() const { return head().target; }
  std::string_view path() const { return head().path(); }
  std::optional<std::string_view> header(std::string_view name) const { return head().headers.find(name); }
  const env::address& peer() const;

  // Reads the whole body, at most once; valid until the handler returns. Asks for it first where the caller waits
  // for 100 (Continue). Errors: refused (over `limit`: 413), exhausted (over the budget: 503), malformed (broken
  // framing: 400), timeout (too slow: the connection is past answering). After an error the answer closes the
  // connection.
  task<result<std::string_view>> body(std::size_t limit);

 private:
  friend class connection;
  explicit request(connection& on) : on_(on) {}
  connection& on_;
};

// The way back. Either send() once, or start(), any number of write() and finish(). Date, Connection and the
// framing are written by it. Errors mean that the caller cannot be reached any more (unreachable, timeout) or,
// before anything was written, that a header would break the framing (malformed).
class responder {
 public:
  bool started() const;  // a head has been given: the status can no longer be changed

  // A whole answer, as one write.
  task<result<void>> send(int status, std::span<const wire::header> headers, std::string_view body);
  task<result<void>> send(int status, std::initializer_list<wire::header> headers, std::string_view body) {
    return send(status, std::span(headers.begin(), headers.size()), body);
  }

  // A streamed answer. The head leaves with the first write or with finish(), in the same packet.
  result<void> start(int status, std::span<const wire::header> headers);
  result<void> start(int status, std::initializer_list<wire::header> headers) {
    return start(status, std::span(headers.begin(), headers.size()));
  }
  task<result<void>> write(std::string_view bytes);       // sent at once; nothing happens for no bytes
  task<result<void>> finish(std::string_view last = {});  // `last` and the end, as one write
  // Returning from the handler after start() without finish() cuts the connection: the caller sees a truncated
  // answer.

 private:
  friend class connection;
  explicit responder(connection& on) : on_(on) {}
  connection& on_;
};

class handler {
 public:
  virtual ~handler() = default;
  // Answers one request. Cancelled within one turn of the event loop when the caller goes away: closes the
  // connection or its sending half, as proxies commonly take it.
  virtual task<void> handle(request& in, responder& out) = 0;

  // The answer to a message that could not be read at all, whose status is 400 to 505.
  struct shaped {
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
  };
  virtual shaped refuse(int status, const error& why) = 0;
};

// Serves any number of connections of one worker. Single-threaded, on the world's loop.
class server {
 public:
  // `what` must outlive the server, and both all of serve().
  server(const env::world& world, handler& what, server_options options = {});
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // Until the connection has ended. Cancelling it cancels the handler and closes.
  task<void> serve(std::unique_ptr<env::stream> stream);

  // From now on: idle connections are closed once nothing has come for `patience` (a request may be on its way),
  // the others after the answer they are giving. Again with less patience: sooner.
  void drain(std::chrono::nanoseconds patience = {});
  std::size_t connections() const;
  std::size_t busy() const;  // connections with a handler running

 private:
  friend class connection;
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace meshai::http
