"""What callers may spend, kept by a real node on a real disk: 64 at once, a node that is killed, keys that come and go."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request

import harness
import pytest

BUILD = pathlib.Path(os.environ["MESHAI_BUILD"])
API = '[api]\nlisten = "127.0.0.1:0"\nworkers = 2\n'
CLOUD = """
[[node]]
name = "{name}"
tier = "cloud"
kind = "openai-compatible"
url = "http://127.0.0.1:{{{name}}}/v1"
key = "env:PROVIDER_KEY"
models = ["{model}"]
{more}
"""
SKY = CLOUD.format(name="sky", model="gpt-fake", more="price = { input = 1, output = 2 }").replace(
    "{ input = 1, output = 2 }", "{{ input = 1, output = 2 }}")
DEAR = CLOUD.format(name="dear", model="gpt-other", more="")


def key(name="me", secret="MESHAI_KEY", more=""):
    return f'[[key]]\nname = "{name}"\nsecret = "env:{secret}"\n{more}\n'.replace("{", "{{").replace("}", "}}")


class Home(harness.Node):
    """A node that may be started again where it was, as after it was killed."""

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)
        self.stop()

    def again(self):
        return Home(self.program, self.folder, self.fakes, self.template)

    def usage(self, *words):
        told = self.run("usage", "--json", *words)
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    def settled(self):
        """What was used, once nothing is held any more."""
        until = time.monotonic() + 10
        while (told := self.usage())["held"] and time.monotonic() < until:
            time.sleep(0.05)
        assert told["held"] == []
        return told


@contextlib.contextmanager
def world(config, **fakes):
    with contextlib.ExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="meshai-"))
        made = {}
        for name, model in (fakes or {"sky": "gpt-fake"}).items():
            made[name] = harness.Fake(str(BUILD / "fake_provider"), "openai", [model])
            ends.callback(made[name].stop)
        node = Home(str(BUILD / "meshai"), folder, made, API + config)
        ends.callback(node.stop)
        yield node


def ask(node, text="hello", secret=harness.KEY, path="/v1/chat/completions", timeout=30, **more):
    """The status, the headers and the answer."""
    body = {"model": "gpt-fake", "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}
    body = {name: value for name, value in body.items() if value is not None}
    asked = urllib.request.Request(node.base + path, json.dumps(body).encode(),
                                   {"x-api-key": secret, "content-type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.load(error)


def ask_in_vain(node):
    with contextlib.suppress(OSError):
        ask(node, max_tokens=500, stream=True)


def ask_until(node, over):
    while not over.is_set():
        with contextlib.suppress(OSError, ValueError):
            ask(node)


# ---- a budget holds

@pytest.mark.parametrize("unit, budget", [("tokens", 2_000), ("money", 0.003)])
def test_64_at_once_never_pass_the_budget(unit, budget):
    """The provider is slow and answers as long as it may, so that all are on their way before one has ended."""
    with world(key(more=f"budget = {{ {unit} = {budget} }}") + SKY) as node:
        node.fakes["sky"].play({"text": " ".join(["word"] * 100), "first_token_ms": 300})
        with concurrent.futures.ThreadPoolExecutor(64) as many:
            got = list(many.map(lambda _: ask(node), range(128)))
        answered = [answer for status, _, answer in got if status == 200]
        refused = [(headers, answer) for status, headers, answer in got if status == 429]
        assert answered and refused and len(answered) + len(refused) == 128, {status for status, _, _ in got}
        tokens = sum(one["usage"]["total_tokens"] for one in answered)
        money = sum(one["usage"]["prompt_tokens"] + 2 * one["usage"]["completion_tokens"] for one in answered) / 1e6
        assert (tokens if unit == "tokens" else money) <= budget
        assert len(node.fakes["sky"].requests()) == len(answered), "who is refused is not asked for"
        for headers, answer in refused:
            assert int(headers["retry-after"]) >= 1
            assert answer["error"]["code"] in ("budget_held", "budget_spent")
            assert answer["error"]["hint"]
        told = node.settled()["rows"]
        assert [(one["key"], one["node"], one["answers"]) for one in told] == [("me", "sky", len(answered))]
        assert told[0]["input_tokens"] + told[0]["output_tokens"] == tokens
        assert told[0]["money"] == pytest.approx(money)


def test_what_a_killed_node_was_doing_counts_as_spent():
    with world(key(more="budget = { tokens = 1000 }") + SKY) as node:
        node.fakes["sky"].play({"text": "late", "first_token_ms": 60_000, "times": 1})
        caller = threading.Thread(target=ask_in_vain, args=(node,))
        caller.start()
        until = time.monotonic() + 10
        while not node.fakes["sky"].requests() and time.monotonic() < until:
            time.sleep(0.01)
        assert node.fakes["sky"].requests(), "the provider was asked"
        node.kill()
        caller.join(20)
        held = node.usage()["held"]
        assert [one["key"] for one in held] == ["me"] and 500 < held[0]["tokens"] < 1000, held
        after = node.again()
        try:
            left = 1000 - held[0]["tokens"]
            status, headers, answer = ask(after, max_tokens=500)
            assert (status, answer["error"]["code"]) == (429, "budget_spent")
            assert f"{left} tokens is left" in answer["error"]["message"]
            status, headers, _ = ask(after, max_tokens=5)
            assert status == 200
            assert headers["x-mesh-budget-tokens"] == "1000" and int(headers["x-mesh-budget-tokens-left"]) < left
        finally:
            after.stop()


def test_killed_again_and_again_it_never_passes_the_budget():
    budget, each = 6_000, 109  # what an answer of the provider comes to
    with world(key(more=f"budget = {{ tokens = {budget} }}") + SKY) as node:
        node.fakes["sky"].play({"text": " ".join(["word"] * 100), "first_token_ms": 50})
        running, rounds = node, 0
        while rounds < 4:
            over = threading.Event()
            callers = [threading.Thread(target=ask_until, args=(running, over)) for _ in range(8)]
            for one in callers:
                one.start()
            time.sleep(0.15)
            running.kill()
            over.set()
            for one in callers:
                one.join(20)
            running, rounds = running.again(), rounds + 1
        try:
            while ask(running)[0] == 200:
                pass
        finally:
            running.stop()
        asked = len(node.fakes["sky"].requests())
        assert asked > 8 and asked * each <= budget, "by what the provider was asked for, not by our own books"


def test_what_was_spent_outlives_a_restart():
    with world(key(more="budget = { tokens = 600 }") + SKY) as node:
        node.fakes["sky"].play({"text": " ".join(["word"] * 300)})
        assert ask(node, max_tokens=300)[0] == 200
        node.stop()
        after = node.again()
        try:
            assert ask(after, max_tokens=300)[0] == 429
        finally:
            after.stop()


def test_money_goes_only_where_the_price_is_known():
    with world(key(more="budget = { money = 1 }") + SKY + DEAR, sky="gpt-fake", dear="gpt-other") as node:
        status, _, answer = ask(node, model="dear/gpt-other")
        assert (status, answer["error"]["code"]) == (403, "no_price")
        assert "dear" in answer["error"]["message"] and "price" in answer["error"]["hint"]
        assert node.fakes["dear"].requests() == []
        for _ in range(3):
            assert ask(node, model="auto")[0] == 200
        assert node.fakes["dear"].requests() == []


def test_no_longer_answer_is_asked_for_than_is_held():
    with world(key(more="budget = { tokens = 10000 }") + SKY) as node:
        assert ask(node, max_tokens=None)[0] == 200
        assert json.loads(node.fakes["sky"].requests()[0]["body"])["max_tokens"] == 4096


def test_an_attempt_that_breaks_off_costs_too_and_a_fallback_is_counted():
    config = key(more="budget = { tokens = 100000 }") + SKY + DEAR + \
        '[[model]]\nname = "both"\nroute = ["sky/gpt-fake", "dear/gpt-other"]\n'
    with world(config, sky="gpt-fake", dear="gpt-other") as node:
        node.fakes["sky"].play({"text": "one two three four", "fault": "reset", "at": 2, "times": 1})
        link = socket.create_connection(("127.0.0.1", node.port), timeout=20)
        body = json.dumps({"model": "both", "max_tokens": 50, "stream": True,
                           "messages": [{"role": "user", "content": "count"}]}).encode()
        link.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nx-api-key: {harness.KEY}\r\n"
                     f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        while link.recv(65536):
            pass
        link.close()
        rows = {one["node"]: one for one in node.settled()["rows"]}
        assert rows["sky"]["faults"] == 1 and rows["sky"]["answers"] == 0 and rows["sky"]["output_tokens"] >= 2
        assert rows["dear"]["fallbacks"] == 1 and rows["dear"]["answers"] == 1
        assert rows["sky"]["money"] > 0, "what came of it is paid for"


# ---- rates

def test_over_the_rate_both_dialects_are_told_when_to_come_back():
    with world(key(more="rate = { requests = 2 }") + SKY) as node:
        assert ask(node)[1]["x-ratelimit-remaining-requests"] == "1"
        status, headers, _ = ask(node)
        assert status == 200 and headers["x-ratelimit-limit-requests"] == "2"
        assert headers["x-ratelimit-remaining-requests"] == "0" and headers["x-ratelimit-reset-requests"].endswith("s")
        status, headers, answer = ask(node)
        assert status == 429 and 1 <= int(headers["retry-after"]) <= 61
        assert headers["x-ratelimit-remaining-requests"] == "0"
        assert answer["error"]["type"] == "rate_limit_error" and "Retry-After" in answer["error"]["hint"]
        status, headers, answer = ask(node, path="/v1/messages")
        assert status == 429 and int(headers["retry-after"]) >= 1
        assert answer["type"] == "error" and answer["error"]["type"] == "rate_limit_error"


def test_tokens_over_the_rate_are_told_too():
    with world(key(more="rate = { tokens = 250 }") + SKY) as node:
        node.fakes["sky"].play({"text": " ".join(["word"] * 100)})
        got = [ask(node) for _ in range(4)]
        assert got[0][0] == 200 and got[0][1]["x-ratelimit-limit-tokens"] == "250"
        assert int(got[0][1]["x-ratelimit-remaining-tokens"]) < 150 and got[0][1]["x-ratelimit-reset-tokens"] != "0s"
        status, headers, answer = got[-1]
        assert status == 429 and 1 <= int(headers["retry-after"]) <= 61
        assert "of the 250 that its key may use a minute" in answer["error"]["message"]
        status, headers, answer = ask(node, max_tokens=300)
        assert (status, answer["error"]["code"]) == (400, "request_over_rate") and "retry-after" not in headers


# ---- keys that are made

def test_a_key_that_is_made_opens_the_door_and_one_that_is_revoked_does_not():
    with world(key() + SKY) as node:
        made = node.run("key", "new", "--name", "phone", "--rate", "1", "--json")
        secret = json.loads(made.stdout)["key"]
        (node.folder / "said").unlink()  # shown this once, and here to us
        status, headers, _ = ask(node, secret=secret)
        assert status == 200 and headers["x-ratelimit-limit-requests"] == "1"
        assert ask(node, secret=secret)[0] == 429
        revoked = node.run("key", "revoke", "phone")
        assert revoked.stdout == "revoked phone; the running node refuses it from now on\n", revoked.stderr
        assert ask(node, secret=secret)[0] == 401
        assert ask(node)[0] == 200, "the others stay"
        listed = json.loads(node.run("key", "list", "--json").stdout)
        assert [(one["name"], one["ending"], bool(one["revoked"])) for one in listed] == [("phone", secret[-4:], True)]
        node.stop()
        left = [str(file) for file in node.folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
        assert left == [], "only its hash is kept"


def test_a_made_key_has_a_budget_too():
    with world(key() + SKY) as node:
        secret = json.loads(node.run("key", "new", "--name", "child", "--budget-tokens", "400", "--json").stdout)["key"]
        node.fakes["sky"].play({"text": " ".join(["word"] * 100)})
        got = [ask(node, secret=secret)[0] for _ in range(4)]
        assert got[0] == 200 and got[-1] == 429, got
        assert {one["key"] for one in node.settled()["rows"]} == {"child"}


def test_nothing_of_what_was_said_is_on_disk():
    with world(key(more="budget = { tokens = 100000 }") + SKY) as node:
        node.fakes["sky"].play({"text": harness.CANARY})
        assert ask(node, text=harness.CANARY)[0] == 200
        node.settled()
        node.stop()
        files = [file for file in (node.folder / ".local" / "state").rglob("*") if file.is_file()]
        assert any(file.name == "ledger.db" for file in files)
        words = [harness.CANARY, harness.KEY, harness.PROVIDER_KEY]
        assert [(str(file), word) for file in files for word in words if word.encode() in file.read_bytes()] == []
