#include "os/fault.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace meshai::os {
namespace {

error_kind kind_of(int code) {
  switch (code) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:  // no local port left
      return error_kind::exhausted;
    case EACCES:
    case EPERM:
      return error_kind::denied;
    case EADDRINUSE:
    case EAGAIN:  // a Unix socket whose backlog is full
      return error_kind::unavailable;
    default:  // refused, reset, no route, no such socket, no answer from TCP
      return error_kind::unreachable;
  }
}

}  // namespace

error fault(int code, std::string_view doing) {
  return {kind_of(code), fmt::format("{}: {}", doing, std::generic_category().message(code))};
}

}  // namespace meshai::os
