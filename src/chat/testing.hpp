// For the tests of this room: what stands in a JSON text or in a stream of events.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
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

// ---- translations: what one feature of a caller's request becomes at each provider

inline const target openai{.dialect = dialect::openai, .model = "gpt-5", .max_completion_tokens = true};
inline const target server{.dialect = dialect::openai, .model = "llama"};  // any that speaks OpenAI's dialect
inline const target claude{.dialect = dialect::anthropic, .model = "claude-sonnet-4-5"};
inline const target claude_3_7{.dialect = dialect::anthropic, .model = "claude-3-7-sonnet-20250219"};
inline const target claude_4_7{.dialect = dialect::anthropic, .model = "claude-opus-4-7"};
inline const target claude_4_6{.dialect = dialect::anthropic, .model = "claude-opus-4-6"};
inline const target gemini{.dialect = dialect::gemini, .model = "gemini-3-pro"};
inline const target gemini_2{.dialect = dialect::gemini, .model = "gemini-2.5-flash"};

// The JSON that stands at a pointer of the written request; "absent"; "refused PARAM" where the dialect cannot
// express it; at the pointer "dropped", what was let go, with commas.
struct arrival {
  const target* to;
  std::string_view pointer, want;
};
struct feature {
  std::string_view name, members, messages;  // members of the body besides the messages, each after a comma
  std::vector<arrival> arrivals;
};

inline std::string arrived(const request& of, const arrival& at_one) {
  const auto call = write_request(of, *at_one.to);
  if (!call) return "refused " + call.error().param;
  if (at_one.pointer != "dropped") return at(call->body, at_one.pointer);
  std::string out;
  for (const auto& name : call->dropped) out.append(out.empty() ? "" : ",").append(name);
  return out;
}

inline void expect_arrivals(const request& of, const std::vector<arrival>& all) {
  for (const auto& one : all) {
    SCOPED_TRACE(one.to->model + " " + std::string(one.pointer));
    const bool words = one.want.starts_with("refused ") || one.want == "absent" || one.pointer == "dropped";
    EXPECT_EQ(arrived(of, one), words ? std::string(one.want) : boost::json::serialize(read(one.want)));
    if (!one.want.starts_with("refused ")) continue;
    EXPECT_EQ(write_request(of, *one.to).error().code, "unsupported_parameter");
    auto yielding = of;
    yielding.mesh.drop = true;
    const auto dropped = write_request(yielding, *one.to);
    ASSERT_TRUE(dropped);
    EXPECT_TRUE(std::ranges::contains(dropped->dropped, one.want.substr(8)));
  }
}

}  // namespace meshai::chat::testing
