#include "route/form_options.hpp"

#include <algorithm>

namespace meshai::route {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

bool begins_with_answer(std::string_view line) {
  constexpr std::string_view word = "answer";
  return line.size() >= word.size() && line.size() <= 24 &&
         std::ranges::equal(word, line.substr(0, word.size()), {}, {},
                            [](char c) { return static_cast<char>(c | 0x20); });
}

std::string_view without_closing(std::string_view text) {
  text = trimmed(text);
  const auto line = text.find_last_of('\n');
  if (line == text.npos || !text.ends_with(':') || !begins_with_answer(text.substr(line + 1))) return text;
  return trimmed(text.substr(0, line));
}

enum class label_kind { none, upper, small, digit };

struct label {
  label_kind kind = label_kind::none;
  char mark = 0;  // '.', ')', ':'
  bool opened = false;
  std::size_t index = 0, size = 0;
  bool operator==(const label&) const = default;
  bool same_style(const label& other) const {
    return kind == other.kind && mark == other.mark && opened == other.opened;
  }
};

// The label that `text` begins with.
label label_at(std::string_view text) {
  label made;
  std::size_t at = 0;
  if (text.starts_with('(')) made.opened = true, ++at;
  if (at + 1 >= text.size()) return {};
  const char c = text[at++];
  if (c >= 'A' && c <= 'J') {
    made.kind = label_kind::upper, made.index = static_cast<std::size_t>(c - 'A');
  } else if (c >= 'a' && c <= 'j') {
    made.kind = label_kind::small, made.index = static_cast<std::size_t>(c - 'a');
  } else if (c >= '1' && c <= '9') {
    made.kind = label_kind::digit, made.index = static_cast<std::size_t>(c - '1');
  } else {
    return {};
  }
  made.mark = text[at++];
  if (made.mark != ')' && (made.opened || (made.mark != '.' && made.mark != ':'))) return {};
  if (at < text.size() && !is_blank(text[at])) return {};
  made.size = at;
  return made;
}

}  // namespace

asked_options options_in(std::string_view text) {
  text = without_closing(text);
  asked_options found{text, {}, 0};
  std::array<std::size_t, asked_options::most> starts{};  // of labels
  label last;
  std::size_t run = 0;
  bool line_begins = true, word_begins = true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (word_begins && !is_blank(c)) {
      const auto here = label_at(text.substr(at));
      if (here.kind != label_kind::none && (line_begins || here.mark == ')')) {
        if (run > 0 && run < starts.size() && here.same_style(last) && here.index == run) {
          starts[run++] = at;
          last = here;
        } else if (here.index == 0) {
          starts[0] = at;
          run = 1;
          last = here;
        }
      }
      line_begins = false;
    }
    word_begins = is_blank(c);
    if (c == '\n') line_begins = true;
  }
  if (run < 2 || starts[0] == 0) return found;
  found.stem = trimmed(text.substr(0, starts[0]));
  found.count = run;
  for (std::size_t i = 0; i < run; ++i) {
    const auto end = i + 1 < run ? starts[i + 1] : text.size();
    const auto whole = text.substr(starts[i], end - starts[i]);
    found.options[i] = trimmed(whole.substr(label_at(whole).size));
  }
  return found;
}

}  // namespace meshai::route
