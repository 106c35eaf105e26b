// For the tests of this room: what the official clients make of a stream, and what they send back in the next
// turn.
#pragma once

#include <map>

#include "chat/testing.hpp"

namespace meshai::chat::testing {

// Anthropic's: the message, and a failure where an event breaks the protocol.
inline boost::json::object anthropic_message(std::string_view stream) {
  boost::json::object message;
  boost::json::array content;
  std::map<std::int64_t, std::string> inputs;
  bool open = false;
  for (const auto& [name, data] : events(stream)) {
    auto event = read(data).as_object();
    EXPECT_EQ(event.at("type").as_string(), name);
    if (name == "message_start") {
      EXPECT_TRUE(message.empty());
      message = event.at("message").as_object();
    } else if (name == "content_block_start") {
      EXPECT_FALSE(std::exchange(open, true));
      EXPECT_EQ(event.at("index").as_int64(), static_cast<std::int64_t>(content.size()));
      content.push_back(event.at("content_block"));
    } else if (name == "content_block_delta") {
      EXPECT_TRUE(open);
      EXPECT_EQ(event.at("index").as_int64() + 1, static_cast<std::int64_t>(content.size()));
      auto& block = content.back().as_object();
      const auto& change = event.at("delta").as_object();
      const std::string_view type = change.at("type").as_string();
      if (type == "text_delta") block["text"].as_string() += change.at("text").as_string();
      if (type == "thinking_delta") block["thinking"].as_string() += change.at("thinking").as_string();
      if (type == "signature_delta") block["signature"] = change.at("signature");
      if (type == "input_json_delta")
        inputs[event.at("index").as_int64()] += change.at("partial_json").as_string();
    } else if (name == "content_block_stop") {
      EXPECT_TRUE(std::exchange(open, false));
      if (const auto input = inputs.find(event.at("index").as_int64()); input != inputs.end()) {
        content.back().as_object()["input"] = read(input->second);
      }
    } else if (name == "message_delta") {
      EXPECT_FALSE(open);
      for (const auto& [member, value] : event.at("delta").as_object()) message[member] = value;
      for (const auto& [member, value] : event.at("usage").as_object())
        message["usage"].as_object()[member] = value;
      message["mesh"] = event.at("mesh");
    }
  }
  message["content"] = content;
  return message;
}

// OpenAI's: deltas are merged member by member, whatever they hold: text is joined, elements of lists are told
// apart by their index, and `type` and `index` stand still.
inline void merge(boost::json::object& into, const boost::json::object& change) {
  for (const auto& [name, value] : change) {
    auto& known = into[name];
    if (known.is_null() || name == "type" || name == "index") {
      known = value.is_array() ? boost::json::array() : value;
      if (!value.is_array()) continue;
    }
    if (known.is_string() && value.is_string()) {
      known.as_string() += value.as_string();
    } else if (known.is_object() && value.is_object()) {
      merge(known.as_object(), value.as_object());
    } else if (known.is_array() && value.is_array()) {
      for (const auto& one : value.as_array()) {
        auto& all = known.as_array();
        const auto at_index = static_cast<std::size_t>(one.at("index").as_int64());
        while (all.size() <= at_index) all.emplace_back(boost::json::object());
        merge(all[at_index].as_object(), one.as_object());
      }
    }
  }
}
inline void extend_choice(boost::json::object& choice, const boost::json::value& step) {
  if (const auto* change = step.as_object().if_contains("delta")) {
    auto& message = choice["message"];
    if (message.is_null()) message = boost::json::object();
    merge(message.as_object(), change->as_object());
  } else {  // completions
    merge(choice, {{"text", step.at("text")}});
  }
  if (const auto* reason = step.as_object().if_contains("finish_reason"); reason && !reason->is_null()) {
    EXPECT_FALSE(choice.contains("finish_reason")) << "it ends twice";
    choice["finish_reason"] = *reason;
  }
  const auto* logprobs = step.as_object().if_contains("logprobs");
  if (logprobs == nullptr || !logprobs->is_object()) return;
  auto& tokens = choice["tokens"];
  if (tokens.is_null()) tokens = boost::json::array();
  for (const auto& token : logprobs->at("content").as_array()) tokens.as_array().push_back(token.at("token"));
}
inline boost::json::object openai_answer(std::string_view stream) {
  boost::json::object answer;
  boost::json::array choices;
  bool done = false;
  for (const auto& event : events(stream)) {
    EXPECT_FALSE(done);
    done = event.data == "[DONE]";
    if (done) continue;
    const auto chunk = read(event.data);
    if (const auto* counts = chunk.as_object().if_contains("usage")) answer["usage"] = *counts;
    for (const auto& one : chunk.at("choices").as_array()) {
      const auto index = static_cast<std::size_t>(one.at("index").as_int64());
      while (choices.size() <= index) choices.emplace_back(boost::json::object());
      extend_choice(choices[index].as_object(), one);
    }
  }
  EXPECT_TRUE(done);
  answer["choices"] = choices;
  return answer;
}

// ---- from a provider through us to a client

struct spoken {
  std::string whole;                // the provider's body
  std::vector<std::string> events;  // the data of its events
};

// What a client has in the end: OpenAI's answer with `message` in each of its choices, or Anthropic's message.
inline boost::json::value heard(const request& of, const target& from, const spoken& what, bool stream) {
  const answer_head head{.id = "id", .created = 5, .model = "m"};
  if (!stream) {
    const auto got = read_answer(of, from, what.whole);
    EXPECT_TRUE(got) << what.whole;
    return read(write_answer(of, got.value_or(answer{}), head, {}));
  }
  const auto reader = make_stream_reader(of, from);
  const auto writer = make_stream_writer(of, head);
  writer->model("m");
  std::string out;
  usage counted;
  for (const auto& event : what.events) {
    std::vector<delta> steps;
    EXPECT_TRUE(reader->event({}, event, steps)) << event;
    for (const auto& step : steps) {
      writer->step(step, out);
      if (step.usage) counted = *step.usage;
    }
  }
  EXPECT_TRUE(reader->finished());
  writer->end(counted, {}, out);
  return of.dialect == dialect::anthropic ? anthropic_message(out) : openai_answer(out);
}

}  // namespace meshai::chat::testing
