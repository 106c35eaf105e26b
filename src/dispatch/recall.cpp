#include "dispatch/recall.hpp"

#include <utility>

namespace meshai::dispatch {

recall::recall(std::shared_ptr<route::memory> in, const query& what, instant now)
    : in_(std::move(in)), prefer_(what.request->mesh.prefer) {
  const auto door = what.request->endpoint;
  if (door != chat::endpoint::chat_completions && door != chat::endpoint::messages) in_ = nullptr;
  if (!in_) return;
  turn_ = in_->conversations.read(*what.request, what.who);
  hints_.with = in_->conversations.find(turn_, now);
  hints_.in_loop = turn_.in_loop;
}

void recall::answered(const route::ranking& made, const route::candidate& by, instant now) {
  if (!in_) return;
  route::partner next{.model = by.model_id, .how = made.judged.how, .need = made.judged.value, .prefer = prefer_};
  const bool stayed = made.bond == route::bond::stays || made.bond == route::bond::in_loop;
  if (stayed && hints_.with->model == by.model_id) next = *hints_.with;
  in_->conversations.answered(turn_, next, now);
}

}  // namespace meshai::dispatch
