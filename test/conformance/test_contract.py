"""The specification itself, and whoever judges by it: each kind of deviation is found (a test of the tests)."""
import copy
import json

import contract
import openapi_spec_validator
import pytest
import wire
from harness import SPEAKS

REQUEST_ID = "req_" + "0" * 32
HEADERS = {"content-type": "application/json", "x-mesh-request-id": REQUEST_ID, "x-request-id": REQUEST_ID,
           "x-mesh-route": "anthropic/claude-fake; tier=cloud; attempts=1"}
STORY = {"request_id": REQUEST_ID, "node": "anthropic", "model": "claude-fake", "tier": "cloud", "attempts": 1}
ANSWER = {"id": "chatcmpl-" + "0" * 32, "object": "chat.completion", "created": 1, "model": "claude-fake",
          "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
          "mesh": STORY}
ASKED = {"model": "claude-fake", "messages": [{"role": "user", "content": "so?"}]}


def exchange(answer, path="/v1/chat/completions", status=200, method="POST", asked=None, **headers):
    sent = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return wire.Exchange(method, path, {}, json.dumps(asked or ASKED).encode(), status,
                         {name: value for name, value in sent.items() if value is not None}, body, True, "node")


def faults(*arguments, **named):
    return contract.Judge(SPEAKS).faults(exchange(*arguments, **named))


def changed(value, *keys, to):
    out = copy.deepcopy(value)
    here = out
    for key in keys[:-1]:
        here = here[key]
    here[keys[-1]] = to
    return out


def test_the_specification_is_valid():
    openapi_spec_validator.validate(contract.SPEC, base_uri=contract.BASE + "openapi.yaml")


def test_every_schema_is_used():
    used = {one.split("#/")[1] for document in contract.DOCUMENTS.values() for one in references(document)}
    for name, document in contract.DOCUMENTS.items():
        if name != "openapi.yaml":
            assert set(document) <= used, name


def references(value):
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from references(one)


def test_a_good_answer_has_no_fault():
    assert faults(ANSWER) == []


@pytest.mark.parametrize("wrong", [
    changed(ANSWER, "more", to=1), changed(ANSWER, "mesh", "more", to=1), changed(ANSWER, "id", to="other"),
    changed(ANSWER, "choices", 0, "finish_reason", to="end_turn"), changed(ANSWER, "choices", to=[]),
    changed(ANSWER, "choices", 0, "message", "more", to=1), changed(ANSWER, "system_fingerprint", to="theirs"),
    changed(ANSWER, "mesh", "request_id", to="req_" + "1" * 32), b"{",
])
def test_a_wrong_answer_is_found(wrong):
    assert faults(wrong)


def test_what_a_provider_of_the_same_dialect_adds_is_none_of_ours():
    own = changed(changed(ANSWER, "more", to=1), "mesh", "node", to="openai")
    assert faults(own, x_mesh_route="openai/gpt-fake; tier=cloud; attempts=1") == []
    assert faults(changed(own, "mesh", "more", to=1), x_mesh_route="openai/gpt-fake; tier=cloud; attempts=1")


@pytest.mark.parametrize("headers", [
    {"x_mesh_request_id": None}, {"x_mesh_route": "nobody"}, {"x_request_id": None}, {"x_mesh_more": "1"},
    {"content_type": "text/html"},
])
def test_a_wrong_header_is_found(headers):
    assert faults(ANSWER, **headers)


def test_an_answer_that_is_not_in_the_specification_is_found():
    error = {"error": {"message": "m", "type": "api_error", "param": None, "code": None, "hint": "h"},
             "mesh": {"request_id": REQUEST_ID}}
    assert faults(error, status=503) == []
    assert faults(error, status=418)
    assert faults(error, status=405), "without Allow"
    assert faults(changed(error, "error", "more", to=1), status=503)
    assert faults(changed(error, "error", "hint", to=""), status=503)
    assert faults(error, path="/v1/messages", status=503), "the other dialect's error"


def test_a_request_that_was_taken_against_the_specification_is_found():
    assert faults(ANSWER, asked={**ASKED, "mesh": {"private": True}})


def chunk(delta, finish=None, **more):
    return {"id": "chatcmpl-" + "0" * 32, "object": "chat.completion.chunk", "created": 1, "model": "claude-fake",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


CHUNKS = [chunk({"role": "assistant", "content": ""}), chunk({"content": "yes"}), chunk({}, "stop", mesh=STORY)]
FAILED = {"error": {"message": "m", "type": "api_error", "param": None, "code": None, "hint": "h"}, "mesh": STORY}


def stream(chunks, end=b"data: [DONE]\n\n", path="/v1/chat/completions", **headers):
    text = b"".join((f"event: {one['type']}\n".encode() if "type" in one else b"")
                    + b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks)
    return faults(text + end, path, content_type="text/event-stream", asked={**ASKED, "stream": True, "max_tokens": 9},
                  **headers)


def test_a_good_stream_has_no_fault():
    assert stream(CHUNKS) == []
    assert stream([*CHUNKS[:2], FAILED], end=b"") == []


@pytest.mark.parametrize("chunks, end", [
    (CHUNKS, b""), ([CHUNKS[0], CHUNKS[2], CHUNKS[1]], b"data: [DONE]\n\n"), (CHUNKS[:2], b"data: [DONE]\n\n"),
    (CHUNKS, b"data: [DONE]\n\ndata: [DONE]\n\n"), ([*CHUNKS[:2], FAILED], b"data: [DONE]\n\n"), ([], b""),
    ([changed(CHUNKS[0], "id", to="chatcmpl-" + "1" * 32), *CHUNKS[1:]], b"data: [DONE]\n\n"),
    ([changed(CHUNKS[0], "usage", to=None), *CHUNKS[1:]], b"data: [DONE]\n\n"),
    ([CHUNKS[0], chunk({"content": "y", "more": 1}), CHUNKS[2]], b"data: [DONE]\n\n"),
    ([CHUNKS[0], CHUNKS[0], *CHUNKS[1:]], b"data: [DONE]\n\n"),
    ([*CHUNKS[:2], chunk({}, "stop"), CHUNKS[2]], b"data: [DONE]\n\n"),
    ([*CHUNKS[:2], chunk({}, mesh=STORY)], b"data: [DONE]\n\n"),
])
def test_a_wrong_stream_is_found(chunks, end):
    assert stream(chunks, end)


BEGUN = {"type": "message_start", "message": {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "gpt-fake", "content": [], "stop_reason": None,
    "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 0}}}
TEXT = [{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "yes"}},
        {"type": "content_block_stop", "index": 0}]
ENDED = [{"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
          "usage": {"output_tokens": 1}, "mesh": {**STORY, "node": "openai"}}, {"type": "message_stop"}]
EVENTS = [BEGUN, *TEXT, *ENDED]


def message_stream(events):
    return stream(events, b"", "/v1/messages", x_request_id=None, request_id=REQUEST_ID)


def test_a_good_stream_of_messages_has_no_fault():
    assert message_stream(EVENTS) == []


@pytest.mark.parametrize("events", [
    [*TEXT, *ENDED], [BEGUN, BEGUN, *TEXT, *ENDED], [BEGUN, *TEXT, ENDED[1]], [BEGUN, *TEXT, ENDED[0]],
    [BEGUN, *TEXT[:2], *ENDED], [BEGUN, *TEXT[1:], *ENDED], [BEGUN, *TEXT, *TEXT, *ENDED],
    [BEGUN, changed(TEXT[0], "index", to=1), *TEXT[1:], *ENDED], [BEGUN, *TEXT, ENDED[0], *ENDED],
    [BEGUN, *TEXT, changed(ENDED[0], "mesh", to=None), ENDED[1]],
])
def test_a_wrong_stream_of_messages_is_found(events):
    assert message_stream(events)
