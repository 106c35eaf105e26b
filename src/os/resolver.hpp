// os: names to numeric addresses through c-ares: /etc/hosts first, then DNS, neither of them on a loop's thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "env/clock.hpp"
#include "os/mailbox.hpp"

namespace meshai::os {

// Shared by all workers. The first look-up starts c-ares' thread.
class resolver {
 public:
  explicit resolver(std::string name_servers);
  ~resolver();
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  // unreachable: no such name, or no name server that answers; malformed: not a host name. A query that was given
  // up goes on in the background, within c-ares' own bounds, and feeds nobody.
  task<result<std::vector<std::string>>> resolve(executor loop, std::shared_ptr<mailbox> home, std::string host,
                                                 instant deadline);

 private:
  struct channel;
  struct entry {
    std::vector<std::string> addresses;
    instant until;
  };

  result<channel*> open();
  std::vector<std::string> cached(const std::string& host);
  void remember(const std::string& host, const std::vector<std::string>& addresses, std::chrono::seconds life);

  const std::string name_servers_;
  std::mutex mutex_;
  std::unique_ptr<channel> channel_;
  std::unordered_map<std::string, entry> cache_;
};

}  // namespace meshai::os
