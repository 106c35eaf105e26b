#include "dispatch/bill.hpp"

#include <algorithm>

namespace meshai::dispatch {
namespace {

// The node said what it would not do, or could not be spoken to: nothing was computed.
bool costs_nothing(route::fault_kind why) {
  using enum route::fault_kind;
  switch (why) {
    case unreachable:
    case server_error:
    case rate_limited:
    case quota:
    case key_refused:
    case forbidden:
    case model_missing:
    case context_length:
    case unsupported:
    case bad_request:
    case internal:
    case busy:
      return true;
    case timeout:
    case malformed:
    case cut:
    case content_policy:
    case misfit:
      return false;
  }
  return false;
}

std::int64_t tokens_of(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + 3) / 4);
}

std::size_t size_of(const chat::delta& step) {
  auto size = step.text.size() + step.refusal.size() + step.thought.text.size();
  for (const auto& call : step.calls) size += call.name.size() + call.arguments.size();
  return size;
}

}  // namespace

void bound_answer(std::shared_ptr<const chat::request>& asked) {
  const auto door = asked->endpoint;
  if (door == chat::endpoint::embeddings || door == chat::endpoint::count_tokens || asked->max_tokens) return;
  asked = std::make_shared<const chat::request>(chat::with_max_tokens(*asked, ledger::usual_answer));
}

std::optional<ledger::shortage> bill::open(purse& from, std::string_view key, const chat::request& asked,
                                           const route::node& node, const route::candidate& to,
                                           const ledger::moment& at) {
  if (asked.endpoint == chat::endpoint::count_tokens) return std::nullopt;
  most_ = ledger::worst_case(asked, to.context);
  likely_ = ledger::likely_case(asked, to.context);
  price_ = node.price_of(to.model);
  auto held = from.reserve(key, {.most = cost_of(most_, price_), .likely = likely_.input + likely_.output}, at);
  if (!held) return held.error();
  from_ = &from;
  hold_ = *std::move(held);
  begun_ = at;
  key_ = key;
  node_ = &node;
  stream_ = asked.stream;
  return std::nullopt;
}

void bill::heard(std::span<const chat::delta> steps) {
  for (const auto& step : steps) {
    tokens_ += step.is_token();
    bytes_ += size_of(step);
    if (step.usage) used_ = *step.usage;
  }
}

void bill::heard(const chat::answer& whole) {
  used_ = whole.usage;
  for (const auto& choice : whole.choices) {
    for (const auto& part : choice.parts) {
      bytes_ += part.text.size() + part.thought.text.size() + part.call.arguments.size();
    }
  }
}

std::pair<chat::usage, bool> bill::judge(const ending& how) const {
  if (!sent_) return {};
  const auto written = std::max(tokens_, tokens_of(bytes_));
  if (used_.known) {
    // A stream that broke off has told of its beginning only.
    auto out = used_;
    if (!how.answered) out.output = std::max(out.output, written);
    return {out, out.output != used_.output};
  }
  const bool heard = tokens_ > 0 || bytes_ > 0;
  if (how.fault && !heard && costs_nothing(*how.fault)) return {};
  chat::usage out{.input = likely_.input, .output = written, .known = true};
  // Nobody saw how far a whole answer had come: what was held is the only bound there is.
  if (!stream_ && !heard && !how.answered && hold_.budget) {
    out.input = most_.input;
    out.output = most_.output;
  }
  return {out, true};
}

void bill::close(const ending& how) {
  auto* from = std::exchange(from_, nullptr);
  if (!from) return;
  const auto [used, estimated] = judge(how);
  expense what{.key = key_,
               .node = node_->name,
               .day = hold_.number ? hold_.day : begun_.day(),
               .cost = ledger::cost_of(used, price_),
               .input = std::max<std::int64_t>(0, used.input),
               .output = std::max<std::int64_t>(0, used.output),
               .sent = sent_,
               .estimated = estimated,
               .answered = how.answered,
               .fallback = how.fallback,
               .failed = how.fault.has_value()};
  from->settle(hold_, what, std::max(how.now, begun_.now));
}

}  // namespace meshai::dispatch
