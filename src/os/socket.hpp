// os: streams over TCP and Unix sockets.
#pragma once

#include <memory>
#include <string_view>

#include "env/network.hpp"
#include "os/descriptor.hpp"
#include "os/ways.hpp"

namespace meshai::os {

// What a stream of this room can do beyond env's: a last word before close(), which cannot wait.
class immediate_writer {
 public:
  virtual void write_now(std::string_view bytes) noexcept = 0;  // as much as fits into the socket's buffer

 protected:
  ~immediate_writer() = default;
};

// A connected, non-blocking socket as a stream. Sets TCP_NODELAY unless it is a Unix socket.
result<std::unique_ptr<env::stream>> adopt(const executor& loop, descriptor connected, env::address peer);

// Fails at once where the address that it would go out from is lost.
task<result<std::unique_ptr<env::stream>>> dial(executor loop, env::address to, instant deadline,
                                                std::shared_ptr<const ways> over = nullptr);

}  // namespace meshai::os
