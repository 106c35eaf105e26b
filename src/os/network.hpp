// os: a worker's door to the network.
#pragma once

#include <memory>

#include "env/network.hpp"
#include "os/mailbox.hpp"
#include "os/resolver.hpp"
#include "os/tls.hpp"
#include "os/ways.hpp"

namespace meshai::os {

class network final : public env::network {
 public:
  network(executor loop, resolver& names, tls_contexts& contexts, std::shared_ptr<mailbox> home);

  task<result<std::vector<std::string>>> resolve(std::string host, instant deadline) override;
  task<result<std::unique_ptr<env::stream>>> dial(env::address to, instant deadline) override;
  void watch_ways(std::function<void()> tell) override { ways_->watch(std::move(tell)); }
  result<std::unique_ptr<env::listener>> listen(const env::address& at, bool reuse_port) override;
  task<result<std::unique_ptr<env::stream>>> secure_client(std::unique_ptr<env::stream> plain, std::string host,
                                                           env::trust anchors, instant deadline) override;
  task<result<std::unique_ptr<env::stream>>> secure_server(std::unique_ptr<env::stream> plain,
                                                           std::shared_ptr<const env::identity> who,
                                                           instant deadline) override;
  result<std::shared_ptr<const env::identity>> load_identity(const std::string& cert_file,
                                                             const std::string& key_file) override;

 private:
  task<result<std::vector<std::string>>> resolve_at_home(std::string host, instant deadline);

  executor loop_;
  resolver& names_;
  tls_contexts& contexts_;
  std::shared_ptr<mailbox> home_;
  std::shared_ptr<ways> ways_;
};

}  // namespace meshai::os
