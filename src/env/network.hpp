// env: connections as byte streams, over TCP, Unix sockets and TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "env/clock.hpp"

namespace meshai::env {

// Where a stream leads: a numeric IP address with a port, or the path of a Unix socket.
struct address {
  std::string ip;          // numeric, without brackets; empty for a Unix socket
  std::uint16_t port = 0;  // 0 where the system shall choose (listen)
  std::string path;        // Unix socket; a leading NUL is not supported

  bool is_unix() const { return !path.empty(); }
  bool is_loopback() const;  // 127.0.0.0/8, ::1 or a Unix socket
  bool is_private() const;   // loopback, RFC 1918, link-local, RFC 4193 (ULA)
  std::string text() const;  // "127.0.0.1:80", "[::1]:80" or "unix:/path"
  bool operator==(const address&) const = default;
};

// Both directions of one connection. One reader and one writer at a time; not shared between threads.
class stream {
 public:
  virtual ~stream() = default;  // closes

  // Reads at least one byte into `into` (not empty). 0 is the peer's orderly end. A TLS stream that ends without
  // close_notify is an error (truncation).
  virtual task<result<std::size_t>> read_some(std::span<char> into) = 0;

  // Writes all pieces in order, as one gathered write where possible. The bytes must outlive the operation.
  virtual task<result<void>> write_all(std::span<const std::string_view> pieces) = 0;

  // Reads (writes) that have not finished at `when` fail with error_kind::timeout, pending ones included. `never`
  // lifts the bound. After a timeout the stream is only good for close().
  virtual void read_by(instant when) = 0;
  virtual void write_by(instant when) = 0;

  // Ends the connection at once; pending operations fail with error_kind::unavailable.
  virtual void close() noexcept = 0;

  virtual const address& peer() const = 0;

  // Whether this machine has lost the address that it goes out from, or its link has: nothing can come now, and
  // the other side does not know. It may come back.
  virtual bool stranded() const { return false; }
};

class listener {
 public:
  virtual ~listener() = default;
  // Fails with error_kind::unavailable after close(). Running out of descriptors is error_kind::exhausted: wait,
  // go on.
  virtual task<result<std::unique_ptr<stream>>> accept() = 0;
  virtual const address& local() const = 0;
  virtual void close() noexcept = 0;
};

// Which certificates are believed. The system's authorities always are; verification cannot be turned off.
struct trust {
  std::vector<std::string> extra_ca_files;  // PEM, added to the system's
};

// A server's certificate chain and private key, both PEM. Immutable; replaced whole when the files change.
class identity {
 public:
  virtual ~identity() = default;
};

class network {
 public:
  virtual ~network() = default;

  // Numeric addresses for `host` (numeric text returns itself), cached for the record's life within [5 s, 5 min].
  virtual task<result<std::vector<std::string>>> resolve(std::string host, instant deadline) = 0;

  // Connects with TCP_NODELAY set. unreachable (refused, no host), unavailable (no way from this machine),
  // timeout.
  virtual task<result<std::unique_ptr<stream>>> dial(address to, instant deadline) = 0;

  // Calls `tell` on the loop each time that streams may have been stranded; until then none of them is known to
  // be. One at a time; empty ends it.
  virtual void watch_ways(std::function<void()> tell) = 0;

  // reuse_port lets each worker listen on the same port; the kernel spreads the connections.
  virtual result<std::unique_ptr<listener>> listen(const address& at, bool reuse_port) = 0;

  // TLS 1.2 or newer as a client over `plain`, offering X25519MLKEM768 first; the chain and `host` are verified,
  // else error_kind::denied.
  virtual task<result<std::unique_ptr<stream>>> secure_client(std::unique_ptr<stream> plain, std::string host,
                                                              trust anchors, instant deadline) = 0;

  // TLS as a server. `who` comes from load_identity of the same world.
  virtual task<result<std::unique_ptr<stream>>> secure_server(std::unique_ptr<stream> plain,
                                                              std::shared_ptr<const identity> who,
                                                              instant deadline) = 0;
  virtual result<std::shared_ptr<const identity>> load_identity(const std::string& cert_file,
                                                                const std::string& key_file) = 0;
};

}  // namespace meshai::env
