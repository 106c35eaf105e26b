// route: which node a conversation is with. Nothing of what was said is kept: a conversation is known again by
// salted hashes of what was asked before each answer in it, in bounded memory, the least lately used given up
// first. One per process and thread-safe: sharded, short locks, no waiting inside.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "chat/chat.hpp"
#include "env/clock.hpp"
#include "route/complexity.hpp"
#include "route/directory.hpp"

namespace meshai::route {

// A request as a turn of a conversation.
struct turn {
  std::uint64_t asked = 0;                // all of its messages but the system's
  std::uint64_t system = 0;               // the system's
  std::array<std::uint64_t, 4> before{};  // `asked` as it was before each of the latest answers in it; 0: none
  bool in_loop = false;                   // it brings what a tool told
};

// Whom a conversation is with, and what it needed when that was chosen.
struct partner {
  target_id model;
  complexity how = complexity::simple;
  int need = 0;  // judgement::score
  std::optional<chat::preference> prefer;
};

class conversations {
 public:
  // `salt`: secret, of this process. `most`: turns that are remembered.
  explicit conversations(std::uint64_t salt, std::size_t most = 32'768);
  ~conversations();

  // Linear in the number of messages; of long ones the two ends and the length are looked at. `who`: the caller's
  // key; one caller's conversations say nothing of another's.
  turn read(const chat::request& of, std::string_view who) const;

  // Who answered the latest of the turns before this one that is remembered.
  std::optional<partner> find(const turn& at, instant now) const;

  // This turn was answered. The need stays that of the choice where the partner stayed.
  void answered(const turn& at, const partner& by, instant now);

  // Who answered this very turn a short while ago, where it is asked again word for word: its answer did not
  // please. Told twice at most: whoever asks the same all day is no such caller.
  std::optional<partner> asked_again(const turn& at, instant now);

 private:
  struct shard;
  struct entry;
  shard& shard_of(std::uint64_t key) const;
  std::uint64_t salt_;
  std::unique_ptr<shard[]> shards_;
};

}  // namespace meshai::route
