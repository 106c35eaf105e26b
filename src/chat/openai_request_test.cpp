// What callers may send, what it becomes, and what they are told when it is wrong.
#include "chat/testing.hpp"

namespace meshai::chat {
namespace {

using testing::at;

request parse(std::string_view body, endpoint door = endpoint::chat_completions) {
  auto parsed = parse_request(door, body);
  EXPECT_TRUE(parsed) << parsed.error().message << " in " << body;
  return parsed ? std::move(*parsed) : request{};
}

// A chat request with these members besides the model.
request chat(std::string_view members) {
  return parse(R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" + std::string(members) + "}");
}
request messages(std::string_view array) {
  return parse(R"({"model":"m","messages":)" + std::string(array) + "}");
}

TEST(openai_request, reads_a_small_chat) {
  const auto got = parse(R"({"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},
      "messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":"hi","name":"ann"}]})");
  EXPECT_EQ(got.dialect, dialect::openai);
  EXPECT_EQ(got.model, "gpt-4o");
  EXPECT_TRUE(got.stream);
  EXPECT_TRUE(got.include_usage);
  ASSERT_EQ(got.messages.size(), 2u);
  EXPECT_EQ(got.messages[0].role, role::developer);
  EXPECT_EQ(got.messages[1].parts[0].text, "hi");
  EXPECT_EQ(got.messages[1].name, "ann");
  EXPECT_EQ(got.text_size, 11u);
  EXPECT_FALSE(got.has_images);
}

TEST(openai_request, reads_settings) {
  const auto got = chat(R"("temperature":0.5,"top_p":0.9,"n":3,"stop":["a","b"],"seed":-7,"max_tokens":10,
      "max_completion_tokens":20,"frequency_penalty":1,"presence_penalty":-1,"logprobs":true,"top_logprobs":5,
      "parallel_tool_calls":false,"reasoning_effort":"low","top_k":40,"user":"u")");
  EXPECT_EQ(got.temperature, 0.5);
  EXPECT_EQ(got.top_p, 0.9);
  EXPECT_EQ(got.n, 3);
  EXPECT_EQ(got.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(got.seed, -7);
  EXPECT_EQ(got.max_tokens, 20);
  EXPECT_EQ(got.frequency_penalty, 1);
  EXPECT_EQ(got.presence_penalty, -1);
  EXPECT_EQ(got.logprobs, true);
  EXPECT_EQ(got.top_logprobs, 5);
  EXPECT_EQ(got.parallel_tool_calls, false);
  EXPECT_EQ(got.reasoning_effort, "low");
  EXPECT_EQ(got.top_k, 40);
  EXPECT_EQ(got.user, "u");
  EXPECT_TRUE(got.extra.empty());
  EXPECT_EQ(chat(R"("stop":"x")").stop, std::vector<std::string>{"x"});
  EXPECT_EQ(chat(R"("max_tokens":10)").max_tokens, 10);
}

TEST(openai_request, null_is_the_same_as_absent) {
  const auto got =
      chat(R"("temperature":null,"stop":null,"tools":null,"response_format":null,"stream":null,"x":null)");
  EXPECT_FALSE(got.temperature);
  EXPECT_TRUE(got.extra.empty());
}

TEST(openai_request, reads_content_parts) {
  const auto got = messages(R"([{"role":"user","content":[
      {"type":"text","text":"see","cache_control":{"type":"ephemeral"}},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD","detail":"low"}},
      {"type":"image_url","image_url":{"url":"https://example.org/a.png"}},
      {"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}},
      {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,Qg=="}},
      {"type":"file","file":{"file_id":"file-1"}},
      {"type":"hologram","of":"a cat"}]}])");
  const auto& parts = got.messages[0].parts;
  ASSERT_EQ(parts.size(), 7u);
  EXPECT_EQ(parts[0].extra[0].name, "cache_control");
  EXPECT_EQ(parts[1].media_type + " " + parts[1].data + " " + parts[1].detail, "image/png QUJD low");
  EXPECT_EQ(parts[2].url, "https://example.org/a.png");
  EXPECT_EQ(parts[3].media_type + " " + parts[3].data, "audio/wav QQ==");
  EXPECT_EQ(parts[4].media_type + " " + parts[4].detail, "application/pdf a.pdf");
  EXPECT_EQ(parts[5].kind, part_kind::other);
  EXPECT_EQ(at(parts[6].raw, "/of"), "\"a cat\"");
  EXPECT_TRUE(got.has_images);
}

TEST(openai_request, reads_calls_and_results) {
  const auto got = messages(R"([{"role":"user","content":"q"},
      {"role":"assistant","content":null,"refusal":null,"annotations":[],"tool_calls":[
        {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"},
         "extra_content":{"google":{"thought_signature":"sig"}}},
        {"id":"c2","type":"custom","custom":{"name":"g","input":"x"}}]},
      {"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"42"}]}])");
  const auto& calls = got.messages[1].parts;
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].call.id + calls[0].call.name + calls[0].call.arguments + calls[0].call.signature,
            "c1f{\"a\":1}sig");
  EXPECT_TRUE(calls[0].call.extra.empty());
  EXPECT_EQ(calls[1].kind, part_kind::other);
  EXPECT_TRUE(got.messages[1].extra.empty());
  EXPECT_EQ(got.messages[2].role, role::tool);
  EXPECT_EQ(got.messages[2].parts[0].text, "c1");
  EXPECT_EQ(got.messages[2].parts[0].content[0].text, "42");
}

TEST(openai_request, reads_the_older_functions) {
  const auto got = parse(R"({"model":"m","functions":[{"name":"f","parameters":{"type":"object"}}],
      "function_call":{"name":"f"},"messages":[{"role":"user","content":"q"},
      {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
      {"role":"function","name":"f","content":"42"}]})");
  EXPECT_TRUE(got.legacy_functions);
  EXPECT_EQ(got.tools[0].name, "f");
  EXPECT_EQ(got.tool_choice.kind, tool_choice_kind::named);
  EXPECT_EQ(got.messages[1].parts[0].call.id, got.messages[2].parts[0].text);
  EXPECT_EQ(got.messages[2].role, role::tool);
}

TEST(openai_request, reads_reasoning_and_its_seals) {
  const auto plain = messages(R"([{"role":"assistant","content":"a","reasoning_content":"because"}])");
  EXPECT_EQ(plain.messages[0].parts[0].thought.text, "because");
  EXPECT_EQ(plain.messages[0].parts[0].thought.from, dialect::openai);

  // In pieces, as a client has them that only collected what came.
  const auto sealed =
      messages(R"([{"role":"assistant","content":"a","reasoning_content":"onetwo","reasoning_details":[
      {"type":"reasoning.text","text":"one","format":"anthropic-claude-v1","index":0},
      {"type":"reasoning.text","text":"two","index":0},
      {"type":"reasoning.text","signature":"sig","index":0},
      {"type":"reasoning.encrypted","data":"secret","format":"anthropic-claude-v1","index":1},
      {"type":"reasoning.encrypted","data":"gem","format":"google-gemini-v1","index":2}]}])");
  const auto& parts = sealed.messages[0].parts;
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].thought.text + " " + parts[0].thought.signature, "onetwo sig");
  EXPECT_EQ(parts[0].thought.from, dialect::anthropic);
  EXPECT_EQ(parts[1].thought.redacted, "secret");
  EXPECT_EQ(parts[2].thought.signature, "gem");
  EXPECT_EQ(parts[2].thought.from, dialect::gemini);
  EXPECT_EQ(parts[3].text, "a");
}

TEST(openai_request, reads_tools_and_formats) {
  const auto got = chat(R"("tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,
      "parameters":{"type":"object"}}},{"type":"web_search","x":1}],"tool_choice":"required",
      "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}})");
  ASSERT_EQ(got.tools.size(), 2u);
  EXPECT_EQ(got.tools[0].raw_schema, R"({"type":"object"})");
  EXPECT_EQ(got.tools[0].strict, true);
  EXPECT_EQ(at(got.tools[1].raw, "/x"), "1");
  EXPECT_EQ(got.tool_choice.kind, tool_choice_kind::required);
  EXPECT_EQ(got.response_format.kind, format_kind::json_schema);
  EXPECT_EQ(got.response_format.name + got.response_format.raw_schema, R"(n{"type":"object"})");
  EXPECT_EQ(chat(R"("tool_choice":{"type":"function","function":{"name":"f"}})").tool_choice.name, "f");
  EXPECT_EQ(chat(R"("response_format":{"type":"json_object"})").response_format.kind, format_kind::json_object);
}

TEST(openai_request, keeps_what_it_does_not_know) {
  const auto got = chat(R"("logit_bias":{"50256":-100},"store":false,"service_tier":"auto","modalities":["text"],
      "chat_template_kwargs":{"x":1}, "mesh":{"reach":"site","fallback":false,"drop":true}, "z":1.50)");
  EXPECT_EQ(got.mesh.reach, reach::site);
  EXPECT_EQ(got.mesh.fallback, false);
  EXPECT_EQ(got.mesh.drop, true);
  ASSERT_EQ(got.extra.size(), 3u);  // what asks for nothing is not among them
  EXPECT_EQ(got.extra[0].name, "logit_bias");
  EXPECT_EQ(at(got.body, "/mesh"), "absent");
  EXPECT_NE(got.body.find("\"z\":1.50"), std::string::npos);
}

TEST(openai_request, reads_completions) {
  const auto got =
      parse(R"({"model":"m","prompt":"Once","max_tokens":5,"echo":true,"logprobs":0})", endpoint::completions);
  EXPECT_EQ(got.messages[0].parts[0].text, "Once");
  EXPECT_EQ(got.extra[0].name, "echo");
  EXPECT_EQ(got.extra.size(), 1u);
  EXPECT_EQ(parse(R"({"model":"m","prompt":["Once"]})", endpoint::completions).messages[0].parts[0].text, "Once");
  for (const auto body : {R"({"model":"m","prompt":["a","b"]})", R"({"model":"m","prompt":[1,2]})"}) {
    EXPECT_EQ(parse(body, endpoint::completions).messages[0].parts[0].kind, part_kind::other) << body;
  }
}

TEST(openai_request, reads_embeddings) {
  EXPECT_EQ(parse(R"({"model":"e","input":["ab","c"]})", endpoint::embeddings).text_size, 3u);
  parse(R"({"model":"e","input":[1,2,3]})", endpoint::embeddings);
  parse(R"({"model":"e","input":[[1,2],[3]]})", endpoint::embeddings);
  std::string many = R"({"model":"e","input":["a")";
  for (int i = 0; i < 2048; ++i) many += ",\"a\"";
  const auto refused = parse_request(endpoint::embeddings, many + "]}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "input");
}

struct wrong {
  std::string_view members, param, code;
};
class openai_refusal : public ::testing::TestWithParam<wrong> {};

TEST_P(openai_refusal, names_the_member) {
  const auto& [members, param, code] = GetParam();
  std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}])";
  for (const std::string_view own : {"model", "messages"}) {
    if (!members.starts_with("\"" + std::string(own))) continue;
    body = own == "model" ? R"({"messages":[{"role":"user","content":"hi"}])" : R"({"model":"m")";
  }
  body += members.empty() ? "}" : "," + std::string(members) + "}";
  const auto parsed = parse_request(endpoint::chat_completions, body);
  ASSERT_FALSE(parsed) << body;
  EXPECT_EQ(parsed.error().status, 400);
  EXPECT_EQ(parsed.error().type, "invalid_request_error");
  EXPECT_EQ(parsed.error().param, param);
  EXPECT_EQ(parsed.error().code, code);
  EXPECT_TRUE(parsed.error().message.starts_with(param)) << parsed.error().message;
  EXPECT_FALSE(parsed.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    each, openai_refusal,
    ::testing::Values(
        wrong{R"("model":null)", "model", "missing_required_parameter"},
        wrong{R"("model":7)", "model", "invalid_type"}, wrong{R"("model":"")", "model", "invalid_value"},
        wrong{R"("messages":null)", "messages", "missing_required_parameter"},
        wrong{R"("messages":{})", "messages", "invalid_type"},
        wrong{R"("messages":[])", "messages", "invalid_value"},
        wrong{R"("messages":["hi"])", "messages[0]", "invalid_type"},
        wrong{R"("messages":[{"content":"x"}])", "messages[0].role", "missing_required_parameter"},
        wrong{R"("messages":[{"role":"robot","content":"x"}])", "messages[0].role", "invalid_value"},
        wrong{R"("messages":[{"role":"user"}])", "messages[0].content", "missing_required_parameter"},
        wrong{R"("messages":[{"role":"user","content":7}])", "messages[0].content", "invalid_type"},
        wrong{R"("messages":[{"role":"user","content":[{"text":"x"}]}])", "messages[0].content[0].type",
              "missing_required_parameter"},
        wrong{R"("messages":[{"role":"user","content":[{"type":"text"}]}])", "messages[0].content[0].text",
              "missing_required_parameter"},
        wrong{R"("messages":[{"role":"user","content":[{"type":"image_url","image_url":"u"}]}])",
              "messages[0].content[0].image_url", "invalid_type"},
        wrong{R"("messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,x"}}]}])",
              "messages[0].content[0].image_url.url", "invalid_value"},
        wrong{R"("messages":[{"role":"assistant"}])", "messages[0].content", "missing_required_parameter"},
        wrong{R"("messages":[{"role":"assistant","tool_calls":[{"id":"c"}]}])",
              "messages[0].tool_calls[0].function", "missing_required_parameter"},
        wrong{R"("messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}])",
              "messages[0].tool_calls[0].id", "missing_required_parameter"},
        wrong{R"("messages":[{"role":"tool","content":"x"}])", "messages[0].tool_call_id",
              "missing_required_parameter"},
        wrong{R"("stream":"yes")", "stream", "invalid_type"}, wrong{R"("n":0)", "n", "invalid_value"},
        wrong{R"("n":129)", "n", "invalid_value"}, wrong{R"("n":"2")", "n", "invalid_type"},
        wrong{R"("temperature":2.5)", "temperature", "invalid_value"},
        wrong{R"("top_p":-1)", "top_p", "invalid_value"},
        wrong{R"("max_tokens":0)", "max_tokens", "invalid_value"}, wrong{R"("stop":7)", "stop", "invalid_type"},
        wrong{R"("stop":["a",7])", "stop[1]", "invalid_type"}, wrong{R"("seed":1.5)", "seed", "invalid_type"},
        wrong{R"("top_logprobs":5)", "top_logprobs", "invalid_value"},
        wrong{R"("logprobs":true,"top_logprobs":21)", "top_logprobs", "invalid_value"},
        wrong{R"("tools":[{"type":"function"}])", "tools[0].function", "missing_required_parameter"},
        wrong{R"("tools":[{"type":"function","function":{}}])", "tools[0].function.name",
              "missing_required_parameter"},
        wrong{R"("tool_choice":"perhaps")", "tool_choice", "invalid_value"},
        wrong{R"("response_format":{"type":"json_schema"})", "response_format.json_schema",
              "missing_required_parameter"},
        wrong{R"("n":1,"n":2)", "n", "invalid_value"},
        wrong{R"("mesh":{"private":true})", "mesh.private", "unsupported_parameter"},
        wrong{R"("mesh":{"reach":"moon"})", "mesh.reach", "invalid_value"},
        wrong{R"("mesh":[])", "mesh", "invalid_type"}));

TEST(openai_request, says_where_a_body_is_no_json) {
  const auto broken = parse_request(endpoint::chat_completions, "{\"model\":\"m\",\n\"messages\":[}");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, "invalid_json");
  EXPECT_NE(broken.error().message.find("line 2, column 13"), std::string::npos) << broken.error().message;
  for (const auto body : {"", "[]", "7", "\"x\"", "null"}) {
    const auto refused = parse_request(endpoint::chat_completions, body);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().code, "invalid_json") << body;
  }
}

}  // namespace
}  // namespace meshai::chat
