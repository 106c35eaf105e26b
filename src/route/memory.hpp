// route: what a process remembers beyond the health of its nodes.
#pragma once

#include "route/conversations.hpp"
#include "route/experience.hpp"

namespace meshai::route {

struct memory {
  explicit memory(std::uint64_t salt) : conversations(salt) {}
  route::conversations conversations;
  experience learned;
};

}  // namespace meshai::route
