#include "engine/profile.hpp"

#include <fmt/format.h>
#include <toml++/toml.hpp>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <limits>
#include <system_error>

namespace meshai::engine {
namespace {

constexpr std::uintmax_t max_profile = 256 << 10;

// What may stand under [sampling]: our key, llama-server's option, the range it takes.
struct knob {
  std::string_view key, option;
  double least, most;
  bool whole;
};
constexpr double any = std::numeric_limits<std::int32_t>::max();
constexpr knob knobs[] = {
    {"temperature", "temp", 0, 2, false},
    {"top_k", "top-k", 0, any, true},
    {"top_p", "top-p", 0, 1, false},
    {"min_p", "min-p", 0, 1, false},
    {"typical_p", "typical", 0, 1, false},
    {"top_n_sigma", "top-nsigma", -1, any, false},
    {"repeat_penalty", "repeat-penalty", 0, 10, false},
    {"repeat_last_n", "repeat-last-n", -1, any, true},
    {"presence_penalty", "presence-penalty", -2, 2, false},
    {"frequency_penalty", "frequency-penalty", -2, 2, false},
    {"dry_multiplier", "dry-multiplier", 0, 10, false},
    {"dry_base", "dry-base", 1, 10, false},
    {"dry_allowed_length", "dry-allowed-length", 0, any, true},
    {"dry_penalty_last_n", "dry-penalty-last-n", -1, any, true},
};

// Collects the first fault; what follows it is not looked at.
class reader {
 public:
  reader(const toml::table& from, std::string_view file) : from_(from), file_(file) {}

  void text(std::string_view key, std::string& into) {
    if (const auto* node = from_.get(key)) {
      if (auto value = node->value_exact<std::string>())
        into = std::move(*value);
      else
        fault(key, *node, "is a text in quotes");
    }
  }
  void count(std::string_view key, std::optional<int>& into, int least) {
    if (const auto* node = from_.get(key)) {
      const auto value = node->value_exact<std::int64_t>();
      if (value && *value >= least && *value <= std::numeric_limits<int>::max())
        into = static_cast<int>(*value);
      else
        fault(key, *node, fmt::format("is a whole number from {} up", least));
    }
  }
  void sampling(profile& out) {
    const auto* node = from_.get("sampling");
    if (!node) return;
    const auto* table = node->as_table();
    if (!table) return fault("sampling", *node, "is a table: [sampling]");
    reader inner(*table, file_);
    inner.count("max_tokens", out.max_tokens, 1);
    for (const auto& [key, value] : *table) inner.knob_value(key.str(), value, out);
    if (!fault_) fault_ = inner.fault_;
  }
  void only(std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : from_) {
      if (std::ranges::find(known, key.str()) == known.end())
        fault(key.str(), value, fmt::format("is unknown here; known are {}", fmt::join(known, ", ")));
    }
  }
  const std::optional<error>& fault() const { return fault_; }

 private:
  void knob_value(std::string_view key, const toml::node& value, profile& out) {
    if (key == "max_tokens") return;
    const auto* found = std::ranges::find(knobs, key, &knob::key);
    if (found == std::end(knobs))
      return fault(key, value, "is no setting of the sampling that the engine knows; leave it out");
    const auto number = value.value<double>();
    if (value.is_number() && number && *number >= found->least && *number <= found->most &&
        (!found->whole || value.is_integer())) {
      out.sampling.emplace_back(found->option, *number);
    } else {
      fault(key, value,
            fmt::format("is a {}number from {} to {}", found->whole ? "whole " : "", found->least, found->most));
    }
  }
  void fault(std::string_view key, const toml::node& where, std::string_view what) {
    if (!fault_)
      fault_ =
          error{error_kind::malformed, fmt::format("{}:{}: {} {}", file_, where.source().begin.line, key, what)};
  }

  const toml::table& from_;
  std::string_view file_;
  std::optional<error> fault_;
};

bool has_messages(chat::endpoint door) {
  return door == chat::endpoint::chat_completions || door == chat::endpoint::messages ||
         door == chat::endpoint::count_tokens;
}

bool instructs(const chat::message& one) {
  return one.role == chat::role::system || one.role == chat::role::developer;
}

// The end of the string that begins at `at`: behind its closing quote.
std::size_t behind_string(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) at += json[at] == '\\';
  return std::min(at + 1, json.size());
}

// Where the array of the top-level member `messages` begins, behind its bracket, in valid JSON; npos where there
// is none.
std::size_t start_of_messages(std::string_view json) {
  int depth = 0;
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      const auto end = behind_string(json, at);
      const bool named = depth == 1 && json.substr(at, end - at) == R"("messages")";
      at = end;
      constexpr std::string_view blanks = " \t\r\n";
      const auto colon = named ? json.find_first_not_of(blanks, at) : json.npos;
      if (colon == json.npos || json[colon] != ':') continue;
      const auto value = json.find_first_not_of(blanks, colon + 1);
      return value != json.npos && json[value] == '[' ? value + 1 : json.npos;
    }
    depth += json[at] == '{' || json[at] == '[';
    depth -= json[at] == '}' || json[at] == ']';
    ++at;
  }
  return json.npos;
}

}  // namespace

result<profile> parse_profile(std::string_view text, std::string_view file) {
  if (text.size() > max_profile)
    return fail(error_kind::malformed, fmt::format("{}: a profile has at most {} KB", file, max_profile >> 10));
  try {
    const auto table = toml::parse(text, file);
    profile out;
    reader in(table, file);
    in.only({"name", "title", "license", "source", "parameters", "form", "context", "system", "sampling", "card"});
    std::string name;  // the file's own name counts
    in.text("name", name);
    in.text("title", out.title);
    in.text("license", out.license);
    in.text("source", out.source);
    in.text("parameters", out.parameters);
    in.text("form", out.form);
    in.text("card", out.card);
    in.text("system", out.system);
    in.count("context", out.context, 256);
    in.sampling(out);
    if (in.fault()) return std::unexpected(*in.fault());
    return out;
  } catch (const toml::parse_error& e) {
    return fail(error_kind::malformed, fmt::format("{}:{}: {}", file, e.source().begin.line, e.description()));
  }
}

result<profile> read_profile(const std::filesystem::path& gguf) {
  auto file = gguf;
  file.replace_extension(".toml");
  std::error_code none;
  if (!std::filesystem::is_regular_file(file, none)) return profile{};
  std::ifstream in(file, std::ios::binary);
  std::string text(max_profile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  if (!in.eof() && text.size() <= max_profile)
    return fail(error_kind::refused, fmt::format("cannot read {}", file.string()));
  return parse_profile(text, file.string());
}

chat::request apply(const profile& of, chat::request asked) {
  if (of.system.empty() || !has_messages(asked.endpoint) || std::ranges::any_of(asked.messages, instructs))
    return asked;
  chat::message system;
  system.role = chat::role::system;
  system.parts.emplace_back().text = of.system;
  const bool was_empty = asked.messages.empty();
  asked.messages.insert(asked.messages.begin(), std::move(system));
  // An OpenAI caller's own text goes on to the engine as it is, so it has to say the same.
  if (asked.dialect == chat::dialect::openai) {
    if (const auto at = start_of_messages(asked.body); at != asked.body.npos) {
      const boost::json::object message{{"role", "system"}, {"content", of.system}};
      asked.body.insert(at, boost::json::serialize(message) + (was_empty ? "" : ","));
    }
  }
  return asked;
}

}  // namespace meshai::engine
