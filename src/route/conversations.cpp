#include "route/conversations.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <span>
#include <vector>

namespace meshai::route {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t shard_count = 16;
constexpr std::size_t ways = 8;            // entries that one key may stand in
constexpr std::size_t whole_up_to = 4096;  // bytes of a message; of longer ones half of it from either end
constexpr auto forgotten_after = 12h;
constexpr auto again_within = 10min;
constexpr std::uint8_t again_at_most = 2;

// A keyed hash in steps of eight bytes: the product of two 64-bit words folded, as wyhash does it. Its values
// never leave the process.
class hasher {
 public:
  explicit hasher(std::uint64_t salt) : state_(salt) {}

  void add(std::uint64_t word) {
    const auto wide = static_cast<unsigned __int128>(state_ ^ 0x9e3779b97f4a7c15) * (word ^ 0xa0761d6478bd642f);
    state_ = static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64);
  }

  void add(std::string_view text) {
    add(text.size());
    if (text.size() > whole_up_to) {
      bytes(text.substr(0, whole_up_to / 2));
      bytes(text.substr(text.size() - whole_up_to / 2));
    } else {
      bytes(text);
    }
  }

  // Never 0, which stands for none.
  std::uint64_t value() const { return state_ | 1; }

 private:
  void bytes(std::string_view text) {
    for (; text.size() >= 8; text.remove_prefix(8)) {
      std::uint64_t word;
      std::memcpy(&word, text.data(), 8);
      add(word);
    }
    std::uint64_t rest = 0;
    std::memcpy(&rest, text.data(), text.size());
    add(rest);
  }

  std::uint64_t state_;
};

// Reasoning and what only one dialect knows are left out: clients drop or move them between two turns.
void add(hasher& to, const chat::part& part) {
  switch (part.kind) {
    case chat::part_kind::text:
      to.add(part.text);
      break;
    case chat::part_kind::tool_call:
      to.add(part.call.name);
      to.add(part.call.id);
      break;
    case chat::part_kind::tool_result:
      to.add(part.text);
      for (const auto& each : part.content) {
        if (each.kind == chat::part_kind::text) to.add(each.text);
      }
      break;
    case chat::part_kind::image:
    case chat::part_kind::audio:
    case chat::part_kind::document:
      to.add(part.data);
      to.add(part.url);
      break;
    case chat::part_kind::reasoning:
    case chat::part_kind::other:
      break;
  }
}

bool is_system(const chat::message& one) {
  return one.role == chat::role::system || one.role == chat::role::developer;
}

bool brings_result(const chat::message& one) {
  return one.role == chat::role::tool ||
         std::ranges::contains(one.parts, chat::part_kind::tool_result, &chat::part::kind);
}

}  // namespace

struct conversations::entry {
  std::uint64_t key = 0, system = 0;
  partner with;
  instant when = instant::min();
  std::uint8_t again = 0;

  bool alive(instant now) const { return key != 0 && now < when + forgotten_after; }
};

struct conversations::shard {
  mutable std::mutex mutex;
  std::vector<entry> entries;  // sets of `ways`, each for the keys that fall on it

  std::span<entry> set_of(std::uint64_t key) {
    const auto sets = entries.size() / ways;
    return std::span(entries).subspan((key >> 8) % sets * ways, ways);
  }
  entry* find(std::uint64_t key, instant now) {
    for (auto& one : set_of(key)) {
      if (one.key == key && one.alive(now)) return &one;
    }
    return nullptr;
  }
};

conversations::conversations(std::uint64_t salt, std::size_t most)
    : salt_(salt), shards_(std::make_unique<shard[]>(shard_count)) {
  const auto sets = std::max<std::size_t>(1, most / (shard_count * ways));
  for (std::size_t i = 0; i < shard_count; ++i) shards_[i].entries.resize(sets * ways);
}

conversations::~conversations() = default;

conversations::shard& conversations::shard_of(std::uint64_t key) const {
  return shards_[key >> 4 & (shard_count - 1)];
}

turn conversations::read(const chat::request& of, std::string_view who) const {
  turn out;
  hasher said(salt_), system(~salt_);
  said.add(who);
  bool answered = false;
  for (const auto& message : of.messages) {
    if (is_system(message)) {
      for (const auto& part : message.parts) add(system, part);
      continue;
    }
    const bool answer = message.role == chat::role::assistant;
    if (answer && !answered) {
      std::shift_right(out.before.begin(), out.before.end(), 1);
      out.before[0] = said.value();
    }
    answered = answer;
    said.add(static_cast<std::uint64_t>(message.role));
    for (const auto& part : message.parts) add(said, part);
  }
  out.asked = said.value();
  out.system = system.value();
  out.in_loop = !of.messages.empty() && brings_result(of.messages.back());
  return out;
}

std::optional<partner> conversations::find(const turn& at, instant now) const {
  for (const auto key : at.before) {
    if (key == 0) break;
    auto& in = shard_of(key);
    const std::lock_guard lock(in.mutex);
    if (const auto* found = in.find(key, now)) return found->with;
  }
  return std::nullopt;
}

void conversations::answered(const turn& at, const partner& by, instant now) {
  auto& in = shard_of(at.asked);
  const std::lock_guard lock(in.mutex);
  auto* into = in.find(at.asked, now);
  if (!into) {
    into = &*std::ranges::min_element(in.set_of(at.asked), {}, &entry::when);
    *into = {};
  }
  into->key = at.asked;
  into->system = at.system;
  into->with = by;
  into->when = now;
}

std::optional<partner> conversations::asked_again(const turn& at, instant now) {
  auto& in = shard_of(at.asked);
  const std::lock_guard lock(in.mutex);
  auto* found = in.find(at.asked, now);
  if (!found || found->system != at.system || now > found->when + again_within || found->again >= again_at_most)
    return std::nullopt;
  ++found->again;
  return found->with;
}

}  // namespace meshai::route
