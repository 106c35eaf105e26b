"""Anthropic's own Python client, against a node that answers from three kinds of providers."""
import anthropic
import pytest

import harness

MODELS = ["claude-fake", "gpt-fake", "gemini-3-fake"]
TOOLS = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]


@pytest.fixture
def client(node):
    return anthropic.Anthropic(base_url=node.base, api_key=harness.KEY, max_retries=0)


def user(text):
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("model", MODELS)
def test_whole(client, model):
    answer = client.messages.create(model=model, max_tokens=100, messages=user("hello"))
    assert answer.content[-1].text == "You said: hello"
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_streamed(client, model):
    with client.messages.stream(model=model, max_tokens=100, messages=user("one two three")) as stream:
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()
    assert text == "You said: one two three"
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_tools_there_and_back(client, model):
    answer = client.messages.create(model=model, max_tokens=100, messages=user("weather?"), tools=TOOLS)
    assert answer.stop_reason == "tool_use"
    call = next(block for block in answer.content if block.type == "tool_use")
    assert call.input == {"city": "Paris"}
    turn = [block.model_dump(exclude_none=True, exclude={"caller"}) for block in answer.content]
    after = client.messages.create(
        model=model, max_tokens=100, tools=TOOLS,
        messages=user("weather?") + [{"role": "assistant", "content": turn},
                                     {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id,
                                                                   "content": "sunny"}]}])
    assert after.stop_reason == "end_turn"


def test_tokens_are_counted(client):
    assert client.messages.count_tokens(model="claude-fake", messages=user("hello")).input_tokens == 14


def test_errors_are_the_clients_own(client, node):
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="claude-fakee", max_tokens=10, messages=user("hello"))
    with pytest.raises(anthropic.AuthenticationError):
        anthropic.Anthropic(base_url=node.base, api_key="wrong", max_retries=0).messages.create(
            model="claude-fake", max_tokens=10, messages=user("hello"))
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(model="claude-fake", max_tokens=10, messages=user("hello"), extra_body={"mesh": {"x": 1}})
