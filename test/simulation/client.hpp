// A caller: raw HTTP over a stream, as slow, as impatient and as persistent as its plan says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env/network.hpp"
#include "env/world.hpp"
#include "heard.hpp"
#include "watch.hpp"

namespace meshai::simulation {

struct errands {
  const plan& of;
  env::address door;
  journal& seen;
  mischief what = mischief::none;
};

// Asks everything that `who` is to ask, one after the other; `out` has one place for each. It gives up waiting
// long after the last deadline.
task<void> run_caller(env::world world, const errands& all, const caller& who, std::vector<heard>& out, int& left);

// One request outside of any plan, on a connection of its own.
task<std::string> fetch(env::world world, env::address door, std::string request);

// `padded_to`: white space up to that many bytes of body.
std::string request_text(const errands& all, int key, const std::string& tag, const ask& what,
                         std::size_t padded_to = 0);

}  // namespace meshai::simulation
