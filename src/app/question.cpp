#include "app/question.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "app/terminal.hpp"

namespace meshai::app {
namespace {

constexpr std::size_t max_question = 16 << 20;

// One byte more than is allowed, at most: who pipes without end is told so.
std::string read_standard_input() {
  if (::isatty(0) == 1) print(paint("type the question; Ctrl-D ends it\n", style::dim, 2), 2);
  std::string text;
  char piece[65536];
  while (text.size() <= max_question) {
    const auto got = ::read(0, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece, static_cast<std::size_t>(got));
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string put_together(const std::vector<std::string>& words) {
  std::string out;
  bool after_input = false;
  for (const auto& word : words) {
    const bool is_input = word == "-";
    if (!out.empty()) out += is_input || after_input ? "\n\n" : " ";
    out += is_input ? read_standard_input() : word;
    after_input = is_input;
  }
  return out;
}

}  // namespace

result<std::string> read_question(const std::vector<std::string>& words, std::string_view command) {
  if (std::ranges::count(words, "-") > 1)
    return fail(error_kind::refused, "standard input can be read only once; write - once");
  // `meshai ask < letter.txt`: no word is needed where the question comes by a pipe.
  auto text = put_together(words.empty() && ::isatty(0) != 1 ? std::vector<std::string>{"-"} : words);
  if (text.find_first_not_of(" \t\n\r") == std::string::npos) {
    return fail(error_kind::refused,
                fmt::format("there is no question; type: meshai {} \"What is 2+2?\"", command));
  }
  if (text.size() > max_question) return fail(error_kind::refused, "the question is larger than 16 MB");
  return text;
}

}  // namespace meshai::app
