// OpenAI's own client for Node against a running node of ours; harness.py starts that and says where it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const baseURL = process.env.MESHAI_BASE_URL;
const skip = baseURL ? false : "MESHAI_BASE_URL is not set: these tests are run by harness.py";
const client = baseURL && new OpenAI({ baseURL, apiKey: process.env.MESHAI_KEY, maxRetries: 0 });
const ask = (content, more = {}) => ({ model: "gpt-fake", messages: [{ role: "user", content }], ...more });
const tools = [
  {
    type: "function",
    function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
  },
];

test("whole", { skip }, async () => {
  const answer = await client.chat.completions.create(ask("hello"));
  assert.equal(answer.choices[0].message.content, "You said: hello");
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.ok(answer.usage.completion_tokens > 0);
});

test("streamed", { skip }, async () => {
  const stream = client.chat.completions.stream(ask("one two three", { stream_options: { include_usage: true } }));
  let steps = 0;
  for await (const chunk of stream) steps += chunk.choices.length;
  const answer = await stream.finalChatCompletion();
  assert.equal(answer.choices[0].message.content, "You said: one two three");
  assert.ok(steps >= 5);
  assert.ok((await stream.totalUsage()).total_tokens > 0);
});

test("tools, whole and streamed", { skip }, async () => {
  const answer = await client.chat.completions.create(ask("weather?", { tools }));
  const [call] = answer.choices[0].message.tool_calls;
  assert.deepEqual(JSON.parse(call.function.arguments), { city: "Paris" });
  const stream = client.chat.completions.stream(ask("weather?", { tools }));
  const streamed = await stream.finalChatCompletion();
  assert.equal(streamed.choices[0].finish_reason, "tool_calls");
  assert.deepEqual(JSON.parse(streamed.choices[0].message.tool_calls[0].function.arguments), { city: "Paris" });
  const after = await client.chat.completions.create({
    model: "gpt-fake",
    tools,
    messages: [
      { role: "user", content: "weather?" },
      answer.choices[0].message,
      { role: "tool", tool_call_id: call.id, content: "sunny" },
    ],
  });
  assert.equal(after.choices[0].finish_reason, "stop");
});

test("errors keep their type", { skip }, async () => {
  await assert.rejects(client.chat.completions.create(ask("hello", { model: "no-such-model" })), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, "model_not_found");
    return true;
  });
  const stranger = new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
});

test("models are listed", { skip }, async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.ok(names.includes("gpt-fake"));
});

test("cancelling stops the stream", { skip }, async () => {
  const stream = await client.chat.completions.create(
    ask('fake:{"text":"a b c d e f g h i j k l m n o p","gap_ms":100}', { stream: true }),
  );
  let text = "";
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    if (text.includes("b")) stream.controller.abort();
  }
  assert.ok(text.startsWith("a b"));
  assert.ok(!text.includes("p"));
});
