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

std::vector<finding> judge(const plan& of, const record& saw);

}  // namespace meshai::simulation
