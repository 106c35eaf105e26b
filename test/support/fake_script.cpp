#include <array>

#include "base/check.hpp"
#include "fake_show.hpp"

namespace meshai::fake {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 12> fault_names{"none",     "reset",     "stall",         "end",
                                                       "truncate", "garbage",   "error_event",   "html",
                                                       "no_done",  "no_finish", "double_finish", "endless"};

fault parse_fault(std::string_view name) {
  for (std::size_t i = 0; i < fault_names.size(); ++i) {
    if (fault_names[i] == name) return static_cast<fault>(i);
  }
  CHECK(!"a fault that no fake knows");
}

// A value that fits the schema: enough of JSON Schema for a tool's parameters.
json::value sample(const json::value& schema) {
  const auto* object = schema.if_object();
  if (!object) return nullptr;
  if (const auto* choices = object->if_contains("enum"); choices && choices->is_array())
    return choices->get_array().front();
  const auto* type = object->if_contains("type");
  const auto name = type && type->is_string() ? std::string_view(type->get_string()) : "object";
  if (name == "string") return "Paris";
  if (name == "integer") return 7;
  if (name == "number") return 7.5;
  if (name == "boolean") return true;
  if (name == "array") {
    const auto* items = object->if_contains("items");
    return json::array{items ? sample(*items) : json::value("Paris")};
  }
  json::object out;
  if (const auto* members = object->if_contains("properties"); members && members->is_object()) {
    for (const auto& [key, value] : members->get_object()) out[key] = sample(value);
  }
  return out;
}

void take_member(script& into, std::string_view name, const json::value& value) {
  const auto text = [&] { return std::string(value.as_string()); };
  const auto time = [&] { return std::chrono::milliseconds(value.to_number<int>()); };
  if (name == "text")
    into.text = text();
  else if (name == "thinking")
    into.thinking = text();
  else if (name == "finish")
    into.finish = text();
  else if (name == "status")
    into.status = value.to_number<int>();
  else if (name == "type")
    into.type = text();
  else if (name == "code")
    into.code = text();
  else if (name == "message")
    into.message = text();
  else if (name == "fault")
    into.fault = parse_fault(value.as_string());
  else if (name == "at")
    into.at = value.to_number<int>();
  else if (name == "first_token_ms")
    into.first_token = time();
  else if (name == "gap_ms")
    into.gap = time();
  else if (name == "times")
    into.times = value.to_number<int>();
  else if (name == "headers") {
    for (const auto& [key, header] : value.as_object()) into.headers.emplace_back(key, header.as_string());
  } else if (name == "calls") {
    for (const auto& call : value.as_array()) {
      into.calls.push_back({std::string(call.at("name").as_string()), json::serialize(call.at("arguments"))});
    }
  } else {
    CHECK(!"a member of a script that no fake knows");
  }
}

}  // namespace

script parse_script(std::string_view text) {
  script out;
  const auto parsed = json::parse(text);
  for (const auto& [name, value] : parsed.as_object()) take_member(out, name, value);
  return out;
}

script fill_in(script how, std::string_view last_text, const std::vector<tool_shape>& tools, bool may_call) {
  if (!how.text.empty() || !how.calls.empty()) return how;
  if (!tools.empty() && may_call) {
    how.calls.push_back({tools.front().name, json::serialize(sample(tools.front().schema))});
  } else {
    how.text = "You said: " + std::string(last_text);
  }
  return how;
}

std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != ' ') continue;
    out.emplace_back(text.substr(begin, i - begin));
    begin = i;
  }
  return out;
}

std::string sse(std::string_view data, std::string_view event) {
  std::string out;
  if (!event.empty()) out.append("event: ").append(event).append("\n");
  return out.append("data: ").append(data).append("\n\n");
}

std::string text_of(const json::value* content) {
  if (!content) return {};
  if (content->is_string()) return std::string(content->get_string());
  std::string out;
  if (!content->is_array()) return out;
  for (const auto& part : content->get_array()) {
    const auto* object = part.if_object();
    const auto* text = object ? object->if_contains("text") : nullptr;
    if (text && text->is_string()) out += text->get_string();
  }
  return out;
}

std::string seen::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace meshai::fake
