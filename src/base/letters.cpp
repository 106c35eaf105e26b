#include "base/letters.hpp"

namespace meshai {

letter letter_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned lead = byte(0);
  const auto left = text.size() - at;
  const auto tail = [&](std::size_t i) { return byte(i) & 0x3fu; };
  const auto follows = [&](std::size_t n) {
    if (left <= n) return false;
    for (std::size_t i = 1; i <= n; ++i) {
      if ((byte(i) & 0xc0u) != 0x80u) return false;
    }
    return true;
  };
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xc2 && lead < 0xe0 && follows(1)) return {(lead & 0x1f) << 6 | tail(1), 2};
  if (lead >= 0xe0 && lead < 0xf0 && follows(2)) return {(lead & 0x0f) << 12 | tail(1) << 6 | tail(2), 3};
  if (lead >= 0xf0 && lead < 0xf5 && follows(3)) {
    return {(lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4};
  }
  return {0xfffd, 1};
}

void append_letter(std::string& to, char32_t c) {
  if (c < 0x80) {
    to += static_cast<char>(c);
  } else if (c < 0x800) {
    to += static_cast<char>(0xc0 | c >> 6);
    to += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    to += static_cast<char>(0xe0 | c >> 12);
    to += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (c & 0x3f));
  }
}

char32_t lower(char32_t c) {
  if (c < 0x80) return c >= U'A' && c <= U'Z' ? c + 32 : c;
  if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
    return c + 32;
  if (c >= 0x400 && c <= 0x40f) return c + 80;
  // Pairs of capital and small letter, as Polish, Czech and Turkish have them.
  if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177)) return c | 1;
  return c;
}

bool stands_alone(char32_t c) {
  return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7af) ||
         (c >= 0xf900 && c <= 0xfaff) || c >= 0x20000;
}

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || c == U'\'' || c == U'-';
  return (c >= 0xc0 && c != 0xd7 && c != 0xf7 && c < 0x2000 && c != 0x964) || c == 0x2019;
}

}  // namespace meshai
