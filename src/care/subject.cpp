#include "care/subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "base/letters.hpp"
#include "care/subject_weights.hpp"

namespace meshai::care {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t subject_count = subject_model::subjects.size();
constexpr std::size_t longest_word = 40;  // letters; what is longer goes on as another word
constexpr double fewest_pieces = 24;      // that a text is taken to have: a word alone is little to go by
constexpr std::size_t block_words = 16;   // a window is two blocks, and each block but the first ends one

struct head {
  char magic[8];
  std::uint32_t version, buckets;
  std::array<float, subject_count> scales, biases;
};
constexpr char magic[8] = {'m', 'e', 's', 'h', 'c', 'a', 'r', 'e'};

// FNV-1a over code points.
class hasher {
 public:
  void add(char32_t c) { state_ = (state_ ^ c) * 16777619u; }
  void add(std::u32string_view text) {
    for (const auto c : text) add(c);
  }
  std::size_t bucket(std::size_t buckets) const { return (state_ ^ state_ >> 15) & (buckets - 1); }

 private:
  std::uint32_t state_ = 2166136261u;
};

bool joins(char32_t c) {
  if (c < 0x80) return (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z');
  return c >= 0xc0 && !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x303f) &&
         !(c >= 0xff00 && c <= 0xff0f) && !(c >= 0xff1a && c <= 0xff20) && c != 0xfffd;
}

}  // namespace

// Takes the letters of a text in lower case, and keeps the best score of all windows.
class windows {
 public:
  explicit windows(const subject_model& by) : by_(by) {}

  void take(char32_t c) {
    const bool in_word = joins(c);
    if (in_word && size_ < longest_word && !stands_alone(c)) {
      word_[1 + size_++] = c;
      return;
    }
    end_of_word();
    if (!in_word) return;
    word_[1 + size_++] = c;
    end_of_word();
  }

  subject_model::scores end() {
    end_of_word();
    if (words_ > 0 || !scored_) score();
    return best_;
  }

 private:
  struct sums {
    std::array<std::int32_t, subject_count> of{};
    std::int32_t pieces = 0;
  };

  void end_of_word() {
    const auto number = [](char32_t c) { return c >= U'0' && c <= U'9'; };
    if (std::all_of(word_.begin() + 1, word_.begin() + 1 + static_cast<std::ptrdiff_t>(size_), number)) {
      size_ = 0;  // numbers tell no subject
      return;
    }
    word_[0] = U'<';
    word_[1 + size_] = U'>';
    const std::u32string_view whole(word_.data(), size_ + 2), bare(word_.data() + 1, size_);
    hasher all, pair;
    all.add(whole);
    add(all);
    pair.add({before_.data(), before_size_});
    pair.add(U' ');
    pair.add(bare);
    add(pair);
    for (std::size_t from = 0; from + 3 <= whole.size(); ++from) {
      hasher piece;
      piece.add(whole.substr(from, 2));
      for (std::size_t length = 3; length <= 5 && from + length <= whole.size() && length < whole.size();
           ++length) {
        piece.add(whole[from + length - 1]);
        add(piece);
      }
    }
    std::ranges::copy(bare, before_.begin());
    before_size_ = size_;
    size_ = 0;
    if (++words_ == block_words) end_of_block();
  }

  void add(const hasher& piece) {
    const auto& weights = by_.weights_[piece.bucket(subject_model::buckets)];
    for (std::size_t i = 0; i < subject_count; ++i) now_.of[i] += weights[i];
    ++now_.pieces;
  }

  void end_of_block() {
    if (blocks_++ > 0) score();
    last_ = std::exchange(now_, {});
    words_ = 0;
  }

  void score() {
    const double pieces = last_.pieces + now_.pieces;
    const double norm = 1 / std::sqrt(std::max(pieces, fewest_pieces));
    for (std::size_t i = 0; i < subject_count; ++i) {
      const double is = static_cast<double>(by_.biases_[i]) +
                        static_cast<double>(by_.scales_[i]) * (last_.of[i] + now_.of[i]) * norm;
      best_[i] = scored_ ? std::max(best_[i], is) : is;
    }
    scored_ = true;
  }

  const subject_model& by_;
  std::array<char32_t, longest_word + 2> word_{};
  std::array<char32_t, longest_word> before_{};
  std::size_t size_ = 0, before_size_ = 0;
  std::size_t words_ = 0, blocks_ = 0;  // words of the block that is being read; blocks read
  sums last_, now_;
  subject_model::scores best_{};
  bool scored_ = false;
};

std::expected<subject_model, std::string> subject_model::read(std::span<const unsigned char> file) {
  head is{};
  if (file.size() < sizeof is) return std::unexpected("shorter than its head");
  std::memcpy(&is, file.data(), sizeof is);
  file = file.subspan(sizeof is);
  if (std::memcmp(is.magic, magic, sizeof magic) != 0)
    return std::unexpected("these are no weights: they do not begin with \"meshcare\"");
  if (is.version != 1 || is.buckets != buckets)
    return std::unexpected(
        fmt::format("version {} with {} buckets is not known: make the file again", is.version, is.buckets));
  if (file.size() != buckets * sizeof(weights))
    return std::unexpected(
        fmt::format("{} bytes of weights instead of {}", file.size(), buckets * sizeof(weights)));
  for (const auto& numbers : {is.scales, is.biases})
    if (!std::ranges::all_of(numbers, [](float each) { return std::isfinite(each); }))
      return std::unexpected("a number in the head is not finite");
  subject_model made;
  made.scales_ = is.scales;
  made.biases_ = is.biases;
  made.weights_.resize(buckets);
  std::memcpy(made.weights_.data(), file.data(), file.size());
  return made;
}

subject_model::scores subject_model::of(std::string_view text) const {
  windows all(*this);
  for (std::size_t at = 0; at < text.size();) {
    const auto [code, size] = letter_at(text, at);
    at += size;
    all.take(lower(code));
  }
  return all.end();
}

const subject_model& shipped_subjects() {
  static const auto model = [] {
    auto made = subject_model::read(subject_weights());
    CHECK(made.has_value());
    return *std::move(made);
  }();
  return model;
}

void look_for_subjects(std::string_view text, content_set wanted, found& into) {
  const auto scores = shipped_subjects().of(text);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto what = subject_model::subjects[i];
    if (scores[i] > 0 && wanted.has(content_of(what))) into.add(what);
  }
}

}  // namespace meshai::care
