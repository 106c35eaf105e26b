// os: listening on TCP and Unix sockets.
#pragma once

#include <memory>
#include <optional>

#include "env/network.hpp"
#include "os/descriptor.hpp"

namespace meshai::os {

// A listening socket, non-blocking. IPv6 means IPv6 only: [::] does not take 0.0.0.0's place. A Unix socket is for
// its owner alone (0600); one that a dead process left behind is replaced, a living one is unavailable.
result<descriptor> open_listener(const env::address& at, bool reuse_port);

// What a descriptor listens at; nothing where it does not listen.
std::optional<env::address> listens_at(int fd);

// Takes connections from it on `loop`. close() takes a Unix socket's file away where `remove_file`: not where
// others hold the same socket and go on.
result<std::unique_ptr<env::listener>> adopt_listener(const executor& loop, descriptor fd, bool remove_file);

// Both; close() takes the file away.
result<std::unique_ptr<env::listener>> listen(const executor& loop, const env::address& at, bool reuse_port);

}  // namespace meshai::os
