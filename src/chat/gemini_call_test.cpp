#include "chat/gemini.hpp"
#include "chat/testing.hpp"

namespace meshai::chat::gemini {
namespace {

using testing::at;

target gemini(std::string model = "gemini-3-pro-preview", bool stream = false) {
  return {.dialect = dialect::gemini, .model = std::move(model), .stream = stream};
}

message said(role who, std::string text) {
  return {.role = who, .parts = {{.text = std::move(text)}}};
}

request question() {
  request out;
  out.messages = {said(role::user, "Hi")};
  return out;
}

boost::json::value written(const request& of, const target& to = gemini()) {
  const auto call = gemini::write_request(of, to);
  EXPECT_TRUE(call) << call.error().message;
  return call ? testing::read(call->body) : boost::json::value();
}

void expect_refused(const request& of, std::string_view param) {
  const auto call = gemini::write_request(of, gemini());
  ASSERT_FALSE(call) << param;
  EXPECT_EQ(call.error().code, "unsupported_parameter");
  EXPECT_EQ(call.error().param, param);
  auto yielding = of;
  yielding.mesh.drop = true;
  const auto dropped = gemini::write_request(yielding, gemini());
  ASSERT_TRUE(dropped) << param;
  EXPECT_EQ(dropped->dropped, std::vector<std::string>{std::string(param)});
}

// A turn that called a tool and waits for the answer to its result.
request tool_turn(tool_call call) {
  auto out = question();
  auto id = call.id;
  out.messages.push_back(
      {.role = role::assistant, .parts = {{.kind = part_kind::tool_call, .call = std::move(call)}}});
  out.messages.push_back(
      {.role = role::tool,
       .parts = {{.kind = part_kind::tool_result, .text = std::move(id), .content = {{.text = "sun"}}}}});
  return out;
}

TEST(gemini_call, asks_at_the_path_of_the_model) {
  const auto path = [](std::string model, bool stream) {
    return gemini::write_request(question(), gemini(std::move(model), stream))->path;
  };
  EXPECT_EQ(path("gemini-3-pro", false), "/models/gemini-3-pro:generateContent");
  EXPECT_EQ(path("models/gemini-3-pro", true), "/models/gemini-3-pro:streamGenerateContent?alt=sse");
  EXPECT_EQ(path("a/../b?key=", false), "/models/a%2F..%2Fb%3Fkey%3D:generateContent");
  EXPECT_TRUE(gemini::write_request(question(), gemini())->headers.empty());
}

TEST(gemini_call, writes_instructions_and_turns) {
  request of;
  of.messages = {said(role::system, "one"),  said(role::user, "a"),        said(role::user, "b"),
                 said(role::assistant, "c"), said(role::developer, "two"), said(role::user, "d")};
  const auto body = written(of);
  EXPECT_EQ(at(body, "/systemInstruction"), R"({"parts":[{"text":"one"},{"text":"two"}]})");
  EXPECT_EQ(at(body, "/contents"),
            R"([{"role":"user","parts":[{"text":"a"},{"text":"b"}]},)"
            R"({"role":"model","parts":[{"text":"c"}]},{"role":"user","parts":[{"text":"d"}]}])");
}

TEST(gemini_call, nothing_but_instructions_is_a_question) {
  request of;
  of.messages = {said(role::system, "Say hello.")};
  EXPECT_EQ(at(written(of), "/systemInstruction"), "absent");
  EXPECT_EQ(at(written(of), "/contents/0/parts/0/text"), R"("Say hello.")");
}

TEST(gemini_call, carries_the_settings) {
  auto of = question();
  of.max_tokens = 9;
  of.temperature = 0.5;
  of.top_p = 0.25;
  of.top_k = 4;
  of.seed = 7;
  of.n = 2;
  of.logprobs = true;
  of.top_logprobs = 3;
  of.frequency_penalty = 0.5;
  of.presence_penalty = -0.5;
  of.stop = {"END"};
  testing::expect_json(at(written(of), "/generationConfig"),
                       R"({"maxOutputTokens":9,"temperature":0.5,"topP":0.25,"topK":4,"frequencyPenalty":0.5,
                           "presencePenalty":-0.5,"seed":7,"candidateCount":2,"responseLogprobs":true,"logprobs":3,
                           "stopSequences":["END"]})");
}

TEST(gemini_call, names_what_it_cannot_express_or_lists_it) {
  auto of = question();
  of.tools = {{.name = "get"}};
  of.parallel_tool_calls = false;
  expect_refused(of, "parallel_tool_calls");
  of = question();
  of.extra = {{"logit_bias", "{}"}};
  expect_refused(of, "logit_bias");
  of = question();
  of.messages[0].parts.push_back({.kind = part_kind::image, .url = "https://x/y.png"});
  expect_refused(of, "image_url");
  EXPECT_NE(gemini::write_request(of, gemini()).error().hint.find("base64"), std::string::npos);
  of = question();
  of.tools = {{.name = "web_search", .raw = "{}"}};
  expect_refused(of, "tools.web_search");
  of = question();
  of.dialect = dialect::anthropic;
  of.messages[0].parts.push_back({.kind = part_kind::other, .raw = R"({"type":"search_result"})"});
  expect_refused(of, "search_result");
}

TEST(gemini_call, marks_for_a_cache_are_listed_and_not_refused) {
  auto of = question();
  of.messages[0].parts[0].extra = {{"cache_control", R"({"type":"ephemeral"})"}};
  of.user = "u";
  const auto call = gemini::write_request(of, gemini());
  ASSERT_TRUE(call);
  EXPECT_EQ(call->dropped, (std::vector<std::string>{"cache_control", "user"}));
}

TEST(gemini_call, writes_media_as_data) {
  auto of = question();
  of.messages[0].parts = {{.kind = part_kind::image, .media_type = "image/png", .data = "AA=="},
                          {.kind = part_kind::audio, .media_type = "audio/wav", .data = "BB=="},
                          {.kind = part_kind::document, .media_type = "application/pdf", .data = "CC=="},
                          {.kind = part_kind::document, .text = "words", .media_type = "text/plain"}};
  testing::expect_json(at(written(of), "/contents/0/parts"),
                       R"([{"inlineData":{"mimeType":"image/png","data":"AA=="}},
                           {"inlineData":{"mimeType":"audio/wav","data":"BB=="}},
                           {"inlineData":{"mimeType":"application/pdf","data":"CC=="}},{"text":"words"}])");
}

TEST(gemini_call, writes_tools_and_the_choice_of_them) {
  auto of = question();
  of.tools = {{.name = "get", .description = "d", .raw_schema = R"({"type":"object"})"}, {.name = "now"}};
  const auto body = written(of);
  EXPECT_EQ(at(body, "/tools"), R"([{"functionDeclarations":[{"name":"get","description":"d",)"
                                R"("parametersJsonSchema":{"type":"object"}},{"name":"now","description":""}]}])");
  EXPECT_EQ(at(body, "/toolConfig"), "absent");
  const auto config = [&](tool_choice_kind kind) {
    of.tool_choice = {.kind = kind, .name = "get"};
    return at(written(of), "/toolConfig/functionCallingConfig");
  };
  EXPECT_EQ(config(tool_choice_kind::automatic), R"({"mode":"AUTO"})");
  EXPECT_EQ(config(tool_choice_kind::none), R"({"mode":"NONE"})");
  EXPECT_EQ(config(tool_choice_kind::required), R"({"mode":"ANY"})");
  EXPECT_EQ(config(tool_choice_kind::named), R"({"mode":"ANY","allowedFunctionNames":["get"]})");
  of.tools[0].strict = true;
  EXPECT_EQ(config(tool_choice_kind::unset), R"({"mode":"VALIDATED"})");
}

TEST(gemini_call, results_find_the_name_of_their_function) {
  auto of = tool_turn({.id = "c1", .name = "get", .arguments = R"({"a":1})", .signature = "SIG"});
  const auto body = written(of);
  EXPECT_EQ(
      at(body, "/contents/1"),
      R"({"role":"model","parts":[{"functionCall":{"id":"c1","name":"get","args":{"a":1}},"thoughtSignature":"SIG"}]})");
  EXPECT_EQ(
      at(body, "/contents/2"),
      R"({"role":"user","parts":[{"functionResponse":{"id":"c1","name":"get","response":{"output":"sun"}}}]})");

  auto& result = of.messages[2].parts[0];
  result.is_error = true;
  result.content.push_back({.kind = part_kind::image, .media_type = "image/png", .data = "AA=="});
  EXPECT_EQ(at(written(of), "/contents/2/parts"),
            R"([{"functionResponse":{"id":"c1","name":"get","response":{"error":"sun"}}},)"
            R"({"inlineData":{"mimeType":"image/png","data":"AA=="}}])");

  result.text = "unknown";
  const auto lost = gemini::write_request(of, gemini());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().param, "tool_call_id");
  EXPECT_EQ(lost.error().code, "invalid_value");
}

TEST(gemini_call, calls_that_gemini_did_not_sign_carry_the_stand_in_where_one_is_demanded) {
  auto of = tool_turn({.id = "c1", .name = "get"});
  of.messages[1].parts.push_back({.kind = part_kind::tool_call, .call = {.id = "c2", .name = "get"}});
  const auto signature = [&](std::string model, std::string_view part) {
    return at(written(of, gemini(std::move(model))),
              "/contents/1/parts/" + std::string(part) + "/thoughtSignature");
  };
  EXPECT_EQ(signature("gemini-3-pro", "0"), R"("skip_thought_signature_validator")");
  EXPECT_EQ(signature("gemini-3-pro", "1"), "absent") << "the first of parallel calls is signed";
  EXPECT_EQ(signature("gemini-2.5-flash", "0"), "absent");
}

TEST(gemini_call, sends_back_its_own_thoughts_and_no_others) {
  auto of = question();
  of.messages.push_back(
      {.role = role::assistant,
       .parts = {
           {.kind = part_kind::reasoning, .thought = {.text = "t", .from = dialect::gemini}},
           {.kind = part_kind::reasoning, .thought = {.text = "a", .signature = "A", .from = dialect::anthropic}},
           {.text = "answer"},
           {.kind = part_kind::reasoning, .thought = {.signature = "G", .from = dialect::gemini}}}});
  const auto call = gemini::write_request(of, gemini());
  ASSERT_TRUE(call);
  EXPECT_EQ(at(call->body, "/contents/1/parts"),
            R"([{"text":"t","thought":true},{"text":"answer"},{"text":"","thoughtSignature":"G"}])");
  EXPECT_EQ(call->dropped, std::vector<std::string>{"reasoning"});
}

TEST(gemini_call, asks_for_json_by_schema) {
  auto of = question();
  of.response_format = {.kind = format_kind::json_schema, .raw_schema = R"({"type":"object"})"};
  EXPECT_EQ(at(written(of), "/generationConfig"),
            R"({"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}})");
  of.response_format = {.kind = format_kind::json_object};
  EXPECT_EQ(at(written(of), "/generationConfig"), R"({"responseMimeType":"application/json"})");
}

TEST(gemini_call, asks_for_thought_in_the_words_of_the_generation) {
  const auto config = [](std::string effort, std::optional<std::int64_t> budget, std::string model) {
    auto of = question();
    of.reasoning_effort = std::move(effort);
    of.reasoning_budget = budget;
    return at(written(of, gemini(std::move(model))), "/generationConfig/thinkingConfig");
  };
  EXPECT_EQ(config("", {}, "gemini-3-pro"), "absent");
  EXPECT_EQ(config("low", {}, "gemini-3-pro"), R"({"includeThoughts":true,"thinkingLevel":"LOW"})");
  EXPECT_EQ(config("max", {}, "gemini-3-pro"), R"({"includeThoughts":true,"thinkingLevel":"HIGH"})");
  EXPECT_EQ(config("", 512, "gemini-3-pro"), R"({"includeThoughts":true,"thinkingBudget":512})");
  EXPECT_EQ(config("none", {}, "gemini-3-pro"), R"({"includeThoughts":false,"thinkingLevel":"LOW"})");
  EXPECT_EQ(config("none", {}, "gemini-3-flash"), R"({"includeThoughts":false,"thinkingLevel":"MINIMAL"})");
  EXPECT_EQ(config("medium", {}, "gemini-3-pro"), R"({"includeThoughts":true,"thinkingLevel":"HIGH"})");
  EXPECT_EQ(config("medium", {}, "gemini-3.1-pro"), R"({"includeThoughts":true,"thinkingLevel":"MEDIUM"})");
  EXPECT_EQ(config("medium", {}, "gemini-2.5-flash"), R"({"includeThoughts":true,"thinkingBudget":8192})");
  EXPECT_EQ(config("", -1, "gemini-2.5-flash"), R"({"includeThoughts":true,"thinkingBudget":-1})");
  EXPECT_EQ(config("", 0, "gemini-2.5-flash"), R"({"includeThoughts":false,"thinkingBudget":0})");
}

}  // namespace
}  // namespace meshai::chat::gemini
