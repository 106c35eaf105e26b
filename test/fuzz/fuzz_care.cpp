// What a text holds: any bytes. The same text between line ends holds the same, and with another one behind it no
// less; but what it is about is told by its words together.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "care/care.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshai::care;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto alone = look(text);
  CHECK(look("\n" + text + "\n") == alone);
  const auto twice = look(text + "\n\n" + text);
  for (const auto each : kinds) {
    const bool subject = each == kind::medical || each == kind::legal;
    CHECK(subject || twice.count(each) >= alone.count(each));
  }
  return 0;
}
