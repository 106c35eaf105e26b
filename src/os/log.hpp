// os: the log as lines on stderr, one write each, so that threads and processes do not tear each other's.
#pragma once

#include <string>

#include "env/clock.hpp"
#include "env/log.hpp"

namespace meshai::os {

class log final : public env::log {
 public:
  log(env::log_level least, bool json, int fd) : least_(least), json_(json), fd_(fd) {}
  void write(env::log_level level, std::string_view event, std::initializer_list<env::log_field> fields) override;

 private:
  env::log_level least_;
  bool json_;
  int fd_;
};

// 2025-01-31T12:00:00.123Z info node.rest node=openai for=30s
// {"time":"2025-01-31T12:00:00.123Z","level":"info","event":"node.rest","node":"openai","for":30}
// Durations are seconds. Both end with a newline.
std::string render_line(wall_time when, env::log_level level, std::string_view event,
                        std::initializer_list<env::log_field> fields);
std::string render_json(wall_time when, env::log_level level, std::string_view event,
                        std::initializer_list<env::log_field> fields);

}  // namespace meshai::os
