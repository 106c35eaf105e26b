// OpenAI's chat completions, completions, embeddings and models.
#include <fmt/format.h>

#include <set>

#include "fake_show.hpp"

namespace meshai::fake {
namespace {

namespace json = boost::json;

constexpr std::int64_t created = 1'760'000'000;

const std::set<std::string_view>& chat_members() {
  static const std::set<std::string_view> known{"messages",
                                                "model",
                                                "stream",
                                                "stream_options",
                                                "tools",
                                                "tool_choice",
                                                "parallel_tool_calls",
                                                "response_format",
                                                "max_tokens",
                                                "max_completion_tokens",
                                                "temperature",
                                                "top_p",
                                                "frequency_penalty",
                                                "presence_penalty",
                                                "stop",
                                                "seed",
                                                "n",
                                                "logprobs",
                                                "top_logprobs",
                                                "logit_bias",
                                                "user",
                                                "reasoning_effort",
                                                "metadata",
                                                "store",
                                                "modalities",
                                                "prediction",
                                                "audio",
                                                "service_tier",
                                                "functions",
                                                "function_call",
                                                "web_search_options",
                                                "verbosity",
                                                "safety_identifier",
                                                "prompt_cache_key"};
  return known;
}

std::int64_t number(const json::object& in, std::string_view name, std::int64_t otherwise) {
  const auto* found = in.if_contains(name);
  return found && found->is_int64() ? found->get_int64() : otherwise;
}

bool flag(const json::object& in, std::string_view name) {
  const auto* found = in.if_contains(name);
  return found && found->is_bool() && found->get_bool();
}

// What a whole conversation comes down to, before it is cut into pieces.
struct performance {
  const json::object& asked;
  script how;
  std::string said;  // of the answer, by a prefill
  std::vector<std::string> tokens;
  std::string finish;
  std::int64_t n = 1;
  std::string model;

  json::object usage() const {
    const auto output = static_cast<std::int64_t>(tokens.size() + how.calls.size()) * n;
    return {{"prompt_tokens", 9},
            {"completion_tokens", output},
            {"total_tokens", 9 + output},
            {"prompt_tokens_details", {{"cached_tokens", 0}, {"audio_tokens", 0}}},
            {"completion_tokens_details", {{"reasoning_tokens", how.thinking.empty() ? 0 : 3}}}};
  }
  json::value logprobs(std::string_view token) const {
    if (!flag(asked, "logprobs")) return nullptr;
    const json::object one{
        {"token", token}, {"logprob", how.logprob.value_or(0)}, {"bytes", nullptr}, {"top_logprobs", json::array()}};
    return {{"content", json::array{one}}, {"refusal", nullptr}};
  }
};

performance prepare(const json::object& asked, plan is) {
  performance out{.asked = asked, .how = std::move(is.how), .said = std::move(is.said)};
  out.tokens = tokens_of(out.how.text);
  out.finish = out.how.calls.empty() ? "stop" : "tool_calls";
  const auto most = number(asked, "max_completion_tokens", number(asked, "max_tokens", 1 << 20));
  if (std::cmp_greater(out.tokens.size(), most)) {
    out.tokens.resize(static_cast<std::size_t>(most));
    out.finish = "length";
  }
  if (!out.how.finish.empty()) out.finish = out.how.finish;
  out.n = number(asked, "n", 1);
  out.model = std::string(asked.at("model").as_string());
  return out;
}

plan plan_for(const json::object& asked, script raw, const options& of) {
  std::vector<tool_shape> tools;
  if (const auto* list = asked.if_contains("tools"); list && list->is_array()) {
    for (const auto& tool : list->get_array()) {
      const auto& function = tool.at("function").as_object();
      const auto* schema = function.if_contains("parameters");
      tools.push_back(
          {std::string(function.at("name").as_string()), schema ? *schema : json::value(json::object())});
    }
  }
  const auto* choice = asked.if_contains("tool_choice");
  const bool forbidden = choice && choice->is_string() && choice->get_string() == "none";
  const auto& messages = asked.at("messages").as_array();
  const bool user_spoke = messages.back().at("role").as_string() == "user";
  std::vector<turn> talk;
  for (const auto& one : messages) {
    const auto& message = one.as_object();
    const auto role = message.at("role").as_string();
    if (role != "system" && role != "developer")
      talk.push_back({role == "assistant", text_of(message.if_contains("content"))});
  }
  if (const auto* format = asked.if_contains("response_format");
      format && raw.text.empty() && raw.calls.empty() && format->at("type").as_string() != "text") {
    raw.text = "{\"said\": \"something\"}";
  }
  raw.logprob = raw.logprob.value_or(of.logprob);
  return fill_in(std::move(raw), talk, tools, user_spoke && !forbidden, of);
}

show whole(const performance& of) {
  json::array choices;
  for (std::int64_t i = 0; i < of.n; ++i) {
    std::string text = of.said;  // llama-server repeats a prefill here, and not in a stream
    for (const auto& token : of.tokens) text += token;
    json::object message{
        {"role", "assistant"}, {"content", text}, {"refusal", nullptr}, {"annotations", json::array()}};
    if (!of.how.thinking.empty()) message["reasoning_content"] = of.how.thinking;
    if (!of.how.calls.empty()) {
      message["content"] = nullptr;
      json::array calls;
      for (std::size_t k = 0; k < of.how.calls.size(); ++k) {
        calls.push_back(
            {{"id", fmt::format("call_{}_{}", i, k)},
             {"type", "function"},
             {"function", {{"name", of.how.calls[k].name}, {"arguments", of.how.calls[k].arguments}}}});
      }
      message["tool_calls"] = std::move(calls);
    }
    choices.push_back({{"index", i},
                       {"message", std::move(message)},
                       {"logprobs", of.logprobs(text)},
                       {"finish_reason", of.finish}});
  }
  show out;
  out.pieces.push_back({json::serialize(json::object{{"id", "chatcmpl-fake"},
                                                     {"object", "chat.completion"},
                                                     {"created", created},
                                                     {"model", of.model},
                                                     {"choices", std::move(choices)},
                                                     {"usage", of.usage()},
                                                     {"service_tier", "default"},
                                                     {"system_fingerprint", "fp_fake"}}),
                        true, true, true});
  return out;
}

class streamer {
 public:
  explicit streamer(const performance& of) : of_(of) {
    if (const auto* options = of.asked.if_contains("stream_options"); options && options->is_object()) {
      usage_ = flag(options->get_object(), "include_usage");
    }
  }

  show run() {
    show out;
    out.stream = true;
    out.content_type = "text/event-stream; charset=utf-8";
    out.error_piece =
        sse("{\"error\":{\"message\":\"The server had an error while processing your request. Sorry about "
            "that!\",\"type\":\"server_error\",\"param\":null,\"code\":null}}");
    for (std::int64_t i = 0; i < of_.n; ++i)
      add(out, i, {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}, false);
    for (std::int64_t i = 0; i < of_.n; ++i) add_choice(out, i);
    for (std::int64_t i = 0; i < of_.n; ++i) add(out, i, json::object(), false, of_.finish);
    if (usage_) {
      auto last = head();
      last["choices"] = json::array();
      last["usage"] = of_.usage();
      out.pieces.push_back({sse(json::serialize(last))});
    }
    out.pieces.push_back({sse("[DONE]"), false, false, true});
    return out;
  }

 private:
  json::object head() const {
    return {{"id", "chatcmpl-fake"}, {"object", "chat.completion.chunk"}, {"created", created},
            {"model", of_.model},    {"service_tier", "default"},         {"system_fingerprint", "fp_fake"}};
  }

  void add(show& out, std::int64_t index, json::object delta, bool token, std::string_view finish = {},
           json::value logprobs = nullptr) {
    auto chunk = head();
    chunk["choices"] =
        json::array{{{"index", index},
                     {"delta", std::move(delta)},
                     {"logprobs", std::move(logprobs)},
                     {"finish_reason", finish.empty() ? json::value(nullptr) : json::value(finish)}}};
    if (usage_) chunk["usage"] = nullptr;
    out.pieces.push_back({sse(json::serialize(chunk)), token, !finish.empty()});
  }

  void add_choice(show& out, std::int64_t index) {
    if (!of_.how.thinking.empty()) add(out, index, {{"reasoning_content", of_.how.thinking}}, true);
    for (const auto& token : of_.tokens) add(out, index, {{"content", token}}, true, {}, of_.logprobs(token));
    for (std::size_t k = 0; k < of_.how.calls.size(); ++k) {
      const auto& call = of_.how.calls[k];
      add(out, index,
          {{"tool_calls",
            {{{"index", k},
              {"id", fmt::format("call_{}_{}", index, k)},
              {"type", "function"},
              {"function", {{"name", call.name}, {"arguments", ""}}}}}}},
          true);
      const auto half = call.arguments.size() / 2;
      for (const auto& part : {call.arguments.substr(0, half), call.arguments.substr(half)}) {
        add(out, index, {{"tool_calls", {{{"index", k}, {"function", {{"arguments", part}}}}}}}, true);
      }
      out.pieces.back().in_call = true;
    }
  }

  const performance& of_;
  bool usage_ = false;
};

std::optional<show> refuse(const json::object& asked, const options& of) {
  const auto bad = [](std::string message, std::string code = {}) {
    return openai_error(400, "invalid_request_error", code, message);
  };
  for (const auto& [name, value] : asked) {
    if (!chat_members().contains(name))
      return bad(fmt::format("Unrecognized request argument supplied: {}", std::string_view(name)));
  }
  const auto* messages = asked.if_contains("messages");
  if (!messages || !messages->is_array() || messages->get_array().empty()) {
    return bad("Missing required parameter: 'messages'.", "missing_required_parameter");
  }
  const auto* model = asked.if_contains("model");
  if (!model || !model->is_string()) return bad("you must provide a model parameter");
  if (!is_known(model->get_string(), of)) {
    return openai_error(404, "invalid_request_error", "model_not_found",
                        fmt::format("The model `{}` does not exist or you do not have access to it.",
                                    std::string_view(model->get_string())));
  }
  return std::nullopt;
}

show embeddings(const json::object& asked) {
  const auto& input = asked.at("input");
  const auto count = input.is_array() ? input.get_array().size() : 1;
  json::array data;
  for (std::size_t i = 0; i < count; ++i) {
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", {0.25, -0.5, 0.75}}});
  }
  show out;
  out.pieces.push_back({json::serialize(json::object{{"object", "list"},
                                                     {"data", std::move(data)},
                                                     {"model", asked.at("model")},
                                                     {"usage", {{"prompt_tokens", 4}, {"total_tokens", 4}}}}),
                        true, true, true});
  return out;
}

show completions(const json::object& asked, const script& raw) {
  const auto* prompt = asked.if_contains("prompt");
  const auto how = complete(raw, text_of(prompt));
  const auto chunk = [&](std::string_view text, std::string_view finish) {
    return json::serialize(
        json::object{{"id", "cmpl-fake"},
                     {"object", "text_completion"},
                     {"created", created},
                     {"model", asked.at("model")},
                     {"choices",
                      {{{"text", text},
                        {"index", 0},
                        {"logprobs", nullptr},
                        {"finish_reason", finish.empty() ? json::value(nullptr) : json::value(finish)}}}}});
  };
  show out;
  if (!flag(asked, "stream")) {
    auto body = json::parse(chunk(how.text, "stop")).as_object();
    body["usage"] = {{"prompt_tokens", 5}, {"completion_tokens", 7}, {"total_tokens", 12}};
    out.pieces.push_back({json::serialize(body), true, true, true});
    return out;
  }
  out.stream = true;
  out.content_type = "text/event-stream; charset=utf-8";
  for (const auto& token : tokens_of(how.text)) out.pieces.push_back({sse(chunk(token, {})), true});
  out.pieces.push_back({sse(chunk("", "stop")), false, true});
  if (const auto* how_to = asked.if_contains("stream_options");
      how_to && flag(how_to->as_object(), "include_usage")) {
    auto last = json::parse(chunk("", {})).as_object();
    last["choices"] = json::array();
    last["usage"] = {{"prompt_tokens", 5}, {"completion_tokens", 7}, {"total_tokens", 12}};
    out.pieces.push_back({sse(json::serialize(last))});
  }
  out.pieces.push_back({sse("[DONE]"), false, false, true});
  return out;
}

}  // namespace

show openai_error(int status, std::string_view type, std::string_view code, std::string_view message) {
  show out;
  out.status = status;
  out.pieces.push_back(
      {json::serialize(json::object{{"error",
                                     {{"message", message},
                                      {"type", type},
                                      {"param", nullptr},
                                      {"code", code.empty() ? json::value(nullptr) : json::value(code)}}}}),
       false, false, true});
  return out;
}

show perform_openai(std::string_view path, const json::object& asked, const script& how, const options& of) {
  if (how.status != 200) {
    return openai_error(how.status, how.type.empty() ? "server_error" : how.type, how.code, how.message);
  }
  if (path.ends_with("/embeddings")) return embeddings(asked);
  if (path.ends_with("/chat/completions")) {
    if (auto refusal = refuse(asked, of)) return *refusal;
    auto is = plan_for(asked, how, of);
    if (is.refused) {
      return openai_error(400, "invalid_request_error", "",
                          "Assistant response prefill is incompatible with enable_thinking.");
    }
    const auto prepared = prepare(asked, std::move(is));
    return flag(asked, "stream") ? streamer(prepared).run() : whole(prepared);
  }
  if (path.ends_with("/completions")) return completions(asked, how);
  return openai_error(404, "invalid_request_error", "", "Invalid URL");
}

}  // namespace meshai::fake
