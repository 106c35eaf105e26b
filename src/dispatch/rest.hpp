// dispatch: going on with an answer that broke off: what the caller has of it, how its rest is asked for, and the
// steps of whoever writes the rest, made to fit. Internal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/chat.hpp"
#include "route/route.hpp"

namespace meshai::dispatch {

// What the caller has been sent of the one choice of its answer.
struct delivered {
  struct call {
    std::string name, arguments;
  };
  std::string text;
  std::vector<call> calls;  // by their index
  bool reasoning = false;
  bool refusal = false;
  std::int64_t tokens = 0;  // steps with a token: providers send one in each, nearly always

  void add(const chat::delta& step);
  // More than this is not kept, and not gone on with.
  static constexpr std::size_t most = 1 << 20;  // bytes of text and arguments
  bool too_long() const { return size_ > most; }

 private:
  std::size_t size_ = 0;
};

// True where an answer to `asked` that comes step by step can be gone on with at all.
bool can_go_on(const chat::request& asked);

// How this candidate is best asked for the rest. A tool call that was begun, and JSON where there is no prefill,
// can only come anew; so does reasoning, when nothing else was sent yet.
route::continuation way_on(const chat::request& asked, const delivered& so_far, const route::node& node,
                           const route::candidate& to, const route::health& known);

// The request for the rest, or nothing where it is asked anew.
std::optional<chat::request> ask_for_rest(const chat::request& asked, const delivered& so_far,
                                          route::continuation how);

// The steps of an attempt that writes the rest.
class rest {
 public:
  rest(const chat::request& asked, delivered so_far, route::continuation how);

  // Rewrites the steps from `from` on to what the caller has not had yet; some may say nothing afterwards. False:
  // they do not fit, and nothing of this attempt may be sent.
  bool fit(std::vector<chat::delta>& steps, std::size_t from);

  route::continuation how() const { return how_; }
  // A prefill was given, and the model began anew.
  bool prefill_ignored() const { return how_ == route::continuation::prefill && seam_.started_over(); }

 private:
  bool fit(chat::delta& step);
  bool fit_text(chat::delta& step);
  bool fit_calls(chat::delta& step);
  void fit_reasoning(chat::delta& step);
  void fit_usage(chat::usage& used) const;

  route::continuation how_;
  delivered sent_;
  route::seam seam_;
  std::vector<delivered::call> again_;  // the calls that were sent, as they come anew
  bool reasoning_begun_ = false;
};

}  // namespace meshai::dispatch
