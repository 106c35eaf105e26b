// chat: reading JSON within bounds, and complaining about it.
#include <algorithm>
#include <boost/json/error.hpp>
#include <boost/json/parse_options.hpp>
#include <cmath>
#include <format>
#include <unordered_set>

#include "chat/json.hpp"

namespace meshai::chat::json {

namespace {

boost::json::parse_options strict() {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  options.numbers = boost::json::number_precision::precise;
  return options;
}

// Where the text passes max_values; npos when it does not. Counts what begins a value: one at the start, one after
// each opening and each comma. Empty containers are counted one too high, which only makes the bound a bit
// stricter.
std::size_t too_many_values(std::string_view text) {
  if (text.size() <= max_values) return std::string_view::npos;  // every value takes a byte, and a comma besides
  std::size_t values = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      for (;;) {
        i = text.find('"', i + 1);
        if (i == std::string_view::npos) return i;  // not closed: the parser says so
        std::size_t slashes = 0;
        while (text[i - 1 - slashes] == '\\') ++slashes;
        if (slashes % 2 == 0) break;
      }
    } else if ((c == ',' || c == '[' || c == '{') && ++values > max_values) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::string_view explain(const boost::system::error_code& code) {
  namespace bj = boost::json;
  if (code == bj::error::too_deep) return "nested deeper than 64 levels";
  if (code == bj::error::incomplete) return "the text ends too early";
  if (code == bj::error::extra_data) return "something follows the end of the JSON text";
  if (code == bj::error::expected_utf16_escape || code == bj::error::illegal_leading_surrogate ||
      code == bj::error::illegal_trailing_surrogate) {
    return "a \\u escape names half a character (a lone surrogate)";
  }
  if (code == bj::error::exponent_overflow || code == bj::error::not_exact) return "a number is too large";
  return "syntax error";
}

// Depth-first; the depth is bounded by the parser.
bool find_path(const value& at, const void* found, std::string& path) {
  if (&at == found) return true;
  const std::size_t size = path.size();
  if (const auto* o = at.if_object()) {
    if (o == found) return true;
    for (const auto& [name, member] : *o) {
      if (!path.empty()) path += '.';
      path += name;
      if (find_path(member, found, path)) return true;
      path.resize(size);
    }
  } else if (const auto* a = at.if_array()) {
    if (a == found) return true;
    for (std::size_t i = 0; i < a->size(); ++i) {
      path += std::format("[{}]", i);
      if (find_path((*a)[i], found, path)) return true;
      path.resize(size);
    }
  }
  return false;
}

constexpr std::string_view see_reference = "compare the request with the API reference of this endpoint";

}  // namespace

document::document()
    : memory_(first_, sizeof first_), parser_(boost::json::storage_ptr(), strict(), scratch_, sizeof scratch_) {}

std::expected<const value*, fault> document::parse(std::string_view text) {
  root_.reset();
  parser_.reset();
  memory_.release();
  if (const auto at = too_many_values(text); at != std::string_view::npos) {
    return std::unexpected(fault{at, std::format("more than {} values", max_values)});
  }
  parser_.reset(&memory_);
  boost::system::error_code code;
  const std::size_t read = parser_.write(text.data(), text.size(), code);
  if (code) return std::unexpected(fault{std::min(read, text.size()), std::string(explain(code))});
  root_.emplace(parser_.release());
  return &*root_;
}

std::string spell_position(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::ranges::count(before, '\n');
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  return std::format("line {}, column {}", line, before.size() - start + 1);
}

problem not_json(std::string_view text, const fault& why) {
  return {
      .status = 400,
      .type = "invalid_request_error",
      .code = "invalid_json",
      .param = {},
      .message = std::format("the body is not valid JSON: {} at {}", why.detail, spell_position(text, why.offset)),
      .hint = "send one JSON object in UTF-8; at most 64 levels deep and 200,000 values"};
}

problem not_an_object() {
  return {.status = 400,
          .type = "invalid_request_error",
          .code = "invalid_json",
          .param = {},
          .message = "the body is JSON but no object",
          .hint = "send one JSON object, as in {\"model\": \"auto\", ...}"};
}

std::string spell_path(const value& root, const void* found) {
  std::string path;
  find_path(root, found, path);
  return path;
}

// ---- checker

const value* checker::find(const object& in, std::string_view name) const {
  return json::find(in, name);
}

std::optional<std::string_view> checker::string(const object& in, std::string_view name) {
  const value* found = find(in, name);
  return found ? as_string(*found) : std::nullopt;
}

std::optional<bool> checker::boolean(const object& in, std::string_view name) {
  const value* found = find(in, name);
  if (!found) return std::nullopt;
  if (const bool* yes = found->if_bool()) return *yes;
  complain(found, "must be true or false", "invalid_type");
  return std::nullopt;
}

std::optional<std::int64_t> checker::integer(const object& in, std::string_view name, std::int64_t low,
                                             std::int64_t high) {
  const value* found = find(in, name);
  if (!found) return std::nullopt;
  std::optional<std::int64_t> number;
  if (const auto* plain = found->if_int64()) number = *plain;
  const double* wide = found->if_double();
  if (wide && std::trunc(*wide) == *wide && std::abs(*wide) < 9e15) number = static_cast<std::int64_t>(*wide);
  if (!number && !found->is_uint64() && !(wide && std::abs(*wide) >= 9e15)) {
    complain(found, "must be an integer", "invalid_type");
    return std::nullopt;
  }
  if (number && *number >= low && *number <= high) return number;
  constexpr auto top = std::numeric_limits<std::int64_t>::max();
  complain(found, high == top ? std::format("must be at least {}", low)
                              : std::format("must be an integer from {} to {}", low, high));
  return std::nullopt;
}

std::optional<double> checker::number(const object& in, std::string_view name, double low, double high) {
  const value* found = find(in, name);
  if (!found) return std::nullopt;
  if (!found->is_number()) {
    complain(found, "must be a number", "invalid_type");
    return std::nullopt;
  }
  const double number = found->to_number<double>();
  if (number >= low && number <= high) return number;
  complain(found, std::format("must be a number from {} to {}", low, high));
  return std::nullopt;
}

const object* checker::object_at(const object& in, std::string_view name) {
  const value* found = find(in, name);
  return found ? as_object(*found) : nullptr;
}

const array* checker::array_at(const object& in, std::string_view name) {
  const value* found = find(in, name);
  if (!found) return nullptr;
  if (const array* a = found->if_array()) return a;
  complain(found, "must be an array", "invalid_type");
  return nullptr;
}

std::string_view checker::required_string(const object& in, std::string_view name) {
  if (!find(in, name)) missing(in, name);
  return string(in, name).value_or(std::string_view());
}

const object* checker::required_object(const object& in, std::string_view name) {
  if (!find(in, name)) missing(in, name);
  return object_at(in, name);
}

const array* checker::required_array(const object& in, std::string_view name) {
  if (!find(in, name)) missing(in, name);
  return array_at(in, name);
}

const object* checker::as_object(const value& element) {
  if (const object* o = element.if_object()) return o;
  complain(&element, "must be an object", "invalid_type");
  return nullptr;
}

std::optional<std::string_view> checker::as_string(const value& element) {
  if (const auto* s = element.if_string()) return std::string_view(*s);
  complain(&element, "must be a string", "invalid_type");
  return std::nullopt;
}

void checker::complain(const void* about, std::string_view what, std::string_view code, std::string_view hint) {
  if (ok()) record(spell_path(root_, about), what, code, hint);
}

void checker::complain(const object& in, std::string_view name, std::string_view what, std::string_view code,
                       std::string_view hint) {
  if (!ok()) return;
  std::string path = spell_path(root_, &in);
  if (!path.empty()) path += '.';
  record(path.append(name), what, code, hint);
}

void checker::missing(const object& in, std::string_view name) {
  complain(in, name, "is required and missing", "missing_required_parameter");
}

void checker::record(std::string path, std::string_view what, std::string_view code, std::string_view hint) {
  path = clean_utf8(path, 256);  // names come from outside and may be long
  first_ = problem{.status = 400,
                   .type = "invalid_request_error",
                   .code = std::string(code),
                   .param = path,
                   .message = std::format("{} {}", path.empty() ? "the body" : path, what),
                   .hint = std::string(hint.empty() ? see_reference : hint)};
}

// ---- look-ups without complaints

const value* find(const object& in, std::string_view name) {
  constexpr std::size_t few = 16;  // a request's members are looked up by dozens of names, most of them not there
  if (in.size() <= few) {
    for (const auto& member : in) {
      if (std::string_view(member.key()) == name) return member.value().is_null() ? nullptr : &member.value();
    }
    return nullptr;
  }
  const value* found = in.if_contains(name);
  return found && !found->is_null() ? found : nullptr;
}

std::string_view string_or_empty(const object& in, std::string_view name) {
  const value* found = find(in, name);
  const auto* text = found ? found->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

std::int64_t integer_or(const object& in, std::string_view name, std::int64_t otherwise) {
  const value* found = find(in, name);
  if (!found) return otherwise;
  if (const auto* plain = found->if_int64()) return *plain;
  const double* wide = found->if_double();
  return wide && std::abs(*wide) < 9e15 ? static_cast<std::int64_t>(*wide) : otherwise;
}

const object* object_or_null(const object& in, std::string_view name) {
  const value* found = find(in, name);
  return found ? found->if_object() : nullptr;
}

const array* array_or_null(const object& in, std::string_view name) {
  const value* found = find(in, name);
  return found ? found->if_array() : nullptr;
}

// ---- walk

walk::walk(std::string_view text) : text_(text) {
  at_ = std::min(text.find_first_not_of(" \n\r\t"), text.size());
  const bool container = at_ < text.size() && (text[at_] == '{' || text[at_] == '[');
  object_ = container && text[at_] == '{';
  at_ = container ? at_ + 1 : std::string_view::npos;
}

bool walk::next() {
  if (at_ == std::string_view::npos) return false;
  at_ = skip_space(at_);
  if (text_[at_] == ',') at_ = skip_space(at_ + 1);
  if (text_[at_] == '}' || text_[at_] == ']') return false;
  begin_ = at_;
  if (object_) {
    at_ = skip_string(at_);
    name_ = text_.substr(begin_ + 1, at_ - begin_ - 2);
    at_ = skip_space(skip_space(at_) + 1);  // the colon
  }
  end_ = skip_value(at_);
  raw_ = text_.substr(at_, end_ - at_);
  at_ = end_;
  return true;
}

std::size_t walk::skip_space(std::size_t at) const {
  while (text_[at] == ' ' || text_[at] == '\n' || text_[at] == '\r' || text_[at] == '\t') ++at;
  return at;
}

std::size_t walk::skip_string(std::size_t at) const {
  for (;;) {
    at = text_.find('"', at + 1);
    std::size_t slashes = 0;
    while (text_[at - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) return at + 1;
  }
}

std::size_t walk::skip_value(std::size_t at) const {
  std::size_t depth = 0;
  for (;;) {
    switch (text_[at]) {
      case '"':
        at = skip_string(at);
        if (depth == 0) return at;
        break;
      case '{':
      case '[':
        ++depth;
        ++at;
        break;
      case '}':
      case ']':
        if (depth == 0) return at;  // the end of a plain value, and of what holds it
        ++at;
        if (--depth == 0) return at;
        break;
      case ',':
      case ' ':
      case '\n':
      case '\r':
      case '\t':
        if (depth == 0) return at;
        ++at;
        break;
      default:
        ++at;
    }
  }
}

bool same_name(std::string_view escaped, std::string_view plain) {
  // Escapes only make it longer.
  if (escaped.size() <= plain.size() || !escaped.contains('\\')) return escaped == plain;
  document name;
  const auto parsed = name.parse("\"" + std::string(escaped) + "\"");
  return parsed && (*parsed)->is_string() && (*parsed)->get_string() == plain;
}

std::string_view raw_member_of(std::string_view object_text, std::string_view name) {
  std::string_view found;
  for (walk members(object_text); members.next();) {
    if (same_name(members.name(), name)) found = members.raw();
  }
  return found;
}

std::string duplicate_member(const object& parsed, std::string_view object_text) {
  std::size_t members = 0;
  for (walk all(object_text); all.next();) ++members;
  if (members == parsed.size()) return {};
  std::unordered_set<std::string_view> seen;
  for (walk all(object_text); all.next();) {
    if (!seen.insert(all.name()).second) return std::string(all.name());
  }
  return "(a name written with escapes)";
}

}  // namespace meshai::chat::json
