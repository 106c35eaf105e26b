// chat: writing JSON.
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <cstring>

#include "chat/json.hpp"

namespace meshai::chat::json {

namespace {

// What a byte inside a string becomes: 0 stays, 'u' is \u00XX, anything else \ and that letter.
constexpr std::array<char, 256> escapes = [] {
  std::array<char, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[c] = 'u';
  table['\b'] = 'b', table['\f'] = 'f', table['\n'] = 'n', table['\r'] = 'r', table['\t'] = 't';
  table['"'] = '"', table['\\'] = '\\';
  return table;
}();

// The length of the valid UTF-8 sequence that text begins with; 0 when there is none.
std::size_t sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte (RFC 3629, 4).
  const unsigned char second = byte(1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
      (lead == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return size;
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = escapes[byte];
    if (escape == 0) [[likely]]
      continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') {
      constexpr std::string_view digits = "0123456789abcdef";
      out.append("00");
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  out.append(text, plain);
  out += '"';
}

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {  // JSON has no word for it
    out += "null";
    return;
  }
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, number);
  const std::string_view text(buffer, end);
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";  // a reader that tells 1.0 from 1 still can
}

void append_value(std::string& out, const value& v) {
  switch (v.kind()) {
    case boost::json::kind::null:
      out += "null";
      break;
    case boost::json::kind::bool_:
      out += v.get_bool() ? "true" : "false";
      break;
    case boost::json::kind::int64:
      out += std::to_string(v.get_int64());
      break;
    case boost::json::kind::uint64:
      out += std::to_string(v.get_uint64());
      break;
    case boost::json::kind::double_:
      append_number(out, v.get_double());
      break;
    case boost::json::kind::string:
      append_string(out, v.get_string());
      break;
    case boost::json::kind::array: {
      char before = '[';
      for (const value& element : v.get_array()) {
        out += std::exchange(before, ',');
        append_value(out, element);
      }
      out += before == '[' ? "[]" : "]";
      break;
    }
    case boost::json::kind::object: {
      char before = '{';
      for (const auto& [name, member] : v.get_object()) {
        out += std::exchange(before, ',');
        append_string(out, name);
        out += ':';
        append_value(out, member);
      }
      out += before == '{' ? "{}" : "}";
      break;
    }
  }
}

std::string to_text(const value& v) {
  std::string out;
  append_value(out, v);
  return out;
}

std::string clean_utf8(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = sequence(text);
    const std::string_view next = size == 0 ? "\xef\xbf\xbd" : text.substr(0, size);
    if (out.size() + next.size() > limit) break;
    out += next;
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

void writer::comma() {
  if (out_.empty()) return;
  switch (out_.back()) {
    case '{':
    case '[':
    case ':':
    case ' ':
    case '\n':
    case ',':
      return;
    default:
      out_ += ',';
  }
}

writer& writer::begin_object() {
  comma();
  out_ += '{';
  return *this;
}
writer& writer::end_object() {
  out_ += '}';
  return *this;
}
writer& writer::begin_array() {
  comma();
  out_ += '[';
  return *this;
}
writer& writer::end_array() {
  out_ += ']';
  return *this;
}
writer& writer::key(std::string_view plain) {
  comma();
  out_ += '"';
  out_ += plain;
  out_ += "\":";
  return *this;
}
writer& writer::string(std::string_view text) {
  comma();
  append_string(out_, text);
  return *this;
}
writer& writer::integer(std::int64_t number) {
  comma();
  char buffer[24];
  out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
  return *this;
}
writer& writer::number(double number) {
  comma();
  append_number(out_, number);
  return *this;
}
writer& writer::boolean(bool yes) {
  return raw(yes ? "true" : "false");
}
writer& writer::null() {
  return raw("null");
}
writer& writer::raw(std::string_view valid_json) {
  comma();
  out_ += valid_json;
  return *this;
}
writer& writer::members(const raw_members& extra) {
  for (const raw_member& m : extra) {
    comma();
    append_string(out_, m.name);
    out_ += ':';
    out_ += m.raw;
  }
  return *this;
}

}  // namespace meshai::chat::json
