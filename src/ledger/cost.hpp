// ledger: what an attempt may come to at most, and what it came to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/price.hpp"
#include "chat/chat.hpp"

namespace meshai::ledger {

// Tokens, and money in billionths of the unit that prices are in.
struct amount {
  std::int64_t tokens = 0, money = 0;

  bool operator==(const amount&) const = default;
  amount& operator+=(const amount& more);  // never beyond the largest number
  amount& operator-=(const amount& less);  // never below nothing
};

inline constexpr double billion = 1e9;
// A sum as people write it, rounded up.
std::int64_t to_money(double units);

// What a request without max_tokens may answer where a budget pays: so much is asked for.
inline constexpr std::int64_t usual_answer = 4096;

// As people read it: at most six decimals, rounded to the nearest.
std::string money_text(std::int64_t money);

struct bound {
  std::int64_t input = 0, output = 0;  // tokens
};

// The worst case. No tokenizer makes more tokens of a text than it has bytes; images and files are guessed, high.
// `context`: of the model, where it is known.
bound worst_case(const chat::request& asked, std::optional<std::int64_t> context);
// The likely case, for a rate, and for who does not tell what it used.
bound likely_case(const chat::request& asked, std::optional<std::int64_t> context);

// Without a price only tokens are counted.
amount cost_of(const bound& at_most, const std::optional<price>& at);
amount cost_of(const chat::usage& used, const std::optional<price>& at);

}  // namespace meshai::ledger
