// OpenAI's own client for Node against a running node of ours; harness.py starts that and says where it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const { MESHAI_BASE_URL: baseURL, MESHAI_KEY: apiKey, MESHAI_WORD: word, MESHAI_FAKES: fakes } = process.env;
const skip = baseURL ? false : "MESHAI_BASE_URL is not set: these tests are run by run_node.py";
const client = baseURL && new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const ports = JSON.parse(fakes ?? "{}");
const MODELS = { "gpt-fake": "openai", "claude-fake": "anthropic", "gemini-3-fake": "gemini" };
const hello = `hello ${word}`;
const ask = (content, more = {}) => ({ model: "gpt-fake", messages: [{ role: "user", content }], ...more });
const scripted = (script) => `fake:${JSON.stringify(script)}`;
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string", enum: [word] } } },
    },
  },
];
const calls = ["Paris", "Rome"].map((city) => ({ name: "get_weather", arguments: { city: `${city} ${word}` } }));

async function fake(model, path, body) {
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  return (await fetch(`http://127.0.0.1:${ports[MODELS[model]]}/fake/${path}`, sent)).json();
}
const play = (model, script) => fake(model, "rules", [{ ...script, times: 1 }]);

// Whether the provider sees, within a few seconds, that one more asker went away.
async function brokenOff(model, before) {
  for (let i = 0; i < 300; ++i) {
    if ((await fake(model, "broken_off"))[0] === before + 1) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

for (const model of Object.keys(MODELS)) {
  test(`whole: ${model}`, { skip }, async () => {
    const answer = await client.chat.completions.create(ask(hello, { model }));
    assert.equal(answer.choices[0].message.content, `You said: ${hello}`);
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.ok(answer.usage.completion_tokens > 0);
    assert.equal(answer.mesh.model, model);
  });

  test(`streamed: ${model}`, { skip }, async () => {
    const stream = client.chat.completions.stream(
      ask(`one two ${word}`, { model, stream_options: { include_usage: true } }),
    );
    let steps = 0;
    for await (const chunk of stream) steps += chunk.choices.length;
    const answer = await stream.finalChatCompletion();
    assert.equal(answer.choices[0].message.content, `You said: one two ${word}`);
    assert.ok(steps >= 5);
    assert.ok((await stream.totalUsage()).total_tokens > 0);
  });

  test(`tools in parallel, whole and streamed: ${model}`, { skip }, async () => {
    for (const streamed of [false, true]) {
      await play(model, { calls });
      const asked = ask(`weather? ${word}`, { model, tools });
      const answer = streamed
        ? await client.chat.completions.stream(asked).finalChatCompletion()
        : await client.chat.completions.create(asked);
      const { message, finish_reason } = answer.choices[0];
      assert.equal(finish_reason, "tool_calls");
      const got = message.tool_calls.map((call) => JSON.parse(call.function.arguments));
      assert.deepEqual(got, calls.map((call) => call.arguments));
      const results = message.tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: `sunny ${word}` }));
      const after = await client.chat.completions.create({
        ...asked,
        messages: [...asked.messages, message, ...results],
      });
      assert.equal(after.choices[0].finish_reason, "stop");
    }
  });

  test(`an answer in the form that was asked for: ${model}`, { skip }, async () => {
    await play(model, { text: JSON.stringify({ said: word }) });
    const schema = {
      type: "object",
      properties: { said: { type: "string" } },
      required: ["said"],
      additionalProperties: false,
    };
    const response_format = { type: "json_schema", json_schema: { name: "said", schema, strict: true } };
    const answer = await client.chat.completions.parse(ask(hello, { model, response_format }));
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { said: word });
    assert.ok((await fake(model, "requests")).at(-1).body.includes('"said"'));
  });

  test(`images: ${model}`, { skip }, async () => {
    const data = Buffer.from(`no real PNG ${word}`).toString("base64");
    const answer = await client.chat.completions.create(
      ask([{ type: "text", text: hello }, { type: "image_url", image_url: { url: `data:image/png;base64,${data}` } }], {
        model,
      }),
    );
    assert.equal(answer.choices[0].message.content, `You said: ${hello}`);
    assert.ok((await fake(model, "requests")).at(-1).body.includes(data));
  });

  test(`reasoning, whole and streamed: ${model}`, { skip }, async () => {
    await play(model, { thinking: `because ${word}`, text: "So." });
    const answer = await client.chat.completions.create(ask(hello, { model }));
    assert.equal(answer.choices[0].message.reasoning_content, `because ${word}`);
    await play(model, { thinking: `because ${word}`, text: "So." });
    let thought = "";
    for await (const chunk of await client.chat.completions.create(ask(hello, { model, stream: true })))
      thought += chunk.choices[0]?.delta?.reasoning_content ?? "";
    assert.equal(thought, `because ${word}`);
  });

  test(`cancelling stops the provider: ${model}`, { skip }, async () => {
    const [before] = await fake(model, "broken_off");
    const stream = await client.chat.completions.create(
      ask(scripted({ text: "a b c d e f g h i j k l m n o p", gap_ms: 100 }), { model, stream: true }),
    );
    let text = "";
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      if (text.includes("b")) stream.controller.abort();
    }
    assert.ok(text.startsWith("a b"));
    assert.ok(!text.includes("p"));
    assert.ok(await brokenOff(model, before));
  });

  test(`a stream that breaks off is an error: ${model}`, { skip }, async () => {
    const asked = ask(scripted({ text: `one two ${word}`, fault: "error_event", at: 2 }), {
      model,
      stream: true,
      mesh: { fallback: false },
    });
    let text = "";
    const read = async () => {
      for await (const chunk of await client.chat.completions.create(asked)) {
        text += chunk.choices[0]?.delta?.content ?? "";
        assert.ok(!chunk.choices[0]?.finish_reason);
      }
    };
    await assert.rejects(read, OpenAI.APIError);
    assert.equal(text, "one two");
  });
}

test("what only OpenAI knows passes", { skip }, async () => {
  const asked = ask(hello, { n: 2, logprobs: true, seed: 7, stop: ["###"] });
  const answer = await client.chat.completions.create(asked);
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
  assert.equal(answer.choices[1].logprobs.content[0].logprob, -0.25);
  const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
  assert.deepEqual(streamed.choices.map((choice) => choice.message.content), [`You said: ${hello}`, `You said: ${hello}`]);
  assert.ok(streamed.choices[0].logprobs.content.length > 1);
});

test("plain completions, whole and streamed", { skip }, async () => {
  for (const model of Object.keys(MODELS)) {
    const answer = await client.completions.create({ model, prompt: hello });
    assert.equal(answer.choices[0].text, `You said: ${hello}`);
    let text = "";
    for await (const chunk of await client.completions.create({ model, prompt: hello, stream: true }))
      text += chunk.choices[0]?.text ?? "";
    assert.equal(text, `You said: ${hello}`);
  }
});

test("embeddings", { skip }, async () => {
  const answer = await client.embeddings.create({ model: "embed-fake", input: [hello, "and another"], encoding_format: "float" });
  assert.deepEqual(answer.data.map((one) => one.embedding), [[0.25, -0.5, 0.75], [0.25, -0.5, 0.75]]);
});

test("errors keep their type", { skip }, async () => {
  const code = (kind, wanted) => (error) => error instanceof kind && error.code === wanted;
  const asking = (more, headers) => client.chat.completions.create(ask(hello, more), headers && { headers });
  await assert.rejects(asking({ model: "no-such-model" }), code(OpenAI.NotFoundError, "model_not_found"));
  await assert.rejects(asking({ mesh: { private: true } }), code(OpenAI.BadRequestError, "unsupported_parameter"));
  await assert.rejects(asking({}, { "x-mesh-reach": "device" }), code(OpenAI.PermissionDeniedError, "reach_excludes_all"));
  const stranger = new OpenAI({ baseURL, apiKey: `wrong-${word}`, maxRetries: 0 });
  await assert.rejects(stranger.models.list(), code(OpenAI.AuthenticationError, "invalid_api_key"));
});

test("models are listed and told", { skip }, async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  for (const name of ["auto", "both", "gpt-fake", "claude-fake", "embed-fake"]) assert.ok(names.includes(name));
  assert.equal((await client.models.retrieve("claude-fake")).owned_by, "anthropic");
});

// Last: afterwards the provider rests.
test("a rate limit is told with its time", { skip }, async () => {
  await fake("gpt-fake", "rules", [{ status: 429, headers: { "retry-after": "7" }, times: 1 }]);
  const limited = client.chat.completions.create(ask(hello, { mesh: { fallback: false } }));
  await assert.rejects(limited, (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.ok(["6", "7"].includes(error.headers.get("retry-after")));
    return true;
  });
});
