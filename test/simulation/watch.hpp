// The node's doors, watched from outside: every connection it takes or makes, what was asked on it and until when.
// Here also sits the mischief: faults that the code under test does not have, to see that they would be found.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "env/network.hpp"
#include "env/world.hpp"

namespace meshai::simulation {

enum class mischief {
  none,
  lose_token,       // a piece of a stream does not arrive
  double_token,     // it arrives twice
  swap_tokens,      // two of them change places
  swallow_error,    // a stream that breaks off ends like a whole one
  lose_end,         // the last piece of a stream is missing
  double_seam,      // where another goes on, what was said last is said again
  lose_seam,        // where another goes on, its first piece is missing
  stitch,           // where another goes on, it is with another answer
  send_both,        // of two that are asked at once, both are heard
  forget_attempt,   // the story knows of one attempt less
  tell_another,     // an error tells of another node than the one that failed first
  hang,             // nothing arrives any more, and nobody says so
  ignore_cap,       // the reach of keys and the API is not obeyed
  mislabel_tier,    // far nodes are taken for near ones
  ignore_fallback,  // fallback = false is not obeyed
  storm,            // more attempts than allowed
  crowd,            // more are asked at once of a node than it has places
  ignore_share,     // any number of requests is hedged
  hedge_up,         // a hedge goes to a farther tier than the first
  echo,             // every question is asked three times
  no_rest,          // who asked for a rest is asked at once
  go_on_alone,      // a caller's end is not noticed
  keep_connection,  // one connection stays after its end
  throw_dice,       // another source of chance than the seed
};
inline constexpr int mischiefs = 25;
std::string_view to_string(mischief of);

// A question on a connection: read from a caller, or written to a provider.
struct question {
  std::string tag;
  instant asked;
  instant
      busy_until;  // the last read or write for it, pending ones included
                   // A provider's: when the last bytes came back, and whether there was a token in them or before.
  instant answered = never;
  bool streams = false;
};

struct line {
  bool inward = false;  // a caller's
  std::string who;      // its address
  instant dialled, opened;
  instant ended = never;   // the other side ended it
  instant closed = never;  // this side did
  std::vector<question> questions;
};

struct moment {
  instant when;
  std::string what;
};

// What is seen, in the order in which it happened.
struct journal {
  const env::clock* clock = nullptr;
  std::deque<line> lines;
  std::vector<moment> moments;
  std::vector<std::string> refused_dials;  // addresses
  std::map<std::string, int> asked;        // how often the node has asked providers, by tag
  void note(std::string what) { moments.push_back({clock->now(), std::move(what)}); }
};

// A network whose dials and listeners are watched.
std::unique_ptr<env::network> watch(env::network& real, const env::world& world, journal& into, mischief what);

}  // namespace meshai::simulation
