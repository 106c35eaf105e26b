// Gemini's generateContent and streamGenerateContent.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fake_show.hpp"

namespace meshai::fake {
namespace {

namespace json = boost::json;

constexpr std::string_view seal = "CiQBfakeThoughtSignature";

const std::set<std::string_view>& members() {
  static const std::set<std::string_view> known{
      "contents",         "systemInstruction", "tools",         "toolConfig",
      "generationConfig", "safetySettings",    "cachedContent", "labels"};
  return known;
}

const std::set<std::string_view>& settings() {
  static const std::set<std::string_view> known{"stopSequences",
                                                "responseMimeType",
                                                "responseSchema",
                                                "responseJsonSchema",
                                                "responseModalities",
                                                "candidateCount",
                                                "maxOutputTokens",
                                                "temperature",
                                                "topP",
                                                "topK",
                                                "seed",
                                                "presencePenalty",
                                                "frequencyPenalty",
                                                "responseLogprobs",
                                                "logprobs",
                                                "thinkingConfig",
                                                "mediaResolution",
                                                "enableEnhancedCivicAnswers",
                                                "speechConfig",
                                                "imageConfig"};
  return known;
}

// Gemini 3 refuses a tool turn whose call came back without its signature; of parallel calls only the first has one.
bool lost_a_signature(const json::array& contents, std::string_view model) {
  if (!model.starts_with("gemini-3")) return false;
  const auto is_call = [](const json::value& part) { return part.as_object().contains("functionCall"); };
  return std::ranges::any_of(contents, [&](const json::value& content) {
    const auto& parts = content.at("parts").as_array();
    const auto first = std::ranges::find_if(parts, is_call);
    return first != parts.end() && !first->as_object().contains("thoughtSignature");
  });
}

std::optional<show> refuse(const json::object& asked, std::string_view model) {
  for (const auto& [name, value] : asked) {
    if (!members().contains(name)) {
      return gemini_error(400, "INVALID_ARGUMENT",
                          fmt::format("Invalid JSON payload received. Unknown name \"{}\": Cannot find field.",
                                      std::string_view(name)));
    }
  }
  const auto* contents = asked.if_contains("contents");
  if (!contents || !contents->is_array() || contents->get_array().empty()) {
    return gemini_error(400, "INVALID_ARGUMENT", "* GenerateContentRequest.contents: contents is not specified");
  }
  if (const auto* config = asked.if_contains("generationConfig")) {
    for (const auto& [name, value] : config->as_object()) {
      if (!settings().contains(name)) {
        return gemini_error(
            400, "INVALID_ARGUMENT",
            fmt::format("Invalid JSON payload received. Unknown name \"{}\" at 'generation_config': "
                        "Cannot find field.",
                        std::string_view(name)));
      }
    }
  }
  if (lost_a_signature(contents->get_array(), model)) {
    return gemini_error(400, "INVALID_ARGUMENT",
                        "Function call is missing a thought_signature in functionCall parts.");
  }
  return std::nullopt;
}

struct performance {
  script how;
  std::vector<std::string> tokens;
  std::string finish = "STOP", model;

  json::object usage() const {
    const auto output = static_cast<std::int64_t>(tokens.size() + how.calls.size());
    return {{"promptTokenCount", 8},
            {"candidatesTokenCount", output},
            {"thoughtsTokenCount", how.thinking.empty() ? 0 : 3},
            {"totalTokenCount", 8 + output}};
  }
  json::object response(json::array parts, std::string_view finish_reason) const {
    json::object candidate{{"content", {{"parts", std::move(parts)}, {"role", "model"}}}, {"index", 0}};
    if (!finish_reason.empty()) candidate["finishReason"] = finish_reason;
    return {{"candidates", {std::move(candidate)}},
            {"usageMetadata", usage()},
            {"modelVersion", model},
            {"responseId", "fake"}};
  }
};

performance prepare(const json::object& asked, plan is, std::string_view model) {
  performance out{.how = std::move(is.how)};
  out.tokens = tokens_of(out.how.text);
  if (const auto* config = asked.if_contains("generationConfig")) {
    const auto* most = config->as_object().if_contains("maxOutputTokens");
    if (most && std::cmp_greater(out.tokens.size(), most->as_int64())) {
      out.tokens.resize(static_cast<std::size_t>(most->as_int64()));
      out.finish = "MAX_TOKENS";
    }
  }
  if (!out.how.finish.empty()) out.finish = out.how.finish;
  out.model = std::string(model);
  return out;
}

plan plan_for(const json::object& asked, const script& raw, const options& of) {
  std::vector<tool_shape> tools;
  if (const auto* list = asked.if_contains("tools"); list && list->is_array()) {
    for (const auto& tool : list->get_array()) {
      const auto* functions = tool.as_object().if_contains("functionDeclarations");
      if (!functions) continue;
      for (const auto& function : functions->as_array()) {
        const auto* schema = function.as_object().if_contains("parametersJsonSchema");
        if (!schema) schema = function.as_object().if_contains("parameters");
        tools.push_back(
            {std::string(function.at("name").as_string()), schema ? *schema : json::value(json::object())});
      }
    }
  }
  const auto& parts = asked.at("contents").as_array().back().at("parts").as_array();
  const bool answers_tool = parts.front().as_object().contains("functionResponse");
  std::vector<turn> talk;
  for (const auto& one : asked.at("contents").as_array()) {
    const auto& content = one.as_object();
    const auto* role = content.if_contains("role");
    talk.push_back({role && role->as_string() == "model", text_of(content.if_contains("parts"))});
  }
  return fill_in(raw, talk, tools, !answers_tool, of);
}

json::array call_parts(const performance& of) {
  json::array parts;
  for (const auto& call : of.how.calls) {
    json::object part{{"functionCall", {{"name", call.name}, {"args", arguments_of(call)}}}};
    if (parts.empty()) part["thoughtSignature"] = seal;
    parts.push_back(std::move(part));
  }
  return parts;
}

show perform(const performance& of, bool stream) {
  show out;
  out.stream = stream;
  const auto add = [&](json::array parts, std::string_view finish, bool token) {
    const auto text = json::serialize(of.response(std::move(parts), finish));
    out.pieces.push_back({stream ? sse(text) : text, token, !finish.empty()});
  };
  if (!stream) {
    json::array parts;
    if (!of.how.thinking.empty()) parts.push_back(json::object{{"text", of.how.thinking}, {"thought", true}});
    std::string text;
    for (const auto& token : of.tokens) text += token;
    if (!text.empty()) parts.push_back(json::object{{"text", text}});
    for (auto& call : call_parts(of)) parts.push_back(std::move(call));
    add(std::move(parts), of.finish, true);
  } else {
    out.content_type = "text/event-stream";
    out.error_piece =
        sse("{\"error\":{\"code\":503,\"message\":\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}");
    if (!of.how.thinking.empty())
      add(json::array{json::object{{"text", of.how.thinking}, {"thought", true}}}, {}, true);
    for (const auto& token : of.tokens) add(json::array{json::object{{"text", token}}}, {}, true);
    if (!of.how.calls.empty()) {
      add(call_parts(of), {}, true);
      out.pieces.back().in_call = true;
    }
    add(json::array{json::object{{"text", ""}}}, of.finish, false);
  }
  out.pieces.back().done = true;
  return out;
}

// Either `contents`, or a whole request that names its model.
show count_tokens(const json::object& asked, std::string_view model) {
  const auto* whole = asked.if_contains("generateContentRequest");
  auto request = whole ? whole->as_object() : asked;
  if (whole && request["model"] != json::value("models/" + std::string(model))) {
    return gemini_error(400, "INVALID_ARGUMENT", "* CountTokensRequest.model: the models differ");
  }
  request.erase("model");
  if (auto refusal = refuse(request, model)) return *refusal;
  show out;
  out.pieces.push_back(
      {R"({"totalTokens":14,"promptTokensDetails":[{"modality":"TEXT","tokenCount":14}]})", true, true, true});
  return out;
}

}  // namespace

show gemini_error(int status, std::string_view name, std::string_view message, std::string_view retry_delay) {
  json::object error{{"code", status}, {"message", message}, {"status", name}};
  if (!retry_delay.empty()) {
    error["details"] = {{{"@type", "type.googleapis.com/google.rpc.RetryInfo"}, {"retryDelay", retry_delay}}};
  }
  show out;
  out.status = status;
  out.pieces.push_back({json::serialize(json::object{{"error", std::move(error)}}), false, false, true});
  return out;
}

show perform_gemini(std::string_view path, const json::object& asked, const script& how, const options& of) {
  if (how.status != 200) {
    return gemini_error(how.status, how.type.empty() ? "INTERNAL" : how.type, how.message, how.retry_delay);
  }
  const auto models = path.find("/models/");
  const auto colon = path.rfind(':');
  if (models == std::string_view::npos || colon == std::string_view::npos)
    return gemini_error(404, "NOT_FOUND", "");
  const auto model = path.substr(models + 8, colon - models - 8);
  if (std::find(of.models.begin(), of.models.end(), model) == of.models.end()) {
    return gemini_error(404, "NOT_FOUND", fmt::format("models/{} is not found for API version v1beta.", model));
  }
  const auto method = path.substr(colon + 1);
  if (method == "countTokens") return count_tokens(asked, model);
  if (auto refusal = refuse(asked, model)) return *refusal;
  auto is = plan_for(asked, how, of);
  if (is.refused) {
    return gemini_error(400, "INVALID_ARGUMENT",
                        "Please ensure that multiturn requests end with a user role or a function response.");
  }
  return perform(prepare(asked, std::move(is), model), method.starts_with("streamGenerateContent"));
}

}  // namespace meshai::fake
