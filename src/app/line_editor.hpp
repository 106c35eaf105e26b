// app: what is typed at a terminal becomes keys, and keys become a text of one or more lines. Pure: bytes in, a
// picture of the screen out. The terminal itself is in prompt.hpp.
//
// Enter sends; Alt-Enter or Ctrl-J begins a new line, and so does Enter after a backslash or inside """ ... """.
// What is pasted is text, line ends included, and never sends.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meshai::app {

enum class key_name {
  text,  // of one character, or of everything that was pasted
  enter,
  new_line,
  left,
  right,
  up,
  down,
  home,
  end,
  word_left,
  word_right,
  backspace,
  del,
  cut_to_end,
  cut_to_start,
  cut_word,
  put_back,  // what was cut last
  tab,
  clear_screen,
  interrupt,
  end_of_input,
  suspend,
};

struct key {
  key_name name = key_name::text;
  std::string text;
};

// Bytes of a terminal in raw mode (UTF-8, xterm's sequences, bracketed paste) as keys. What is no key is dropped.
class key_reader {
 public:
  void feed(std::string_view bytes) { bytes_ += bytes; }
  std::optional<key> next();

 private:
  std::optional<key> take_escape();
  std::optional<key> take_paste();
  std::optional<key> take_character();
  std::string bytes_;
};

class line_editor {
 public:
  enum class outcome { more, sent, interrupted, ended, cleared, suspended };

  // `complete` gives what a beginning can become; asked at the end of a line that begins with '/'.
  using completer = std::function<std::vector<std::string>(std::string_view)>;
  explicit line_editor(completer complete = {}) : complete_(std::move(complete)) {}

  // Empties the line.
  void begin();
  outcome press(const key& what);
  // `sent` texts can be had again by the arrow keys, as long as the editor lives.
  void remember(std::string text);

  const std::string& text() const { return text_; }
  std::size_t cursor() const { return cursor_; }  // a byte of text(), at a character's beginning

 private:
  bool move(const key& what);
  bool cut(const key& what);
  void insert(std::string_view text);
  void erase(std::size_t from, std::size_t to);
  void go_line(int by);
  void go_history(int by);
  void tab();
  outcome enter();
  std::size_t before(std::size_t at) const;
  std::size_t after(std::size_t at) const;
  std::size_t word_before(std::size_t at) const;
  std::size_t word_after(std::size_t at) const;

  completer complete_;
  std::string text_, cut_, draft_;
  std::size_t cursor_ = 0;
  std::vector<std::string> history_;
  std::size_t at_ = 0;  // in history_; its size: the draft
};

// True where Enter goes on instead of sending: after a backslash, or while """ is open.
bool goes_on(std::string_view text);

// What was meant: a backslash before a line end is the line end, and """ around the text are not part of it.
std::string meant(std::string_view text);

struct picture {
  std::vector<std::string> rows;
  std::size_t cursor_row = 0, cursor_column = 0;
};
// `text` behind `prompt` (its further lines behind `more`, as wide), broken at `columns`. Both prompts are ASCII.
picture lay_out(std::string_view prompt, std::string_view more, std::string_view text, std::size_t cursor,
                std::size_t columns);

}  // namespace meshai::app
