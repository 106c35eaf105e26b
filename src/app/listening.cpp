#include "app/listening.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "app/config_check.hpp"
#include "os/listener.hpp"

namespace meshai::app {

std::size_t worker_count(const api_config& api) {
  if (api.workers > 0) return static_cast<std::size_t>(api.workers);
  return std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
}

result<std::vector<std::vector<os::descriptor>>> open_listeners(const api_config& api) {
  std::vector<std::vector<os::descriptor>> out(worker_count(api));
  for (auto at : listen_addresses(api)) {
    for (auto& worker : out) {
      auto opened = os::open_listener(at, out.size() > 1);
      if (!opened) {
        // Of the two addresses that nobody asked for by name, a machine may lack IPv6.
        if (api.listen.empty() && at.ip == "::1") break;
        return fail(error_kind::refused,
                    fmt::format("{}; meshai doctor says which program is there, and another listen in [api] gets "
                                "out of its way",
                                opened.error().detail));
      }
      at = os::listens_at(opened->get()).value_or(at);  // port 0 became a real one, the same for every worker
      worker.push_back(*std::move(opened));
    }
  }
  return out;
}

}  // namespace meshai::app
