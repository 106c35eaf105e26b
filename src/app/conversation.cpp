#include "app/conversation.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "app/paths.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::size_t max_file = 16 << 20;

result<fs::path> place(const std::string& file) {
  if (file.empty()) return fail(error_kind::refused, "write the name of a file behind it");
  const char* home = std::getenv("HOME");
  if (file.starts_with("~/") && home) return fs::path(home) / file.substr(2);
  return fs::path(file);
}

std::string as_markdown(const std::vector<line>& lines) {
  std::string out;
  for (const auto& one : lines) out += fmt::format("{}## {}\n\n{}\n", out.empty() ? "" : "\n", one.role, one.text);
  return out;
}

std::string as_json(const std::vector<line>& lines) {
  json::array out;
  for (const auto& one : lines) out.push_back({{"role", one.role}, {"content", one.text}});
  return json::serialize(json::object{{"messages", std::move(out)}}) + "\n";
}

}  // namespace

std::pair<std::string, std::string> split_command(std::string_view typed) {
  constexpr std::string_view blanks = " \t\n";
  const auto end = std::min(typed.find_first_of(blanks), typed.size());
  auto rest = typed.substr(end);
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
  while (!rest.empty() && blanks.contains(rest.back())) rest.remove_suffix(1);
  return {std::string(typed.substr(0, end)), std::string(rest)};
}

void set_system(std::vector<line>& lines, std::string text) {
  std::erase_if(lines, [](const line& one) { return one.role == "system"; });
  if (!text.empty()) lines.insert(lines.begin(), {"system", std::move(text)});
}

result<void> save_conversation(const std::vector<line>& lines, const std::string& file) {
  const auto to = place(file);
  if (!to) return std::unexpected(to.error());
  if (lines.empty()) return fail(error_kind::refused, "there is nothing to save yet");
  return write_file(*to, to->extension() == ".json" ? as_json(lines) : as_markdown(lines), 0600);
}

result<std::vector<line>> load_conversation(const std::string& file) {
  const auto from = place(file);
  if (!from) return std::unexpected(from.error());
  const auto text = read_file(*from, max_file);
  if (!text) return std::unexpected(text.error());
  boost::system::error_code wrong;
  const auto parsed = json::parse(*text, wrong);
  const auto* object = wrong ? nullptr : parsed.if_object();
  const auto* messages = object ? object->if_contains("messages") : &parsed;
  std::vector<line> out;
  for (const auto& one : messages && messages->is_array() ? messages->get_array() : json::array()) {
    const auto* entry = one.if_object();
    const auto* role = entry ? entry->if_contains("role") : nullptr;
    const auto* content = entry ? entry->if_contains("content") : nullptr;
    if (!role || !role->is_string() || !content || !content->is_string()) {
      out.clear();
      break;
    }
    out.push_back({std::string(role->get_string()), std::string(content->get_string())});
  }
  if (out.empty())
    return fail(error_kind::malformed, fmt::format("{} holds no conversation; /save FILE.json writes one", file));
  return out;
}

}  // namespace meshai::app
