// What must hold of every run, judged from outside.
#pragma once

#include <string>
#include <vector>

#include "stage.hpp"

namespace meshai::simulation {

struct finding {
  std::string rule;  // short and stable: a run that is made smaller must still break the same one
  std::string what;
};

// The rules of one answer's text, calls and thoughts. `may_loop`: somebody who says one word without end had a
// part in it.
void judge_text(const heard& got, bool may_loop, std::vector<finding>& found);

std::vector<finding> judge(const plan& of, const record& saw);

}  // namespace meshai::simulation
