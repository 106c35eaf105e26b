"""OpenAI's own Python client, against a node that answers from three kinds of providers: what works."""
import asyncio
import base64
import json

import openai
import pydantic
import pytest

from harness import CANARY, KEY, PROVIDERS

MODELS = ["gpt-fake", "claude-fake", "gemini-3-fake"]
HELLO = f"hello {CANARY}"
TOOLS = [{"type": "function",
          "function": {"name": "get_weather", "description": f"Weather {CANARY}",
                       "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": [CANARY]}}}}}]
CALLS = [{"name": "get_weather", "arguments": {"city": f"{city} {CANARY}"}} for city in ("Paris", "Rome")]


@pytest.fixture
def client(node):
    return openai.OpenAI(base_url=node.base + "/v1", api_key=KEY, max_retries=0)


def user(text):
    return [{"role": "user", "content": text}]


def provider_of(model):
    return next(name for name, models in PROVIDERS.items() if model in models)


def play(node, model, **script):
    node.fakes[provider_of(model)].play({**script, "times": 1})


def last_body(node, model):
    return node.fakes[provider_of(model)].requests()[-1]["body"]


def gather(stream):
    """The text of a streamed chat completion, its finish reasons and its usage."""
    text, finishes, usage, identities = "", [], None, set()
    for chunk in stream:
        identities.add(chunk.id)
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finishes += [choice.finish_reason] if choice.finish_reason else []
    assert len(identities) == 1
    return text, finishes, usage


@pytest.mark.parametrize("model", MODELS)
def test_whole(client, model):
    answer = client.chat.completions.create(model=model, messages=user(HELLO))
    assert answer.choices[0].message.content == f"You said: {HELLO}"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens > 0
    assert answer.model_extra["mesh"]["model"] == model


@pytest.mark.parametrize("model", MODELS)
def test_streamed_with_usage(client, model):
    text, finishes, usage = gather(client.chat.completions.create(
        model=model, messages=user(f"one two {CANARY}"), stream=True, stream_options={"include_usage": True}))
    assert text == f"You said: one two {CANARY}"
    assert finishes == ["stop"]
    assert usage.completion_tokens > 0 and usage.total_tokens > usage.completion_tokens


@pytest.mark.parametrize("model", MODELS)
def test_streamed_without_usage(client, model):
    text, finishes, usage = gather(client.chat.completions.create(model=model, messages=user(HELLO), stream=True))
    assert (text, finishes, usage) == (f"You said: {HELLO}", ["stop"], None)


def conversation_with_tools(client, model, streamed, messages, **more):
    """Asks, and answers every call; returns the calls and the completion after their results."""
    if streamed:
        with client.chat.completions.stream(model=model, messages=messages, tools=TOOLS, **more) as stream:
            choice = stream.get_final_completion().choices[0]
    else:
        choice = client.chat.completions.create(model=model, messages=messages, tools=TOOLS, **more).choices[0]
    assert choice.finish_reason == "tool_calls"
    turn = choice.message.model_dump(exclude_none=True, exclude={"parsed"})
    for call in turn["tool_calls"]:
        call["function"].pop("parsed_arguments", None)
    results = [{"role": "tool", "tool_call_id": call["id"], "content": f"sunny {CANARY}"} for call in turn["tool_calls"]]
    return turn["tool_calls"], client.chat.completions.create(model=model, tools=TOOLS,
                                                              messages=[*messages, turn, *results])


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_tool_is_called_and_its_result_sent_back(client, model, streamed):
    [call], after = conversation_with_tools(client, model, streamed, user(f"weather? {CANARY}"))
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": CANARY}
    assert after.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_tools_are_called_in_parallel(client, node, model, streamed):
    play(node, model, calls=CALLS)
    calls, after = conversation_with_tools(client, model, streamed, user(f"weather? {CANARY}"))
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [call["arguments"] for call in CALLS]
    assert len({call["id"] for call in calls}) == 2
    assert after.choices[0].finish_reason == "stop"
    assert last_body(node, model).count("sunny") == 2


@pytest.mark.parametrize("model", MODELS)
def test_what_may_be_called_is_the_callers_to_say(client, node, model):
    named = {"type": "function", "function": {"name": "get_weather"}}
    for choice in (named, "required"):
        answer = client.chat.completions.create(model=model, messages=user(HELLO), tools=TOOLS, tool_choice=choice,
                                                parallel_tool_calls=False if model == "gpt-fake" else openai.omit)
        assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"


@pytest.mark.parametrize("streamed", [False, True])
def test_the_older_functions_work_too(client, streamed):
    asked = {"model": "gpt-fake", "messages": user(HELLO), "functions": [TOOLS[0]["function"]]}
    for model in ("claude-fake", "gemini-3-fake"):
        asked["model"] = model
        if not streamed:
            message = client.chat.completions.create(**asked).choices[0].message
            assert json.loads(message.function_call.arguments) == {"city": CANARY}
            continue
        arguments = ""
        for chunk in client.chat.completions.create(**asked, stream=True):
            for choice in chunk.choices:
                arguments += choice.delta.function_call.arguments if choice.delta.function_call else ""
        assert json.loads(arguments) == {"city": CANARY}


class Said(pydantic.BaseModel):
    said: str


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_has_the_form_that_was_asked_for(client, node, model):
    play(node, model, text=json.dumps({"said": CANARY}))
    answer = client.chat.completions.parse(model=model, messages=user(HELLO), response_format=Said)
    assert answer.choices[0].message.parsed == Said(said=CANARY)
    assert '"said"' in last_body(node, model)


@pytest.mark.parametrize("model", ["gpt-fake", "gemini-3-fake"])
def test_an_answer_is_some_json_object(client, node, model):
    play(node, model, text=json.dumps({"said": CANARY}))
    answer = client.chat.completions.create(model=model, messages=user(HELLO), response_format={"type": "json_object"})
    assert json.loads(answer.choices[0].message.content) == {"said": CANARY}


@pytest.mark.parametrize("model", MODELS)
def test_images_reach_the_provider(client, node, model):
    data = base64.b64encode(f"no real PNG {CANARY}".encode()).decode()
    answer = client.chat.completions.create(model=model, messages=user([
        {"type": "text", "text": HELLO}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}]))
    assert answer.choices[0].message.content == f"You said: {HELLO}"
    assert data in last_body(node, model)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_reasoning_is_carried(client, node, model, streamed):
    play(node, model, thinking=f"because {CANARY}", text="So.")
    if not streamed:
        message = client.chat.completions.create(model=model, messages=user(HELLO)).choices[0].message
        assert message.model_extra["reasoning_content"] == f"because {CANARY}"
        return
    thought = ""
    for chunk in client.chat.completions.create(model=model, messages=user(HELLO), stream=True):
        for choice in chunk.choices:
            thought += (choice.delta.model_extra or {}).get("reasoning_content", "")
    assert thought == f"because {CANARY}"


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_ends_where_it_may_be_no_longer(client, model):
    answer = client.chat.completions.create(model=model, messages=user(f"one two three {CANARY}"), max_tokens=2)
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].message.content == "You said:"


def test_what_only_openai_knows_passes(client):
    answer = client.chat.completions.create(model="gpt-fake", messages=user(HELLO), n=2, logprobs=True, seed=7,
                                            stop=["###"], frequency_penalty=0.5, verbosity="low")
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[1].logprobs.content[0].logprob == -0.25
    stream = client.chat.completions.create(model="gpt-fake", messages=user(HELLO), n=2, logprobs=True, stream=True)
    texts, weights = ["", ""], 0
    for chunk in stream:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            weights += bool(choice.logprobs)
    assert texts == [f"You said: {HELLO}"] * 2
    assert weights > 2


def test_what_a_provider_cannot_express_is_refused_or_dropped_and_listed(client):
    asked = {"model": "anthropic/claude-fake", "messages": user(HELLO), "seed": 7}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**asked)
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "seed")
    answer = client.chat.completions.create(**asked, extra_body={"mesh": {"drop": True}})
    assert answer.model_extra["mesh"]["dropped"] == ["seed"]


@pytest.mark.parametrize("model", MODELS)
def test_plain_completions(client, model):
    answer = client.completions.create(model=model, prompt=HELLO)
    assert answer.choices[0].text == f"You said: {HELLO}"
    text = "".join(chunk.choices[0].text for chunk in client.completions.create(model=model, prompt=HELLO, stream=True)
                   if chunk.choices)
    assert text == f"You said: {HELLO}"


def test_embeddings(client, node):
    answer = client.embeddings.create(model="embed-fake", input=[HELLO, "and another"])
    assert [one.embedding for one in answer.data] == [[0.25, -0.5, 0.75]] * 2
    assert answer.usage.total_tokens == 4
    assert HELLO in node.fakes["openai"].requests()[-1]["body"]


def test_models(client):
    names = [model.id for model in client.models.list()]
    assert {"auto", "both", "gpt-fake", "claude-fake", "embed-fake"} <= set(names)
    assert client.models.retrieve("claude-fake").owned_by == "anthropic"


def test_a_slow_first_token_is_waited_for(client):
    """Longer than headers_after: the line is kept alive with comments, which the client must not mind."""
    for model in MODELS:
        slow = "fake:" + json.dumps({"text": f"late {CANARY}", "first_token_ms": 800})
        text, _, _ = gather(client.chat.completions.create(model=model, messages=user(slow), stream=True))
        assert text == f"late {CANARY}"


def test_the_async_client(node):
    async def ask():
        async with openai.AsyncOpenAI(base_url=node.base + "/v1", api_key=KEY, max_retries=0) as client:
            whole = client.chat.completions.create(model="gpt-fake", messages=user(HELLO))
            stream = await client.chat.completions.create(model="claude-fake", messages=user(HELLO), stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
            return (await whole).choices[0].message.content, text

    assert asyncio.run(ask()) == (f"You said: {HELLO}",) * 2
