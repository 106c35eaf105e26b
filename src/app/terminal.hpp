// app: what a person sees: colour only on a terminal, and never where NO_COLOR asks for none (no-color.org).
#pragma once

#include <string>
#include <string_view>

namespace meshai::app {

enum class style { plain, bold, dim, red, green, yellow, cyan };

// Whether this descriptor takes colour.
bool takes_colour(int fd);

// `text` in `how` for standard output (or standard error), plain where that is no terminal.
std::string paint(std::string_view text, style how, int fd = 1);

// Removes control characters but newline and tab, so that no answer can drive the terminal (escape sequences).
std::string printable(std::string_view text);

// "meshai: what" on standard error, or {"error": {"message": what}} on standard output where JSON is wanted.
// Returns `code`.
int complain(std::string_view what, int code, bool json = false);

// Writes all of it to the descriptor; false when nobody reads any more.
bool print(std::string_view text, int fd = 1);

}  // namespace meshai::app
