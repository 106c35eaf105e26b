#include "app/certificate.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "env/log.hpp"

namespace meshai::app {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 1s;

}  // namespace

certificate::certificate(env::world world, std::string cert_file, std::string key_file)
    : world_(world), cert_file_(std::move(cert_file)), key_file_(std::move(key_file)) {}

// Which file, not only how new: one that is moved into place may be older than the one it replaces.
std::string certificate::mark() const {
  std::string out;
  for (const auto* file : {&cert_file_, &key_file_}) {
    struct stat found{};
    if (::stat(file->c_str(), &found) != 0) found = {};
    out += fmt::format("{}:{}:{}:{}.{} ", found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                       found.st_mtim.tv_nsec);
  }
  return out;
}

result<void> certificate::read() {
  auto now = mark();
  auto made = world_.network.load_identity(cert_file_, key_file_);
  if (!made) return std::unexpected(std::move(made.error()));
  const std::lock_guard lock(mutex_);
  current_ = *std::move(made);
  read_mark_ = std::move(now);
  next_look_ = world_.clock.now() + look_every;
  return {};
}

void certificate::look_again() {
  auto now = mark();
  if (now == read_mark_) return;
  if (auto made = world_.network.load_identity(cert_file_, key_file_)) {
    current_ = *std::move(made);
    read_mark_ = std::move(now);
    world_.log.write(env::log_level::info, "certificate.swapped", {});
  } else if (now != refused_mark_) {
    refused_mark_ = std::move(now);
    world_.log.write(env::log_level::warning, "certificate.refused", {});
  }
}

std::shared_ptr<const env::identity> certificate::current() {
  const std::lock_guard lock(mutex_);
  if (const auto now = world_.clock.now(); now >= next_look_) {
    next_look_ = now + look_every;
    look_again();
  }
  return current_;
}

}  // namespace meshai::app
