// dispatch: one request as a turn of its conversation: what the ranking is told of it, and what is remembered of
// its answer. Internal.
#pragma once

#include <memory>

#include "dispatch/dispatch.hpp"

namespace meshai::dispatch {

class recall {
 public:
  // Nothing is remembered where `in` is null, nor of requests that are no conversations.
  recall(std::shared_ptr<route::memory> in, const query& what, instant now);

  const route::hints& hints() const { return hints_; }

  // It is asked in earnest. Where this very turn was answered before, that answer did not please.
  void begin(instant now);
  // `wait`: for its first token.
  void answered(const route::ranking& made, const route::candidate& by,
                std::optional<std::chrono::nanoseconds> wait, instant now);
  // A limit that its keys ran into, or what no model would answer, says nothing of its skill.
  void failed(const route::ranking& made, const route::candidate& by, route::fault_kind why, instant now);

 private:
  std::shared_ptr<route::memory> in_;
  std::optional<chat::preference> prefer_;
  bool same_each_time_ = false;  // the caller wants no other answer when it asks again
  route::turn turn_;
  route::hints hints_;
};

}  // namespace meshai::dispatch
