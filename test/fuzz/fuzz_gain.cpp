// A weights file of any bytes is read whole or refused, and what was read walks to an end on any text; so do the
// weights that ship.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "route/gain.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshai::route;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto shipped = shipped_gain().of(text);
  CHECK(std::isfinite(shipped.expected));
  CHECK(shipped.rank >= 0 && shipped.rank <= 1);
  if (const auto made = gain_model::read({data, size})) static_cast<void>(made->of(text));
  return 0;
}
