// The caller's side: requests to /v1/chat/completions, /v1/completions and /v1/embeddings.
#include <algorithm>
#include <array>

#include "chat/measure.hpp"
#include "chat/mesh.hpp"
#include "chat/openai.hpp"
#include "chat/openai_messages.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::openai {
namespace {

constexpr std::int64_t most_choices = 128;
constexpr std::int64_t most_inputs = 2048;  // of one embeddings request, as at OpenAI

// Members that say something and are not known here, under the name of the object they stand in.
void add_extra(const json::object& in, std::string_view prefix, std::initializer_list<std::string_view> known,
               request& out) {
  for (auto& member : rest_of(in, known)) {
    out.extra.push_back({std::string(prefix) + member.name, std::move(member.raw)});
  }
}

// What both doors to a model's words take.
void read_sampling(json::checker& check, const json::object& body, request& out) {
  out.temperature = check.number(body, "temperature", 0, 2);
  out.top_p = check.number(body, "top_p", 0, 1);
  out.frequency_penalty = check.number(body, "frequency_penalty", -2, 2);
  out.presence_penalty = check.number(body, "presence_penalty", -2, 2);
  out.seed = check.integer(body, "seed");
  out.n = check.integer(body, "n", 1, most_choices);
  if (const auto* stop = check.find(body, "stop")) {
    if (const auto* several = stop->if_array()) {
      for (const auto& element : *several) {
        if (const auto text = check.as_string(element)) out.stop.emplace_back(*text);
      }
    } else if (stop->is_string()) {
      out.stop.emplace_back(stop->get_string());
    } else {
      check.complain(stop, "must be a string or an array of strings", "invalid_type");
    }
  }
  if (const auto* options = check.object_at(body, "stream_options")) {
    out.include_usage = check.boolean(*options, "include_usage").value_or(false);
    add_extra(*options, "stream_options.", {"include_usage"}, out);
  }
  out.max_tokens = check.integer(body, "max_tokens", 1);
}

void read_chat_settings(json::checker& check, const json::object& body, request& out) {
  if (const auto most = check.integer(body, "max_completion_tokens", 1)) out.max_tokens = most;
  out.logprobs = check.boolean(body, "logprobs");
  out.top_logprobs = check.integer(body, "top_logprobs", 0, 20);
  if (out.top_logprobs.value_or(0) > 0 && !out.logprobs.value_or(false)) {
    check.complain(body, "top_logprobs", "needs logprobs = true");
  }
  out.parallel_tool_calls = check.boolean(body, "parallel_tool_calls");
  out.reasoning_effort = check.string(body, "reasoning_effort").value_or("");
  out.top_k = check.integer(body, "top_k");
  if (out.top_k.value_or(0) <= 0) out.top_k.reset();  // 0 and -1 turn it off where it is known
}

std::string read_schema(json::checker& check, const json::object& in, std::string_view name) {
  return check.object_at(in, name) ? json::to_text(*check.find(in, name)) : std::string();
}

void read_function(json::checker& check, const json::object& in, tool& out) {
  out.name = check.required_string(in, "name");
  out.description = check.string(in, "description").value_or("");
  out.raw_schema = read_schema(check, in, "parameters");
  out.strict = check.boolean(in, "strict");
  out.extra = rest_of(in, {"name", "description", "parameters", "strict"});
}

void read_tools(json::checker& check, const json::object& body, request& out) {
  if (const auto* tools = check.array_at(body, "tools")) {
    for (const auto& element : *tools) {
      const auto* in = check.as_object(element);
      if (in == nullptr) return;
      tool made;
      if (const auto type = check.required_string(*in, "type"); type != "function") {
        made.name = type;
        made.raw = json::to_text(element);
      } else if (const auto* function = check.required_object(*in, "function")) {
        read_function(check, *function, made);
        for (auto& member : rest_of(*in, {"type", "function"})) made.extra.push_back(std::move(member));
      }
      out.tools.push_back(std::move(made));
    }
  }
  if (const auto* functions = check.array_at(body, "functions")) {
    out.legacy_functions = true;
    for (const auto& element : *functions) {
      const auto* in = check.as_object(element);
      if (in == nullptr) return;
      read_function(check, *in, out.tools.emplace_back());
    }
  }
}

bool read_choice_word(std::string_view word, tool_choice& out) {
  if (word == "auto") {
    out.kind = tool_choice_kind::automatic;
  } else if (word == "none") {
    out.kind = tool_choice_kind::none;
  } else if (word == "required") {
    out.kind = tool_choice_kind::required;
  } else {
    return false;
  }
  return true;
}

void read_tool_choice(json::checker& check, const json::object& body, request& out) {
  if (const auto* choice = check.find(body, "tool_choice")) {
    if (const auto* word = choice->if_string()) {
      if (!read_choice_word(*word, out.tool_choice)) {
        check.complain(choice, "must be none, auto, required or an object that names a function");
      }
    } else if (const auto* in = check.as_object(*choice)) {
      if (check.required_string(*in, "type") != "function") {
        out.extra.push_back({"tool_choice", json::to_text(*choice)});
      } else if (const auto* function = check.required_object(*in, "function")) {
        out.tool_choice = {tool_choice_kind::named, std::string(check.required_string(*function, "name"))};
      }
    }
  }
  if (const auto* choice = check.find(body, "function_call")) {
    if (const auto* word = choice->if_string()) {
      if (!read_choice_word(*word, out.tool_choice))
        check.complain(choice, "must be none, auto or {\"name\": ...}");
    } else if (const auto* in = check.as_object(*choice)) {
      out.tool_choice = {tool_choice_kind::named, std::string(check.required_string(*in, "name"))};
    }
  }
}

void read_format(json::checker& check, const json::object& body, request& out) {
  const auto* in = check.object_at(body, "response_format");
  if (in == nullptr) return;
  const auto type = check.required_string(*in, "type");
  auto& format = out.response_format;
  if (type == "text") {
    format.kind = format_kind::text;
  } else if (type == "json_object") {
    format.kind = format_kind::json_object;
    // llama-server takes a schema here.
    format.raw_schema = read_schema(check, *in, "schema");
  } else if (type == "json_schema") {
    format.kind = format_kind::json_schema;
    const auto* schema = check.required_object(*in, "json_schema");
    if (schema == nullptr) return;
    format.name = check.string(*schema, "name").value_or("");
    format.strict = check.boolean(*schema, "strict");
    format.raw_schema = read_schema(check, *schema, "schema");
    add_extra(*schema, "response_format.json_schema.", {"name", "strict", "schema"}, out);
  } else {
    out.extra.push_back({"response_format", json::to_text(*check.find(body, "response_format"))});
  }
}

// ---- what is carried within the dialect only
// ----------------------------------------------------------------------

// Whether a member asks for nothing that would not be there without it, so that no other dialect need express it.
bool is_default(std::string_view name, const json::value& v) {
  struct entry {
    std::string_view name, raw;
  };
  constexpr std::array defaults{entry{"store", "false"},
                                entry{"service_tier", "\"auto\""},
                                entry{"service_tier", "\"default\""},
                                entry{"modalities", "[\"text\"]"},
                                entry{"echo", "false"},
                                entry{"best_of", "1"},
                                entry{"logprobs", "0"},
                                entry{"verbosity", "\"medium\""}};
  const auto text = json::to_text(v);
  return std::ranges::any_of(defaults, [&](const entry& e) { return e.name == name && e.raw == text; });
}

void read_extra(const json::object& body, std::initializer_list<std::string_view> known, request& out) {
  for (auto& member : rest_of(body, known)) {
    if (!is_default(member.name, *body.if_contains(member.name))) out.extra.push_back(std::move(member));
  }
}

// ---- the three doors
// ----------------------------------------------------------------------------------------------

void read_chat(json::checker& check, const json::object& body, request& out) {
  read_messages(check, body, out);
  read_sampling(check, body, out);
  read_chat_settings(check, body, out);
  read_tools(check, body, out);
  read_tool_choice(check, body, out);
  read_format(check, body, out);
  read_extra(body,
             {"model",
              "messages",
              "mesh",
              "stream",
              "stream_options",
              "temperature",
              "top_p",
              "top_k",
              "n",
              "stop",
              "seed",
              "max_tokens",
              "frequency_penalty",
              "presence_penalty",
              "user",
              "max_completion_tokens",
              "logprobs",
              "top_logprobs",
              "parallel_tool_calls",
              "reasoning_effort",
              "tools",
              "tool_choice",
              "functions",
              "function_call",
              "response_format"},
             out);
}

// A prompt becomes the one message of a user, for dialects without this door. Tokens, and several prompts at once,
// only a provider of the same dialect understands.
void read_prompt(json::checker& check, const json::object& body, request& out) {
  const auto* prompt = check.find(body, "prompt");
  if (prompt == nullptr) return check.missing(body, "prompt");
  const auto* several = prompt->if_array();
  if (several != nullptr && several->size() == 1 && several->front().is_string()) prompt = &several->front();
  message made{.role = role::user};
  if (const auto* text = prompt->if_string()) {
    made.parts.push_back({.text = std::string(*text)});
  } else if (several != nullptr && !several->empty()) {
    made.parts.push_back({.kind = part_kind::other, .raw = R"({"type":"prompt"})"});
    for (const auto& one : *several) {
      if (const auto* piece = one.if_string()) out.text_size += piece->size();
    }
  } else {
    check.complain(body, "prompt", "must be a string, or an array of strings or tokens", "invalid_type");
  }
  out.messages.push_back(std::move(made));
}

void read_completion(json::checker& check, const json::object& body, request& out) {
  read_prompt(check, body, out);
  read_sampling(check, body, out);
  check.integer(body, "logprobs", 0, 20);
  read_extra(body,
             {"model", "prompt", "mesh", "stream", "stream_options", "temperature", "top_p", "n", "stop", "seed",
              "max_tokens", "frequency_penalty", "presence_penalty", "user"},
             out);
}

void read_embeddings(json::checker& check, const json::object& body, request& out) {
  const auto* input = check.find(body, "input");
  if (input == nullptr) return check.missing(body, "input");
  if (const auto* text = input->if_string()) {
    out.text_size = text->size();
    if (text->empty()) check.complain(body, "input", "must not be empty");
    return;
  }
  const auto* several = input->if_array();
  if (several == nullptr) {
    return check.complain(body, "input", "must be a string, or an array of strings or tokens", "invalid_type");
  }
  const bool tokens = !several->empty() && several->front().is_int64();
  if (several->empty() || (!tokens && several->size() > most_inputs)) {
    return check.complain(body, "input", "must hold 1 to 2048 inputs", "invalid_value",
                          "send the rest in requests of their own");
  }
  for (const auto& one : *several) {
    const auto* text = one.if_string();
    if (!text && !one.is_int64() && !one.is_array())
      check.complain(&one, "must be a string or tokens", "invalid_type");
    out.text_size += text ? text->size() : 0;
  }
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
  request out{.dialect = dialect::openai, .endpoint = door};
  out.mesh = read_mesh(check, *whole);
  out.model = check.required_string(*whole, "model");
  if (out.model.empty()) check.complain(*whole, "model", "must not be empty");
  out.user = check.string(*whole, "user").value_or("");
  if (door != endpoint::embeddings) out.stream = check.boolean(*whole, "stream").value_or(false);
  switch (door) {
    case endpoint::embeddings:
      read_embeddings(check, *whole, out);
      break;
    case endpoint::completions:
      read_completion(check, *whole, out);
      break;
    default:
      read_chat(check, *whole, out);
  }
  if (!check.ok()) return std::unexpected(check.take());

  measure(out);
  out.body = whole->if_contains("mesh") ? splice(body, {{"mesh", ""}}) : std::string(body);
  return out;
}

}  // namespace meshai::chat::openai
