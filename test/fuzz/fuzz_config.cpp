// The configuration file: whatever stands in it, it is taken or refused in words that begin with its name.
#include <cstddef>
#include <cstdint>

#include "app/config.hpp"
#include "base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshai;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = app::parse_config(text, "c.toml");
  if (!read) {
    CHECK(read.error().detail.starts_with("c.toml"));
    return 0;
  }
  for (const auto& one : read->nodes) {
    CHECK(!one.name.empty() && one.weight > 0);
    CHECK(one.kind == app::node_kind::engine || !one.url.empty());
  }
  for (const auto& one : read->keys) CHECK(!one.name.empty() && !one.secret.name.empty());
  for (const auto& one : read->models) CHECK(!one.name.empty() && !one.route.empty());
  CHECK(read->limits.attempts > 0 && read->limits.max_body > 0);
  return 0;
}
