// dispatch: what one attempt costs, from before it begins until it is known, and settled once however it ends.
// Internal.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "chat/chat.hpp"
#include "dispatch/purse.hpp"
#include "route/route.hpp"

namespace meshai::dispatch {

// A budget holds what an answer may come to: no longer one is asked for, where the caller sets no bound.
void bound_answer(std::shared_ptr<const chat::request>& asked);

class bill {
 public:
  bill() = default;
  ~bill() { close({}); }
  bill(const bill&) = delete;
  bill& operator=(const bill&) = delete;

  // Before the attempt. `asked` as this attempt asks it; both outlive the bill.
  std::optional<ledger::shortage> open(purse& from, std::string_view key, const chat::request& asked,
                                       const route::node& node, const route::candidate& to,
                                       const ledger::moment& at);
  // Where it has to be on disk before anybody is asked.
  bool to_be_written() const { return from_ && hold_.budget; }
  task<std::optional<ledger::shortage>> written(executor loop) { return from_->written(std::move(loop), hold_); }

  // From here on it may cost something.
  void sent() { sent_ = true; }
  // As they came from the node, before anything is changed in them.
  void heard(std::span<const chat::delta> steps);
  void heard(const chat::answer& whole);

  struct ending {
    bool answered = false, fallback = false;
    std::optional<route::fault_kind> fault;
    instant now = instant::min();  // of the rate; min: when it began
  };
  void close(const ending& how);

 private:
  std::pair<chat::usage, bool> judge(const ending& how) const;  // and whether it is estimated

  purse* from_ = nullptr;
  ledger::hold hold_;
  ledger::moment begun_{};
  std::string_view key_;
  const route::node* node_ = nullptr;
  std::optional<price> price_;
  ledger::bound most_, likely_;
  bool stream_ = false, sent_ = false;
  chat::usage used_;
  std::int64_t tokens_ = 0;  // steps with one
  std::size_t bytes_ = 0;
};

}  // namespace meshai::dispatch
