#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "fake_show.hpp"

namespace meshai::fake {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 14> fault_names{
    "none", "reset",   "stall",     "end",           "truncate", "garbage",    "error_event",
    "html", "no_done", "no_finish", "double_finish", "endless",  "short_body", "error_body"};
constexpr std::array<std::string_view, 5> manner_names{"continues", "refused", "ignored", "preamble", "overlaps"};

// The enumerator whose name stands at the same place.
template <class Enum, std::size_t N>
Enum parse_word(const std::array<std::string_view, N>& names, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == word) return static_cast<Enum>(i);
  }
  CHECK(!"a word that no fake knows");
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
  else if (name == "retry_delay")
    into.retry_delay = text();
  else if (name == "fault")
    into.fault = parse_word<fault>(fault_names, value.as_string());
  else if (name == "at")
    into.at = value.is_string() ? in_call : value.to_number<int>();
  else if (name == "prefill")
    into.prefill = parse_going_on(value.as_string());
  else if (name == "asked")
    into.asked = parse_going_on(value.as_string());
  else if (name == "first_token_ms")
    into.first_token = time();
  else if (name == "gap_ms")
    into.gap = time();
  else if (name == "pause_ms")
    into.pause = time();
  else if (name == "drip_ms")
    into.drip = time();
  else if (name == "logprob")
    into.logprob = value.to_number<double>();
  else if (name == "drip_bytes")
    into.drip_bytes = value.to_number<std::size_t>();
  else if (name == "times")
    into.times = value.to_number<int>();
  else if (name == "headers") {
    for (const auto& [key, header] : value.as_object()) into.headers.emplace_back(key, header.as_string());
  } else if (name == "calls") {
    for (const auto& call : value.as_array()) {
      const auto& arguments = call.at("arguments");
      into.calls.push_back({std::string(call.at("name").as_string()), arguments.is_string()
                                                                          ? std::string(arguments.get_string())
                                                                          : json::serialize(arguments)});
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

going_on parse_going_on(std::string_view word) {
  return parse_word<going_on>(manner_names, word);
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

bool is_known(std::string_view model, const options& of) {
  return std::ranges::contains(of.models, model) || model.starts_with("fake:{");
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
