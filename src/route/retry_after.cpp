// How long a provider asks to be left alone: every form in which it is said.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include "route/fault.hpp"

namespace meshai::route {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest{3'600'000};

milliseconds bounded(double ms) {
  if (!(ms > 0)) return milliseconds(0);
  return ms >= static_cast<double>(longest.count()) ? longest
                                                    : milliseconds(static_cast<std::int64_t>(std::ceil(ms)));
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes a decimal number off the front; from_chars' other forms (inf, 1e9, hex) are no durations.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (why != std::errc() || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<double> take_unit(std::string_view& text) {
  struct unit {
    std::string_view name;
    double ms;
  };
  static constexpr std::array<unit, 5> units{{{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};
  for (const auto& [name, ms] : units) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return ms;
  }
  return std::nullopt;
}

// "1s", "6m0s", "250ms", "1h2m3.5s", from the front of `text`.
std::optional<double> take_duration(std::string_view& text) {
  double sum = 0;
  bool any = false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    const auto value = take_number(text);
    if (!value) return std::nullopt;
    const auto unit = take_unit(text);
    if (!unit) return std::nullopt;
    sum += *value * *unit;
    any = true;
  }
  return any ? std::optional(sum) : std::nullopt;
}

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (why != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<wall_time> moment(int year, unsigned month, unsigned day, std::string_view clock) {
  if (clock.size() < 8 || clock[2] != ':' || clock[5] != ':') return std::nullopt;
  const auto h = digits(clock.substr(0, 2)), m = digits(clock.substr(3, 2)), s = digits(clock.substr(6, 2));
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || !h || !m || !s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
  return wall_time(std::chrono::sys_days(date)) + std::chrono::hours(*h) + std::chrono::minutes(*m) +
         std::chrono::seconds(*s);
}

std::optional<unsigned> month_of(std::string_view name) {
  static constexpr std::string_view names = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (name.size() != 3) return std::nullopt;
  const auto at = names.find(name);
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  return static_cast<unsigned>(at / 3 + 1);
}

// The three forms of RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
// "Sun Nov  6 08:49:37 1994".
std::optional<wall_time> http_date(std::string_view text) {
  std::array<std::string_view, 6> words{};
  std::size_t count = 0;
  while (!text.empty() && count < words.size()) {
    const auto end = text.find_first_of(" -");
    const auto word = text.substr(0, end);
    if (!word.empty()) words[count++] = word;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (count < 5) return std::nullopt;
  if (const auto month = month_of(words[1])) {  // asctime
    const auto day = digits(words[2]), year = digits(words[4]);
    return day && year ? moment(*year, *month, static_cast<unsigned>(*day), words[3]) : std::nullopt;
  }
  const auto month = month_of(words[2]);
  const auto day = digits(words[1]);
  auto year = digits(words[3]);
  if (!month || !day || !year) return std::nullopt;
  if (words[3].size() == 2) *year += *year < 70 ? 2000 : 1900;
  return moment(*year, *month, static_cast<unsigned>(*day), words[4]);
}

// RFC 3339: "2025-01-30T12:00:00Z", with fractions and offsets.
std::optional<wall_time> rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) {
    return std::nullopt;
  }
  const auto year = digits(text.substr(0, 4)), month = digits(text.substr(5, 2)), day = digits(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  auto at = moment(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day), text.substr(11, 8));
  if (!at) return std::nullopt;
  auto rest = text.substr(19);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    const auto end = std::min(rest.find_first_not_of("0123456789"), rest.size());
    rest.remove_prefix(end);
    *at += std::chrono::seconds(1);  // a fraction waits for the next second
  }
  if (rest == "Z" || rest == "z") return at;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return std::nullopt;
  const auto hours = digits(rest.substr(1, 2)), minutes = digits(rest.substr(4, 2));
  if (!hours || !minutes) return std::nullopt;
  const auto offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return rest[0] == '+' ? *at - offset : *at + offset;
}

double until(wall_time when, wall_time now) {
  return static_cast<double>((when - now).count());
}

// Seconds, an epoch in seconds or milliseconds, a duration or a date.
std::optional<double> any_form(std::string_view text, wall_time now) {
  text = trimmed(text);
  auto rest = text;
  if (const auto number = take_number(rest); number && rest.empty()) {
    const auto wall = static_cast<double>(now.time_since_epoch().count());
    if (*number >= 1e12) return *number - wall;
    if (*number >= 1e9) return *number * 1e3 - wall;
    return *number * 1e3;
  }
  rest = text;
  if (const auto span = take_duration(rest); span && rest.empty()) return span;
  if (const auto when = rfc3339(text)) return until(*when, now);
  if (const auto when = http_date(text)) return until(*when, now);
  return std::nullopt;
}

// "x-ratelimit-reset-tokens" -> "x-ratelimit-remaining-tokens"; empty when `name` is no such header.
std::string remaining_beside(std::string_view name) {
  const auto at = name.find("reset");
  if (at == std::string_view::npos || !name.contains("ratelimit")) return {};
  return std::string(name.substr(0, at)) + "remaining" + std::string(name.substr(at + 5));
}

}  // namespace

std::optional<milliseconds> retry_after(std::span<const header> of, wall_time now) {
  std::optional<double> exact, said, exhausted, soonest;
  const auto value_of = [&](std::string_view name) -> std::optional<std::string_view> {
    for (const auto& h : of) {
      if (lowered(h.name) == name) return trimmed(h.value);
    }
    return std::nullopt;
  };
  for (const auto& h : of) {
    const auto name = lowered(h.name);
    if (name == "retry-after-ms") {
      auto text = trimmed(h.value);
      if (const auto ms = take_number(text); ms && text.empty()) exact = ms;
    } else if (name == "retry-after") {
      said = any_form(h.value, now);
    } else if (const auto beside = remaining_beside(name); !beside.empty()) {
      const auto wait = any_form(h.value, now);
      if (!wait) continue;
      soonest = soonest ? std::min(*soonest, *wait) : *wait;
      if (value_of(beside) == "0") exhausted = exhausted ? std::max(*exhausted, *wait) : *wait;
    }
  }
  for (const auto& wait : {exact, said, exhausted, soonest}) {
    if (wait) return bounded(*wait);
  }
  return std::nullopt;
}

std::optional<milliseconds> retry_after_in_words(std::string_view message) {
  static constexpr std::array<std::string_view, 3> phrases{"try again in ", "retry in ", "retry after "};
  const auto text = lowered(message.substr(0, 4096));
  for (const auto phrase : phrases) {
    const auto at = text.find(phrase);
    if (at == std::string::npos) continue;
    auto rest = std::string_view(text).substr(at + phrase.size());
    if (const auto span = take_duration(rest)) return bounded(*span);
    rest = std::string_view(text).substr(at + phrase.size());
    if (const auto number = take_number(rest); number && rest.starts_with(" second"))
      return bounded(*number * 1e3);
  }
  return std::nullopt;
}

std::optional<milliseconds> retry_after_in_body(std::string_view body) {
  // Inside of a text the quotes would be escaped: this is the member itself, wherever in `details` it stands.
  constexpr std::string_view member = "\"retryDelay\"", blanks = " \t\r\n";
  const auto at = body.find(member);
  if (at == std::string_view::npos) return std::nullopt;
  auto rest = body.substr(at + member.size());
  for (const char next : {':', '"'}) {
    rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
    if (!rest.starts_with(next)) return std::nullopt;
    rest.remove_prefix(1);
  }
  const auto span = take_duration(rest);
  return span && rest.starts_with('"') ? std::optional(bounded(*span)) : std::nullopt;
}

}  // namespace meshai::route
