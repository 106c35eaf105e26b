// chat: JSON as the dialects need it: a bounded parse, complaints that name the place, a writer that appends.
// Internal to this room: the only header of it that shows Boost.JSON.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/vocabulary.hpp"

namespace meshai::chat::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// ---- reading
// ------------------------------------------------------------------------------------------------------

inline constexpr std::size_t max_depth = 64;
inline constexpr std::size_t max_values = 200'000;

struct fault {
  std::size_t offset = 0;  // bytes from the beginning of the text
  std::string detail;      // "syntax error", "nested deeper than 64 levels": never a piece of the text
};

// One parsed text and its memory. Lives on the stack; what it holds goes with it. Strict JSON in UTF-8, without
// duplicate surprises: of members with one name Boost keeps the last, and `duplicate_member` tells.
class document {
 public:
  document();
  document(const document&) = delete;
  document& operator=(const document&) = delete;

  // Replaces what was there before.
  std::expected<const value*, fault> parse(std::string_view text);

 private:
  unsigned char first_[4096];  // most texts fit: no allocation for them
  unsigned char scratch_[1024];
  boost::json::monotonic_resource memory_;
  boost::json::parser parser_;
  std::optional<value> root_;
};

// "line 3, column 14" for people, both from 1; columns count bytes.
std::string spell_position(std::string_view text, std::size_t offset);

// The 400 for a request body that is no JSON (code invalid_json), and for one that is no object.
problem not_json(std::string_view text, const fault& why);
problem not_an_object();

// The way from `root` to `found`, a value (or the object or array inside one) below it: "messages[2].content".
std::string spell_path(const value& root, const void* found);

// Looks members up and remembers the first complaint about a body. After a complaint every look-up still works and
// returns what it can, so that a parser reads straight down and asks ok() once. Absent and null are the same:
// nothing.
class checker {
 public:
  explicit checker(const value& root) : root_(root) {}

  const value* find(const object& in, std::string_view name) const;  // never a complaint
  std::optional<std::string_view> string(const object& in, std::string_view name);
  std::optional<bool> boolean(const object& in, std::string_view name);
  // 3.0 counts as the integer 3: some clients know only floating point.
  std::optional<std::int64_t> integer(const object& in, std::string_view name,
                                      std::int64_t low = std::numeric_limits<std::int64_t>::min(),
                                      std::int64_t high = std::numeric_limits<std::int64_t>::max());
  std::optional<double> number(const object& in, std::string_view name, double low, double high);
  const json::object* object_at(const object& in, std::string_view name);
  const json::array* array_at(const object& in, std::string_view name);
  std::string_view required_string(const object& in, std::string_view name);  // empty after a complaint
  const json::object* required_object(const object& in, std::string_view name);
  const json::array* required_array(const object& in, std::string_view name);
  // An element of an array, which must be of that type.
  const json::object* as_object(const value& element);
  std::optional<std::string_view> as_string(const value& element);

  // "<path> <what>": complain(v, "must be a string"). `about` is a value of the body, or an object or array in it.
  void complain(const void* about, std::string_view what, std::string_view code = "invalid_value",
                std::string_view hint = {});
  // The same about a member of `in`, whether it is there or not.
  void complain(const object& in, std::string_view name, std::string_view what,
                std::string_view code = "invalid_value", std::string_view hint = {});
  void missing(const object& in, std::string_view name);  // code missing_required_parameter

  bool ok() const { return !first_; }
  problem take() { return std::move(*first_); }  // only where ok() is false

 private:
  void record(std::string path, std::string_view what, std::string_view code, std::string_view hint);

  const value& root_;
  std::optional<problem> first_;
};

// Plain look-ups for answers of providers, where a wrong type is the same as nothing.
const value* find(const object& in, std::string_view name);  // nullptr for absent and null
std::string_view string_or_empty(const object& in, std::string_view name);
std::int64_t integer_or(const object& in, std::string_view name, std::int64_t otherwise);
const object* object_or_null(const object& in, std::string_view name);
const array* array_or_null(const object& in, std::string_view name);

// ---- walking over text that a document has parsed without a fault
// ---------------------------------------------------

// The members of an object or the elements of an array, as pieces of their text. A view: the text must stay.
class walk {
 public:
  explicit walk(std::string_view text);  // white space, then { or [; anything else has no members
  bool next();
  std::string_view name() const { return name_; }  // between the quotes, escapes and all; empty in an array
  std::string_view raw() const { return raw_; }    // the value, without space around it
  std::size_t begin() const { return begin_; }     // offset in the text of the member or element
  std::size_t end() const { return end_; }         // offset just past its value

 private:
  std::size_t skip_space(std::size_t at) const;
  std::size_t skip_string(std::size_t at) const;
  std::size_t skip_value(std::size_t at) const;

  std::string_view text_, name_, raw_;
  std::size_t begin_ = 0, end_ = 0, at_ = 0;
  bool object_ = false;
};

// A name may be written with escapes, "\u006desh", and must be found all the same.
bool same_name(std::string_view escaped, std::string_view plain);

// The raw text of one member, of several the last, as the parser has it; empty where there is none.
std::string_view raw_member_of(std::string_view object_text, std::string_view name);

// The first name that stands twice in the object; empty when there is none.
std::string duplicate_member(const object& parsed, std::string_view object_text);

// ---- writing
// ------------------------------------------------------------------------------------------------------

void append_string(std::string& out, std::string_view text);  // quoted and escaped; `text` is valid UTF-8
void append_number(std::string& out, double number);          // shortest text that reads back the same
void append_value(std::string& out, const value& v);
std::string to_text(const value& v);

// Cuts to `limit` bytes at a character's boundary and replaces what is no UTF-8 by U+FFFD: for text from outside
// that never went through a parser.
std::string clean_utf8(std::string_view text, std::size_t limit);

// Appends JSON to a string and puts the commas. It keeps no state of its own: a comma is due exactly where the
// text so far ends in a value, so a writer can take up anywhere (`out` must not end in a value before the first
// one).
class writer {
 public:
  explicit writer(std::string& out) : out_(out) {}

  writer& begin_object();
  writer& end_object();
  writer& begin_array();
  writer& end_array();
  writer& key(std::string_view plain);  // a name that needs no escape

  writer& string(std::string_view text);
  writer& integer(std::int64_t number);
  writer& number(double number);
  writer& boolean(bool yes);
  writer& null();
  writer& raw(std::string_view valid_json);

  writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }
  writer& member(std::string_view name, const char* text) { return key(name).string(text); }
  writer& member_integer(std::string_view name, std::int64_t n) { return key(name).integer(n); }
  writer& member_number(std::string_view name, double n) { return key(name).number(n); }
  writer& member_boolean(std::string_view name, bool yes) { return key(name).boolean(yes); }
  writer& member_null(std::string_view name) { return key(name).null(); }
  writer& member_raw(std::string_view name, std::string_view json) { return key(name).raw(json); }
  writer& members(const raw_members& extra);  // names are escaped here

 private:
  void comma();
  std::string& out_;
};

}  // namespace meshai::chat::json
