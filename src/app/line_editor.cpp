#include "app/line_editor.hpp"

#include <cwchar>

#include <algorithm>
#include <utility>

namespace meshai::app {
namespace {

constexpr std::size_t longest_text = 1 << 20;
constexpr std::size_t most_remembered = 1000;
constexpr std::string_view paste_begins = "\033[200~", paste_ends = "\033[201~";
constexpr std::string_view quotes = "\"\"\"";

struct sequence {
  std::string_view bytes;
  key_name name;
};

// xterm, its application mode, and what Linux' console, rxvt and kitty send instead.
constexpr sequence sequences[] = {
    {"[A", key_name::up},           {"[B", key_name::down},           {"[C", key_name::right},
    {"[D", key_name::left},         {"[H", key_name::home},           {"[F", key_name::end},
    {"OA", key_name::up},           {"OB", key_name::down},           {"OC", key_name::right},
    {"OD", key_name::left},         {"OH", key_name::home},           {"OF", key_name::end},
    {"[1~", key_name::home},        {"[7~", key_name::home},          {"[4~", key_name::end},
    {"[8~", key_name::end},         {"[3~", key_name::del},           {"[1;5C", key_name::word_right},
    {"[1;5D", key_name::word_left}, {"[1;3C", key_name::word_right},  {"[1;3D", key_name::word_left},
    {"[13;2u", key_name::new_line}, {"[27;2;13~", key_name::new_line}};

constexpr std::pair<char, key_name> controls[] = {
    {'\x01', key_name::home},         {'\x02', key_name::left},         {'\x03', key_name::interrupt},
    {'\x04', key_name::end_of_input}, {'\x05', key_name::end},          {'\x06', key_name::right},
    {'\x08', key_name::backspace},    {'\x09', key_name::tab},          {'\x0a', key_name::new_line},
    {'\x0b', key_name::cut_to_end},   {'\x0c', key_name::clear_screen}, {'\x0d', key_name::enter},
    {'\x0e', key_name::down},         {'\x10', key_name::up},           {'\x15', key_name::cut_to_start},
    {'\x17', key_name::cut_word},     {'\x19', key_name::put_back},     {'\x1a', key_name::suspend},
    {'\x7f', key_name::backspace}};

constexpr std::pair<char, key_name> after_escape[] = {{'\r', key_name::new_line},
                                                      {'\n', key_name::new_line},
                                                      {'b', key_name::word_left},
                                                      {'f', key_name::word_right},
                                                      {'\x7f', key_name::cut_word}};

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Of the character that begins with `first`; 0 where none does.
std::size_t utf8_size(char first) {
  const auto c = static_cast<unsigned char>(first);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c < 0xe0) return 2;
  if (c >= 0xe0 && c < 0xf0) return 3;
  if (c >= 0xf0 && c < 0xf5) return 4;
  return 0;
}

wchar_t code_point(std::string_view character) {
  if (character.size() == 1) return static_cast<unsigned char>(character[0]);
  auto value = static_cast<unsigned char>(character[0]) & (0xffu >> (character.size() + 1));
  for (const char c : character.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return static_cast<wchar_t>(value);
}

// Columns on a terminal; needs a UTF-8 locale for other scripts, else each takes one.
std::size_t width(std::string_view character) {
  const int columns = ::wcwidth(code_point(character));
  return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t';
}

}  // namespace

std::optional<key> key_reader::next() {
  while (!bytes_.empty()) {
    if (bytes_.starts_with(paste_begins)) return take_paste();
    if (bytes_.front() == '\033') {
      const auto before = bytes_.size();
      if (auto taken = take_escape()) return taken;
      if (bytes_.size() == before) return std::nullopt;  // the rest is still to come
      continue;
    }
    const auto before = bytes_.size();
    if (auto taken = take_character()) return taken;
    if (bytes_.size() == before) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<key> key_reader::take_paste() {
  const auto end = bytes_.find(paste_ends);
  if (end == std::string::npos) {
    if (bytes_.size() > longest_text) bytes_.clear();
    return std::nullopt;
  }
  std::string text;
  for (std::size_t i = paste_begins.size(); i < end; ++i) {
    // Terminals send line ends as carriage returns.
    if (bytes_[i] == '\r') {
      text += '\n';
      if (i + 1 < end && bytes_[i + 1] == '\n') ++i;
    } else if (bytes_[i] == '\n' || bytes_[i] == '\t' || static_cast<unsigned char>(bytes_[i]) >= 0x20) {
      text += bytes_[i];
    }
  }
  bytes_.erase(0, end + paste_ends.size());
  return key{key_name::text, std::move(text)};
}

std::optional<key> key_reader::take_escape() {
  if (bytes_.size() < 2) return std::nullopt;
  const std::string_view rest = std::string_view(bytes_).substr(1);
  for (const auto& [first, name] : after_escape) {
    if (rest.front() != first) continue;
    bytes_.erase(0, 2);
    return key{name, {}};
  }
  if (rest.front() != '[' && rest.front() != 'O') {  // Alt with a letter that means nothing here
    bytes_.erase(0, 2);
    return std::nullopt;
  }
  const auto end = std::ranges::find_if(rest.substr(1), [](char c) { return c >= '@' && c <= '~'; });
  if (end == rest.end()) {
    if (rest.size() > 32) bytes_.erase(0, 2);
    return std::nullopt;
  }
  const auto whole = rest.substr(0, static_cast<std::size_t>(end - rest.begin()) + 1);
  if (whole == paste_begins.substr(1)) return std::nullopt;
  const auto* found = std::ranges::find(sequences, whole, &sequence::bytes);
  const bool known = found != std::end(sequences);
  const auto name = known ? found->name : key_name::text;
  bytes_.erase(0, 1 + whole.size());
  return known ? std::optional(key{name, {}}) : std::nullopt;
}

std::optional<key> key_reader::take_character() {
  const char first = bytes_.front();
  for (const auto& [control, name] : controls) {
    if (first != control) continue;
    bytes_.erase(0, 1);
    return key{name, {}};
  }
  const auto size = utf8_size(first);
  if (size == 0 || static_cast<unsigned char>(first) < 0x20) {
    bytes_.erase(0, 1);
    return std::nullopt;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if (i == bytes_.size()) return std::nullopt;
    if (!continues(bytes_[i])) {
      bytes_.erase(0, i);
      return std::nullopt;
    }
  }
  key out{key_name::text, bytes_.substr(0, size)};
  bytes_.erase(0, size);
  return out;
}

void line_editor::begin() {
  text_.clear();
  draft_.clear();
  cursor_ = 0;
  at_ = history_.size();
}

void line_editor::remember(std::string text) {
  if (text.empty() || (!history_.empty() && history_.back() == text)) return;
  history_.push_back(std::move(text));
  if (history_.size() > most_remembered) history_.erase(history_.begin());
}

line_editor::outcome line_editor::press(const key& what) {
  if (move(what) || cut(what)) return outcome::more;
  switch (what.name) {
    case key_name::text:
      insert(what.text);
      return outcome::more;
    case key_name::new_line:
      insert("\n");
      return outcome::more;
    case key_name::enter:
      return enter();
    case key_name::tab:
      tab();
      return outcome::more;
    case key_name::clear_screen:
      return outcome::cleared;
    case key_name::suspend:
      return outcome::suspended;
    case key_name::interrupt:
      return outcome::interrupted;
    case key_name::end_of_input:
      if (text_.empty()) return outcome::ended;
      erase(cursor_, after(cursor_));
      return outcome::more;
    default:
      return outcome::more;
  }
}

line_editor::outcome line_editor::enter() {
  if (!goes_on(text_)) return outcome::sent;
  cursor_ = text_.size();
  insert("\n");
  return outcome::more;
}

bool line_editor::move(const key& what) {
  const auto line_start = [&] { return cursor_ == 0 ? 0 : text_.rfind('\n', cursor_ - 1) + 1; };
  switch (what.name) {
    case key_name::left:
      cursor_ = before(cursor_);
      return true;
    case key_name::right:
      cursor_ = after(cursor_);
      return true;
    case key_name::word_left:
      cursor_ = word_before(cursor_);
      return true;
    case key_name::word_right:
      cursor_ = word_after(cursor_);
      return true;
    case key_name::home:
      cursor_ = line_start();
      return true;
    case key_name::end:
      cursor_ = std::min(text_.find('\n', cursor_), text_.size());
      return true;
    case key_name::up:
      go_line(-1);
      return true;
    case key_name::down:
      go_line(1);
      return true;
    default:
      return false;
  }
}

bool line_editor::cut(const key& what) {
  const auto keep = [&](std::size_t from, std::size_t to) {
    cut_ = text_.substr(from, to - from);
    erase(from, to);
    return true;
  };
  switch (what.name) {
    case key_name::backspace:
      erase(before(cursor_), cursor_);
      return true;
    case key_name::del:
      erase(cursor_, after(cursor_));
      return true;
    case key_name::cut_to_end: {
      auto end = std::min(text_.find('\n', cursor_), text_.size());
      if (end == cursor_) end = after(cursor_);  // at a line's end: the line end itself
      return keep(cursor_, end);
    }
    case key_name::cut_to_start:
      return keep(cursor_ == 0 ? 0 : text_.rfind('\n', cursor_ - 1) + 1, cursor_);
    case key_name::cut_word:
      return keep(word_before(cursor_), cursor_);
    case key_name::put_back:
      insert(cut_);
      return true;
    default:
      return false;
  }
}

void line_editor::insert(std::string_view text) {
  if (text_.size() + text.size() > longest_text) return;
  text_.insert(cursor_, text);
  cursor_ += text.size();
}

void line_editor::erase(std::size_t from, std::size_t to) {
  text_.erase(from, to - from);
  cursor_ = from;
}

// To the line above or below; from the first and the last one into the history.
void line_editor::go_line(int by) {
  const auto start = cursor_ == 0 ? 0 : text_.rfind('\n', cursor_ - 1) + 1;
  const auto end = text_.find('\n', cursor_);
  if ((by < 0 && start == 0) || (by > 0 && end == std::string::npos)) return go_history(by);
  std::size_t column = 0;
  for (auto i = start; i < cursor_; i = after(i)) ++column;
  cursor_ = by > 0 ? end + 1 : (start == 1 ? 0 : text_.rfind('\n', start - 2) + 1);
  for (; column > 0 && cursor_ < text_.size() && text_[cursor_] != '\n'; --column) cursor_ = after(cursor_);
}

void line_editor::go_history(int by) {
  if ((by < 0 && at_ == 0) || (by > 0 && at_ >= history_.size())) return;
  if (at_ >= history_.size()) draft_ = text_;
  at_ = by < 0 ? at_ - 1 : at_ + 1;
  text_ = at_ == history_.size() ? draft_ : history_[at_];
  cursor_ = text_.size();
}

void line_editor::tab() {
  if (!complete_ || cursor_ != text_.size() || !text_.starts_with('/')) return;
  const auto all = complete_(text_);
  if (all.empty()) return;
  auto common = all.front();
  for (const auto& one : all) {
    const auto [mine, other] = std::ranges::mismatch(common, one);
    common.erase(mine, common.end());
  }
  if (all.size() == 1) common += ' ';
  if (common.size() > text_.size()) text_ = common;
  cursor_ = text_.size();
}

std::size_t line_editor::before(std::size_t at) const {
  if (at == 0) return 0;
  do --at;
  while (at > 0 && continues(text_[at]));
  return at;
}

std::size_t line_editor::after(std::size_t at) const {
  if (at >= text_.size()) return text_.size();
  do ++at;
  while (at < text_.size() && continues(text_[at]));
  return at;
}

std::size_t line_editor::word_before(std::size_t at) const {
  while (at > 0 && is_blank(text_[at - 1])) --at;
  while (at > 0 && !is_blank(text_[at - 1])) --at;
  return at;
}

std::size_t line_editor::word_after(std::size_t at) const {
  while (at < text_.size() && is_blank(text_[at])) ++at;
  while (at < text_.size() && !is_blank(text_[at])) ++at;
  return at;
}

bool goes_on(std::string_view text) {
  if (text.starts_with(quotes)) return text.find(quotes, quotes.size()) == std::string_view::npos;
  return text.ends_with('\\');
}

std::string meant(std::string_view text) {
  if (text.starts_with(quotes)) {
    text.remove_prefix(quotes.size());
    const auto end = text.find(quotes);
    text = text.substr(0, end);
    if (text.starts_with('\n')) text.remove_prefix(1);
    if (text.ends_with('\n')) text.remove_suffix(1);
    return std::string(text);
  }
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && (i + 1 == text.size() || text[i + 1] == '\n')) continue;
    out += text[i];
  }
  return out;
}

picture lay_out(std::string_view prompt, std::string_view more, std::string_view text, std::size_t cursor,
                std::size_t columns) {
  picture out;
  columns = std::max(columns, prompt.size() + 2);
  out.rows.emplace_back(prompt);
  auto column = prompt.size();
  const auto begin_row = [&](std::string_view with) {
    out.rows.emplace_back(with);
    column = with.size();
  };
  for (std::size_t i = 0; i <= text.size();) {
    const bool here = i == cursor;
    const auto size = i < text.size() ? std::max<std::size_t>(1, utf8_size(text[i])) : 1;
    const auto character = text.substr(i, size);
    const bool shown = i < text.size() && text[i] != '\n';
    const auto takes = shown ? width(character) : 0;
    if (column + std::max<std::size_t>(takes, here ? 1 : 0) > columns) begin_row("");
    if (here) {
      out.cursor_row = out.rows.size() - 1;
      out.cursor_column = column;
    }
    if (shown) {
      // A control character that was pasted would drive the terminal.
      out.rows.back() += static_cast<unsigned char>(text[i]) < 0x20 ? std::string_view(" ") : character;
      column += takes;
    } else if (i < text.size()) {
      begin_row(more);
    }
    i += size;
  }
  return out;
}

}  // namespace meshai::app
