// sim: both ends of a connection in memory.
#pragma once

#include <memory>

#include "env/network.hpp"
#include "sim/core.hpp"

namespace meshai::sim {

struct connection;

// One of a connection's ends, as its stream and its host's list know it.
class stream final : public env::stream {
 public:
  stream(std::shared_ptr<connection> of, int end) : connection_(std::move(of)), end_(end) {}
  ~stream() override { close(); }

  task<result<std::size_t>> read_some(std::span<char> into) override;
  task<result<void>> write_all(std::span<const std::string_view> pieces) override;
  void read_by(instant when) override;
  void write_by(instant when) override;
  void close() noexcept override;
  const env::address& peer() const override;
  bool stranded() const override;

 private:
  std::shared_ptr<connection> connection_;
  int end_;
};

struct ends {
  std::unique_ptr<env::stream> dialler, listener;
  std::weak_ptr<connection> between;
};

// The way of the bytes is named by the hosts' IP addresses, whatever the addresses that the ends show each other.
ends connect(core& in, const std::string& from_ip, const std::string& to_ip, env::address dialled,
             env::address dialler);

// As if end 0 (who dialled) or 1 had lost its power: that end is closed, the other is reset.
void break_off(connection& which, int end);

}  // namespace meshai::sim
