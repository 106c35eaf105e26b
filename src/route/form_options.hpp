// route: where the options of a question stand in its text, for form.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace meshai::route {

// "A. ...", "(b) ...", "1) ...": at least two whose labels follow each other from the first, on lines of their own
// or, for letters with a bracket, within one.
struct asked_options {
  static constexpr std::size_t most = 10;
  std::string_view stem;  // what comes before; all, where there are none
  std::array<std::string_view, most> options;
  std::size_t count = 0;
};

// Takes blanks and a closing "Answer:" line off first.
asked_options options_in(std::string_view text);

}  // namespace meshai::route
