#include "route/asked.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace meshai::route {
namespace {

constexpr std::size_t says_little = 24;  // bytes
constexpr int turns_back = 4;
constexpr std::size_t longest_offer = 512;  // bytes

// "yes", "go on", "はい": nothing to look up, to reckon or to ask in it.
bool says_enough(std::string_view text) {
  return text.size() > says_little || text.contains('?') || text.contains("？") ||
         std::ranges::any_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// True where one of them says enough.
bool add_texts(const chat::message& of, std::vector<std::string_view>& to) {
  bool enough = false;
  for (const auto& part : of.parts) {
    if (part.kind == chat::part_kind::image) enough = true;
    if (part.kind != chat::part_kind::text) continue;
    to.push_back(part.text);
    enough = enough || says_enough(part.text);
  }
  return enough;
}

// The last sentence, where it is a question.
std::string_view offer_of(const chat::message& answer) {
  const auto last = std::ranges::find_last(answer.parts, chat::part_kind::text, &chat::part::kind);
  if (last.empty()) return {};
  std::string_view text = last.front().text;
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  if (!text.ends_with('?') && !text.ends_with("？")) return {};
  text = text.substr(text.size() - std::min(text.size(), longest_offer));
  const auto before = text.substr(0, text.size() - 1).find_last_of(".!?\n");
  return before == std::string_view::npos ? text : text.substr(before + 1);
}

}  // namespace

std::vector<std::string_view> texts_asked(const chat::request& of) {
  std::vector<std::string_view> out;
  bool offered = false;
  int users = 0;
  for (const auto& message : of.messages | std::views::reverse) {
    if (message.role == chat::role::user) {
      const bool only_results = std::ranges::all_of(
          message.parts, [](const chat::part& p) { return p.kind == chat::part_kind::tool_result; });
      if (only_results && !message.parts.empty()) continue;
      if (add_texts(message, out) || ++users > turns_back) break;
    } else if (message.role == chat::role::assistant && users == 1 && !std::exchange(offered, true)) {
      if (const auto offer = offer_of(message); !offer.empty()) out.push_back(offer);
    }
  }
  return out;
}

}  // namespace meshai::route
