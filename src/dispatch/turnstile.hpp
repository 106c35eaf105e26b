// dispatch: whose turn it is at a node that answers only so many at once. Shared by all workers.
//
// A place that frees goes to the waiting caller who holds the fewest, and among equals to the one whose last turn
// was longest ago: many questions of one caller do not keep out the one of another. The line is bounded; when it
// is full, whoever has most in it gives up their newest. (Max-min fairness, and the drop of the longest queue:
// Demers, Keshav and Shenker, 1989.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "env/awaitable.hpp"

namespace meshai::dispatch {

class turnstile : public std::enable_shared_from_this<turnstile> {
 public:
  explicit turnstile(std::size_t most_waiting) : most_waiting_(most_waiting) {}

  // One of the places at the node, given back at the end of its life. Thread-safe.
  class place {
   public:
    place(std::shared_ptr<turnstile> of, std::string who) : of_(std::move(of)), who_(std::move(who)) {}
    ~place();
    place(place&& other) noexcept = default;
    place& operator=(place&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(who_, other.who_);
      return *this;
    }

   private:
    std::shared_ptr<turnstile> of_;
    std::string who_;
  };

  // A place among `slots`, if one is free and nobody waits for it.
  std::optional<place> try_enter(std::string_view who, int slots);
  // Waits for one, on `loop`; nothing when the line is full, or when this one had to make way.
  task<std::optional<place>> enter(executor loop, std::string who, int slots);

  void bound(std::size_t most_waiting);  // from now on; who waits stays

  std::size_t inside() const;
  std::size_t waiting() const;

 private:
  struct waiter;
  struct party {  // one caller
    int inside = 0;
    std::uint64_t turn = 0;  // when it last got a place
    std::deque<std::shared_ptr<waiter>> line;
  };
  class turn;

  bool may_enter() const { return waiting_ == 0 && inside_ < slots_; }
  bool make_room(const std::string& who);
  void admit_next();
  void leave(const std::string& who);
  void free_place(const std::string& who);
  void give_up(const std::shared_ptr<waiter>& one);
  void forget(std::map<std::string, party>::iterator at);

  mutable std::mutex mutex_;
  std::map<std::string, party> parties_;  // only those with somebody inside or in the line
  std::size_t most_waiting_;
  std::size_t waiting_ = 0;
  int inside_ = 0, slots_ = 0;
  std::uint64_t arrivals_ = 0, turns_ = 0;
};

// The turnstiles of all nodes, by name. Thread-safe.
class turnstiles {
 public:
  explicit turnstiles(std::size_t most_waiting = 256) : most_waiting_(most_waiting) {}
  std::shared_ptr<turnstile> at(const std::string& node);
  void bound(std::size_t most_waiting);  // of each

  struct count {
    std::string node;
    std::size_t inside, waiting;
  };
  std::vector<count> counts() const;

 private:
  mutable std::mutex mutex_;
  std::size_t most_waiting_;
  std::map<std::string, std::shared_ptr<turnstile>> all_;
};

}  // namespace meshai::dispatch
