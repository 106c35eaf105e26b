// env: the doors to the world, handed to constructors. One world per worker (event loop); no globals.
#pragma once

#include "env/awaitable.hpp"

namespace meshai::env {

class clock;
class random;
class entropy;
class network;
class process;
class pool;
class log;
class metrics;

struct world {
  executor loop;  // where this worker's coroutines run; single-threaded
  env::clock& clock;
  env::random& random;
  env::entropy& entropy;
  env::network& network;
  env::process& process;
  env::pool& pool;
  env::log& log;
  env::metrics& metrics;
};

}  // namespace meshai::env
