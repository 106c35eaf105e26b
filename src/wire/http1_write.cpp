#include "wire/http1_write.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.hpp"

namespace meshai::wire {
namespace {

struct reason {
  int status;
  std::string_view phrase;
};

// RFC 9110 15 and RFC 6585; 529 is what overloaded providers of AI say. In order.
constexpr auto reasons = std::to_array<reason>({
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {529, "Overloaded"},
});
static_assert(std::ranges::is_sorted(reasons, {}, &reason::status));

constexpr auto token_chars = [] {
  std::array<bool, 256> is{};
  for (char c = '0'; c <= '9'; ++c) is[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) is[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) is[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) is[static_cast<unsigned char>(c)] = true;
  return is;
}();

constexpr auto value_chars = [] {
  std::array<bool, 256> is{};
  for (int c = 0; c < 256; ++c) is[static_cast<std::size_t>(c)] = (c >= 0x20 && c != 0x7f) || c == '\t';
  return is;
}();

void append_number(std::string& out, std::uint64_t n, int base) {
  std::array<char, 20> digits;
  const auto last = std::to_chars(digits.data(), digits.data() + digits.size(), n, base).ptr;
  out.append(digits.data(), last);
}

bool is_target(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f) return false;
  }
  return !text.empty();
}

}  // namespace

std::string_view reason_phrase(int status) {
  const auto found = std::ranges::lower_bound(reasons, status, {}, &reason::status);
  return found != reasons.end() && found->status == status ? found->phrase : "Unknown";
}

bool is_token(std::string_view text) {
  bool good = !text.empty();
  for (const char c : text) good &= token_chars[static_cast<unsigned char>(c)];
  return good;
}

bool is_field_value(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!text.empty() && (blank(text.front()) || blank(text.back()))) return false;
  bool good = true;
  for (const char c : text) good &= value_chars[static_cast<unsigned char>(c)];
  return good;
}

bool append_request_line(std::string& out, std::string_view method, std::string_view target) {
  if (!is_token(method) || !is_target(target)) return false;
  out += method;
  out += ' ';
  out += target;
  out += " HTTP/1.1\r\n";
  return true;
}

void append_status_line(std::string& out, int status) {
  CHECK(status >= 100 && status <= 999);
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status), 10);
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

bool append_field(std::string& out, std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) return false;
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
  return true;
}

void append_content_length(std::string& out, std::uint64_t length) {
  out += "Content-Length: ";
  append_number(out, length, 10);
  out += "\r\n";
}

void append_chunk_size(std::string& out, std::size_t size) {
  CHECK(size > 0);
  append_number(out, size, 16);
  out += "\r\n";
}

}  // namespace meshai::wire
