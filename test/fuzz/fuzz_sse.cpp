// Server-sent events: however the bytes are cut, the same events come out.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "wire/wire.hpp"

namespace {

using namespace meshai::wire;

std::string read(std::string_view bytes, std::size_t size) {
  sse_parser parser(256);
  std::string told;
  while (!bytes.empty()) {
    const std::string piece(bytes.substr(0, size));
    bytes.remove_prefix(piece.size());
    parser.feed(piece);
    sse_event event;
    for (;;) {
      const auto more = parser.next(event);
      if (!more) return told + "broken";
      if (!*more) break;
      CHECK(event.name.size() + event.data.size() <= 256);
      CHECK(event.name.find_first_of("\r\n") == event.name.npos && event.data.find('\r') == event.data.npos);
      told.append(event.name).append(1, '=').append(event.data).append(1, '\n');
    }
  }
  return told + (parser.at_boundary() ? "" : "...");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = read(bytes, size + 1);
  CHECK(read(bytes, 1) == whole);
  CHECK(read(bytes, 3) == whole);
  return 0;
}
