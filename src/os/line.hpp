// os: a line between two processes of one user: messages that arrive whole and in order (unix(7), SOCK_SEQPACKET).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "os/descriptor.hpp"

namespace meshai::os {

class line {
 public:
  static constexpr std::size_t longest = 128 << 10;  // bytes of one message; what is longer is cut

  line() = default;
  explicit line(descriptor fd) : fd_(std::move(fd)) {}
  // A place in the file system that others call() at.
  static result<descriptor> open(const std::string& path);
  // An own connection to it; unreachable where nobody is there.
  static result<line> call(const std::string& path);
  // Takes one call from open()'s socket; nothing where none waits, or where the caller is another user.
  static std::optional<line> answer(int from);

  // Never blocks. False when the far end has gone or takes nothing more.
  bool send(std::string_view text);
  // The next message; nothing where none has come yet, and then gone() says whether one can come.
  std::optional<std::string> receive();
  bool gone() const { return gone_; }
  // Until something can be received or nothing can any more; false after `patience_ms`.
  bool wait(int patience_ms) const;

  int get() const { return fd_.get(); }
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  descriptor fd_;
  bool gone_ = false;
};

}  // namespace meshai::os
