// sim: child processes that are coroutines.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "env/process.hpp"
#include "sim/core.hpp"

namespace meshai::sim {

struct running_program;

class process final : public env::process {
 public:
  process(core& in, host_parts& on) : core_(in), host_(on) {}
  result<std::unique_ptr<env::child>> start(const env::command& what) override;
  void install(std::string path, program what) { programs_.insert_or_assign(std::move(path), std::move(what)); }
  void crash();

 private:
  core& core_;
  host_parts& host_;
  std::map<std::string, program> programs_;
  std::vector<std::weak_ptr<running_program>> running_;
  int next_pid_ = 1000;
};

}  // namespace meshai::sim
