#include "app/terminal.hpp"

#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdlib>

namespace meshai::app {

bool takes_colour(int fd) {
  const char* none = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && !(none && *none) && term && std::string_view(term) != "dumb";
}

std::string paint(std::string_view text, style how, int fd) {
  constexpr std::array<std::string_view, 7> codes{"", "1", "2", "31", "32", "33", "36"};
  if (how == style::plain || !takes_colour(fd)) return std::string(text);
  return std::string("\033[")
      .append(codes[static_cast<std::size_t>(how)])
      .append("m")
      .append(text)
      .append("\033[0m");
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) continue;
    // C1 controls in UTF-8: C2 80 .. C2 9F.
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      ++i;
      continue;
    }
    out += text[i];
  }
  return out;
}

int complain(std::string_view what, int code, bool json) {
  namespace js = boost::json;
  while (what.ends_with('\n')) what.remove_suffix(1);
  if (json) {
    print(js::serialize(js::object{{"error", js::object{{"message", what}}}}) + "\n");
  } else {
    print("meshai: " + printable(what) + "\n", 2);
  }
  return code;
}

bool print(std::string_view text, int fd) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace meshai::app
