// route: where the rest of an answer, written by another attempt, meets what the caller has already been sent.
//
// Models that go on with somebody else's text repeat its end, start it over, or begin with a remark. The seam
// holds the first words of a continuation until it knows which of these they are, lets through only what is new,
// and refuses what would not read as one text.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace meshai::route {

// How the rest was asked for.
enum class continuation {
  prefill,  // what was sent stood as the beginning of the answer
  asked,    // the model was asked to go on
  restart,  // the question was asked anew: the answer must begin with what was sent
};
std::string_view to_string(continuation how);

class seam {
 public:
  // An overlap shorter than this is taken for chance.
  static constexpr std::size_t least_overlap = 16;  // bytes

  // `sent`: the text delivered so far; `json`: sent and rest together must be one JSON document.
  seam(std::string sent, continuation how, bool json);
  ~seam();
  seam(seam&&) noexcept;
  seam& operator=(seam&&) noexcept;

  // The next piece of the rest. Appends to `out` what the caller has not seen. False: it does not fit, and nothing
  // of this piece may be sent.
  bool feed(std::string_view piece, std::string& out);
  // The rest is complete: what was still held goes to `out`. `short_of_room`: the model had to stop, so that JSON
  // may be unfinished. False: it does not fit.
  bool end(std::string& out, bool short_of_room = false);

  // Whether the continuation began the answer anew, for `prefill`: a model that does so does not know prefills.
  bool started_over() const { return started_over_; }

 private:
  class document;  // checks JSON as it grows

  bool decide(bool at_end, std::string& out);
  bool decide_restart(bool at_end, std::string& out);
  void drop_repeated_space();
  std::size_t overlap(bool& undecided) const;
  bool join(std::size_t skipped, std::string& out);
  bool pass(std::string_view text, std::string& out);
  std::size_t least_to_judge() const;
  std::size_t too_much_alike() const;

  std::string sent_;
  continuation how_;
  std::string held_;
  std::size_t alike_ = 0;  // bytes that held_ and sent_ begin with in common
  bool space_checked_ = false;
  bool joined_ = false;
  bool started_over_ = false;
  std::unique_ptr<document> document_;
};

}  // namespace meshai::route
