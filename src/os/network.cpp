#include "os/network.hpp"

#include <algorithm>

#include "os/listener.hpp"
#include "os/socket.hpp"

namespace meshai::os {

network::network(executor loop, resolver& names, tls_contexts& contexts, std::shared_ptr<mailbox> home)
    : loop_(std::move(loop)),
      names_(names),
      contexts_(contexts),
      home_(std::move(home)),
      ways_(std::make_shared<ways>(loop_)) {}

task<result<std::vector<std::string>>> network::resolve(std::string host, instant deadline) {
  return ways_->cut_off() ? resolve_at_home(std::move(host), deadline)
                          : names_.resolve(loop_, home_, std::move(host), deadline);
}

// What this machine knows of itself it tells at once; for everything else nobody can be asked.
task<result<std::vector<std::string>>> network::resolve_at_home(std::string host, instant deadline) {
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  auto found = co_await names_.resolve(loop_, home_, std::move(host), std::min(deadline, soon));
  if (!found) co_return fail(error_kind::unavailable, found.error().detail + ": the link is down on this machine");
  co_return found;
}

task<result<std::unique_ptr<env::stream>>> network::dial(env::address to, instant deadline) {
  return os::dial(loop_, std::move(to), deadline, ways_);
}

result<std::unique_ptr<env::listener>> network::listen(const env::address& at, bool reuse_port) {
  return os::listen(loop_, at, reuse_port);
}

task<result<std::unique_ptr<env::stream>>> network::secure_client(std::unique_ptr<env::stream> plain,
                                                                  std::string host, env::trust anchors,
                                                                  instant deadline) {
  return contexts_.secure_client(loop_, std::move(plain), std::move(host), std::move(anchors), deadline);
}

task<result<std::unique_ptr<env::stream>>> network::secure_server(std::unique_ptr<env::stream> plain,
                                                                  std::shared_ptr<const env::identity> who,
                                                                  instant deadline) {
  return os::secure_server(loop_, std::move(plain), std::move(who), deadline);
}

result<std::shared_ptr<const env::identity>> network::load_identity(const std::string& cert_file,
                                                                    const std::string& key_file) {
  return os::load_identity(cert_file, key_file);
}

}  // namespace meshai::os
