#include "os/process.hpp"

namespace meshai::os {

result<std::unique_ptr<env::child>> process::start(const env::command&) {
  return fail(error_kind::unavailable, "processes are not there yet");
}

}  // namespace meshai::os
