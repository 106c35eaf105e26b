"""Anthropic's own Python client, against a node whose providers fail: what goes wrong is the client's own kind of
error."""
import anthropic
import pytest

from harness import CANARY, KEY, TOLD, scripted
from test_anthropic_python import client  # noqa: F401
from test_openai_python import HELLO, MODELS, provider_of, user


def ask(client, model, content=HELLO, **more):
    return client.messages.create(model=model, max_tokens=100, messages=user(content), **more)


def client_of(node, **more):
    return anthropic.Anthropic(base_url=node.base, **{"api_key": KEY, "max_retries": 0, **more})


def alone(**more):
    return {"extra_body": {"mesh": {"fallback": False}}, **more}


def test_the_callers_own_mistakes(client, node):
    with pytest.raises(anthropic.BadRequestError) as unknown_member:
        ask(client, "claude-fake", extra_body={"mesh": {"x": 1}})
    assert unknown_member.value.body["error"]["hint"]
    assert unknown_member.value.request_id == unknown_member.value.body["request_id"]
    with pytest.raises(anthropic.AuthenticationError):
        ask(client_of(node, api_key=f"wrong-{CANARY}"), "claude-fake")
    with pytest.raises(anthropic.PermissionDeniedError):
        ask(client, "claude-fake", extra_headers={"x-mesh-reach": "device"})
    with pytest.raises(anthropic.NotFoundError):
        ask(client, f"claude-fakee-{TOLD}")
    with pytest.raises(anthropic.NotFoundError):
        client.messages.count_tokens(model=f"claude-fakee-{TOLD}", messages=user(HELLO))


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_provider_refuses_the_request(client, node, model, streamed):
    node.fakes[provider_of(model)].play({"status": 400, "type": "invalid_request_error", "message": f"No: {TOLD}"})
    with pytest.raises(anthropic.BadRequestError) as refused:
        ask(client, model, stream=streamed)
    assert f"No: {TOLD}" in str(refused.value)


@pytest.mark.parametrize("model", MODELS)
def test_a_provider_is_over_its_rate_limit(node, model):
    with node.another() as fresh:
        fresh.fakes[provider_of(model)].play({"status": 429, "headers": {"retry-after": "7"}, "message": TOLD})
        with pytest.raises(anthropic.RateLimitError) as limited:
            ask(client_of(fresh), model, **alone())
        assert limited.value.response.headers["retry-after"] in ("6", "7")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_provider_fails(node, model, streamed):
    for status, kind in [(500, "api_error"), (529, "overloaded_error"), (408, "timeout_error")]:
        with node.another() as fresh:
            fresh.fakes[provider_of(model)].play({"status": status, "message": f"It is {TOLD}"})
            with pytest.raises(anthropic.InternalServerError) as failed:
                ask(client_of(fresh), model, **alone(stream=streamed))
            assert failed.value.body["error"]["type"] == kind


@pytest.mark.parametrize("streamed", [False, True])
def test_a_fault_before_the_first_token_is_answered_by_the_next(node, streamed):
    with node.another() as fresh:
        for fault in [{"status": 500}, {"fault": "reset"}, {"fault": "html"}, {"fault": "reset", "at": 0}]:
            fresh.fakes["openai"].play({**fault, "times": 4})
            if streamed:
                with client_of(fresh).messages.stream(model="both", max_tokens=100, messages=user(HELLO)) as stream:
                    answer = stream.get_final_message()
            else:
                answer = ask(client_of(fresh), "both")
            assert answer.content[-1].text == f"You said: {HELLO}"


@pytest.mark.parametrize("fault", ["reset", "end", "error_event", "garbage", "truncate"])
@pytest.mark.parametrize("model", MODELS)
def test_a_stream_that_breaks_off_is_an_error_and_never_a_success(node, model, fault):
    prompt = scripted(text=f"one two three {CANARY}", fault=fault, at=2)
    with node.another() as fresh:
        text, kinds = "", []
        with pytest.raises(anthropic.APIStatusError):
            for event in ask(client_of(fresh), model, prompt, **alone(stream=True)):
                kinds.append(event.type)
                text += event.delta.text if event.type == "content_block_delta" else ""
        assert text == "one two"
        assert "message_stop" not in kinds


def test_a_fault_after_the_headers_is_an_event(client):
    """The head has gone out after headers_after, so the error can only be an event of the stream."""
    prompt = scripted(status=422, message=f"No: {TOLD}", first_token_ms=800)
    with pytest.raises(anthropic.APIError) as late:
        for _ in ask(client, "claude-fake", prompt, stream=True):
            pass
    assert f"No: {TOLD}" in str(late.value)


@pytest.mark.parametrize("model", MODELS)
def test_whoever_stops_reading_stops_the_provider(client, node, model):
    stream = ask(client, model, scripted(text=f"word {CANARY} " * 200, gap_ms=20), stream=True)
    next(iter(stream))
    stream.close()
    assert node.fakes[provider_of(model)].wait_broken_off()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_whoever_waits_no_longer_stops_the_provider(client, node, model, streamed):
    with pytest.raises(anthropic.APITimeoutError):
        ask(client.with_options(timeout=0.3), model, scripted(fault="stall"), stream=streamed)
    assert node.fakes[provider_of(model)].wait_broken_off()
