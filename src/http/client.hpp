// http: asking. One client per worker: it keeps warm connections per origin and never follows a redirect.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "env/clock.hpp"
#include "env/network.hpp"
#include "env/world.hpp"
#include "http/url.hpp"
#include "wire/wire.hpp"

namespace meshai::http {

struct client_options {
  std::size_t idle_per_origin = 128;
  std::chrono::nanoseconds idle_timeout =
      std::chrono::seconds(55);       // below the 60 s after which many servers close
  std::string user_agent = "meshai";  // sent where a call has no User-Agent of its own
};

// Where a call is: the connection that it was sent over, from then until its answer comes.
struct whereabouts {
  const env::stream* over = nullptr;
  bool stranded() const { return over != nullptr && over->stranded(); }
};

// A question. Everything in it must outlive the co_await of client::send.
struct call {
  std::string_view method = "POST";
  std::string_view target = "/";  // origin-form, percent-encoded
  // Without Host, Content-Length, Transfer-Encoding and Connection, which are the client's to write.
  std::span<const wire::header> headers;
  std::string_view body;  // with a Content-Length where it is not empty or the method is POST, PUT or PATCH
  whereabouts* where = nullptr;
};

struct call_deadlines {
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(2);  // name, TCP, proxy and TLS together
  instant headers_by = never;  // the answer's head must have come by then, connecting included
};

// An answer whose head has come. Move-only. Dropped at its end (read, or already here to be read) it gives its
// connection back to the pool; dropped before that it closes it, which tells the other side to stop.
class answer {
 public:
  struct parts;  // inside of the room only
  explicit answer(std::unique_ptr<parts> p);
  ~answer();
  answer(answer&&) noexcept;
  answer& operator=(answer&&) noexcept;

  int status() const;
  wire::header_list headers() const;
  std::optional<std::string_view> header(std::string_view name) const { return headers().find(name); }
  bool until_close() const;  // the body ends with the connection: truncation cannot be told from the end
  bool reused() const;       // came over a connection of the pool
  bool stranded() const;     // see env::stream

  // Reads that have not finished by then fail with error_kind::timeout, pending ones included. `never` at first.
  void read_by(instant when);

  // The next piece of the body, valid until the next call; empty at its end, and from then on. malformed: broken
  // framing or an end before the end; unreachable: reset; timeout.
  task<result<std::string_view>> read_some();
  // The same without waiting: nothing where the next piece has not come yet.
  result<std::optional<std::string_view>> read_ready();
  // All that is left of the body; exhausted beyond `limit` bytes.
  task<result<std::string>> read_all(std::size_t limit);

 private:
  std::unique_ptr<parts> parts_;
};

// Single-threaded, on the world's loop. Cancelling a call closes its connection.
class client {
 public:
  struct state;  // inside of the room only

  client(const env::world& world, client_options options = {});
  ~client();  // answers that are still out stay good; they close their connection afterwards
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  // Asks `to`. A pooled connection that died before the first byte of the answer is replaced by a new one, once;
  // nothing else is ever sent twice. Errors name the host: unreachable (name, refused, reset), timeout, denied
  // (certificate, proxy's refusal), malformed (broken answer).
  task<result<answer>> send(const origin& to, const call& what, const call_deadlines& by);

  // Opens a connection for later unless one is already idle.
  task<result<void>> warm(const origin& to, std::chrono::nanoseconds connect_timeout);

  std::size_t idle() const;  // connections in the pool
  std::size_t idle(const origin& to) const;
  void forget(const origin& to);  // closes its idle connections

 private:
  std::shared_ptr<state> state_;
};

}  // namespace meshai::http
