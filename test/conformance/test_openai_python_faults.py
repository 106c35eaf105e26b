"""OpenAI's own Python client, against a node whose providers fail: what goes wrong is the client's own kind of
error."""
import time

import openai
import pytest

from harness import CANARY, KEY, TOLD, scripted
from test_openai_python import HELLO, MODELS, client, gather, provider_of, user  # noqa: F401


def ask(client, model, **more):
    return client.chat.completions.create(model=model, messages=user(HELLO), **more)


def client_of(node, **more):
    return openai.OpenAI(base_url=node.base + "/v1", **{"api_key": KEY, "max_retries": 0, **more})


def test_the_callers_own_mistakes(client, node):
    with pytest.raises(openai.BadRequestError) as private:
        ask(client, "gpt-fake", extra_body={"mesh": {"private": True}})
    assert (private.value.code, private.value.param) == ("unsupported_parameter", "mesh.private")
    assert private.value.body["hint"]
    with pytest.raises(openai.AuthenticationError) as stranger:
        client_of(node, api_key=f"wrong-{CANARY}").models.list()
    assert stranger.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError) as far:
        ask(client, "gpt-fake", extra_headers={"x-mesh-reach": "device"})
    assert far.value.code == "reach_excludes_all"
    with pytest.raises(openai.NotFoundError) as unknown:
        ask(client, f"gpt-fakee-{TOLD}")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(f"gpt-fakee-{TOLD}")
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="gpt-fake", input=HELLO)


def test_the_near_names_are_told(client):
    with pytest.raises(openai.NotFoundError) as unknown:
        ask(client, "gpt-fakee")
    assert "gpt-fake" in unknown.value.body["hint"]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_provider_refuses_the_request(client, node, model, streamed):
    node.fakes[provider_of(model)].play({"status": 400, "type": "invalid_request_error", "message": f"No: {TOLD}"})
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, model, stream=streamed)
    assert f"No: {TOLD}" in str(refused.value)
    assert len(node.fakes[provider_of(model)].requests()) == 1


@pytest.mark.parametrize("model", MODELS)
def test_a_provider_is_over_its_rate_limit(node, model):
    with node.another() as fresh:
        fresh.fakes[provider_of(model)].play({"status": 429, "headers": {"retry-after": "7"}, "message": TOLD})
        with pytest.raises(openai.RateLimitError) as limited:
            ask(client_of(fresh), model, extra_body={"mesh": {"fallback": False}})
        assert limited.value.response.headers["retry-after"] in ("6", "7")
        assert limited.value.code == "rate_limit_exceeded"
        # It rests, and the next one is told for how long before anything is sent.
        with pytest.raises(openai.InternalServerError) as resting:
            ask(client_of(fresh), model, extra_body={"mesh": {"fallback": False}})
        assert resting.value.status_code == 503
        assert 1 <= int(resting.value.response.headers["retry-after"]) <= 7
        assert len(fresh.fakes[provider_of(model)].requests()) == 1


def test_the_client_waits_as_long_as_it_is_told(node):
    with node.another() as fresh:
        fresh.fakes["openai"].play({"status": 429, "headers": {"retry-after": "1"}, "times": 1})
        begun = time.monotonic()
        answer = ask(client_of(fresh, max_retries=2), "gpt-fake", extra_body={"mesh": {"fallback": False}})
        assert answer.choices[0].message.content == f"You said: {HELLO}"
        assert time.monotonic() - begun >= 0.9


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_provider_fails(node, model, streamed):
    for status, told in [(500, 502), (503, 503), (408, 504), (401, 502)]:
        with node.another() as fresh:
            fresh.fakes[provider_of(model)].play({"status": status, "message": f"It is {TOLD}"})
            with pytest.raises(openai.InternalServerError) as failed:
                ask(client_of(fresh), model, stream=streamed, extra_body={"mesh": {"fallback": False}})
            assert failed.value.status_code == told


def test_a_providers_words_never_hold_our_key(node):
    """Providers tell back the key that they refuse."""
    with node.another() as fresh:
        secret = fresh.environment["PROVIDER_KEY"]
        fresh.fakes["openai"].play({"status": 401, "message": f"Incorrect API key provided: {secret}"})
        with pytest.raises(openai.InternalServerError) as failed:
            ask(client_of(fresh), "gpt-fake", extra_body={"mesh": {"fallback": False}})
        assert secret not in str(failed.value.body)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_fault_before_the_first_token_is_answered_by_the_next(node, streamed):
    with node.another() as fresh:
        for fault in [{"status": 500}, {"fault": "reset"}, {"fault": "html"}, {"fault": "reset", "at": 0},
                      {"status": 429, "headers": {"retry-after": "1"}}]:
            fresh.fakes["openai"].play({**fault, "times": 4})
            answer = ask(client_of(fresh), "both", stream=streamed)
            if streamed:
                assert gather(answer)[:2] == (f"You said: {HELLO}", ["stop"])
                continue
            assert answer.choices[0].message.content == f"You said: {HELLO}"
            assert answer.model_extra["mesh"]["node"] in ("anthropic", "openai")


@pytest.mark.parametrize("fault", ["reset", "end", "error_event", "garbage", "truncate"])
@pytest.mark.parametrize("model", MODELS)
def test_a_stream_that_breaks_off_is_an_error_and_never_a_success(node, model, fault):
    prompt = scripted(text=f"one two three {CANARY}", fault=fault, at=2)
    with node.another() as fresh:
        stream = client_of(fresh).chat.completions.create(model=model, messages=user(prompt), stream=True,
                                                          extra_body={"mesh": {"fallback": False}})
        text = ""
        with pytest.raises(openai.APIError):
            for chunk in stream:
                text += chunk.choices[0].delta.content or ""
                assert not chunk.choices[0].finish_reason
        assert text == "one two"


def test_a_stream_that_falls_silent_is_an_error(client):
    prompt = scripted(text=f"one two {CANARY}", fault="stall", at=1)
    with pytest.raises(openai.APIError) as silent:
        gather(client.chat.completions.create(model="gemini-3-fake", messages=user(prompt), stream=True,
                                              extra_body={"mesh": {"fallback": False}}))
    assert silent.value.code == "node_timeout"


def test_a_fault_after_the_headers_is_an_event(client):
    """The head has gone out after headers_after, so the error can only be an event of the stream."""
    prompt = scripted(status=422, message=f"No: {TOLD}", first_token_ms=800)
    stream = client.chat.completions.create(model="gpt-fake", messages=user(prompt), stream=True)
    with pytest.raises(openai.APIError) as late:
        gather(stream)
    assert f"No: {TOLD}" in str(late.value)


@pytest.mark.parametrize("model", MODELS)
def test_whoever_stops_reading_stops_the_provider(client, node, model):
    prompt = scripted(text=f"word {CANARY} " * 200, gap_ms=20)
    stream = client.chat.completions.create(model=model, messages=user(prompt), stream=True)
    next(iter(stream))
    stream.close()
    assert node.fakes[provider_of(model)].wait_broken_off()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_whoever_waits_no_longer_stops_the_provider(client, node, model, streamed):
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(
            model=model, messages=user(scripted(fault="stall")), stream=streamed)
    assert node.fakes[provider_of(model)].wait_broken_off()
