// Answers: however the bytes are cut, the parser tells the same. The first byte chooses what was asked.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "wire/wire.hpp"

namespace {

using namespace meshai::wire;

std::string read(std::string_view bytes, asked what, std::size_t size) {
  response_parser parser(head_limits{.bytes = 4096, .fields = 20});
  parser.reset(what);
  std::string told;
  std::string buffer;
  while (!bytes.empty()) {
    buffer += bytes.substr(0, size);
    bytes.remove_prefix(std::min(size, bytes.size()));
    for (;;) {
      const std::string exact = buffer;
      const auto got = parser.feed(exact);
      if (!got) return "refused";
      CHECK(got->consumed <= exact.size());
      buffer.erase(0, got->consumed);
      told += got->body;
      if (got->what == progress::head) {
        const auto& head = parser.head();
        CHECK(head.status >= 200 && head.status <= 999);
        CHECK(!(head.chunked && head.content_length));
        told += std::to_string(head.status);
        told += head.reason;
        for (const auto& [name, value] : head.headers) told.append(name).append(value);
      }
      if (got->what == progress::end) return told.append("|end").append(buffer).append(bytes);
      if (got->what == progress::need_more) break;
    }
  }
  return told + (parser.feed_end() ? "|closed" : "|cut");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto what = data[0] == 'H' ? asked::other : data[0] % 2 ? asked::head : asked::connect;
  // The line end makes both look at a last line that is not complete: a line that comes in bytes waits for its
  // end, one that comes whole need not.
  const auto bytes = std::string(reinterpret_cast<const char*>(data), size) + "\n";
  const auto answer = std::string_view(bytes).substr(what == asked::other ? 0 : 1);
  const auto whole = read(answer, what, bytes.size());
  CHECK(read(answer, what, 1) == whole);
  CHECK(read(answer, what, 5) == whole);
  return 0;
}
