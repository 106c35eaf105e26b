// sim: a host's door to the network.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "env/event.hpp"
#include "env/network.hpp"
#include "sim/core.hpp"
#include "sim/stream.hpp"

namespace meshai::sim {

// A listener, as its host knows it.
struct doorway {
  doorway(const executor& loop, env::address at, bool shared_port)
      : local(std::move(at)), shared(shared_port), knocked(loop) {}
  const env::address local;
  const bool shared;
  bool closed = false;
  std::deque<std::unique_ptr<env::stream>> waiting;
  env::event knocked;
};

class network final : public env::network {
 public:
  network(core& in, const std::string& ip) : core_(in), ip_(ip) {}

  task<result<std::vector<std::string>>> resolve(std::string host, instant deadline) override;
  task<result<std::unique_ptr<env::stream>>> dial(env::address to, instant deadline) override;
  void watch_ways(std::function<void()> tell) override { tell_ = std::move(tell); }
  result<std::unique_ptr<env::listener>> listen(const env::address& at, bool reuse_port) override;
  task<result<std::unique_ptr<env::stream>>> secure_client(std::unique_ptr<env::stream> plain, std::string host,
                                                           env::trust anchors, instant deadline) override;
  task<result<std::unique_ptr<env::stream>>> secure_server(std::unique_ptr<env::stream> plain,
                                                           std::shared_ptr<const env::identity> who,
                                                           instant deadline) override;
  result<std::shared_ptr<const env::identity>> load_identity(const std::string& cert_file,
                                                             const std::string& key_file) override;
  void crash();
  void set_stranded(bool now);
  bool stranded() const { return stranded_; }

 private:
  struct line {
    std::weak_ptr<connection> which;
    int end;
  };

  network* host_of(const env::address& to);
  std::shared_ptr<doorway> open_at(const env::address& to);
  // Sleeps for a way's latency, or until the deadline: then false.
  task<bool> travel(const std::string& from, const std::string& to, instant deadline);
  void keep(const std::weak_ptr<connection>& which, int end);

  core& core_;
  const std::string& ip_;
  std::vector<std::shared_ptr<doorway>> doorways_;
  std::vector<line> lines_;
  std::vector<std::unique_ptr<env::stream>> unheard_;  // accepted by the kernel, never by anybody
  std::uint16_t next_port_ = 32768;
  bool stranded_ = false;
  std::function<void()> tell_;
};

}  // namespace meshai::sim
