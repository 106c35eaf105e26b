#include "route/held.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <string>

namespace meshai::route {
namespace {

// What stands in `json`, without its escapes: a \u0040 is an @ wherever it is read.
std::string unescaped(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const auto plain = json.substr(0, json.find('\\'));
    out += plain;
    json.remove_prefix(plain.size());
    // A run of escapes is read as one text, so that both halves of a surrogate pair are in it.
    std::size_t end = 0;
    while (end + 1 < json.size() && json[end] == '\\') end += json[end + 1] == 'u' ? 6 : 2;
    end = std::min(end, json.size());
    if (end == 0) {  // a last backslash
      out += json;
      break;
    }
    boost::system::error_code wrong;
    const auto read = boost::json::parse('"' + std::string(json.substr(0, end)) + '"', wrong);
    if (const auto* text = wrong ? nullptr : read.if_string()) {
      out += *text;
    } else {
      out += json.substr(0, end);
    }
    json.remove_prefix(end);
  }
  return out;
}

class looker {
 public:
  explicit looker(care::content_set wanted) : wanted_(wanted) {}
  care::found found;

  void at(std::string_view text) {
    if (!text.empty()) found.add(care::look(text, wanted_));
  }
  void at_json(std::string_view json) {
    if (json.contains('\\')) {
      at(unescaped(json));
    } else {
      at(json);
    }
  }
  void at(const chat::raw_members& members) {
    for (const auto& each : members) at_json(each.raw);
  }
  void at(const chat::part& part) {
    if (part.kind != chat::part_kind::tool_result) at(part.text);
    at(part.detail);
    if (!part.url.starts_with("data:")) at(part.url);
    if (part.media_type.starts_with("text/")) at(part.data);
    at(part.thought.text);
    at(part.call.name);
    at_json(part.call.arguments);
    at(part.call.extra);
    at(part.extra);
    at_json(part.raw);
    for (const auto& inner : part.content) at(inner);
  }
  void at(const chat::message& message) {
    at(message.name);
    at(message.extra);
    for (const auto& part : message.parts) at(part);
  }
  void at(const chat::tool& tool) {
    at(tool.description);
    at_json(tool.raw_schema);
    at(tool.extra);
    at_json(tool.raw);
  }

 private:
  care::content_set wanted_;
};

}  // namespace

care::found look_through(const chat::request& asked, care::content_set wanted) {
  looker all(wanted);
  for (const auto& message : asked.messages) all.at(message);
  for (const auto& tool : asked.tools) all.at(tool);
  for (const auto& stop : asked.stop) all.at(stop);
  all.at_json(asked.response_format.raw_schema);
  all.at(asked.user);
  all.at(asked.extra);
  // Several prompts or inputs at once stand in the body only.
  const bool several =
      asked.endpoint == chat::endpoint::completions || asked.endpoint == chat::endpoint::embeddings;
  if (several) all.at_json(asked.body);
  return all.found;
}

}  // namespace meshai::route
