// http: the client's connections, in use and waiting. Inside of the room only.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "env/network.hpp"
#include "env/scope.hpp"
#include "http/buffer.hpp"
#include "http/client.hpp"

namespace meshai::http {

// One connection to one origin, and the answer that is being read from it.
struct answer::parts {
  parts(std::unique_ptr<env::stream> to, const origin& asked);

  // Reads once. The number of bytes; 0 at the end of the connection.
  task<result<std::size_t>> fill();
  // Steps over what is left of the answer without waiting. True when the connection may be used again.
  bool reusable();

  std::unique_ptr<env::stream> stream;
  std::string key;   // of the origin
  std::string name;  // of the origin, for errors
  wire::response_parser parser;
  buffer in;
  std::string out;                      // the head of the call
  bool pooled = false;                  // it waited in the pool before
  bool half_sent = false;               // the question did not get out whole
  instant expires = never;              // while it waits
  std::shared_ptr<client::state> home;  // while it is in use
};

struct client::state : std::enable_shared_from_this<client::state> {
  state(const env::world& in, client_options how) : world(in), options(std::move(how)), sweeping(in.loop) {}

  using connection = std::unique_ptr<answer::parts>;

  connection take(const origin& to);  // the one used last, or nothing
  void put(connection back);          // keeps it, or closes it
  instant close_expired();            // returns when the next one expires; never when none is left

  env::world world;
  client_options options;
  std::unordered_map<std::string, std::vector<connection>> idle;  // the one used last stands last
  std::size_t idle_count = 0;
  bool sweeper_runs = false;
  bool closed = false;
  env::scope sweeping;
};

// Dials the addresses of a host that `bound` allows, a quarter of a second after one another, until one answers
// (RFC 8305); the others are given up. denied where none is near enough.
task<result<std::unique_ptr<env::stream>>> dial_first(const env::world& world, std::string host,
                                                      std::uint16_t port, reach bound, instant deadline);

// Opens a connection to `to`: name, TCP, proxy and TLS, all by `deadline`.
task<result<std::unique_ptr<env::stream>>> connect(const env::world& world, const origin& to, instant deadline);

}  // namespace meshai::http
