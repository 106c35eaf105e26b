#include "dispatch/recall.hpp"

#include <utility>

namespace meshai::dispatch {

recall::recall(std::shared_ptr<route::memory> in, const query& what, instant now)
    : in_(std::move(in)), prefer_(what.request->mesh.prefer), same_each_time_(what.request->temperature == 0.0) {
  hints_.counted = what.counted;
  const auto door = what.request->endpoint;
  if (door != chat::endpoint::chat_completions && door != chat::endpoint::messages) in_ = nullptr;
  if (!in_) return;
  turn_ = in_->conversations.read(*what.request, what.who);
  hints_.with = in_->conversations.find(turn_, now);
  hints_.in_loop = turn_.in_loop;
  hints_.learned = &in_->learned;
}

void recall::begin(instant now) {
  if (!in_ || same_each_time_ || turn_.in_loop) return;
  if (const auto before = in_->conversations.asked_again(turn_, now))
    in_->learned.asked_again(before->model, before->how, now);
}

void recall::answered(const route::ranking& made, const route::candidate& by,
                      std::optional<std::chrono::nanoseconds> wait, instant now) {
  if (!in_) return;
  if (made.by_auto) in_->learned.answered(by.model_id, made.judged.how, wait, now);
  route::partner next{.model = by.model_id, .how = made.judged.how, .need = made.judged.score, .prefer = prefer_};
  const bool stayed = made.bond == route::bond::stays || made.bond == route::bond::in_loop;
  if (stayed && hints_.with->model == by.model_id) next = *hints_.with;
  in_->conversations.answered(turn_, next, now);
}

void recall::failed(const route::ranking& made, const route::candidate& by, route::fault_kind why, instant now) {
  if (in_ && made.by_auto && route::verdict_of(why) == route::verdict::next)
    in_->learned.failed(by.model_id, made.judged.how, now);
}

}  // namespace meshai::dispatch
