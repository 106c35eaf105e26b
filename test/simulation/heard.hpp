// What a caller got for one request, read by rules of its own: nothing of the code under test takes part.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "env/clock.hpp"
#include "plan.hpp"

namespace meshai::simulation {

enum class ending {
  pending,  // it has not ended: the caller gave up waiting
  whole,    // a complete answer
  refused,  // an error, in words
  broken,   // the connection ended before the answer did
  no_door,  // nobody took the connection
  hung_up,  // by the caller itself
};

struct heard {
  std::string tag;
  const ask* what = nullptr;
  int key = -1;
  instant begun, ended;
  ending how = ending::pending;

  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string text, reasoning, finish;
  std::vector<std::pair<std::string, std::string>> calls;  // name and arguments
  std::string error_type, error_code, hint, message;
  bool in_stream = false;  // the error came as an event
  std::string node;        // of the story, where there was one
  int attempts = 0;
  struct failure {
    std::string node, fault;
    bool streamed = false;
  };
  std::vector<failure> failed;     // attempts, as the story tells them
  std::vector<std::string> wrong;  // what breaks the protocol
};

// True when the bytes so far hold a whole HTTP answer, by its length or its last chunk.
bool is_complete(std::string_view bytes);

// Reads what came, whole or not, into `out`: how it ended, what it said, and all that is wrong with it.
void read_answer(std::string_view bytes, bool anthropic, bool stream, heard& out);

}  // namespace meshai::simulation
