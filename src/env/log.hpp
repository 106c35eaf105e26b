// env: the log. Typed fields and no free text from outside: no prompt, answer, key or header value can get in,
// because there is no field for them.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace meshai::env {

enum class log_level { debug, info, warning, error };

// A name that we or the operator's configuration made (node, model, state), never text from a request or an
// answer.
struct own_name {
  std::string_view text;
};

struct log_field {
  std::string_view key;
  std::variant<std::int64_t, double, bool, std::chrono::nanoseconds, own_name> value;
};

class log {
 public:
  virtual ~log() = default;
  // `event` is a literal in the field.verb form: "node.rest", "config.swapped".
  virtual void write(log_level level, std::string_view event, std::initializer_list<log_field> fields) = 0;
};

}  // namespace meshai::env
