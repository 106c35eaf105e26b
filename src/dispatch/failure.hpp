// dispatch: why nobody answers, as the caller is told.
#pragma once

#include <chrono>
#include <optional>

#include "chat/chat.hpp"

namespace meshai::dispatch {

struct failure {
  chat::problem why;
  std::optional<std::chrono::milliseconds> retry_after;
};

}  // namespace meshai::dispatch
