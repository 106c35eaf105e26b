// An answer of a fake, ready to be sent piece by piece.
#pragma once

#include <boost/json.hpp>
#include <optional>

#include "fake.hpp"

namespace meshai::fake {

struct piece {
  std::string bytes;
  bool token = false;    // content, as against roles, pings and ends
  bool finish = false;   // carries the finish reason
  bool done = false;     // the protocol's end
  bool in_call = false;  // the last of a call's arguments
};

struct show {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  bool stream = false;
  std::vector<piece> pieces;
  std::string error_piece;  // what an error looks like in the middle of the stream
};

// A request that the provider itself would refuse is answered with its error.
show perform_openai(std::string_view path, const boost::json::object& asked, const script& how, const options& of);
show perform_anthropic(std::string_view path, const boost::json::object& asked, const script& how,
                       const options& of);
show perform_gemini(std::string_view path, const boost::json::object& asked, const script& how, const options& of);

show openai_error(int status, std::string_view type, std::string_view code, std::string_view message);
show anthropic_error(int status, std::string_view type, std::string_view message);
show gemini_error(int status, std::string_view name, std::string_view message, std::string_view retry_delay = {});

struct tool_shape {
  std::string name;
  boost::json::value schema;
};
struct turn {
  bool assistant = false;
  std::string text;
};

// What is played in the end.
struct plan {
  script how;            // with the text that is still to be said
  std::string said;      // what a prefill held of that text already
  bool refused = false;  // the model takes no prefill
};
// The default answer where the script says nothing: what was said, or the first tool called; and of a text the
// rest, where the conversation says that it is to be continued.
plan fill_in(script how, const std::vector<turn>& talk, const std::vector<tool_shape>& tools, bool may_call,
             const options& of);
// The same for a prompt that the model simply goes on with.
script complete(script how, std::string_view prompt);

// The arguments of a call as a value; a model's nonsense as an empty object.
boost::json::value arguments_of(const tool_use& call);

// "Hello big world" -> "Hello", " big", " world": as a tokenizer would, roughly.
std::vector<std::string> tokens_of(std::string_view text);

// Whether a provider has this model; a name may itself be a script.
bool is_known(std::string_view model, const options& of);

std::string sse(std::string_view data, std::string_view event = {});
std::string text_of(const boost::json::value* content);  // a string, or the text parts of a list

}  // namespace meshai::fake
