"""A model on this device that is unsure of its answer gives way to one farther up: both dialects' own clients, real
processes. What the node asks of its model to know that (log-probabilities) is nobody else's."""
import contextlib
import json
import urllib.request

import anthropic
import harness
import openai
import pytest
from harness import CANARY, KEY, scripted

NEAR = f"It is four {CANARY} I think, or else it may be five, who could ever tell."
FAR = f"Two and two {CANARY} are four."
SURE, UNSURE = -0.05, -1.5
CONFIG = """
[api]
listen = "127.0.0.1:0"
workers = 1
[[key]]
name = "me"
secret = "env:MESHAI_KEY"
[[node]]
name = "here"
tier = "local"
kind = "openai-compatible"
url = "http://127.0.0.1:{here}/v1"
key = "env:PROVIDER_KEY"
models = ["small"]
[[node]]
name = "sky"
tier = "cloud"
kind = "{kind}"
url = "http://127.0.0.1:{{sky}}/v1"
key = "env:PROVIDER_KEY"
models = ["large"]
"""


@contextlib.contextmanager
def two(speaks="openai"):
    kind = {"openai": "openai-compatible", "anthropic": "anthropic"}[speaks]
    config = CONFIG.replace("{kind}", kind).replace("{{sky}}", "{sky}")
    with harness.world("test_cascade", config, {"here": ("openai", ["small"]), "sky": (speaks, ["large"])}) as node:
        yield node


@pytest.fixture(scope="module", params=["openai", "anthropic"])
def node(request):
    with two(request.param) as made:
        yield made


def ask_openai(node, stream, mesh=None, **more):
    client = openai.OpenAI(base_url=node.base + "/v1", api_key=KEY, max_retries=0)
    asked = dict(model="auto", messages=[{"role": "user", "content": "What is 2+2?"}], extra_body={"mesh": mesh or {}})
    if not stream:
        answer = client.chat.completions.create(**asked, **more)
        return answer.choices[0].message.content, answer.model_extra["mesh"]
    text, story = "", {}
    for chunk in client.chat.completions.create(**asked, stream=True, **more):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        story = (chunk.model_extra or {}).get("mesh", story)
    return text, story


def ask_anthropic(node, stream, mesh=None):
    client = anthropic.Anthropic(base_url=node.base, api_key=KEY, max_retries=0)
    asked = dict(model="auto", max_tokens=100, messages=[{"role": "user", "content": "What is 2+2?"}],
                 extra_body={"mesh": mesh or {}})
    if not stream:
        answer = client.messages.create(**asked)
        return answer.content[0].text, answer.model_extra["mesh"]
    text, story = "", {}
    for event in client.messages.create(**asked, stream=True):
        story = (event.model_extra or {}).get("mesh", story)
        if event.type == "content_block_delta":
            text += event.delta.text
    return text, story


@pytest.fixture(params=[ask_openai, ask_anthropic])
def ask(request):
    return request.param


def here(node, **script):
    for name, plays in (("here", {"text": NEAR, **script}), ("sky", {"text": FAR})):
        node.fakes[name].clear()
        node.fakes[name].play(plays)
    before = len(node.fakes["sky"].requests())
    return lambda: len(node.fakes["sky"].requests()) - before


@pytest.mark.parametrize("stream", [True, False])
def test_a_sure_answer_stays(node, ask, stream):
    went_up = here(node, logprob=SURE)
    text, story = ask(node, stream)
    assert (text, story["node"], story["attempts"]) == (NEAR, "here", 1)
    assert "doubted" not in story and went_up() == 0


@pytest.mark.parametrize("stream", [True, False])
def test_an_unsure_one_gives_way(node, ask, stream):
    went_up = here(node, logprob=UNSURE)
    text, story = ask(node, stream)
    assert (text, story["node"], story["attempts"]) == (FAR, "sky", 2)
    assert story["doubted"] == [{"node": "here", "model": "small", "confidence": 0.223, "unknowing": False}]
    assert went_up() == 1


@pytest.mark.parametrize("stream", [True, False])
def test_one_that_does_not_know_is_believed(node, ask, stream):
    here(node, text=f"I don't know {CANARY}.", logprob=SURE)
    text, story = ask(node, stream)
    assert (text, story["doubted"][0]["unknowing"]) == (FAR, True)


@pytest.mark.parametrize("stream", [True, False])
def test_an_unsure_answer_is_better_than_none(ask, stream):
    with two() as node:
        here(node, logprob=UNSURE)
        node.fakes["sky"].kill()
        text, story = ask(node, stream)
        assert (text, story["node"]) == (NEAR, "here")
        assert [one["node"] for one in story["failed"]] == ["sky"] and len(story["doubted"]) == 1


@pytest.mark.parametrize("mesh", [{"reach": "device"}, {"fallback": False}, {"prefer": "private"}])
def test_where_nobody_else_may_answer_it_is_not_even_asked(node, ask, mesh):
    went_up = here(node, logprob=UNSURE)
    text, story = ask(node, True, mesh)
    assert (text, story["node"]) == (NEAR, "here") and went_up() == 0
    assert "logprobs" not in json.loads(node.fakes["here"].requests()[-1]["body"])


@pytest.mark.parametrize("stream", [True, False])
def test_what_was_asked_of_the_model_is_in_no_answer(node, ask, stream):
    here(node, logprob=SURE)
    ask(node, stream)
    assert json.loads(node.fakes["here"].requests()[-1]["body"])["logprobs"] is True
    said = node.relay.last().answer
    assert b'"logprob"' not in said and b"top_logprobs" not in said


def test_log_probabilities_that_the_caller_wants_are_its_own(node):
    here(node, logprob=SURE)
    for stream in (True, False):
        ask_openai(node, stream, logprobs=True)
        assert b'"logprob":-' in node.relay.last().answer.replace(b" ", b"")


def doubts(node):
    asked = urllib.request.Request(node.base + "/metrics", headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(asked, timeout=10) as told:
        lines = [line for line in told.read().decode().splitlines() if line.startswith("meshai_doubts_total{")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def test_it_is_counted(node):
    here(node, logprob=UNSURE)
    ask_openai(node, True)
    before = doubts(node)
    ask_openai(node, True)
    after = doubts(node)
    assert {name: value - before[name] for name, value in after.items() if value > before[name]} == {
        next(name for name in after if 'node="here"' in name and 'model="small"' in name): 1}
