// app: the first words with a node that was just started: is anybody there to answer, and what does it say?
#pragma once

#include <string>
#include <string_view>

#include "app/owner.hpp"
#include "app/paths.hpp"

namespace meshai::app {

inline constexpr std::string_view first_question = "What is 2+2?";

struct greeting {
  bool ready = false;   // somebody can answer
  std::string address;  // the first one that the node listens at
  std::string trouble;  // what keeps engines and nodes from answering, a line each
  spoken answer;        // to the first question; nothing where none was asked
};

// Waits until every engine answers or has given up, and somebody can answer; then asks, unless `quiet`.
task<void> greet(env::world world, const paths& where, bool quiet, greeting& out);

}  // namespace meshai::app
