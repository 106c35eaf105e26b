// What a model sends when it goes on with an answer that another began. The first byte says how it was asked; then
// what was sent, and behind a zero byte the pieces, with a zero byte between them. Only the beginning of what
// comes may be left out, never something in its midst.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "route/route.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshai::route;
  if (size == 0) return 0;
  const auto how = static_cast<continuation>(data[0] % 3);
  const bool is_json = (data[0] & 0x80) != 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string sent(text.substr(0, text.find('\0')));
  text.remove_prefix(std::min(sent.size() + 1, text.size()));

  seam joins(sent, how, is_json);
  std::string came;
  std::string out;
  bool fits = true;
  while (fits && !text.empty()) {
    const auto piece = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    came += piece;
    fits = joins.feed(piece, out);
  }
  if (!fits || !joins.end(out)) return 0;
  CHECK(came.ends_with(out));
  if (how == continuation::restart && !sent.empty()) CHECK(sent + out == came);
  return 0;
}
