#include "app/inheritance.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace meshai::app {
namespace {

std::optional<os::descriptor> parse_descriptor(std::string_view text) {
  int fd = -1;
  const auto [rest, wrong] = std::from_chars(text.data(), text.data() + text.size(), fd);
  if (wrong != std::errc() || rest != text.data() + text.size() || fd < 3) return std::nullopt;
  return os::descriptor(fd);
}

// Calls take(part) for each part between `mark`s; false as soon as it does not like one.
template <class Take>
bool each_part(std::string_view text, char mark, Take take) {
  while (true) {
    const auto end = text.find(mark);
    if (!take(text.substr(0, end))) return false;
    if (end == text.npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool parse_doors(std::string_view text, std::vector<std::vector<os::descriptor>>& into) {
  return each_part(text, ';', [&](std::string_view worker) {
    auto& doors = into.emplace_back();
    return each_part(worker, ',', [&](std::string_view one) {
      auto fd = parse_descriptor(one);
      if (fd) doors.push_back(std::move(*fd));
      return fd.has_value();
    });
  });
}

// What was parsed of a text that proves wrong is not ours to close.
void let_go(inheritance& of) {
  for (auto* one : {&of.lock, &of.ready, &of.owner}) one->release();
  for (auto& worker : of.doors) {
    for (auto& one : worker) one.release();
  }
}

}  // namespace

std::string inheritance::text() const {
  std::string all;
  for (const auto& worker : doors) {
    if (!all.empty()) all += ';';
    for (std::size_t i = 0; i < worker.size(); ++i) all += fmt::format("{}{}", i ? "," : "", worker[i].get());
  }
  return fmt::format("lock={} ready={} owner={} doors={}", lock.get(), ready.get(), owner.get(), all);
}

std::optional<inheritance> parse_inheritance(std::string_view text) {
  inheritance out;
  const bool good = each_part(text, ' ', [&](std::string_view part) {
    const auto name = part.substr(0, part.find('='));
    const auto value = part.substr(std::min(name.size() + 1, part.size()));
    if (name == "doors") return parse_doors(value, out.doors);
    auto* into = name == "lock"    ? &out.lock
                 : name == "ready" ? &out.ready
                 : name == "owner" ? &out.owner
                                   : nullptr;
    auto fd = parse_descriptor(value);
    if (!into || *into || !fd) {
      if (fd) fd->release();
      return false;
    }
    *into = std::move(*fd);
    return true;
  });
  if (good && out.lock && out.ready && out.owner && !out.doors.empty()) return out;
  let_go(out);
  return std::nullopt;
}

std::optional<inheritance> take_inheritance() {
  const char* text = std::getenv(inheritance::variable);
  if (!text) return std::nullopt;
  auto out = parse_inheritance(text);
  ::unsetenv(inheritance::variable);
  if (!out) return std::nullopt;
  const auto keep = [](const os::descriptor& one) { ::fcntl(one.get(), F_SETFD, FD_CLOEXEC); };
  for (const auto* one : {&out->lock, &out->ready, &out->owner}) keep(*one);
  for (const auto& worker : out->doors) {
    for (const auto& one : worker) keep(one);
  }
  return out;
}

}  // namespace meshai::app
