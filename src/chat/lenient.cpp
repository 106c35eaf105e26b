#include "chat/lenient.hpp"

#include "chat/json.hpp"

namespace meshai::chat {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

}  // namespace

std::string arguments_object(std::string_view arguments) {
  arguments = trim(arguments);
  if (arguments.empty()) return "{}";
  json::document document;
  if (const auto root = document.parse(arguments); root && (*root)->is_object()) return std::string(arguments);
  std::string out;
  json::writer(out).begin_object().member("arguments", json::clean_utf8(arguments, arguments.size())).end_object();
  return out;
}

std::string error_text(std::string_view body) {
  body = trim(body);
  if (body.starts_with('<') || body.starts_with('{') || body.starts_with('[')) return {};
  return json::clean_utf8(body, most_error_text);
}

}  // namespace meshai::chat
