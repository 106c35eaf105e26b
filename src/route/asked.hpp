// route: what a conversation asks for in its latest turn. "Yes" asks for what was offered.
#pragma once

#include <string_view>
#include <vector>

#include "chat/chat.hpp"

namespace meshai::route {

// The texts of the last user message. Where it says too little to go by, those of the user messages before it up
// to one that says more, and the question with which the last answer ended.
std::vector<std::string_view> texts_asked(const chat::request& of);

}  // namespace meshai::route
