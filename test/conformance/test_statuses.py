"""Every status that the specification names for a path, at that path."""
import http.client
import json

import contract
import harness
import pytest
from harness import CANARY, KEY, TOLD

SAID = [{"role": "user", "content": f"hello {CANARY}"}]
ASKS = {  # path: (the provider asked, the body)
    "/v1/chat/completions": ("openai", {"model": "gpt-fake", "messages": SAID}),
    "/v1/completions": ("openai", {"model": "gpt-fake", "prompt": f"hello {CANARY}"}),
    "/v1/embeddings": ("openai", {"model": "embed-fake", "input": f"hello {CANARY}"}),
    "/v1/messages": ("anthropic", {"model": "claude-fake", "max_tokens": 9, "messages": SAID}),
    "/v1/messages/count_tokens": ("anthropic", {"model": "claude-fake", "messages": SAID}),
}
READS = ["/v1/models", "/v1/models/gpt-fake", "/healthz", "/readyz", "/metrics"]
OWNERS = ["/mesh/status", "/mesh/route", "/mesh/reload", "/mesh/keys"]
OWN_KEY = {"Authorization": f"Bearer {KEY}"}
ALONE = {"x-mesh-fallback": "false"}


def ask(node, method, path, body=None, headers=OWN_KEY, length=None, owner=False):
    """The status and the body of the answer; what else is to be said of it the specification says."""
    link = http.client.HTTPConnection("127.0.0.1", node.owner_relay.port if owner else node.port, timeout=20)
    sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Host": "localhost", **headers}
    if sent is not None or length is not None:
        given = {"Content-Type": "application/json", "Content-Length": str(length or len(sent)), **given}
    link.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in given.items():
        link.putheader(name, value)
    link.endheaders(sent)
    answer = link.getresponse()
    content = answer.read()
    link.close()
    return answer.status, content


def code(content):
    said = json.loads(content)
    return said["error"].get("code")


@pytest.mark.parametrize("path", ASKS)
def test_the_callers_own_mistakes(node, path):
    provider, body = ASKS[path]
    assert ask(node, "POST", path, body)[0] == 200
    before = len(node.fakes[provider].requests())
    for status, change in {
        400: {"body": b"{" + CANARY.encode()},
        401: {"headers": {"x-api-key": f"wrong-{CANARY}"}},
        403: {"headers": {**OWN_KEY, "Host": "evil.example"}},
        404: {"body": {**body, "model": f"none-{TOLD}"}},
        413: {"body": None, "length": 2_000_000},
    }.items():
        got, content = ask(node, "POST", path, **{"body": body, **change})
        assert got == status, content
        assert json.loads(content)["error"]["hint"]
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert ask(node, method, path)[0] == 405
    assert ask(node, "POST", path, body, {**OWN_KEY, "x-mesh-reach": "device"})[0] == 403
    assert ask(node, "POST", path, body, {**OWN_KEY, "x-mesh-fallback": "maybe"})[0] == 400
    assert len(node.fakes[provider].requests()) == before, "nothing of it went upstream"


@pytest.mark.parametrize("status, told", [(400, 400), (422, 422), (429, 429), (500, 502), (401, 502), (529, 503),
                                          (503, 503), (408, 504)])
@pytest.mark.parametrize("path", ASKS)
def test_what_goes_wrong_at_the_provider(node, path, status, told):
    provider, body = ASKS[path]
    with node.another() as fresh:
        fresh.fakes[provider].play({"status": status, "message": f"It is {TOLD}", "headers": {"retry-after": "3"}})
        got, content = ask(fresh, "POST", path, body, {**OWN_KEY, **ALONE})
        assert got == told, content
        assert len(fresh.fakes[provider].requests()) == 1


@pytest.mark.parametrize("path", READS)
def test_what_is_read(node, path):
    assert ask(node, "GET", path)[0] == 200
    assert ask(node, "HEAD", path) == (200, b"")
    assert ask(node, "GET", path, headers={})[0] == (200 if path == "/healthz" else 401)
    assert ask(node, "GET", path, headers={**OWN_KEY, "Host": "evil.example"})[0] == 403
    for method in ("POST", "PUT", "DELETE"):
        assert ask(node, method, path)[0] == 405


def test_why_who_would_be_asked(node):
    path, body = "/mesh/route", {"model": "auto", "messages": SAID}
    before = sum(len(one.requests()) for one in node.fakes.values())
    got, content = ask(node, "POST", path, body, headers={}, owner=True)
    told = json.loads(content)
    assert got == 200 and told["complexity"]["class"] == "simple" and len(told["candidates"]) > 1
    near = {**body, "mesh": {"reach": "device"}}
    told = json.loads(ask(node, "POST", path, near, headers={}, owner=True)[1])
    assert told["candidates"] == [] and told["refused"]["code"] == "reach_excludes_all"
    assert {one["rule"] for one in told["excluded"]} == {"reach"}
    assert ask(node, "POST", path, {**body, "mesh": {"private": True}}, headers={}, owner=True)[0] == 400
    assert ask(node, "POST", path, length=2_000_000, headers={}, owner=True)[0] == 413
    assert sum(len(one.requests()) for one in node.fakes.values()) == before, "nobody was asked"


def test_an_answer_tells_why_who_was_asked_where_it_is_wanted(node):
    for body in [{"model": "auto", "messages": SAID}, {"model": "auto", "messages": SAID, "stream": True}]:
        plain = ask(node, "POST", "/v1/chat/completions", body)[1]
        assert b'"candidates"' not in plain
        told = ask(node, "POST", "/v1/chat/completions", {**body, "mesh": {"explain": True}})[1]
        assert b'"candidates"' in told and b'"complexity"' in told
        assert b'"candidates"' in ask(node, "POST", "/v1/chat/completions", body, {**OWN_KEY, "x-mesh-explain": "1"})[1]


def test_what_matters_most_to_the_caller(node):
    body = {"model": "auto", "messages": SAID}
    for wish in ["speed", "quality", "price", "private"]:
        assert ask(node, "POST", "/v1/chat/completions", {**body, "mesh": {"prefer": wish}})[0] == 200
        assert ask(node, "POST", "/v1/chat/completions", body, {**OWN_KEY, "x-mesh-prefer": wish})[0] == 200
    assert ask(node, "POST", "/v1/chat/completions", {**body, "mesh": {"prefer": "cheap"}})[0] == 400
    assert ask(node, "POST", "/v1/chat/completions", body, {**OWN_KEY, "x-mesh-prefer": "cheap"})[0] == 400


def test_what_only_its_owner_sees(node):
    assert ask(node, "GET", "/mesh/status", headers={}, owner=True)[0] == 200
    assert ask(node, "POST", "/mesh/reload", b"", headers={}, owner=True)[0] == 200
    assert ask(node, "POST", "/mesh/keys", b"", headers={}, owner=True)[0] == 200
    before = node.config.read_text()
    node.config.write_text(before.replace('tier = "cloud"', 'tier = "clout"', 1))
    got, content = ask(node, "POST", "/mesh/reload", b"", headers={}, owner=True)
    node.config.write_text(before)
    assert (got, code(content)) == (422, "configuration")
    assert ask(node, "POST", "/mesh/reload", b"", headers={}, owner=True)[0] == 200
    for path in OWNERS:
        assert ask(node, "PUT", path, headers={}, owner=True)[0] == 405
        assert ask(node, "GET", path, headers={"Host": "evil.example"}, owner=True)[0] == 403
        for method in ("GET", "POST"):
            got, content = ask(node, method, path)
            assert (got, code(content)) == (404, "unknown_path"), "not at the network's door"


def test_nobody_is_ready(node):
    with node.another() as fresh:
        for fake in fresh.fakes.values():
            fake.play({"status": 429, "headers": {"retry-after": "30"}})
        for model in ("gpt-fake", "embed-fake", "claude-fake", "gemini-3-fake"):
            path = "/v1/embeddings" if model == "embed-fake" else "/v1/chat/completions"
            body = {**ASKS[path][1], "model": model}
            assert ask(fresh, "POST", path, body, {**OWN_KEY, **ALONE})[0] == 429
        assert ask(fresh, "GET", "/readyz") == (503, b'{"ready":false}')
        assert ask(fresh, "GET", "/healthz")[0] == 200


def test_a_plain_completion_that_breaks_off_is_an_error(node):
    prompt = harness.scripted(text=f"one two {CANARY}", fault="reset", at=1)
    got, content = ask(node, "POST", "/v1/completions", {"model": "gpt-fake", "stream": True, "prompt": prompt},
                       {**OWN_KEY, **ALONE})
    *_, (_, last) = contract.events_of(content.decode())
    assert (got, json.loads(last)["error"]["code"]) == (200, "node_cut")
