"""An answer that goes on when its provider fails in the middle of it: real processes, both dialects' own clients.

The caller gets the expected text once, one role, one finish reason, and is told who failed (contract.py holds the order
of each stream, Anthropic's blocks included, against the specification)."""
import contextlib
import dataclasses
import itertools
import json
import threading
import time

import anthropic
import harness
import openai
import pytest
from harness import CANARY, KEY, scripted

TEXT = f"The quick brown fox {CANARY} jumps over the lazy dog, and then it runs far away into the deep dark wood at night."
THOUGHT = f"A fox is quick {CANARY} and a dog is lazy, so the fox will jump."
KINDS = {"openai": "openai-compatible", "anthropic": "anthropic", "gemini": "gemini"}
SPOKEN = list(KINDS)
CUTS = ["reset", "end", "truncate", "garbage", "error_event"]
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {
    "city": {"type": "string"}, "days": {"type": "integer"}}}}} for name in ("get_weather", "get_news")]
CALLS = [{"name": name, "arguments": {"city": f"{city} {CANARY}", "days": 7}}
         for name, city in (("get_weather", "Paris"), ("get_news", "Rome"))]
NODE = """
[[node]]
name = "{name}"
tier = "cloud"
kind = "{kind}"
url = "http://127.0.0.1:{{{name}}}/{version}"
key = "env:PROVIDER_KEY"
models = ["{name}-model"]
{more}
"""
HEAD = """
[api]
listen = "127.0.0.1:0"
[[key]]
name = "me"
secret = "env:MESHAI_KEY"
[limits]
idle_timeout = "{idle}"
first_token_timeout = "2s"
hedge_share = 1.0
[[model]]
name = "chain"
route = {route}
"""


@dataclasses.dataclass
class Provider:
    speaks: str = "openai"
    prefill: bool | None = None  # what the configuration says of it
    started: tuple = ()          # its manners, as the program takes them


@contextlib.contextmanager
def chain(*providers, idle="20s"):
    """A node whose model "chain" asks these in turn: one, two, three."""
    named = dict(zip(("one", "two", "three"), providers))
    config = HEAD.format(idle=idle, route=json.dumps([f"{name}/{name}-model" for name in named]))
    for name, how in named.items():
        more = "" if how.prefill is None else f"prefill = {str(how.prefill).lower()}"
        config += NODE.format(name=name, kind=KINDS[how.speaks], version="v1beta" if how.speaks == "gemini" else "v1",
                              more=more)
    processes = {name: (how.speaks, [f"{name}-model"], *how.started) for name, how in named.items()}
    with harness.world("test_switching", config, processes) as node:
        yield node


@dataclasses.dataclass
class Heard:
    """What a caller got, put together."""
    text: str = ""
    thought: str = ""
    calls: list = dataclasses.field(default_factory=list)
    finishes: list = dataclasses.field(default_factory=list)
    blocks: list = dataclasses.field(default_factory=list)  # the kinds of Anthropic's, in order
    error: Exception | None = None
    mesh: dict = dataclasses.field(default_factory=dict)

    def failed(self):
        return [(one["node"], one["fault"], one["streamed"]) for one in self.mesh.get("failed", [])]


def messages(content="Tell me of the fox."):
    return [{"role": "user", "content": content}]


def error_events(node):
    lines = node.relay.last().answer.decode().splitlines()
    return [line.removeprefix("data: ") for line in lines if line.startswith('data: {"error"')]


def as_openai(node, said=None, each=lambda heard: None, mesh=None, **more):
    """A stream as OpenAI's client reads it; `each` is called after every chunk."""
    client, heard = openai.OpenAI(base_url=node.base + "/v1", api_key=KEY, max_retries=0), Heard()
    try:
        for chunk in client.chat.completions.create(model="chain", messages=messages(said or "The fox?"), stream=True,
                                                    extra_body={"mesh": mesh or {}}, **more):
            heard.mesh = (chunk.model_extra or {}).get("mesh", heard.mesh)
            for choice in chunk.choices:
                heard.text += choice.delta.content or ""
                heard.thought += (choice.delta.model_extra or {}).get("reasoning_content") or ""
                for piece in choice.delta.tool_calls or []:
                    while len(heard.calls) <= piece.index:
                        heard.calls.append({"name": "", "arguments": ""})
                    heard.calls[piece.index]["name"] += piece.function.name or ""
                    heard.calls[piece.index]["arguments"] += piece.function.arguments or ""
                heard.finishes += [choice.finish_reason] if choice.finish_reason else []
            each(heard)
    except openai.APIError as told:
        heard.error = told
        # The client keeps of an event that is an error only what is in `error`.
        heard.mesh = next(data["mesh"] for data in map(json.loads, error_events(node)))
    return heard


def as_anthropic(node, said=None, each=lambda heard: None, mesh=None, tools=None):
    """The same as Anthropic's client reads it."""
    client, heard = anthropic.Anthropic(base_url=node.base, api_key=KEY, max_retries=0), Heard()
    more = {"tools": [{"name": one["function"]["name"], "input_schema": one["function"]["parameters"]}
                      for one in tools]} if tools else {}
    try:
        for event in client.messages.create(model="chain", max_tokens=1000, messages=messages(said or "The fox?"),
                                            stream=True, extra_body={"mesh": mesh or {}}, **more):
            heard.mesh = (event.model_extra or {}).get("mesh", heard.mesh)
            if event.type == "content_block_start":
                heard.blocks.append(event.content_block.type)
                if event.content_block.type == "tool_use":
                    heard.calls.append({"name": event.content_block.name, "arguments": ""})
            elif event.type == "content_block_delta":
                heard.text += getattr(event.delta, "text", "")
                heard.thought += getattr(event.delta, "thinking", "")
                if event.delta.type == "input_json_delta":
                    heard.calls[-1]["arguments"] += event.delta.partial_json
            elif event.type == "message_delta":
                heard.finishes.append({"end_turn": "stop", "tool_use": "tool_calls"}.get(event.delta.stop_reason))
            each(heard)
    except anthropic.APIError as told:
        heard.error, heard.mesh = told, told.body["mesh"]
    return heard


CALLERS = [as_openai, as_anthropic]


def whole_once(heard, text=TEXT, failed=None):
    assert heard.error is None, heard
    assert (heard.text, heard.finishes) == (text, ["stop"])
    if heard.blocks:
        assert heard.blocks == ["text"], "one block over the seam"
    if failed is not None:
        assert heard.failed() == failed


# ---- a provider that is killed

def holds(at):
    """After so many words it says no more and waits, so that it is killed there and nowhere else."""
    return {"fault": "stall", "at": at}


class Killer:
    """Ends a provider's process once so many letters of the answer have come."""

    def __init__(self, fake, after):
        self.fake, self.after, self.done = fake, after, False

    def __call__(self, heard):
        if not self.done and len(heard.text) + len(heard.thought) >= self.after:
            self.fake.kill()
            self.done = True


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("first, second", list(itertools.product(SPOKEN, SPOKEN)))
def test_a_provider_is_killed_in_mid_stream(first, second, caller):
    with chain(Provider(first), Provider(second)) as node:
        node.fakes["one"].play({"text": TEXT, **holds(7)})
        node.fakes["two"].play({"text": TEXT})
        heard = caller(node, each=Killer(node.fakes["one"], 30))
        whole_once(heard, failed=[("one", "cut", True)])
        assert (heard.mesh["node"], heard.mesh["model"], heard.mesh["attempts"]) == ("two", "two-model", 2)


@pytest.mark.parametrize("caller", CALLERS)
def test_two_are_killed_one_after_the_other(caller):
    with chain(Provider(), Provider("anthropic"), Provider("gemini")) as node:
        node.fakes["one"].play({"text": TEXT, **holds(6)})
        node.fakes["two"].play({"text": TEXT, **holds(10)})
        node.fakes["three"].play({"text": TEXT})
        killers = Killer(node.fakes["one"], 20), Killer(node.fakes["two"], 70)
        heard = caller(node, each=lambda so_far: [kill(so_far) for kill in killers])
        whole_once(heard, failed=[("one", "cut", True), ("two", "cut", True)])
        assert heard.mesh["node"] == "three"


@pytest.mark.parametrize("caller", CALLERS)
def test_nobody_else_is_left(caller):
    with chain(Provider()) as node:
        node.fakes["one"].play({"text": TEXT, **holds(7)})
        heard = caller(node, each=Killer(node.fakes["one"], 30))
        assert heard.error is not None
        assert TEXT.startswith(heard.text) and heard.finishes == []
        assert heard.failed()[0] == ("one", "cut", True)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_provider_is_killed_before_its_first_token(streamed):
    with chain(Provider(), Provider("anthropic")) as node:
        node.fakes["one"].play({"text": TEXT, "first_token_ms": 5000})
        node.fakes["two"].play({"text": TEXT})
        threading.Timer(0.2, node.fakes["one"].kill).start()
        begun = time.monotonic()
        if streamed:
            whole_once(as_openai(node), failed=[("one", "unreachable", False)])
        else:
            client = openai.OpenAI(base_url=node.base + "/v1", api_key=KEY, max_retries=0)
            answer = client.chat.completions.create(model="chain", messages=messages())
            assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (TEXT, "stop")
            assert [one["node"] for one in answer.model_extra["mesh"]["failed"]] == ["one"]
        assert time.monotonic() - begun < 2


# ---- a stream that is cut

@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("fault", CUTS)
@pytest.mark.parametrize("speaks", SPOKEN)
def test_a_stream_is_cut(speaks, fault, caller):
    with chain(Provider(speaks), Provider()) as node:
        for at in (0, 1, 5, 18):
            node.fakes["one"].play({"text": TEXT, "fault": fault, "at": at, "times": 1}, {"text": TEXT, "times": 1})
            node.fakes["two"].play({"text": TEXT})
            heard = caller(node)
            whole_once(heard)
            [(failed, _, streamed)] = heard.failed()
            assert (failed, streamed) == ("one", at > 0)
            whole_once(caller(node), failed=[])  # or its breaker would open


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("speaks", SPOKEN)
def test_all_of_the_text_came_and_no_end(speaks, caller):
    """There is nothing to go on with but the end: the other one says no word more."""
    with chain(Provider(speaks), Provider()) as node:
        node.fakes["one"].play({"text": TEXT, "fault": "no_finish"})
        node.fakes["two"].play({"text": TEXT})
        whole_once(caller(node), failed=[("one", "cut", True)])


@pytest.mark.parametrize("caller", CALLERS)
def test_fallback_can_be_turned_off(caller):
    with chain(Provider(), Provider()) as node:
        node.fakes["one"].play({"text": TEXT, "fault": "reset", "at": 5})
        heard = caller(node, mesh={"fallback": False})
        assert heard.error is not None and heard.finishes == []
        assert heard.text == "The quick brown fox " + CANARY
        assert heard.failed() == [("one", "cut", True)]
        assert node.fakes["two"].requests() == []


# ---- how the other one goes on

@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("speaks", SPOKEN)
@pytest.mark.parametrize("manner, prefill, asked_twice", [
    ("--prefill=continues", True, False), ("--prefill=refused", True, True), ("--prefill=ignored", True, False),
    ("--prefill=overlaps", True, False), ("--asked=continues", False, False), ("--asked=ignored", False, False),
    ("--asked=overlaps", False, False),
])
def test_each_manner_of_going_on(manner, prefill, asked_twice, speaks, caller):
    with chain(Provider(), Provider(speaks, prefill, (manner,))) as node:
        for first in (True, False):
            node.fakes["one"].play({"text": TEXT, "fault": "end", "at": 9, "times": 1})
            node.fakes["two"].play({"text": TEXT})
            heard = caller(node)
            whole_once(heard)
            assert heard.failed()[0] == ("one", "cut", True)
            # A model that refused a prefill is not offered one again.
            assert len(heard.failed()) == (2 if asked_twice and first else 1)


@pytest.mark.parametrize("caller", CALLERS)
def test_a_remark_at_the_seam_is_not_sent(caller):
    """Who begins with one is passed over for the next candidate; where there is none, that is an error."""
    with chain(Provider(), Provider("anthropic", False, ("--asked=preamble",)), Provider("gemini")) as node:
        node.fakes["one"].play({"text": TEXT, "fault": "end", "at": 9})
        for name in ("two", "three"):
            node.fakes[name].play({"text": TEXT})
        whole_once(caller(node), failed=[("one", "cut", True), ("two", "misfit", False)])
    with chain(Provider(), Provider("anthropic", False, ("--asked=preamble",))) as node:
        node.fakes["one"].play({"text": TEXT, "fault": "end", "at": 9, "times": 1}, {"status": 500})
        node.fakes["two"].play({"text": TEXT})
        heard = caller(node)
        assert heard.error is not None and heard.finishes == []
        assert heard.text == "".join(TEXT.partition(" jumps over the lazy")[:2])
        assert heard.failed()[:2] == [("one", "cut", True), ("two", "misfit", False)]


# ---- silence

def learn_the_pace(node, caller):
    """Enough answers for a node to be known: a hedge goes by what is usual for it."""
    node.fakes["one"].play({"text": "a b c d e f g h i j k l", "gap_ms": 1})
    for _ in range(32):
        assert caller(node).error is None


@pytest.mark.parametrize("caller", CALLERS)
def test_a_stream_that_stalls_is_gone_on_with_by_a_hedge(caller):
    with chain(Provider(), Provider("anthropic"), idle="60s") as node:
        learn_the_pace(node, caller)
        node.fakes["one"].play({"text": TEXT, "fault": "stall", "at": 9})
        node.fakes["two"].play({"text": TEXT})
        begun = time.monotonic()
        whole_once(caller(node), failed=[("one", "silence", True)])
        assert time.monotonic() - begun < 5
        assert node.fakes["one"].wait_broken_off(), "nobody waits for it any longer"


@pytest.mark.parametrize("caller", CALLERS)
def test_a_stream_that_stalls_is_left_after_the_idle_timeout(caller):
    with chain(Provider(), Provider("anthropic"), idle="500ms") as node:
        node.fakes["one"].play({"text": TEXT, "fault": "stall", "at": 9})
        node.fakes["two"].play({"text": TEXT})
        whole_once(caller(node), failed=[("one", "timeout", True)])


# ---- reasoning

# A thought that is begun again is a block of its own where the first one was closed; a block of text that was opened
# before there was any text is left empty.
BLOCKS = [[], ["thinking", "text"], ["thinking", "thinking", "text"], ["thinking", "text", "thinking", "text"]]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("first, second", list(itertools.product(SPOKEN, SPOKEN)))
def test_reasoning_that_was_whole_is_not_repeated(first, second, caller):
    with chain(Provider(first), Provider(second)) as node:
        node.fakes["one"].play({"text": TEXT, "thinking": THOUGHT, **holds(21)})
        node.fakes["two"].play({"text": TEXT, "thinking": THOUGHT})
        heard = caller(node, each=Killer(node.fakes["one"], len(THOUGHT) + 30))
        assert heard.error is None, heard
        assert (heard.text, heard.thought, heard.finishes) == (TEXT, THOUGHT, ["stop"])
        assert heard.blocks in ([], ["thinking", "text"])


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("first, second", list(itertools.product(SPOKEN, SPOKEN)))
def test_reasoning_that_breaks_off_is_begun_again(first, second, caller):
    with chain(Provider(first), Provider(second)) as node:
        node.fakes["one"].play({"text": TEXT, "thinking": THOUGHT, **holds(1)})
        node.fakes["two"].play({"text": TEXT, "thinking": THOUGHT})
        heard = caller(node, each=Killer(node.fakes["one"], 15))
        assert heard.error is None, heard
        assert (heard.text, heard.finishes) == (TEXT, ["stop"])
        assert heard.thought.endswith(THOUGHT) and len(heard.thought) >= len(THOUGHT) + 15
        # Claude's own signature covers a block: its thoughts are no part of somebody else's.
        assert heard.blocks in BLOCKS


# ---- calls of tools

def calls_once(heard, wanted):
    assert heard.error is None, heard
    assert [{"name": one["name"], "arguments": json.loads(one["arguments"])} for one in heard.calls] == wanted
    assert heard.finishes == ["tool_calls"]
    assert heard.text == ""


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("first, second", list(itertools.product(["openai", "anthropic"], SPOKEN)))
def test_a_call_is_cut_in_its_arguments(first, second, caller):
    """It is made anew, and what the caller has of it already is the beginning of the new one."""
    for calls in (CALLS[:1], CALLS):
        with chain(Provider(first), Provider(second)) as node:
            node.fakes["one"].play({"calls": calls, "fault": "reset", "at": "in_call"})
            node.fakes["two"].play({"calls": calls})
            heard = caller(node, tools=TOOLS)
            calls_once(heard, calls)
            assert heard.failed() == [("one", "cut", True)]
            assert heard.blocks in ([], ["tool_use"] * len(calls))


@pytest.mark.parametrize("caller", CALLERS)
def test_another_call_than_the_one_that_was_begun_is_never_mixed_with_it(caller):
    other = [{"name": "get_weather", "arguments": {"city": f"Oslo {CANARY}", "days": 7}}]
    with chain(Provider(), Provider(), Provider("anthropic")) as node:
        node.fakes["one"].play({"calls": CALLS[:1], "fault": "reset", "at": "in_call"})
        node.fakes["two"].play({"calls": other})
        node.fakes["three"].play({"calls": CALLS[:1]})
        heard = caller(node, tools=TOOLS)
        calls_once(heard, CALLS[:1])
        assert heard.failed() == [("one", "cut", True), ("two", "misfit", False)]
    with chain(Provider(), Provider()) as node:
        node.fakes["one"].play({"calls": CALLS[:1], "fault": "reset", "at": "in_call"})
        node.fakes["two"].play({"calls": other})
        heard = caller(node, tools=TOOLS)
        assert heard.error is not None and heard.finishes == []
        assert len(heard.calls) == 1 and "Oslo" not in heard.calls[0]["arguments"]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("first, second", list(itertools.product(SPOKEN, SPOKEN)))
def test_an_answer_breaks_off_before_its_call(first, second, caller):
    """Text first, then a call: the text is kept, the call is made by the other one."""
    with chain(Provider(first), Provider(second)) as node:
        node.fakes["one"].play({"text": TEXT, "calls": CALLS[:1], **holds(8)})
        node.fakes["two"].play({"text": TEXT, "calls": CALLS[:1]})
        heard = caller(node, tools=TOOLS, each=Killer(node.fakes["one"], 40))
        assert heard.error is None, heard
        assert (heard.text, heard.finishes) == (TEXT, ["tool_calls"])
        assert [json.loads(one["arguments"]) for one in heard.calls] == [CALLS[0]["arguments"]]
        # Gemini signs its calls; that signature travels as a thought.
        assert heard.blocks in ([], ["text", "tool_use"], ["text", "thinking", "tool_use"])


# ---- forms

@pytest.mark.parametrize("second", ["openai", "gemini"])  # Anthropic's has no JSON without a schema
def test_json_stays_one_document(second):
    document = {"said": f"{TEXT}", "words": list(range(20)), "inner": {"a": [1, 2, {"b": None}]}}
    with chain(Provider(), Provider(second)) as node:
        node.fakes["one"].play({"text": json.dumps(document), "fault": "end", "at": 12})
        node.fakes["two"].play({"text": json.dumps(document)})
        heard = as_openai(node, response_format={"type": "json_object"})
        whole_once(heard, json.dumps(document), failed=[("one", "cut", True)])


@pytest.mark.parametrize("usage", [False, True])
def test_usage_is_that_of_what_was_delivered(usage):
    client_options = {"stream_options": {"include_usage": True}} if usage else {}
    with chain(Provider(), Provider("anthropic")) as node:
        node.fakes["one"].play({"text": TEXT, "fault": "end", "at": 9})
        node.fakes["two"].play({"text": TEXT})
        client = openai.OpenAI(base_url=node.base + "/v1", api_key=KEY, max_retries=0)
        counts = [chunk.usage for chunk in client.chat.completions.create(
            model="chain", messages=messages(), stream=True, **client_options) if chunk.usage]
        assert len(counts) == usage
        if usage:
            words = len(TEXT.split())
            assert words - 1 <= counts[0].completion_tokens <= words + 1


def test_a_caller_that_leaves_at_the_seam_stops_everybody():
    with chain(Provider(), Provider("anthropic")) as node:
        node.fakes["one"].play({"text": TEXT, "fault": "end", "at": 9})
        node.fakes["two"].play({"fault": "stall"})
        client = openai.OpenAI(base_url=node.base + "/v1", api_key=KEY, max_retries=0)
        stream = client.chat.completions.create(model="chain", messages=messages(), stream=True)
        for _ in range(5):
            next(stream)
        until = time.monotonic() + 5
        while not node.fakes["two"].requests() and time.monotonic() < until:
            time.sleep(0.01)
        stream.close()
        assert node.fakes["two"].wait_broken_off()
