// os: TLS 1.2 and 1.3 over any stream (RFC 5246, RFC 8446).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "env/network.hpp"

namespace meshai::os {

struct client_context;

// What clients trust, built once for each set of authorities and kept while the files stay as they are. Shared by
// all workers.
class tls_contexts {
 public:
  tls_contexts();
  ~tls_contexts();

  task<result<std::unique_ptr<env::stream>>> secure_client(executor loop, std::unique_ptr<env::stream> plain,
                                                           std::string host, env::trust anchors, instant deadline);

 private:
  result<std::shared_ptr<client_context>> find(const env::trust& anchors);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<client_context>> contexts_;  // by files and their times
};

task<result<std::unique_ptr<env::stream>>> secure_server(executor loop, std::unique_ptr<env::stream> plain,
                                                         std::shared_ptr<const env::identity> who,
                                                         instant deadline);
result<std::shared_ptr<const env::identity>> load_identity(const std::string& cert_file,
                                                           const std::string& key_file);

}  // namespace meshai::os
