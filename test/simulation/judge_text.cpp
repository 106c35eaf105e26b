// Whether what was said is one answer, once and in order, whoever wrote it.
#include <fmt/format.h>

#include <algorithm>

#include "judge.hpp"

namespace meshai::simulation {
namespace {

void find(std::vector<finding>& in, std::string rule, std::string what) {
  in.push_back({std::move(rule), std::move(what)});
}

std::string shortened(const std::string& text) {
  return text.size() > 300 ? text.substr(0, 300) + "..." : text;
}

bool loops(const std::string& text, const std::string& expected) {
  // The beginning of the answer, and then one of its words over and over.
  std::size_t same = 0;
  while (same < text.size() && same < expected.size() && text[same] == expected[same]) ++same;
  const auto cut = expected.rfind(' ', same == 0 ? 0 : same - 1);
  const auto begin = cut == expected.npos ? 0 : cut;
  for (auto start : {begin, begin == 0 ? std::size_t{0} : expected.rfind(' ', begin - 1)}) {
    if (start == expected.npos) start = 0;
    const auto end = std::min(expected.find(' ', start + 1), expected.size());
    const auto token = expected.substr(start, end - start);
    auto rest = std::string_view(text).substr(std::min(start, text.size()));
    while (!token.empty() && rest.starts_with(token)) rest.remove_prefix(token.size());
    if (rest.empty()) return true;
  }
  return false;
}

// Every word of one answer once and in order, whoever wrote them; a whole answer has them all.
void words(const heard& got, bool may_loop, std::vector<finding>& found) {
  const auto prompt = prompt_of(got.tag, *got.what);
  const bool whole = got.how == ending::whole;
  if (!got.calls.empty()) find(found, "text", got.tag + " got a call of a tool that it does not have");
  for (int voice = 0; voice < voices; ++voice) {
    const auto expected = answer_to(prompt, voice);
    if (may_loop && loops(got.text, expected)) return;
    if (whole ? got.text == expected : expected.starts_with(got.text)) {
      if (whole && got.finish != (got.what->anthropic ? "end_turn" : "stop")) {
        find(found, "finish", got.tag + " finishes with " + got.finish);
      }
      return;
    }
  }
  find(found, "text",
       fmt::format("{}: \"{}\" is not {}\"{}\"", got.tag, shortened(got.text), whole ? "" : "the beginning of ",
                   shortened(answer_to(prompt, 0))));
}

// One call, its arguments once and in order.
void call(const heard& got, bool may_loop, std::vector<finding>& found) {
  if (may_loop) return;  // an endless call is nonsense, and is passed on as that
  const bool whole = got.how == ending::whole;
  const bool one = got.calls.size() == 1 && got.calls.front().first == tool_name;
  const auto said = one ? std::string_view(got.calls.front().second) : std::string_view();
  const bool right =
      whole ? one && said == tool_arguments : got.calls.empty() || (one && tool_arguments.starts_with(said));
  if (!right || !got.text.empty()) {
    find(found, "text", fmt::format("{}: {} calls, \"{}\" and \"{}\"", got.tag, got.calls.size(), said, got.text));
  }
  if (whole && got.finish != (got.what->anthropic ? "tool_use" : "tool_calls")) {
    find(found, "finish", got.tag + " finishes with " + got.finish);
  }
}

// They are begun again where an answer is, and then stand apart.
void thoughts(const heard& got, std::vector<finding>& found) {
  constexpr std::string_view thought = "Let me think about it.", pause = "\n\n";
  auto rest = std::string_view(got.reasoning);
  for (bool first = true; !rest.empty(); first = false) {
    if (!first && rest.starts_with(pause)) rest.remove_prefix(pause.size());
    const auto same = std::ranges::mismatch(rest, thought).in1 - rest.begin();
    if (same == 0) return find(found, "text", got.tag + " thinks \"" + got.reasoning + "\"");
    rest.remove_prefix(static_cast<std::size_t>(same));
  }
}

}  // namespace

void judge_text(const heard& got, bool may_loop, std::vector<finding>& found) {
  if (got.what->tool) {
    call(got, may_loop, found);
  } else {
    words(got, may_loop, found);
  }
  thoughts(got, found);
}

}  // namespace meshai::simulation
