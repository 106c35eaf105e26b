// chat: what routing looks at in a request.
#pragma once

#include "chat/vocabulary.hpp"

namespace meshai::chat {

// Fills text_size and has_images from the messages and tools.
void measure(request& of);

}  // namespace meshai::chat
