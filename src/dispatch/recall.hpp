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
  void answered(const route::ranking& made, const route::candidate& by, instant now);

 private:
  std::shared_ptr<route::memory> in_;
  std::optional<chat::preference> prefer_;
  route::turn turn_;
  route::hints hints_;
};

}  // namespace meshai::dispatch
