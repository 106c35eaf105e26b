// Anthropic's messages and count_tokens.
#include <fmt/format.h>

#include <set>

#include "fake_show.hpp"

namespace meshai::fake {
namespace {

namespace json = boost::json;

// What this fake seals its thinking with, and wants back.
constexpr std::string_view seal = "ErUBfakeSignature==";

const std::set<std::string_view>& members() {
  static const std::set<std::string_view> known{
      "model",          "messages",           "max_tokens",    "system",       "stream",
      "stop_sequences", "temperature",        "top_p",         "top_k",        "tools",
      "tool_choice",    "thinking",           "metadata",      "service_tier", "container",
      "mcp_servers",    "context_management", "output_config", "output_format"};
  return known;
}

std::optional<show> refuse_message(const json::object& message) {
  const auto* content = message.if_contains("content");
  if (!content) return anthropic_error(400, "invalid_request_error", "messages: content: Field required");
  if (!content->is_array()) return std::nullopt;
  for (const auto& block : content->get_array()) {
    const auto& object = block.as_object();
    if (object.at("type").as_string() == "text" && object.at("text").as_string().empty()) {
      return anthropic_error(400, "invalid_request_error", "messages: text content blocks must be non-empty");
    }
    if (object.at("type").as_string() != "thinking") continue;
    const auto* signature = object.if_contains("signature");
    if (!signature || signature->as_string() != seal) {
      return anthropic_error(400, "invalid_request_error",
                             "messages.1.content.0: Invalid `signature` in `thinking` block");
    }
  }
  return std::nullopt;
}

// Settings that do not go together, or go too far.
std::optional<show> refuse_settings(const json::object& asked) {
  const auto bad = [](std::string_view why) { return anthropic_error(400, "invalid_request_error", why); };
  const auto* heat = asked.if_contains("temperature");
  if (heat && heat->to_number<double>() > 1) return bad("temperature: range: 0..1");
  if (const auto* stops = asked.if_contains("stop_sequences")) {
    for (const auto& stop : stops->as_array()) {
      if (stop.as_string().find_first_not_of(" \t\r\n") == json::string::npos)
        return bad("stop_sequences: each stop sequence must contain non-whitespace");
    }
  }
  const auto* thinking = asked.if_contains("thinking");
  if (!thinking || thinking->at("type").as_string() == "disabled") return std::nullopt;
  if (heat && heat->to_number<double>() != 1)
    return bad("`temperature` may only be set to 1 when thinking is enabled.");
  if (asked.contains("top_k")) return bad("`top_k` must be unset when thinking is enabled.");
  const auto* choice = asked.if_contains("tool_choice");
  if (choice && (choice->at("type").as_string() == "any" || choice->at("type").as_string() == "tool"))
    return bad("Thinking may not be enabled when tool_choice forces tool use.");
  const auto* budget = thinking->as_object().if_contains("budget_tokens");
  if (budget && budget->as_int64() >= asked.at("max_tokens").as_int64())
    return bad("`max_tokens` must be greater than `thinking.budget_tokens`.");
  return std::nullopt;
}

std::optional<show> refuse(const json::object& asked, const options& of, bool counting) {
  for (const auto& [name, value] : asked) {
    if (!members().contains(name)) {
      return anthropic_error(400, "invalid_request_error",
                             fmt::format("{}: Extra inputs are not permitted", std::string_view(name)));
    }
  }
  if (!counting && !asked.contains("max_tokens")) {
    return anthropic_error(400, "invalid_request_error", "max_tokens: Field required");
  }
  const auto* model = asked.if_contains("model");
  if (!model || !model->is_string()) return anthropic_error(400, "invalid_request_error", "model: Field required");
  if (!is_known(model->get_string(), of)) {
    return anthropic_error(404, "not_found_error",
                           fmt::format("model: {}", std::string_view(model->get_string())));
  }
  const auto* messages = asked.if_contains("messages");
  if (!messages || !messages->is_array() || messages->get_array().empty()) {
    return anthropic_error(400, "invalid_request_error", "messages: at least one message is required");
  }
  for (const auto& message : messages->get_array()) {
    if (auto refusal = refuse_message(message.as_object())) return refusal;
    const auto role = message.at("role").as_string();
    if (role != "user" && role != "assistant") {
      return anthropic_error(400, "invalid_request_error",
                             "messages: Unexpected role; allowed are \"user\" and \"assistant\"");
    }
  }
  return refuse_settings(asked);
}

struct performance {
  script how;
  std::vector<std::string> tokens;
  std::string stop, model;

  json::object usage(std::int64_t output) const {
    return {{"input_tokens", 11},
            {"cache_creation_input_tokens", 0},
            {"cache_read_input_tokens", 2},
            {"output_tokens", output},
            {"service_tier", "standard"}};
  }
  std::int64_t output() const { return static_cast<std::int64_t>(tokens.size() + how.calls.size()); }
};

performance prepare(const json::object& asked, plan is) {
  performance out{.how = std::move(is.how)};
  out.tokens = tokens_of(out.how.text);
  out.stop = out.how.calls.empty() ? "end_turn" : "tool_use";
  if (const auto* most = asked.if_contains("max_tokens");
      most && std::cmp_greater(out.tokens.size(), most->as_int64())) {
    out.tokens.resize(static_cast<std::size_t>(most->as_int64()));
    out.stop = "max_tokens";
  }
  if (!out.how.finish.empty()) out.stop = out.how.finish;
  out.model = std::string(asked.at("model").as_string());
  return out;
}

plan plan_for(const json::object& asked, const script& raw, const options& of) {
  std::vector<tool_shape> tools;
  if (const auto* list = asked.if_contains("tools"); list && list->is_array()) {
    for (const auto& tool : list->get_array()) {
      const auto* schema = tool.as_object().if_contains("input_schema");
      tools.push_back({std::string(tool.at("name").as_string()), schema ? *schema : json::value(json::object())});
    }
  }
  const auto* choice = asked.if_contains("tool_choice");
  const bool forbidden = choice && choice->at("type").as_string() == "none";
  const auto& last = asked.at("messages").as_array().back().as_object();
  const auto* content = last.if_contains("content");
  const bool answers_tool =
      content->is_array() && content->get_array().front().at("type").as_string() == "tool_result";
  std::vector<turn> talk;
  for (const auto& one : asked.at("messages").as_array()) {
    const auto& message = one.as_object();
    talk.push_back({message.at("role").as_string() == "assistant", text_of(message.if_contains("content"))});
  }
  return fill_in(raw, talk, tools, !answers_tool && !forbidden, of);
}

// The last message, where it is the assistant's.
std::optional<show> refuse_prefill(const json::object& asked) {
  const auto& last = asked.at("messages").as_array().back().as_object();
  if (last.at("role").as_string() != "assistant") return std::nullopt;
  const auto text = text_of(last.if_contains("content"));
  if (text.ends_with(' ') || text.ends_with('\n') || text.ends_with('\t')) {
    return anthropic_error(400, "invalid_request_error",
                           "messages: final assistant content cannot end with trailing whitespace");
  }
  const auto* thinking = asked.if_contains("thinking");
  if (thinking && thinking->at("type").as_string() != "disabled") {
    return anthropic_error(
        400, "invalid_request_error",
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. "
        "When `thinking` is enabled, a final `assistant` message must start with a thinking block.");
  }
  return std::nullopt;
}

show whole(const performance& of) {
  json::array content;
  if (!of.how.thinking.empty())
    content.push_back({{"type", "thinking"}, {"thinking", of.how.thinking}, {"signature", seal}});
  if (!of.tokens.empty()) {
    std::string text;
    for (const auto& token : of.tokens) text += token;
    content.push_back({{"type", "text"}, {"text", text}});
  }
  for (std::size_t i = 0; i < of.how.calls.size(); ++i) {
    content.push_back({{"type", "tool_use"},
                       {"id", fmt::format("toolu_{}", i)},
                       {"name", of.how.calls[i].name},
                       {"input", arguments_of(of.how.calls[i])}});
  }
  show out;
  out.pieces.push_back({json::serialize(json::object{{"id", "msg_fake"},
                                                     {"type", "message"},
                                                     {"role", "assistant"},
                                                     {"model", of.model},
                                                     {"content", std::move(content)},
                                                     {"stop_reason", of.stop},
                                                     {"stop_sequence", nullptr},
                                                     {"usage", of.usage(of.output())}}),
                        true, true, true});
  return out;
}

class streamer {
 public:
  explicit streamer(const performance& of) : of_(of) {}

  show run() {
    out_.stream = true;
    out_.content_type = "text/event-stream; charset=utf-8";
    out_.error_piece =
        sse("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}", "error");
    add("message_start", {{"message",
                           {{"id", "msg_fake"},
                            {"type", "message"},
                            {"role", "assistant"},
                            {"model", of_.model},
                            {"content", json::array()},
                            {"stop_reason", nullptr},
                            {"stop_sequence", nullptr},
                            {"usage", of_.usage(1)}}}});
    add("ping", {});
    if (!of_.how.thinking.empty()) {
      begin({{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
      delta({{"type", "thinking_delta"}, {"thinking", of_.how.thinking}});
      delta({{"type", "signature_delta"}, {"signature", seal}});
      end();
    }
    if (!of_.tokens.empty()) {
      begin({{"type", "text"}, {"text", ""}});
      for (const auto& token : of_.tokens) delta({{"type", "text_delta"}, {"text", token}});
      end();
    }
    for (std::size_t i = 0; i < of_.how.calls.size(); ++i) {
      const auto& call = of_.how.calls[i];
      begin({{"type", "tool_use"},
             {"id", fmt::format("toolu_{}", i)},
             {"name", call.name},
             {"input", json::object()}});
      const auto half = call.arguments.size() / 2;
      delta({{"type", "input_json_delta"}, {"partial_json", call.arguments.substr(0, half)}});
      delta({{"type", "input_json_delta"}, {"partial_json", call.arguments.substr(half)}});
      out_.pieces.back().in_call = true;
      end();
    }
    add("message_delta", {{"delta", {{"stop_reason", of_.stop}, {"stop_sequence", nullptr}}},
                          {"usage", {{"output_tokens", of_.output()}}}});
    out_.pieces.back().finish = true;
    add("message_stop", {});
    out_.pieces.back().done = true;
    return std::move(out_);
  }

 private:
  void add(std::string_view type, json::object members, bool token = false) {
    json::object event{{"type", type}};
    for (auto& [name, value] : members) event[name] = std::move(value);
    out_.pieces.push_back({sse(json::serialize(event), type), token});
  }
  void begin(json::object block) {
    add("content_block_start", {{"index", index_}, {"content_block", std::move(block)}});
  }
  void delta(json::object change) {
    add("content_block_delta", {{"index", index_}, {"delta", std::move(change)}}, true);
  }
  void end() { add("content_block_stop", {{"index", index_++}}); }

  const performance& of_;
  show out_;
  int index_ = 0;
};

}  // namespace

show anthropic_error(int status, std::string_view type, std::string_view message) {
  show out;
  out.status = status;
  out.pieces.push_back(
      {json::serialize(json::object{
           {"type", "error"}, {"error", {{"type", type}, {"message", message}}}, {"request_id", "req_fake"}}),
       false, false, true});
  return out;
}

show perform_anthropic(std::string_view path, const json::object& asked, const script& how, const options& of) {
  if (how.status != 200)
    return anthropic_error(how.status, how.type.empty() ? "api_error" : how.type, how.message);
  const bool counting = path.ends_with("/count_tokens");
  if (!counting && !path.ends_with("/messages")) return anthropic_error(404, "not_found_error", "Not Found");
  if (auto refusal = refuse(asked, of, counting)) return *refusal;
  if (counting) {
    show out;
    out.pieces.push_back({"{\"input_tokens\":14}", true, true, true});
    return out;
  }
  if (auto refusal = refuse_prefill(asked)) return *refusal;
  auto is = plan_for(asked, how, of);
  if (is.refused) {
    return anthropic_error(
        400, "invalid_request_error",
        "This model does not support assistant message prefill. The conversation must end with a "
        "user message.");
  }
  const auto prepared = prepare(asked, std::move(is));
  const auto* stream = asked.if_contains("stream");
  return stream && stream->is_bool() && stream->get_bool() ? streamer(prepared).run() : whole(prepared);
}

}  // namespace meshai::fake
