"""Anthropic's own Python client, against a node that answers from three kinds of providers: what works."""
import asyncio
import base64
import json

import anthropic
import pytest

from harness import CANARY, KEY, scripted
from test_openai_python import CALLS, HELLO, MODELS, last_body, play, user

TOOLS = [{"name": "get_weather", "description": f"Weather {CANARY}",
          "input_schema": {"type": "object", "properties": {"city": {"type": "string", "enum": [CANARY]}}}}]


@pytest.fixture
def client(node):
    return anthropic.Anthropic(base_url=node.base, api_key=KEY, max_retries=0)


def text_of(answer):
    return "".join(block.text for block in answer.content if block.type == "text")


@pytest.mark.parametrize("model", MODELS)
def test_whole(client, model):
    answer = client.messages.create(model=model, max_tokens=100, messages=user(HELLO))
    assert text_of(answer) == f"You said: {HELLO}"
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0
    assert answer.model_extra["mesh"]["model"] == model


@pytest.mark.parametrize("model", MODELS)
def test_streamed(client, model):
    with client.messages.stream(model=model, max_tokens=100, messages=user(f"one two {CANARY}")) as stream:
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()
    assert text == f"You said: one two {CANARY}"
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_the_events_come_one_by_one(client, model):
    stream = client.messages.create(model=model, max_tokens=100, messages=user(HELLO), stream=True)
    kinds = [event.type for event in stream]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert kinds.count("content_block_delta") >= 4


def conversation_with_tools(client, model, streamed, messages):
    """Asks, and answers every call; returns the calls and the message after their results."""
    asked = {"model": model, "max_tokens": 100, "tools": TOOLS}
    if streamed:
        with client.messages.stream(**asked, messages=messages) as stream:
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(**asked, messages=messages)
    assert answer.stop_reason == "tool_use"
    calls = [block for block in answer.content if block.type == "tool_use"]
    turn = [block.model_dump(exclude_none=True, exclude={"caller", "parsed_output"}) for block in answer.content]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": f"sunny {CANARY}"} for call in calls]
    return calls, client.messages.create(**asked, messages=[*messages, {"role": "assistant", "content": turn},
                                                            {"role": "user", "content": results}])


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_tool_is_called_and_its_result_sent_back(client, model, streamed):
    [call], after = conversation_with_tools(client, model, streamed, user(f"weather? {CANARY}"))
    assert (call.name, call.input) == ("get_weather", {"city": CANARY})
    assert after.stop_reason == "end_turn"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_tools_are_called_in_parallel(client, node, model, streamed):
    play(node, model, calls=CALLS)
    calls, after = conversation_with_tools(client, model, streamed, user(f"weather? {CANARY}"))
    assert [call.input for call in calls] == [call["arguments"] for call in CALLS]
    assert len({call.id for call in calls}) == 2
    assert after.stop_reason == "end_turn"
    assert last_body(node, model).count("sunny") == 2


@pytest.mark.parametrize("model", MODELS)
def test_what_may_be_called_is_the_callers_to_say(client, model):
    for choice in ({"type": "tool", "name": "get_weather"}, {"type": "any"}):
        answer = client.messages.create(model=model, max_tokens=100, messages=user(HELLO), tools=TOOLS,
                                        tool_choice=choice)
        assert answer.content[-1].name == "get_weather"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_reasoning_is_carried_and_taken_back(client, node, model, streamed):
    asked = {"model": model, "max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    play(node, model, thinking=f"because {CANARY}", text=f"So {CANARY}.")
    if streamed:
        with client.messages.stream(**asked, messages=user(HELLO)) as stream:
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(**asked, messages=user(HELLO))
    thought = answer.content[0]
    assert (thought.type, thought.thinking) == ("thinking", f"because {CANARY}")
    assert thought.signature
    turn = [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in answer.content]
    after = client.messages.create(**asked, messages=[*user(HELLO), {"role": "assistant", "content": turn},
                                                      *user(HELLO)])
    assert text_of(after) == f"You said: {HELLO}"


@pytest.mark.parametrize("model", MODELS)
def test_images_reach_the_provider(client, node, model):
    data = base64.b64encode(f"no real PNG {CANARY}".encode()).decode()
    answer = client.messages.create(model=model, max_tokens=100, messages=user([
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        {"type": "text", "text": HELLO}]))
    assert text_of(answer) == f"You said: {HELLO}"
    assert data in last_body(node, model)


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_has_the_form_that_was_asked_for(client, node, model):
    play(node, model, text=json.dumps({"said": CANARY}))
    schema = {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"],
              "additionalProperties": False}
    answer = client.messages.create(model=model, max_tokens=100, messages=user(HELLO),
                                    output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(text_of(answer)) == {"said": CANARY}
    assert '"said"' in last_body(node, model)


@pytest.mark.parametrize("model", MODELS)
def test_the_system_prompt_reaches_the_provider(client, node, model):
    client.messages.create(model=model, max_tokens=100, system=f"Be brief, {CANARY}.", messages=user(HELLO),
                           stop_sequences=["###"], extra_body={"temperature": 0.5})
    assert f"Be brief, {CANARY}." in last_body(node, model)


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_ends_where_it_may_be_no_longer(client, model):
    answer = client.messages.create(model=model, max_tokens=2, messages=user(HELLO))
    assert answer.stop_reason == "max_tokens"
    assert text_of(answer) == "You said:"


def test_tokens_are_counted(client, node):
    assert client.messages.count_tokens(model="claude-fake", messages=user(HELLO), tools=TOOLS).input_tokens == 14
    assert node.fakes["anthropic"].requests()[-1]["target"].endswith("/count_tokens")


def test_betas_and_versions_pass(client, node):
    client.messages.create(model="claude-fake", max_tokens=100, messages=user(HELLO),
                           extra_headers={"anthropic-beta": "token-efficient-tools"}, metadata={"user_id": CANARY})
    seen = node.fakes["anthropic"].requests()[-1]
    assert seen["headers"]["anthropic-beta"] == "token-efficient-tools"
    assert seen["headers"]["anthropic-version"]


def test_what_a_provider_cannot_express_is_refused_or_dropped_and_listed(client):
    asked = {"model": "openai/gpt-fake", "max_tokens": 100, "messages": user(HELLO)}
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(**asked, extra_body={"top_k": 5})
    assert refused.value.body["error"]["code"] == "unsupported_parameter"
    answer = client.messages.create(**asked, extra_body={"top_k": 5, "mesh": {"drop": True}})
    assert answer.model_extra["mesh"]["dropped"] == ["top_k"]


def test_models(client):
    names = [model.id for model in client.models.list()]
    assert {"auto", "both", "gpt-fake", "claude-fake"} <= set(names)
    assert client.models.retrieve("claude-fake").display_name == "claude-fake"


def test_a_slow_first_token_is_waited_for(client):
    """Longer than headers_after: the line is kept alive with comments, which the client must not mind."""
    for model in MODELS:
        slow = scripted(text=f"late {CANARY}", first_token_ms=800)
        with client.messages.stream(model=model, max_tokens=100, messages=user(slow)) as stream:
            assert "".join(stream.text_stream) == f"late {CANARY}"


def test_the_async_client(node):
    async def ask():
        async with anthropic.AsyncAnthropic(base_url=node.base, api_key=KEY, max_retries=0) as client:
            async with client.messages.stream(model="gpt-fake", max_tokens=100, messages=user(HELLO)) as stream:
                return "".join([piece async for piece in stream.text_stream])

    assert asyncio.run(ask()) == f"You said: {HELLO}"
