// What a fake says: the default answers, and the rest of answers that were begun.
#include <algorithm>

#include "fake_show.hpp"

namespace meshai::fake {
namespace {

namespace json = boost::json;

constexpr std::string_view echo = "You said: ";

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

// What the end of a conversation asks for.
struct request_to_go_on {
  std::string question;  // what the user said last, before what is to be continued
  std::string said;      // by the assistant, and to be continued; empty where it is not
  bool prefill = false;  // as the last message, and not on request
};

std::string last_of(const std::vector<turn>& talk, std::size_t before, bool assistant) {
  std::string out;
  for (std::size_t i = 0; i < before; ++i) {
    if (talk[i].assistant == assistant) out = talk[i].text;
  }
  return out;
}

std::string_view first_of(const std::vector<turn>& talk) {
  const auto user = std::ranges::find(talk, false, &turn::assistant);
  return user == talk.end() ? std::string_view() : user->text;
}

request_to_go_on read_talk(const std::vector<turn>& talk) {
  request_to_go_on out;
  if (talk.empty()) return out;
  const auto last = talk.size() - 1;
  out.question = talk[last].text;
  if (talk[last].assistant) {
    out.question = last_of(talk, last, false);
    out.said = talk[last].text;
    out.prefill = true;
  } else if (last > 1 && talk[last - 1].assistant) {
    out.said = talk[last - 1].text;
  }
  return out;
}

// The last 24 bytes or a little more: a seam knows an overlap from 16 characters on.
std::string_view tail(std::string_view text) {
  auto begin = text.size() - std::min<std::size_t>(text.size(), 24);
  while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;  // the middle of a character
  return text.substr(begin);
}

std::string go_on(std::string_view whole, std::string_view said, going_on manner) {
  const auto rest = whole.substr(said.size());
  switch (manner) {
    case going_on::ignored:
      return std::string(whole);
    case going_on::preamble:
      return std::string("Sure, continuing: ").append(rest);
    case going_on::overlaps:
      return std::string(tail(said)).append(rest);
    default:
      return std::string(rest);
  }
}

}  // namespace

plan fill_in(script how, const std::vector<turn>& talk, const std::vector<tool_shape>& tools, bool may_call,
             const options& of) {
  const auto asked = read_talk(talk);
  const auto manner = asked.prefill ? how.prefill.value_or(of.prefill) : how.asked.value_or(of.asked);
  plan out;
  const bool given = !how.text.empty() || !how.calls.empty();
  if (!given && !tools.empty() && may_call) {
    how.calls.push_back({tools.front().name, json::serialize(sample(tools.front().schema))});
  } else if (!given && of.says) {
    how.text = of.says(first_of(talk), manner == going_on::ignored ? std::string() : asked.said);
  } else if (!given) {
    // Asked to go on with an echo, it still echoes the question.
    const auto before = std::string(echo) + last_of(talk, talk.empty() ? 0 : talk.size() - 1, false);
    const bool begun = !asked.said.empty() && asked.said.size() < before.size() && before.starts_with(asked.said);
    how.text = begun ? before : std::string(echo) + asked.question;
  }
  out.refused = asked.prefill && manner == going_on::refused;
  // Nothing is left to say of a text that is whole; but an echo that is whole, and a question after it, is small talk.
  const bool more = asked.said.size() < how.text.size() || asked.prefill || of.says;
  const bool goes_on = !asked.said.empty() && more && how.text.starts_with(asked.said);
  if (goes_on) {
    how.text = go_on(how.text, asked.said, manner);
    if (asked.prefill) {
      how.thinking.clear();
      if (manner != going_on::ignored) out.said = asked.said;
    }
  }
  out.how = std::move(how);
  return out;
}

script complete(script how, std::string_view prompt) {
  if (how.text.empty()) {
    const auto begun = prompt.find(echo);
    how.text = std::string(echo).append(prompt.substr(0, begun));
  }
  // The longest beginning of the text with which the prompt ends, of one word at least.
  for (auto size = std::min(prompt.size(), how.text.size() - 1); size >= tokens_of(how.text).front().size();
       --size) {
    if (!prompt.ends_with(std::string_view(how.text).substr(0, size))) continue;
    how.text.erase(0, size);
    break;
  }
  return how;
}

json::value arguments_of(const tool_use& call) {
  boost::system::error_code wrong;
  auto out = json::parse(call.arguments, wrong);
  return wrong ? json::value(json::object()) : out;
}

}  // namespace meshai::fake
