#include "route/seam.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>

namespace meshai::route {
namespace {

constexpr std::size_t window = 4096;         // bytes at the end of what was sent in which an overlap is looked for
constexpr std::size_t longest_opening = 32;  // of a remark

constexpr std::string_view white = " \t\r\n";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// What models say before they go on. Each is followed by one of the marks, so that "Sure enough" is none.
constexpr std::array<std::string_view, 17> remarks{
    "sure",
    "certainly",
    "of course",
    "absolutely",
    "okay",
    "ok",
    "understood",
    "apologies",
    "i apologize",
    "i'm sorry",
    "sorry",
    "continuing",
    "continued",
    "here is the rest",
    "here's the rest",
    "here is the continuation",
    "here's the continuation",
};
constexpr std::string_view marks = ",.!:;-\n";

bool is_remark(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(white), text.size()));
  return std::ranges::any_of(remarks, [&](std::string_view remark) {
    if (text.size() <= remark.size()) return false;
    if (!std::ranges::equal(text.substr(0, remark.size()), remark, {}, lower)) return false;
    return marks.contains(text[remark.size()]);
  });
}

// After a prefill a remark is known by its place: with a capital in the middle of a sentence. At the end of one it
// may be what somebody says in the text.
bool interrupts(std::string_view sent, std::string_view held) {
  const auto end = sent.find_last_not_of(white);
  const auto begin = held.find_first_not_of(white);
  if (end == sent.npos || begin == held.npos) return false;
  const bool in_sentence = !std::string_view(".!?:\"'*#>)]}").contains(sent[end]);
  return in_sentence && held[begin] >= 'A' && held[begin] <= 'Z';
}

// Takes every value and keeps none.
struct nobody {
  static constexpr std::size_t max_object_size = ~std::size_t{0};
  static constexpr std::size_t max_array_size = ~std::size_t{0};
  static constexpr std::size_t max_key_size = ~std::size_t{0};
  static constexpr std::size_t max_string_size = ~std::size_t{0};
  using error = boost::system::error_code;
  using text = boost::json::string_view;

  bool on_document_begin(error&) { return true; }
  bool on_document_end(error&) { return true; }
  bool on_object_begin(error&) { return true; }
  bool on_object_end(std::size_t, error&) { return true; }
  bool on_array_begin(error&) { return true; }
  bool on_array_end(std::size_t, error&) { return true; }
  bool on_key_part(text, std::size_t, error&) { return true; }
  bool on_key(text, std::size_t, error&) { return true; }
  bool on_string_part(text, std::size_t, error&) { return true; }
  bool on_string(text, std::size_t, error&) { return true; }
  bool on_number_part(text, error&) { return true; }
  bool on_int64(std::int64_t, text, error&) { return true; }
  bool on_uint64(std::uint64_t, text, error&) { return true; }
  bool on_double(double, text, error&) { return true; }
  bool on_bool(bool, error&) { return true; }
  bool on_null(error&) { return true; }
  bool on_comment_part(text, error&) { return true; }
  bool on_comment(text, error&) { return true; }
};

}  // namespace

class seam::document {
 public:
  document() : parser_({}) {}

  bool grow(std::string_view text) {
    if (done_) return text.find_first_not_of(white) == text.npos;
    boost::system::error_code wrong;
    const auto taken = parser_.write_some(true, text.data(), text.size(), wrong);
    if (wrong) return false;
    done_ = parser_.done();
    return text.find_first_not_of(white, taken) == text.npos;
  }
  bool whole() {
    if (done_) return true;
    boost::system::error_code wrong;
    parser_.write_some(false, "", 0, wrong);  // a number ends only where the text does
    return !wrong && parser_.done();
  }

 private:
  boost::json::basic_parser<nobody> parser_;
  bool done_ = false;
};

std::string_view to_string(continuation how) {
  constexpr std::array<std::string_view, 3> names{"prefill", "asked", "restart"};
  return names[static_cast<std::size_t>(how)];
}

seam::seam(std::string sent, continuation how, bool json)
    : sent_(std::move(sent)), how_(how), joined_(sent_.empty()) {
  if (!json) return;
  document_ = std::make_unique<document>();
  if (!document_->grow(sent_)) document_.reset();  // it was none to begin with: not this attempt's fault
}

seam::~seam() = default;
seam::seam(seam&&) noexcept = default;
seam& seam::operator=(seam&&) noexcept = default;

bool seam::feed(std::string_view piece, std::string& out) {
  if (joined_) return pass(piece, out);
  held_ += piece;
  return decide(false, out);
}

bool seam::end(std::string& out, bool short_of_room) {
  if (!joined_ && !decide(true, out)) return false;
  return !document_ || short_of_room || document_->whole();
}

bool seam::decide(bool at_end, std::string& out) {
  if (how_ == continuation::prefill && !at_end && held_.find_first_not_of(white) == held_.npos) return true;
  if (how_ == continuation::prefill) drop_repeated_space();
  while (alike_ < std::min(held_.size(), sent_.size()) && held_[alike_] == sent_[alike_]) ++alike_;
  if (how_ == continuation::restart) return decide_restart(at_end, out);
  if (!at_end && held_.size() < least_to_judge()) return true;

  const bool whole = alike_ == sent_.size() && (how_ == continuation::asked || sent_.size() >= least_overlap);
  if (whole) {
    started_over_ = true;
    return join(sent_.size(), out);
  }
  bool undecided = false;
  const auto repeated = overlap(undecided);
  const bool over_so_far = alike_ == held_.size() && alike_ >= too_much_alike();
  if (!at_end && (undecided || over_so_far)) return true;
  if (repeated > 0) return join(repeated, out);
  if (alike_ >= too_much_alike()) {  // the answer over again, and another one
    started_over_ = true;
    return false;
  }
  if (undecided || (is_remark(held_) && (how_ == continuation::asked || interrupts(sent_, held_)))) return false;
  return join(0, out);
}

bool seam::decide_restart(bool at_end, std::string& out) {
  if (alike_ == sent_.size()) return join(alike_, out);
  return alike_ == held_.size() && !at_end;
}

// The white space at the end of what was sent is not in the prefill: a model may write it again.
void seam::drop_repeated_space() {
  if (std::exchange(space_checked_, true)) return;
  const auto space = std::string_view(sent_).substr(sent_.find_last_not_of(white) + 1);
  if (space.empty()) return;
  const auto common = static_cast<std::size_t>(std::ranges::mismatch(held_, space).in1 - held_.begin());
  held_.erase(0, common);
  held_.erase(0, held_.find_first_not_of(' '));  // to begin a line or a word twice is no use
}

// The longest end of what was sent that the rest begins with. `undecided`: more of the rest may show a longer one.
std::size_t seam::overlap(bool& undecided) const {
  if (held_.size() < least_overlap || sent_.size() < least_overlap) return 0;
  const auto first = sent_.size() - std::min(sent_.size(), window);
  const auto head = std::string_view(held_).substr(0, least_overlap);
  for (auto at = sent_.find(head, first); at != sent_.npos; at = sent_.find(head, at + 1)) {
    const auto tail = std::string_view(sent_).substr(at);
    if (held_.starts_with(tail)) return tail.size();
    if (tail.starts_with(held_)) undecided = true;
  }
  return 0;
}

std::size_t seam::least_to_judge() const {
  return how_ == continuation::asked ? longest_opening : least_overlap;
}

// So many bytes in common at the beginning are no chance.
std::size_t seam::too_much_alike() const {
  return std::clamp<std::size_t>(sent_.size() / 4, 3, least_overlap);
}

bool seam::join(std::size_t skipped, std::string& out) {
  joined_ = true;
  const auto rest = std::move(held_);
  held_.clear();
  return pass(std::string_view(rest).substr(skipped), out);
}

bool seam::pass(std::string_view text, std::string& out) {
  if (document_ && !document_->grow(text)) return false;
  out += text;
  return true;
}

}  // namespace meshai::route
