// Requests: however the bytes are cut, the parser tells the same, and it never reads beyond what it was given.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "wire/wire.hpp"

namespace {

using namespace meshai::wire;

std::string read(std::string_view bytes, std::size_t size) {
  constexpr head_limits limits{.bytes = 4096, .fields = 20};
  request_parser parser(limits);
  parser.limit_body(1000);
  std::string told;     // of the messages that are complete
  std::string current;  // of the one that is not: how much of it is told before it breaks depends on the cut
  std::string buffer;
  while (!bytes.empty()) {
    buffer += bytes.substr(0, size);
    bytes.remove_prefix(std::min(size, bytes.size()));
    for (;;) {
      const std::string exact = buffer;  // its own memory: reading past its end is seen
      const auto got = parser.feed(exact);
      if (!got) return told + "refused " + std::to_string(parser.refusal_status());
      CHECK(got->consumed <= exact.size());
      buffer.erase(0, got->consumed);
      current += got->body;
      if (got->what == progress::head) {
        const auto& head = parser.head();
        current.append(head.method).append(head.target).append(head.authority);
        for (const auto& [name, value] : head.headers) current.append(name).append(value);
        CHECK(!(head.chunked && head.content_length));
        CHECK(!head.http_1_1 || head.headers.count("host") == 1);
        CHECK(head.headers.count("content-length") <= 1);
      }
      if (got->what == progress::end) {
        told += current + '\n';
        current.clear();
        parser.reset();
        parser.limit_body(1000);
        if (buffer.empty()) break;
      }
      if (got->what == progress::need_more) break;
    }
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The line end makes both look at a last line that is not complete: a line that comes in bytes waits for its
  // end, one that comes whole need not.
  const auto bytes = std::string(reinterpret_cast<const char*>(data), size) + "\n";
  const auto whole = read(bytes, bytes.size());
  CHECK(read(bytes, 1) == whole);
  CHECK(read(bytes, 5) == whole);
  return 0;
}
