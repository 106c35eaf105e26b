#include "route/gain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.hpp"
#include "route/gain_weights.hpp"

namespace meshai::route {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint32_t version = 1;
constexpr std::uint32_t most_word_bits = 18;

// What the file begins with; behind it, in this order, the hashes of the common words, the branches of all trees
// and the weights of words.
struct head {
  char magic[8];
  std::uint32_t version, numbers, common, trees, branches, word_bits;
  float word_scale, base, middle, width;
};
constexpr char magic[8] = {'m', 'e', 's', 'h', 'g', 'a', 'i', 'n'};

template <class value_t>
std::vector<value_t> take(std::span<const unsigned char>& from, std::size_t count) {
  std::vector<value_t> out(count);
  if (count > 0) std::memcpy(out.data(), from.data(), count * sizeof(value_t));
  from = from.subspan(count * sizeof(value_t));
  return out;
}

std::size_t bucket_of(std::uint32_t hash, std::size_t buckets) {
  return (hash ^ hash >> 16) & (buckets - 1);
}

std::string fault_of(const head& is, std::size_t size) {
  if (std::memcmp(is.magic, magic, sizeof magic) != 0)
    return "these are no weights: they do not begin with \"meshgain\"";
  if (is.version != version) return fmt::format("version {} is not known: make the file again", is.version);
  if (is.numbers != form_size) {
    return fmt::format("made for {} numbers of form, and there are {}: make the file again", is.numbers,
                       form_size);
  }
  if (is.common > common_words::most || is.word_bits > most_word_bits || is.trees > is.branches ||
      is.branches > gain_model::most_bytes)
    return "a count is beyond its bound";
  const auto expected =
      sizeof is + is.common * std::size_t{4} + is.branches * std::size_t{8} + (std::size_t{1} << is.word_bits);
  if (size != expected) return fmt::format("{} bytes long instead of {}: cut, or not whole", size, expected);
  for (const float value : {is.word_scale, is.base, is.middle, is.width})
    if (!std::isfinite(value)) return "a number in the head is not finite";
  return is.width > 0 ? "" : "the width is not positive";
}

}  // namespace

std::expected<gain_model, std::string> gain_model::read(std::span<const unsigned char> file) {
  static_assert(sizeof(branch) == 8);
  if (file.size() > most_bytes) return std::unexpected("longer than 1 MiB");
  head is{};
  if (file.size() < sizeof is) return std::unexpected("shorter than its head");
  std::memcpy(&is, file.data(), sizeof is);
  if (auto fault = fault_of(is, file.size()); !fault.empty()) return std::unexpected(std::move(fault));
  file = file.subspan(sizeof is);

  gain_model made;
  made.known_ = common_words(take<std::uint32_t>(file, is.common));
  made.branches_ = take<branch>(file, is.branches);
  made.words_ = take<std::int8_t>(file, std::size_t{1} << is.word_bits);
  made.word_scale_ = is.word_scale;
  made.base_ = is.base;
  made.middle_ = is.middle;
  made.width_ = is.width;

  // Each tree ends where as many leaves as branchings and one more have been passed; every step leads forward
  // within it, so that each walk ends.
  std::size_t at = 0;
  for (std::uint32_t tree = 0; tree < is.trees; ++tree) {
    made.roots_.push_back(static_cast<std::uint32_t>(at));
    for (std::size_t open = 1; open > 0; ++at) {
      if (at == made.branches_.size()) return std::unexpected("the last tree is not whole");
      const auto& each = made.branches_[at];
      if (!std::isfinite(each.value)) return std::unexpected("a branch is not finite");
      if (each.number == leaf) {
        --open;
        continue;
      }
      if (each.number >= form_size) return std::unexpected("a branch asks for a number of form that is not there");
      ++open;
    }
    for (auto one = made.roots_.back(); one < at; ++one) {
      const auto& each = made.branches_[one];
      if (each.number != leaf && (each.right < 2 || one + each.right >= at))
        return std::unexpected("a branch leads out of its tree");
    }
  }
  if (at != made.branches_.size()) return std::unexpected("there are more branches than trees");
  return made;
}

double gain_model::by_form(const form& seen) const {
  double sum = 0;
  for (const auto root : roots_) {
    const auto* at = &branches_[root];
    while (at->number != leaf) at += seen[at->number] <= at->value ? 1 : at->right;
    sum += static_cast<double>(at->value);
  }
  return sum;
}

double gain_model::by_words(std::vector<std::uint32_t>& hashes) const {
  for (auto& hash : hashes) hash = static_cast<std::uint32_t>(bucket_of(hash, words_.size()));
  std::ranges::sort(hashes);
  const auto repeated = std::ranges::unique(hashes);
  hashes.erase(repeated.begin(), repeated.end());
  if (hashes.empty()) return 0;
  std::int64_t sum = 0;
  for (const auto each : hashes) sum += words_[each];
  return static_cast<double>(sum) * static_cast<double>(word_scale_) /
         std::sqrt(static_cast<double>(hashes.size()));
}

gain gain_model::of(std::string_view text) const {
  std::vector<std::uint32_t> words;
  words.reserve(std::min(text.size(), form_front + form_back) / 4 + 1);
  const auto seen = form_of(text, known_, &words);
  gain made;
  made.expected = static_cast<double>(base_) + by_form(seen) + by_words(words);
  made.rank = 1 / (1 + std::exp((static_cast<double>(middle_) - made.expected) / static_cast<double>(width_)));
  made.options = option_count(seen) > 0;
  return made;
}

const gain_model& shipped_gain() {
  static const auto model = [] {
    auto made = gain_model::read(gain_weights());
    CHECK(made.has_value());
    return *std::move(made);
  }();
  return model;
}

}  // namespace meshai::route
