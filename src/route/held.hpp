// route: what a conversation holds that should not travel far. Internal.
#pragma once

#include "care/care.hpp"
#include "chat/chat.hpp"

namespace meshai::route {

// Looks at everything that would be sent as text: all messages, tool calls and their results, tools, names,
// members this build does not know. Not into pictures, sound, encoded files and tokens.
care::found look_through(const chat::request& asked, care::content_set wanted = care::all_contents);

}  // namespace meshai::route
