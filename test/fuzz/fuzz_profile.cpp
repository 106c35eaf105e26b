// The profile beside a model, which comes with the model from wherever that comes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "engine/engine.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = meshai::engine::parse_profile(text, "p.toml");
  CHECK(read || read.error().detail.starts_with("p.toml"));
  return 0;
}
