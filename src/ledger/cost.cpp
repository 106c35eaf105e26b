#include "ledger/cost.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace meshai::ledger {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
// A conversation's own marks, and what providers put before tools (Anthropic: up to 500).
constexpr std::int64_t frame = 64, frame_of_tools = 600;
constexpr std::int64_t image_at_most = 8'192, image_likely = 1'000;
constexpr std::int64_t file_elsewhere = 50'000;  // by its URL: nobody here sees its size

struct weight {
  std::int64_t data = 0;  // bytes that are no text
  std::int64_t images = 0, files = 0, tokens_of_files = 0;
};

void weigh(const std::vector<chat::part>& parts, weight& into) {
  for (const auto& piece : parts) {
    const auto size = static_cast<std::int64_t>(piece.data.size());
    switch (piece.kind) {
      case chat::part_kind::image:
        ++into.images;
        into.data += size;
        break;
      case chat::part_kind::audio:
      case chat::part_kind::document:
        into.data += size;
        // Four characters of base64 are three bytes; a page of a PDF has more of them than tokens.
        into.tokens_of_files += size > 0 ? size / 2 : file_elsewhere;
        break;
      default:
        break;
    }
    weigh(piece.content, into);
  }
}

weight weigh(const chat::request& asked) {
  weight out;
  for (const auto& message : asked.messages) weigh(message.parts, out);
  return out;
}

std::int64_t answers_of(const chat::request& asked) {
  return std::clamp<std::int64_t>(asked.n.value_or(1), 1, 128);
}

std::int64_t output_of(const chat::request& asked, std::int64_t without_a_word,
                       std::optional<std::int64_t> context) {
  if (asked.endpoint == chat::endpoint::embeddings || asked.endpoint == chat::endpoint::count_tokens) return 0;
  auto each = std::clamp<std::int64_t>(asked.max_tokens.value_or(without_a_word), 0, 1'000'000'000);
  if (context && *context > 0) each = std::min(each, *context);
  return each * answers_of(asked);
}

bound within(bound made, std::optional<std::int64_t> context) {
  if (context && *context > 0) made.input = std::min(made.input, *context);
  return made;
}

double larger(double a, const std::optional<double>& b) {
  return b ? std::max(a, *b) : a;
}

}  // namespace

amount& amount::operator+=(const amount& more) {
  const auto add = [](std::int64_t a, std::int64_t b) { return b > 0 && a > most - b ? most : a + b; };
  tokens = add(tokens, more.tokens);
  money = add(money, more.money);
  return *this;
}

amount& amount::operator-=(const amount& less) {
  tokens = std::max<std::int64_t>(0, tokens - less.tokens);
  money = std::max<std::int64_t>(0, money - less.money);
  return *this;
}

std::int64_t to_money(double units) {
  // A product of decimals is off by some last bits: they are no billionth more.
  const double exact = units * billion;
  if (!(exact < 9e18)) return most;
  const double whole = std::ceil(exact - std::max(1e-6, exact * 1e-12));
  return static_cast<std::int64_t>(std::max(0.0, whole));
}

std::string money_text(std::int64_t money) {
  const auto millionths = money / 1'000 + (money % 1'000 >= 500 ? 1 : 0);
  auto decimals = std::to_string(1'000'000 + millionths % 1'000'000).substr(1);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return std::to_string(millionths / 1'000'000) + (decimals.empty() ? "" : "." + decimals);
}

bound worst_case(const chat::request& asked, std::optional<std::int64_t> context) {
  const auto heavy = weigh(asked);
  const auto body = static_cast<std::int64_t>(asked.body.size()) - heavy.data;
  auto input = std::max(body, static_cast<std::int64_t>(asked.text_size)) + frame;
  if (!asked.tools.empty()) input += frame_of_tools;
  input += heavy.images * image_at_most + heavy.tokens_of_files;
  return within({.input = input, .output = output_of(asked, usual_answer, context)}, context);
}

bound likely_case(const chat::request& asked, std::optional<std::int64_t> context) {
  const auto heavy = weigh(asked);
  const auto input =
      static_cast<std::int64_t>(asked.text_size) / 4 + heavy.images * image_likely + heavy.tokens_of_files / 8;
  return within({.input = input, .output = output_of(asked, 0, context)}, context);
}

amount cost_of(const bound& at_most, const std::optional<price>& at) {
  amount out{.tokens = at_most.input + at_most.output, .money = 0};
  if (!at) return out;
  const double in = larger(larger(at->input, at->cached), at->cache_written);
  out.money =
      to_money((static_cast<double>(at_most.input) * in + static_cast<double>(at_most.output) * at->output) / 1e6);
  return out;
}

amount cost_of(const chat::usage& used, const std::optional<price>& at) {
  const auto whole = [](std::int64_t n) { return std::clamp<std::int64_t>(n, 0, 1'000'000'000'000); };
  const auto input = whole(used.input), output = whole(used.output);
  amount out{.tokens = input + output, .money = 0};
  if (!at) return out;
  const auto cached = std::min(whole(used.cached), input);
  const auto written = std::min(whole(used.cache_written), input - cached);
  out.money = to_money((static_cast<double>(input - cached - written) * at->input +
                        static_cast<double>(cached) * at->cached.value_or(at->input) +
                        static_cast<double>(written) * at->cache_written.value_or(at->input) +
                        static_cast<double>(output) * at->output) /
                       1e6);
  return out;
}

}  // namespace meshai::ledger
