// app: a conversation in the terminal as data: its system prompt, and how it is written down.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/owner.hpp"
#include "base/error.hpp"

namespace meshai::app {

// "/word rest", the rest without blanks around it.
std::pair<std::string, std::string> split_command(std::string_view typed);

// Replaces the system prompt; an empty text removes it.
void set_system(std::vector<line>& lines, std::string text);

// To a file of the user's (0600, replaced whole): the messages as JSON where its name ends in .json, else
// Markdown.
result<void> save_conversation(const std::vector<line>& lines, const std::string& file);

// What save_conversation wrote as JSON, or any list of {role, content}.
result<std::vector<line>> load_conversation(const std::string& file);

}  // namespace meshai::app
