"""OpenAI's own Python client, against a node that answers from three kinds of providers."""
import json

import openai
import pytest

import harness

MODELS = ["gpt-fake", "claude-fake", "gemini-3-fake"]
TOOLS = [{"type": "function",
          "function": {"name": "get_weather",
                       "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]


@pytest.fixture
def client(node):
    return openai.OpenAI(base_url=node.base + "/v1", api_key=harness.KEY, max_retries=0)


def user(text):
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("model", MODELS)
def test_whole(client, model):
    answer = client.chat.completions.create(model=model, messages=user("hello"))
    assert answer.choices[0].message.content == "You said: hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens > 0
    assert answer.model_extra["mesh"]["model"] == model


@pytest.mark.parametrize("model", MODELS)
def test_streamed(client, model):
    stream = client.chat.completions.create(model=model, messages=user("one two three"), stream=True,
                                            stream_options={"include_usage": True})
    text, finishes, usage, identities = "", [], None, set()
    for chunk in stream:
        identities.add(chunk.id)
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            if choice.finish_reason:
                finishes.append(choice.finish_reason)
    assert text == "You said: one two three"
    assert finishes == ["stop"]
    assert usage.completion_tokens > 0
    assert len(identities) == 1


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
def test_tools_there_and_back(client, model, streamed):
    if streamed:
        with client.chat.completions.stream(model=model, messages=user("weather?"), tools=TOOLS) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(model=model, messages=user("weather?"), tools=TOOLS).choices[0].message
    call = message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    turn = message.model_dump(exclude_none=True, exclude={"parsed"})
    for one in turn["tool_calls"]:
        one["function"].pop("parsed_arguments", None)
    after = client.chat.completions.create(
        model=model, tools=TOOLS,
        messages=user("weather?") + [turn, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}])
    assert after.choices[0].finish_reason == "stop"


def test_errors_are_the_clients_own(client, node):
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="gpt-fakee", messages=user("hello"))
    assert unknown.value.code == "model_not_found"
    assert "gpt-fake" in str(unknown.value)
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=node.base + "/v1", api_key="wrong", max_retries=0).models.list()
    with pytest.raises(openai.BadRequestError) as private:
        client.chat.completions.create(model="gpt-fake", messages=user("hello"), extra_body={"mesh": {"private": True}})
    assert "private" in str(private.value)


def test_a_fault_before_the_first_token_is_answered_by_the_next(client, node):
    for fault in [{"status": 500}, {"status": 429, "headers": {"retry-after": "1"}}, {"fault": "reset"},
                  {"fault": "html"}, {"fault": "reset", "at": 0}]:
        node.fakes["openai"].clear()
        node.fakes["openai"].play({**fault, "times": 4})
        answer = client.chat.completions.create(model="both", messages=user("hello"))
        assert answer.choices[0].message.content == "You said: hello"
        assert answer.model_extra["mesh"]["node"] in ("anthropic", "openai")


def test_a_stream_that_is_cut_is_an_error_and_never_a_success(client, node):
    script = json.dumps({"text": "one two three four five", "fault": "reset", "at": 2})
    with pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(model="anthropic/claude-fake", messages=user("fake:" + script), stream=True):
            pass


def test_models_are_listed(client):
    names = [model.id for model in client.models.list()]
    assert {"both", "gpt-fake", "claude-fake"} <= set(names)
