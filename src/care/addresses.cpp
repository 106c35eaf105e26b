#include "care/addresses.hpp"

#include "care/letters.hpp"

namespace meshai::care {
namespace {

// RFC 5321 4.5.3.1
constexpr std::size_t longest_local = 64, longest_domain = 255;

bool is_local(char c) {
  constexpr std::string_view signs = "._-+%'";
  return is_word(c) || is_beyond_ascii(c) || signs.contains(c);
}

// "icon@2x.png" is a file.
bool is_file_ending(std::string_view top) {
  constexpr std::array<std::string_view, 12> files{"png", "jpg", "jpeg", "gif", "svg", "webp",
                                                   "js",  "ts",  "css",  "tgz", "zip", "json"};
  return std::ranges::contains(files, top);
}

// Of "https://user:word@host", what stands before "word".
bool is_in_url(std::string_view text, std::size_t end) {
  if (end == 0 || text[end - 1] != ':') return false;
  auto begin = end - 1;
  while (begin > 0 && end - begin < longest_local && is_local(text[begin - 1])) --begin;
  return text.substr(0, begin).ends_with("//");
}

bool is_email(std::string_view text, std::size_t sign) {
  auto begin = sign;
  while (begin > 0 && sign - begin < longest_local && is_local(text[begin - 1])) --begin;
  const auto local = text.substr(begin, sign - begin);
  if (local.empty() || local.ends_with('.')) return false;
  // "https://user:word@host" and "git@host:path" are no addresses of persons.
  if (local == "git" || is_in_url(text, begin)) return false;
  auto end = sign + 1;
  auto last_dot = std::string_view::npos;
  for (; end < text.size() && end - sign <= longest_domain; ++end) {
    if (text[end] == '.' && end + 1 < text.size() && (is_word(text[end + 1]) || is_beyond_ascii(text[end + 1]))) {
      last_dot = end;
    } else if (!is_word(text[end]) && !is_beyond_ascii(text[end]) && text[end] != '-') {
      break;
    }
  }
  if (last_dot == std::string_view::npos || last_dot == sign + 1) return false;
  const auto top = text.substr(last_dot + 1, end - last_dot - 1);
  return top.size() >= 2 && !is_file_ending(top) &&
         std::ranges::all_of(top, [](char c) { return is_letter(c) || is_beyond_ascii(c) || c == '-'; });
}

}  // namespace

void look_for_emails(std::string_view text, found& into) {
  for (auto at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    if (is_email(text, at)) into.add(kind::email);
  }
}

}  // namespace meshai::care
