#include "chat/gemini.hpp"
#include "chat/testing.hpp"

namespace meshai::chat::gemini {
namespace {


const target gemini{.dialect = dialect::gemini, .model = "gemini-3-pro"};

struct reading {
  std::vector<delta> steps;
  std::optional<bad_answer> fault;
  bool finished = false;
};

reading read_all(std::initializer_list<std::string_view> stream, const request& of = {}) {
  const auto reader = gemini::make_stream_reader(of, gemini);
  reading out;
  for (const auto data : stream) {
    if (auto read = reader->event({}, data, out.steps); !read) {
      out.fault = read.error();
      break;
    }
  }
  out.finished = reader->finished();
  return out;
}

std::string chunk(std::string_view parts, std::string_view reason = {}) {
  std::string out = R"({"candidates":[{"content":{"role":"model","parts":)" + std::string(parts) + "}";
  if (!reason.empty()) out += R"(,"finishReason":")" + std::string(reason) + '"';
  return out + R"(,"index":0}],"modelVersion":"gemini-3-pro","responseId":"R1"})";
}

TEST(gemini_stream, reads_text_thoughts_and_signatures_in_order) {
  const auto got =
      read_all({chunk(R"([{"text":"hm","thought":true}])"), chunk(R"([{"text":"Hel"}])"),
                chunk(R"([{"text":"lo"}])"), chunk(R"([{"text":"","thoughtSignature":"SIG"}])", "STOP")});
  EXPECT_FALSE(got.fault);
  EXPECT_TRUE(got.finished);
  ASSERT_EQ(got.steps.size(), 5u);
  EXPECT_EQ(got.steps[0].thought.text, "hm");
  EXPECT_EQ(got.steps[0].thought.from, dialect::gemini);
  EXPECT_EQ(got.steps[1].text + got.steps[2].text, "Hello");
  EXPECT_EQ(got.steps[3].thought.signature, "SIG");
  EXPECT_FALSE(got.steps[3].is_token());
  EXPECT_EQ(got.steps[4].finish, finish::stop);
}

TEST(gemini_stream, reads_calls_with_their_signatures_and_makes_up_missing_ids) {
  request of;
  of.messages.resize(3);
  const auto got =
      read_all({chunk(R"([{"functionCall":{"id":"own","name":"get","args":{"a":1}},"thoughtSignature":"S"}])"),
                chunk(R"([{"functionCall":{"name":"now"}}])", "STOP")},
               of);
  EXPECT_FALSE(got.fault);
  ASSERT_EQ(got.steps.size(), 3u);
  const auto& first = got.steps[0].calls.at(0);
  EXPECT_EQ(first.id, "own");
  EXPECT_EQ(first.arguments, R"({"a":1})");
  EXPECT_EQ(first.signature, "S");
  const auto& second = got.steps[1].calls.at(0);
  EXPECT_EQ(second.index, 1);
  EXPECT_EQ(second.id, "call_R1_0_1");
  EXPECT_EQ(second.arguments, "{}");
  EXPECT_EQ(got.steps[2].finish, finish::tool_calls) << "Gemini says STOP for calls too";

  const auto nameless =
      read_all({R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"now"}}]}}]})"}, of);
  EXPECT_EQ(nameless.steps.at(0).calls.at(0).id, "call_3_0_0");
}

TEST(gemini_stream, reads_usage) {
  const auto got =
      read_all({R"({"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":
    {"promptTokenCount":10,"toolUsePromptTokenCount":1,"candidatesTokenCount":5,"thoughtsTokenCount":7,
     "cachedContentTokenCount":4,"totalTokenCount":23}})"});
  ASSERT_TRUE(got.steps.back().usage);
  const auto& counted = *got.steps.back().usage;
  EXPECT_EQ(counted.input, 11);
  EXPECT_EQ(counted.output, 12);
  EXPECT_EQ(counted.reasoning, 7);
  EXPECT_EQ(counted.cached, 4);
  EXPECT_TRUE(counted.known);
}

TEST(gemini_stream, counts_belong_to_their_own_event) {
  const auto got = read_all({chunk(R"([{"text":"x"}])"), R"({"usageMetadata":{"promptTokenCount":1}})"});
  ASSERT_EQ(got.steps.size(), 2u);
  EXPECT_FALSE(got.steps[0].usage);
  EXPECT_TRUE(got.steps[1].usage);
}

TEST(gemini_stream, knows_the_reasons_of_an_end) {
  const auto why = [](std::string_view reason) {
    return read_all({chunk(R"([{"text":"x"}])", reason)}).steps.back().finish;
  };
  EXPECT_EQ(why("STOP"), finish::stop);
  EXPECT_EQ(why("MAX_TOKENS"), finish::length);
  for (const auto* filter : {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}) {
    EXPECT_EQ(why(filter), finish::content_filter) << filter;
  }
  EXPECT_EQ(why("OTHER"), finish::other);
  EXPECT_EQ(why("OF_TOMORROW"), finish::other);
}

TEST(gemini_stream, a_failed_model_is_an_error_and_no_end) {
  for (const auto* failure :
       {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE"}) {
    const auto got = read_all({chunk("[]", failure)});
    ASSERT_TRUE(got.fault) << failure;
    EXPECT_FALSE(got.fault->malformed);
    EXPECT_EQ(got.fault->said.type, failure);
  }
}

TEST(gemini_stream, media_in_an_answer_are_not_lost_in_silence) {
  for (const auto* piece : {R"([{"inlineData":{"mimeType":"image/png","data":"AA=="}}])",
                            R"([{"text":"here"},{"fileData":{"fileUri":"https://x"}}])"}) {
    const auto got = gemini::read_answer({}, {.dialect = dialect::gemini}, chunk(piece, "STOP"));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().said.type, "UNSUPPORTED_MEDIA");
  }
}

TEST(gemini_stream, a_blocked_prompt_is_a_matter_of_policy) {
  const auto got = read_all(
      {R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":3}})"});
  ASSERT_TRUE(got.fault);
  EXPECT_EQ(got.fault->said.code, "content_policy_violation");
  EXPECT_EQ(got.fault->said.type, "PROHIBITED_CONTENT");
}

TEST(gemini_stream, is_finished_when_every_candidate_that_was_asked_for_is) {
  const request two{.n = 2};
  const std::string_view first =
      R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP","index":0}]})";
  const std::string_view second =
      R"({"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP","index":1}]})";
  EXPECT_FALSE(read_all({}, two).finished);
  EXPECT_FALSE(read_all({first}, two).finished);
  const auto both = read_all({first, second}, two);
  EXPECT_TRUE(both.finished);
  EXPECT_EQ(both.steps.at(2).choice, 1);
}

TEST(gemini_stream, an_error_event_is_what_the_provider_said) {
  const auto got = read_all({R"({"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}})"});
  ASSERT_TRUE(got.fault);
  EXPECT_FALSE(got.fault->malformed);
  EXPECT_EQ(got.fault->said.type, "UNAVAILABLE");
  EXPECT_EQ(got.fault->said.message, "busy");
}

TEST(gemini_stream, garbage_is_malformed) {
  for (const auto* data :
       {"", "<html>", "[DONE]", "[]", "{}", R"({"candidates":[1]})", R"({"candidates":[{"index":-1}]})",
        R"({"candidates":[{"index":4000}]})", R"({"candidates":[{"content":{"parts":[1]}}]})",
        R"({"candidates":[{"content":{"parts":[{"functionCall":{"args":{}}}]}}]})"}) {
    const auto got = read_all({data});
    ASSERT_TRUE(got.fault) << data;
    EXPECT_TRUE(got.fault->malformed) << data;
  }
}

TEST(gemini_stream, reads_a_whole_answer_and_puts_it_together) {
  const auto got = gemini::read_answer(
      {}, gemini,
      chunk(R"([{"text":"hm ","thought":true},{"text":"so","thought":true},{"text":"Hel"},{"text":"lo"},
    {"functionCall":{"id":"c","name":"get","args":{"x":[1.0]}},"thoughtSignature":"S"}])",
            "STOP"));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->model, "gemini-3-pro");
  ASSERT_EQ(got->choices.size(), 1u);
  const auto& parts = got->choices[0].parts;
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].thought.text, "hm so");
  EXPECT_EQ(parts[1].text, "Hello");
  EXPECT_EQ(parts[2].call.signature, "S");
  EXPECT_EQ(parts[2].call.arguments, R"({"x":[1.0]})");
  EXPECT_EQ(got->choices[0].finish, finish::tool_calls);
}

TEST(gemini_stream, a_signature_of_text_follows_it) {
  const auto got = gemini::read_answer({}, gemini, chunk(R"([{"text":"Hi","thoughtSignature":"S"}])", "STOP"));
  ASSERT_TRUE(got);
  const auto& parts = got->choices.at(0).parts;
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].text, "Hi");
  EXPECT_EQ(parts[1].thought.signature, "S");
  EXPECT_EQ(parts[1].thought.text, "");
}

TEST(gemini_stream, a_whole_answer_without_an_end_is_malformed) {
  const auto got = gemini::read_answer({}, gemini, chunk(R"([{"text":"Hi"}])"));
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().malformed);
}

TEST(gemini_stream, logprobs_become_openais) {
  const auto got =
      gemini::read_answer({}, gemini, R"({"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP",
    "logprobsResult":{"chosenCandidates":[{"token":"Hi","logProbability":-0.5}],
      "topCandidates":[{"candidates":[{"token":"Hi","logProbability":-0.5},
        {"token":"Yo","logProbability":-2.0}]}]}}]})");
  ASSERT_TRUE(got);
  testing::expect_json(got->choices.at(0).raw_logprobs,
                       R"({"content":[{"token":"Hi","logprob":-0.5,"bytes":null,"top_logprobs":[
    {"token":"Hi","logprob":-0.5,"bytes":null},{"token":"Yo","logprob":-2.0,"bytes":null}]}],"refusal":null})");
}

TEST(gemini_stream, reads_errors_of_every_form) {
  constexpr std::string_view error =
      R"({"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",
    "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID",
      "domain":"googleapis.com"}]}})";
  for (const auto& body : {std::string(error), "[" + std::string(error) + "]"}) {
    const auto got = gemini::read_error(400, body);
    EXPECT_EQ(got.status, 400);
    EXPECT_EQ(got.type, "INVALID_ARGUMENT");
    EXPECT_EQ(got.code, "API_KEY_INVALID");
    EXPECT_EQ(got.message, "API key not valid.");
  }
  EXPECT_EQ(gemini::read_error(502, "<html></html>").message, "");
  EXPECT_EQ(gemini::read_error(502, "gone").message, "gone");
}

}  // namespace
}  // namespace meshai::chat::gemini
