// sim: a host's clock, dice, entropy, pool and log.
#pragma once

#include <string>

#include "env/log.hpp"
#include "env/pool.hpp"
#include "env/random.hpp"
#include "sim/core.hpp"

namespace meshai::sim {

class clock final : public env::clock {
 public:
  explicit clock(core& in) : core_(in) {}
  instant now() const override { return core_.now; }
  wall_time wall() const override;
  task<void> sleep_until(instant when) override;

 private:
  core& core_;
};

class random final : public env::random {
 public:
  explicit random(std::uint64_t seed) : dice_(seed) {}
  std::uint64_t next() override { return dice_.next(); }

 private:
  dice dice_;
};

class entropy final : public env::entropy {
 public:
  explicit entropy(std::uint64_t seed) : dice_(seed) {}
  void fill(std::span<std::byte> into) override;

 private:
  dice dice_;
};

// Inline: virtual time has no other thread to run on.
class pool final : public env::pool {
 public:
  task<void> run(std::move_only_function<void()> work) override;
};

class log final : public env::log {
 public:
  log(core& in, const std::string& host) : core_(in), host_(host) {}
  void write(env::log_level level, std::string_view event, std::initializer_list<env::log_field> fields) override;

 private:
  core& core_;
  const std::string& host_;
};

}  // namespace meshai::sim
