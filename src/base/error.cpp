#include "base/error.hpp"

#include "base/check.hpp"

namespace meshai {

std::string_view to_string(error_kind kind) {
  switch (kind) {
    case error_kind::timeout:
      return "timeout";
    case error_kind::unreachable:
      return "unreachable";
    case error_kind::refused:
      return "refused";
    case error_kind::malformed:
      return "malformed";
    case error_kind::denied:
      return "denied";
    case error_kind::exhausted:
      return "exhausted";
    case error_kind::unavailable:
      return "unavailable";
  }
  CHECK(false);
}

}  // namespace meshai
