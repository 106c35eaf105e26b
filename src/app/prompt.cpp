#include "app/prompt.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <clocale>

#include <fmt/format.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <utility>

#include "app/terminal.hpp"

namespace meshai::app {
namespace {

constexpr std::string_view first = "you> ", more = "...> ";
constexpr std::string_view paste_on = "\033[?2004h", paste_off = "\033[?2004l";

// As the terminal was before us. A signal that ends us finds it here.
termios as_it_was;
bool is_changed = false;

void restore() {
  if (std::exchange(is_changed, false)) ::tcsetattr(0, TCSADRAIN, &as_it_was);
}

extern "C" void restore_and_end(int number) {
  if (is_changed) ::tcsetattr(0, TCSANOW, &as_it_was);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

// Nothing is echoed or waits for a line's end, and Enter stays what it is: what is typed ahead of a prompt is read
// by it as if it had been typed at it. `with_signals`: Ctrl-C is one, for the time of an answer.
void change(bool with_signals) {
  termios now{};
  if (::tcgetattr(0, &now) != 0) return;
  if (!is_changed) as_it_was = now;
  now = as_it_was;
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  now.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON);
  if (!with_signals) now.c_lflag &= ~static_cast<tcflag_t>(ISIG);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  is_changed = true;
  ::tcsetattr(0, TCSADRAIN, &now);
}

struct size {
  std::size_t columns = 80, rows = 24;
};
size terminal_size() {
  winsize is{};
  if (::ioctl(1, TIOCGWINSZ, &is) != 0 || is.ws_col == 0 || is.ws_row == 0) return {};
  return {is.ws_col, is.ws_row};
}

}  // namespace

prompt::prompt(line_editor::completer complete)
    : editor_(std::move(complete)), terminal_(::isatty(0) == 1 && ::isatty(1) == 1) {
  if (!terminal_) return;
  ::setlocale(LC_CTYPE, "C.UTF-8");  // for the width of characters
  for (const int number : {SIGTERM, SIGHUP}) ::signal(number, restore_and_end);
  ::signal(SIGINT, SIG_IGN);  // who waits for an answer catches it
  change(true);
}

prompt::~prompt() {
  restore();
}

std::optional<std::string> prompt::read() {
  if (!terminal_) return read_piped();
  change(false);
  print(paste_on);
  editor_.begin();
  row_ = 0;
  draw();
  const auto leave = [&] {
    leave_screen();
    print(paste_off);
    change(true);
  };
  for (;;) {
    while (auto pressed = keys_.next()) {
      using outcome = line_editor::outcome;
      switch (editor_.press(*pressed)) {
        case outcome::more:
          break;
        case outcome::sent:
          leave();
          editor_.remember(editor_.text());
          return meant(editor_.text());
        case outcome::ended:
          leave();
          return std::nullopt;
        case outcome::interrupted: {
          const bool was_empty = editor_.text().empty();
          leave_screen();
          if (was_empty) print(paint("Ctrl-D or /quit leaves\n", style::dim));
          editor_.begin();
          break;
        }
        case outcome::cleared:
          print("\033[H\033[2J");
          row_ = 0;
          break;
        case outcome::suspended:
          leave();
          restore();
          ::raise(SIGTSTP);
          change(false);
          print(paste_on);
          break;
      }
    }
    draw();
    char bytes[4096];
    const auto got = ::read(0, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      leave();
      return std::nullopt;
    }
    keys_.feed({bytes, static_cast<std::size_t>(got)});
  }
}

std::optional<std::string> prompt::read_piped() {
  std::string text, part;
  while (std::getline(std::cin, part)) {
    text += part;
    if (!goes_on(text)) return meant(text);
    text += '\n';
  }
  return text.empty() ? std::nullopt : std::optional(meant(text));
}

// Draws the whole text anew where it stands. One that is higher than the screen is shown around the cursor.
void prompt::draw(bool at_the_end) {
  const auto [columns, height] = terminal_size();
  const auto cursor = at_the_end ? editor_.text().size() : editor_.cursor();
  auto shown = lay_out(first, more, editor_.text(), cursor, columns);
  std::size_t top = 0;
  if (shown.rows.size() > height) {
    top = std::min(shown.cursor_row - std::min(shown.cursor_row, height / 2), shown.rows.size() - height);
    shown.rows = {shown.rows.begin() + static_cast<std::ptrdiff_t>(top),
                  shown.rows.begin() + static_cast<std::ptrdiff_t>(top + height)};
  }
  std::string out = row_ > 0 ? fmt::format("\033[{}A", row_) : "";
  out += "\r\033[J";
  for (std::size_t i = 0; i < shown.rows.size(); ++i) {
    const auto& row = shown.rows[i];
    if (i > 0) out += "\r\n";
    const bool prompted = row.starts_with(i == 0 && top == 0 ? first : more);
    out += prompted ? paint(row.substr(0, first.size()), style::cyan) + row.substr(first.size()) : row;
  }
  row_ = shown.cursor_row - top;
  if (const auto up = shown.rows.size() - 1 - row_; up > 0) out += fmt::format("\033[{}A", up);
  out += '\r';
  if (shown.cursor_column > 0) out += fmt::format("\033[{}C", shown.cursor_column);
  print(out);
}

// Below what was typed.
void prompt::leave_screen() {
  draw(true);
  print("\r\n");
  row_ = 0;
}

}  // namespace meshai::app
