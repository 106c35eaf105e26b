// app: a question read at a terminal, with editing, history and several lines; plain lines where input is piped.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/line_editor.hpp"

namespace meshai::app {

// While it lives, the terminal echoes nothing by itself; Ctrl-C is a signal but while read() waits, and ignored
// unless somebody catches it.
class prompt {
 public:
  explicit prompt(line_editor::completer complete);
  ~prompt();
  prompt(const prompt&) = delete;
  prompt& operator=(const prompt&) = delete;

  bool at_terminal() const { return terminal_; }
  // The next text that was sent; nothing at the end of input (Ctrl-D). Never kept on disk.
  std::optional<std::string> read();

 private:
  std::optional<std::string> read_piped();
  void draw(bool at_the_end = false);
  void leave_screen();

  line_editor editor_;
  key_reader keys_;
  bool terminal_;
  std::size_t row_ = 0;  // where the cursor stands, from the first row that was drawn
};

}  // namespace meshai::app
