// dispatch: one request on its way. Internal.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "dispatch/alarms.hpp"
#include "dispatch/dispatch.hpp"
#include "dispatch/instruments.hpp"
#include "dispatch/lane.hpp"
#include "dispatch/recall.hpp"

namespace meshai::dispatch {

// What all requests of one worker are answered with.
struct means {
  env::world& world;
  upstream::client& upstream;
  route::health& known;
  std::shared_ptr<instruments> counts;
  std::shared_ptr<alarms> clock;
  std::shared_ptr<turnstiles> lines;         // of all workers
  std::shared_ptr<purse> pays;               // the same; none: nobody keeps accounts
  std::shared_ptr<route::memory> remembers;  // the same; none: nothing is remembered
  std::uint64_t ways_lost = 0;               // how often connections may have been stranded
};

// What bounds this query.
route::policy policy_of(const query& what);

// Whom to ask, as things stand.
route::ranking rank(const means& by, const query& what, const route::hints& more, instant now);

// What the attempts' coroutines and the exchange share. It lives until the last of them is gone: an exchange may
// be destroyed while its attempts are still being cancelled.
struct errand {
  errand(std::shared_ptr<const means> with, query asked);

  std::shared_ptr<const means> by;
  env::world& world;
  upstream::client& upstream;
  route::health& known;
  instruments& counts;
  query what;
  dispatch::recall recall;
  route::ranking ranking;
  env::event wake;  // something is in a mailbox, or it is time
  dispatch::alarm alarm;
  std::vector<std::unique_ptr<lane>> lanes;  // by the number of the attempt
};

class running final : public exchange {
 public:
  explicit running(std::shared_ptr<errand> all);
  ~running() override;

  task<progress> next(std::vector<chat::delta>& into, instant by) override;
  const head& facts() const override { return facts_; }
  chat::answer& answer() override { return answer_; }
  const chat::usage& usage() const override { return usage_; }
  chat::story story() const override;
  const failure& why() const override { return why_; }
  const route::ranking& ranking() const override { return all_->ranking; }

 private:
  // Tells failover what has come; true when `into` has something for the caller.
  bool look_at(int number, std::vector<chat::delta>& into, instant now);
  void look_for_stranded(instant now);
  // False: the steps do not fit what was sent, and this attempt is over.
  bool notice_steps(int number, lane& at, instant now);
  bool fit_steps(int number, lane& at, instant now);
  void settle(int number, lane& at, instant now);
  // Of one that is kept back: it goes to the caller, or somebody farther up is asked.
  void judge(int number, lane& at, instant now);
  bool enough_to_judge(const lane& at) const;
  // What a fault of this attempt teaches about how its model may be asked.
  void learn_from(const lane& at, route::fault& why);
  void fault(int number, lane& at, const route::fault& why, instant now, bool blame = true);
  bool deliver(lane& from, std::vector<chat::delta>& into);
  // Of one that was kept back until now.
  bool deliver_kept(std::vector<chat::delta>& into);
  void collect(std::vector<chat::delta>& steps, instant now);

  void carry_out();
  void start(const route::action& what);
  // False: what it may come to is more than is left.
  bool reserve(lane& at);
  void go_on_with(lane& at, const route::node& node);
  void stand_by(std::size_t after);
  void cancel(int number);
  void forward(int number);
  void expire(int number, route::limit missed, instant now);
  void finish(route::finish_kind how);
  head head_of(const route::candidate& at) const;
  failure failure_of(const std::optional<route::fault>& told) const;
  const route::node& node_of(const lane& at) const { return all_->ranking.node_of(at.to); }

  std::shared_ptr<errand> all_;
  std::optional<route::failover> decides_;  // none: nobody may be asked
  instant begun_;
  instant armed_ = never;
  std::uint64_t ways_lost_ = 0;  // of the worker's, up to which its attempts were looked at
  head facts_;
  chat::answer answer_;
  chat::usage usage_;
  std::optional<chat::collector> collects_;  // the caller wants a whole answer, and it comes in steps
  delivered delivered_;                      // or would be, if the caller had not to wait for the whole
  std::vector<std::string> dropped_;
  std::vector<chat::story::failed_attempt> failed_;
  std::vector<chat::story::doubted_answer> doubted_;
  std::optional<ledger::shortage> short_of_;  // why somebody was not asked
  failure why_;
  bool answered_whole_ = false;    // by one who makes no steps
  std::optional<progress> ended_;  // how it ended; from then on next() says only that
};

}  // namespace meshai::dispatch
