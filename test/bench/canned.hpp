// bench: what the fake provider is asked for and answers, as both sides know it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace meshai::bench {

// The text of every whole answer; the number of the question follows.
inline constexpr std::string_view words =
    "The Danube rises in the Black Forest and flows through ten countries before it reaches the Black Sea. It is "
    "2,850 kilometres long, and four capitals lie on its banks: Vienna, Bratislava, Budapest and Belgrade. "
    "Answer ";

// The question holds "number 00000042".
inline constexpr std::string_view number_mark = "number ";
inline constexpr std::size_t number_digits = 8;

struct plan {
  int chunks = 0;        // 0: a whole answer
  std::int64_t gap = 0;  // nanoseconds between two chunks
};

// By the model's name: "s40-10000" is forty chunks, ten milliseconds apart.
inline plan plan_of(const std::string& model) {
  plan out;
  if (!model.starts_with('s')) return out;
  char* end = nullptr;
  out.chunks = static_cast<int>(std::strtol(model.c_str() + 1, &end, 10));
  if (*end == '-') out.gap = std::strtoll(end + 1, nullptr, 10) * 1000;
  return out;
}

}  // namespace meshai::bench
