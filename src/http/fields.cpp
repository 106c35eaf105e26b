#include "http/fields.hpp"

#include <algorithm>
#include <array>

#include "wire/wire.hpp"

namespace meshai::http {

bool is_framing_field(std::string_view name) {
  static constexpr std::array<std::string_view, 10> ours = {
      "host",    "connection", "content-length",   "transfer-encoding",   "keep-alive",
      "upgrade", "trailer",    "proxy-connection", "proxy-authorization", "expect"};
  return std::ranges::any_of(ours, [&](std::string_view one) { return wire::equals_ignoring_case(one, name); });
}

}  // namespace meshai::http
