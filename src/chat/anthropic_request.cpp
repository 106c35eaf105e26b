// The caller's side: what stands in a request to /v1/messages or /v1/messages/count_tokens.
#include <algorithm>

#include "chat/anthropic.hpp"
#include "chat/anthropic_blocks.hpp"
#include "chat/measure.hpp"
#include "chat/mesh.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::anthropic {
namespace {

void add_extra(const json::object& in, std::string_view prefix, std::initializer_list<std::string_view> known,
               raw_members& extra) {
  for (const auto& [name, value] : in) {
    if (std::ranges::find(known, std::string_view(name)) == known.end()) {
      extra.push_back({std::string(prefix) + std::string(name), json::to_text(value)});
    }
  }
}

// A string, or an array of blocks.
std::vector<part> read_content(json::checker& check, const json::object& in, std::string_view name) {
  const auto* content = check.find(in, name);
  if (content == nullptr) return {};
  if (const auto* blocks = content->if_array()) return read_blocks(check, *blocks);
  if (const auto* text = content->if_string()) return {{.text = std::string(*text)}};
  check.complain(content, "must be a string or an array of content blocks", "invalid_type");
  return {};
}

// Results of tools become messages of their own, as the rest of the vocabulary has them.
void add_message(role who, std::vector<part> parts, std::vector<message>& out) {
  message rest{.role = who};
  for (auto& piece : parts) {
    if (piece.kind != part_kind::tool_result) {
      rest.parts.push_back(std::move(piece));
      continue;
    }
    if (!rest.parts.empty()) out.push_back(std::exchange(rest, {.role = who}));
    message result{.role = role::tool};
    result.parts.push_back(std::move(piece));
    out.push_back(std::move(result));
  }
  if (!rest.parts.empty()) out.push_back(std::move(rest));
}

void read_messages(json::checker& check, const json::object& body, request& out) {
  if (auto parts = read_content(check, body, "system"); !parts.empty()) {
    add_message(role::system, std::move(parts), out.messages);
  }
  const auto* messages = check.required_array(body, "messages");
  if (messages == nullptr) return;
  if (messages->empty()) check.complain(body, "messages", "must hold at least one message");
  for (const auto& element : *messages) {
    const auto* one = check.as_object(element);
    if (one == nullptr) return;
    const auto word = check.required_string(*one, "role");
    const auto who = word == "user" ? role::user : word == "assistant" ? role::assistant : role::system;
    if (who == role::system && word != "system") check.complain(*one, "role", "must be user, assistant or system");
    if (check.find(*one, "content") == nullptr) check.missing(*one, "content");
    add_extra(*one, "messages.", {"role", "content"}, out.extra);
    add_message(who, read_content(check, *one, "content"), out.messages);
  }
}

void read_tools(json::checker& check, const json::object& body, request& out) {
  const auto* tools = check.array_at(body, "tools");
  if (tools == nullptr) return;
  for (const auto& element : *tools) {
    const auto* one = check.as_object(element);
    if (one == nullptr) return;
    tool made{.name = std::string(check.required_string(*one, "name"))};
    if (const auto type = check.string(*one, "type").value_or("custom"); type != "custom") {
      made.raw = json::to_text(element);
    } else {
      made.description = check.string(*one, "description").value_or("");
      made.strict = check.boolean(*one, "strict");
      if (const auto* schema = check.required_object(*one, "input_schema"))
        made.raw_schema = json::to_text(*schema);
      add_extra(*one, "", {"type", "name", "description", "strict", "input_schema"}, made.extra);
    }
    out.tools.push_back(std::move(made));
  }
}

void read_tool_choice(json::checker& check, const json::object& body, request& out) {
  const auto* choice = check.object_at(body, "tool_choice");
  if (choice == nullptr) return;
  const auto type = check.required_string(*choice, "type");
  if (type == "auto") {
    out.tool_choice.kind = tool_choice_kind::automatic;
  } else if (type == "any") {
    out.tool_choice.kind = tool_choice_kind::required;
  } else if (type == "none") {
    out.tool_choice.kind = tool_choice_kind::none;
  } else if (type == "tool") {
    out.tool_choice = {.kind = tool_choice_kind::named,
                       .name = std::string(check.required_string(*choice, "name"))};
  } else {
    check.complain(*choice, "type", "must be auto, any, tool or none");
  }
  if (const auto one = check.boolean(*choice, "disable_parallel_tool_use")) out.parallel_tool_calls = !*one;
  add_extra(*choice, "tool_choice.", {"type", "name", "disable_parallel_tool_use"}, out.extra);
}

void read_format(json::checker& check, const json::object& in, std::string_view name, request& out) {
  const auto* format = check.object_at(in, name);
  if (format == nullptr) return;
  if (check.required_string(*format, "type") != "json_schema") {
    check.complain(*format, "type", "must be json_schema");
  }
  out.response_format.kind = format_kind::json_schema;
  if (const auto* schema = check.required_object(*format, "schema")) {
    out.response_format.raw_schema = json::to_text(*schema);
  }
}

void read_thinking(json::checker& check, const json::object& body, request& out) {
  if (const auto* thinking = check.object_at(body, "thinking")) {
    const auto type = check.required_string(*thinking, "type");
    if (type == "enabled") {
      if (check.find(*thinking, "budget_tokens") == nullptr) check.missing(*thinking, "budget_tokens");
      out.reasoning_budget = check.integer(*thinking, "budget_tokens", 1);
    } else if (type == "disabled") {
      out.reasoning_budget = 0;
    } else if (type == "adaptive") {
      out.reasoning_budget = -1;
    } else {
      out.extra.push_back({"thinking", json::to_text(*thinking)});
    }
    add_extra(*thinking, "thinking.", {"type", "budget_tokens"}, out.extra);
  }
  if (const auto* config = check.object_at(body, "output_config")) {
    out.reasoning_effort = check.string(*config, "effort").value_or("");
    read_format(check, *config, "format", out);
    add_extra(*config, "output_config.", {"effort", "format"}, out.extra);
  }
  read_format(check, body, "output_format", out);
}

void read_settings(json::checker& check, const json::object& body, request& out) {
  out.model = check.required_string(body, "model");
  if (out.model.empty()) check.complain(body, "model", "must not be empty");
  if (out.endpoint == endpoint::messages && check.find(body, "max_tokens") == nullptr) {
    check.missing(body, "max_tokens");
  }
  out.max_tokens = check.integer(body, "max_tokens", 0);
  out.stream = check.boolean(body, "stream").value_or(false);
  out.temperature = check.number(body, "temperature", 0, 2);
  out.top_p = check.number(body, "top_p", 0, 1);
  out.top_k = check.integer(body, "top_k", 0);
  if (const auto* stops = check.array_at(body, "stop_sequences")) {
    for (const auto& element : *stops) {
      if (const auto text = check.as_string(element)) out.stop.emplace_back(*text);
    }
  }
  if (const auto* metadata = check.object_at(body, "metadata")) {
    out.user = check.string(*metadata, "user_id").value_or("");
    add_extra(*metadata, "metadata.", {"user_id"}, out.extra);
  }
  add_extra(
      body, "",
      {"model", "messages", "system", "max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences",
       "metadata", "tools", "tool_choice", "thinking", "output_config", "output_format", "mesh"},
      out.extra);
}

}  // namespace

parsed<request> parse_request(endpoint door, std::string_view body) {
  json::document document;
  const auto root = document.parse(body);
  if (!root) return std::unexpected(json::not_json(body, root.error()));
  const auto* whole = (*root)->if_object();
  if (whole == nullptr) return std::unexpected(json::not_an_object());

  json::checker check(**root);
  // Of two members with one name we might read the one and the provider the other.
  if (const auto twice = json::duplicate_member(*whole, body); !twice.empty()) {
    check.complain(*whole, twice, "stands twice");
  }
  request out{.dialect = dialect::anthropic, .endpoint = door};
  out.mesh = read_mesh(check, *whole);
  read_settings(check, *whole, out);
  read_thinking(check, *whole, out);
  read_tools(check, *whole, out);
  read_tool_choice(check, *whole, out);
  read_messages(check, *whole, out);
  if (!check.ok()) return std::unexpected(check.take());

  measure(out);
  out.body = whole->contains("mesh") ? splice(body, {{"mesh", ""}}) : std::string(body);
  return out;
}

}  // namespace meshai::chat::anthropic
