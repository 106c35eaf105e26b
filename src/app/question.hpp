// app: a question as it is typed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace meshai::app {

// The words as they were typed; "-" among them is standard input, on lines of its own, and so is no word where
// input is piped. refused, saying what to type behind `meshai` + command, where there is none or too much of it.
result<std::string> read_question(const std::vector<std::string>& words, std::string_view command);

}  // namespace meshai::app
