// For the tests of this room: what stands in a JSON text or in a stream of events.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "chat/dialect.hpp"

namespace meshai::chat::testing {

inline boost::json::value read(std::string_view text) {
  boost::system::error_code fault;
  auto out = boost::json::parse(text, fault);
  EXPECT_FALSE(fault) << "no JSON: " << text;
  return out;
}

// The value at a JSON pointer (RFC 6901) as JSON text; "absent" where there is none.
inline std::string at(const boost::json::value& whole, std::string_view pointer) {
  boost::system::error_code fault;
  const auto* found = whole.find_pointer(pointer, fault);
  return found ? boost::json::serialize(*found) : "absent";
}
inline std::string at(std::string_view text, std::string_view pointer) {
  return at(read(text), pointer);
}

// Two texts of the same JSON.
inline void expect_json(std::string_view got, std::string_view want) {
  EXPECT_EQ(boost::json::serialize(read(got)), boost::json::serialize(read(want)));
}

struct sse {
  std::string name, data;
};

// The events of a stream that was written here: one "event:" line at most and one "data:" line each.
inline std::vector<sse> events(std::string_view stream) {
  std::vector<sse> out;
  while (!stream.empty()) {
    const auto end = stream.find("\n\n");
    EXPECT_NE(end, std::string_view::npos) << "an event does not end";
    if (end == std::string_view::npos) break;
    auto block = stream.substr(0, end);
    stream.remove_prefix(end + 2);
    sse one;
    while (!block.empty()) {
      const auto line = block.substr(0, block.find('\n'));
      block.remove_prefix(std::min(line.size() + 1, block.size()));
      if (line.starts_with("event: ")) one.name = line.substr(7);
      if (line.starts_with("data: ")) one.data = line.substr(6);
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace meshai::chat::testing
