// wire: what has been read of one HTTP message, and the rules it is held to. Inside of the room only.
#pragma once

#include <string>
#include <vector>

#include "wire/http1.hpp"

namespace meshai::wire {

struct refusal {
  int status = 0;  // 0: none
  error_kind kind = error_kind::malformed;
  const char* why = "";
};

// Texts are copied out of the input, since that moves between two feeds. What returns bool returns false when the
// message is refused, with `refused` set.
class message {
 public:
  explicit message(head_limits limits) : limits_(limits) {}

  // For the next message; memory is kept.
  void clear();

  bool refuse(int status, const char* why, error_kind kind = error_kind::malformed);

  // The texts of the head, one behind the other.
  std::size_t keep(std::string_view piece);
  std::string_view kept(std::size_t at, std::size_t size) const {
    return std::string_view(text_).substr(at, size);
  }

  // `name` and `value` as the scanner cut them out of `input`.
  bool field(std::string_view name, std::string_view value);
  bool chunk_header(std::uint64_t size, std::string_view extensions);
  // At the end of the head.
  bool settle(message_head& head, bool http_1_1);

  const head_limits& limits() const { return limits_; }
  std::size_t hosts() const { return hosts_; }
  bool expects_continue() const { return expectations_ > 0; }

  std::string_view input;  // what is being scanned
  std::string_view body;   // what it gave
  bool start_line_read = false;
  bool head_complete = false;
  bool in_trailers = false;
  refusal refused;

 private:
  struct place {
    std::size_t name_at, name_size, value_at, value_size;
  };

  bool folded(std::string_view name, std::string_view value) const;

  head_limits limits_;
  std::string text_;
  std::vector<place> places_;
  std::vector<header> fields_;
  std::size_t field_count_ = 0;
  std::size_t hosts_ = 0, lengths_ = 0, codings_ = 0, expectations_ = 0;
  std::size_t chunk_extensions_ = 0;  // bytes
};

inline constexpr const char* folded_header = "a header is folded over two lines";
inline constexpr std::size_t max_chunk_line = 1024;  // size, extensions and the line ends around them

}  // namespace meshai::wire
