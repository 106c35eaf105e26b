// route: the times and bounds of one request. They are read from `[limits]`.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/reach.hpp"

namespace meshai::route {

struct limits {
  std::chrono::milliseconds request_timeout{600'000};  // a whole answer, and the wait for a stream's first token
  std::chrono::milliseconds first_token_timeout{
      10'000};                                           // a floor: it grows with the prompt, see health::patience
  std::chrono::milliseconds idle_timeout{60'000};        // between two steps of a stream
  std::chrono::milliseconds max_stream{3'600'000};       // a stream from its request to its end
  std::chrono::milliseconds connect_timeout{2'000};      // name, TCP and TLS together
  std::chrono::milliseconds connect_timeout_local{250};  // the same for the tier `local`
  std::chrono::milliseconds headers_after{15'000};       // silence before the caller gets its headers anyway
  double hedge_share = 0.05;                             // of requests that may be hedged, 0 to 1
  bool hedge_up = false;                                 // a hedge may go to a tier above the first node's
  // An answer of this device that is less sure of itself (confidence::value()) is asked farther up, where somebody may
  // be: below this the default model is more often wrong than right (models/card.md). 0: none is.
  double escalate_below = 0.59;
  std::int64_t held_tokens = 8;          // of a stream that may be asked farther up, before it is judged
  std::chrono::milliseconds held_for{100};  // after its first token, if that is earlier
  int attempts = 4;                                      // for one request, over all candidates

  std::chrono::milliseconds connect_timeout_of(meshai::tier where) const {
    return where == meshai::tier::local ? connect_timeout_local : connect_timeout;
  }
};

}  // namespace meshai::route
