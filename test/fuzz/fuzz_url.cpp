// The URLs of nodes and proxies, from the configuration and the environment. What was understood is understood
// again when it is written out.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "http/http.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshai::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = parse_origin(text)) {
    CHECK(!url->path.ends_with('/'));
    const auto again = parse_origin(url->origin.text() + url->path);
    CHECK(again && again->origin.key == url->origin.key && again->path == url->path);
  } else {
    CHECK(!url.error().detail.empty());
  }
  if (const auto proxy = parse_proxy(text)) {
    CHECK(!(*proxy)->host.empty() && (*proxy)->port != 0);
  } else {
    CHECK(!proxy.error().detail.empty());
  }
  return 0;
}
