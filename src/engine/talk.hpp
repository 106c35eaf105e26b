// engine: what the keeper itself asks a llama-server.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "env/world.hpp"
#include "http/http.hpp"

namespace meshai::engine {

class talk {
 public:
  talk(const env::world& world, std::string socket);

  // unavailable while it loads; unreachable or timeout where nothing answers.
  task<result<void>> health(instant by);
  // One token out of `slot`, with `system` in front, which stays there as the beginning of that slot's memory.
  task<result<void>> first_token(int slot, std::string_view system, instant by);
  // One vector.
  task<result<void>> first_vector(instant by);
  // Requests that are being answered or wait for it.
  task<result<std::uint64_t>> busy(instant by);

 private:
  struct reply {
    int status = 0;
    std::string body;
  };
  task<result<reply>> exchange(std::string_view method, std::string_view target, std::string_view body,
                               instant by);

  http::client client_;
  http::origin origin_;
};

// The sum of requests_processing and requests_deferred in llama-server's /metrics.
std::optional<std::uint64_t> parse_busy(std::string_view metrics);
// Whether an answer of /v1/chat/completions counts a token, or one of /v1/embeddings has a vector.
bool has_token(std::string_view body);
bool has_vector(std::string_view body);

}  // namespace meshai::engine
