// wire: writing HTTP/1.1 heads and chunks into a buffer that the caller keeps. Nothing that could break the
// framing gets through: a line break in a value would be a second header, or a second message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace meshai::wire {

// RFC 9110 15; "Unknown" for a status without a name.
std::string_view reason_phrase(int status);

bool is_token(std::string_view text);        // RFC 9110 5.6.2: methods and field names
bool is_field_value(std::string_view text);  // no control characters but HTAB, no space at the ends

// Each appends one line with its CRLF. Those that return bool append nothing and return false where the text would
// break the framing.
[[nodiscard]] bool append_request_line(std::string& out, std::string_view method, std::string_view target);
void append_status_line(std::string& out, int status);  // 100 to 999
[[nodiscard]] bool append_field(std::string& out, std::string_view name, std::string_view value);
void append_content_length(std::string& out, std::uint64_t length);
inline void append_head_end(std::string& out) {
  out += "\r\n";
}

// RFC 9112 7.1: "<size>\r\n" before each chunk (size > 0, since 0 ends the body) and `chunk_end` behind it.
void append_chunk_size(std::string& out, std::size_t size);
inline constexpr std::string_view chunk_end = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace meshai::wire
