// base: what went wrong, as a closed set of kinds that say what the caller may do about it.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace meshai {

enum class error_kind {
  timeout,      // its deadline passed; another place may be quicker
  unreachable,  // nobody there: refused, reset, no route, no such name; try elsewhere
  refused,      // it is there and will not: do not ask again soon
  malformed,    // bytes that break their protocol
  denied,       // not allowed: a key, a limit of reach, a certificate
  exhausted,    // a bound of ours or theirs is reached; later may work
  unavailable,  // not now: closing, closed, not ready
};

std::string_view to_string(error_kind kind);

// `detail` is for people and holds no secret and no text of a prompt or an answer.
struct error {
  error_kind kind;
  std::string detail;

  bool operator==(const error&) const = default;
};

template <class T>
using result = std::expected<T, error>;

inline std::unexpected<error> fail(error_kind kind, std::string detail) {
  return std::unexpected(error{kind, std::move(detail)});
}

}  // namespace meshai
