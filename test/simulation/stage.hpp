// Runs a plan: the node itself, with all its rooms, between fake providers and callers on a pretend network.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "heard.hpp"
#include "plan.hpp"
#include "watch.hpp"

namespace meshai::simulation {

// What was seen of one run, and nothing that the node only says of itself, but for its metrics.
struct record {
  journal seen;
  std::vector<heard> answers;                  // of the plan's callers
  std::vector<heard> last_answers;             // of each provider, asked when all was quiet again
  std::map<std::string, std::string> node_at;  // provider names by address
  // POSTs in the order in which each provider got them: the tags, empty where none was readable.
  std::map<std::string, std::vector<std::string>> posts;
  instant begun{}, stopped = never;           // stopped: when the node was told to
  std::map<std::string, instant> gone_since;  // providers that a reload took out
  std::string metrics;                        // when all was quiet again
  bool bad_reload_taken = false, good_reload_refused = false;
  bool came_to_rest = true;         // every phase ended by itself
  bool ran_dry = true;              // nothing was left to happen after the node had gone
  std::size_t open_after_stop = 0;  // callers' connections when stop() had returned
  std::size_t open_after_all = 0;   // connections of the node that outlived it
  std::uint64_t trace = 0;
  std::vector<std::string> log;
};

// `look` sees the record while the pretend world still exists.
void run(const plan& what, mischief how, bool keep_log, const std::function<void(const record&)>& look);

}  // namespace meshai::simulation
