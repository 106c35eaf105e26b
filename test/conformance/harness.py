"""A running node with fake providers behind it, for tests that speak to it as a caller does.

Everything passes a relay (wire.py), so that each exchange is held against the specification (contract.py). What the
node wrote is kept for the search of two words (test_afterwards.py): the canary stands in every key, prompt, answer,
argument of a tool and header that is passed on; the other one in what providers say of an error and in names of models.
None may be in anything that the node writes, and the canary in no error either.
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

import contract
import wire

CANARY = "canary-7c41e9d2"
TOLD = "told-51b0c3aa"
KEY = f"k-conformance-{CANARY}"
NEAR_KEY = f"k-near-{CANARY}"
PROVIDER_KEY = f"sk-provider-{CANARY}"

PROVIDERS = {"openai": ["gpt-fake", "gpt-other"], "anthropic": ["claude-fake"], "gemini": ["gemini-3-fake"]}
SPEAKS = {"openai": "openai", "vectors": "openai", "anthropic": "anthropic", "gemini": "gemini"}  # by node

CONFIG = """
[api]
listen = "127.0.0.1:0"
workers = 1
cors_origins = ["https://app.example"]

[[key]]
name = "me"
secret = "env:MESHAI_KEY"

[[key]]
name = "near"
secret = "env:MESHAI_NEAR_KEY"
reach = "device"

[[node]]
name = "openai"
tier = "cloud"
kind = "openai"
url = "http://127.0.0.1:{openai}/v1"
key = "env:PROVIDER_KEY"
models = ["gpt-fake", "gpt-other"]

[[node]]
name = "vectors"
tier = "cloud"
kind = "openai"
url = "http://127.0.0.1:{openai}/v1"
key = "env:PROVIDER_KEY"
models = ["embed-fake"]
embeddings = true

[[node]]
name = "anthropic"
tier = "cloud"
kind = "anthropic"
url = "http://127.0.0.1:{anthropic}/v1"
key = "env:PROVIDER_KEY"
models = ["claude-fake"]

[[node]]
name = "gemini"
tier = "cloud"
kind = "gemini"
url = "http://127.0.0.1:{gemini}/v1beta"
key = "env:PROVIDER_KEY"
models = ["gemini-3-fake"]

[[model]]
name = "both"
route = ["openai/gpt-fake", "anthropic/claude-fake"]

[limits]
first_token_timeout = "2s"
idle_timeout = "2s"
headers_after = "500ms"
max_body = 1000000
"""


def scripted(**script):
    """A prompt that says itself what a fake provider answers."""
    return "fake:" + json.dumps(script)


def told_too_much(exchange):
    """The canary in an error or in a header: what a caller said is no part of either."""
    if any(CANARY in value for value in exchange.answer_headers.values()):
        yield "the canary is in a header"
    errors = [exchange.answer] if exchange.status >= 400 else \
        [event for event in exchange.answer.split(b"\n\n") if b'"error":' in event]
    if any(CANARY.encode() in error for error in errors):
        yield "the canary is in an error"


class Fake:
    """A fake provider; `play` scripts what it does next."""

    def __init__(self, program, speaks, models, *more):
        command = [program, "--speaks", speaks, "--key", PROVIDER_KEY, *more]
        for model in models:
            command += ["--model", model]
        self.speaks, self.models, self.command = speaks, models, command
        self.port = 0
        self.start()

    def start(self):
        """At the port that it had before, where it was ended."""
        self.process = subprocess.Popen([*self.command, "--port", str(self.port)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def _call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, timeout=10) as answer:
            return json.load(answer)

    def play(self, *scripts):
        self._call("/fake/rules", list(scripts))

    def clear(self):
        self._call("/fake/clear", [])

    def requests(self):
        return self._call("/fake/requests")

    def broken_off(self):
        return self._call("/fake/broken_off")[0]

    def wait_broken_off(self, count=1):
        """Whether that many answers were broken off by whoever asked, within a few seconds."""
        until = time.monotonic() + 5
        while self.broken_off() < count and time.monotonic() < until:
            time.sleep(0.01)
        return self.broken_off() == count

    def stop(self):
        self.process.kill()  # also one that is stopped
        self.process.wait(10)


class Node:
    """meshai serve in a folder of its own, a relay before each of its two doors, and the providers it knows."""

    def __init__(self, program, folder, fakes, config):
        self.program, self.folder, self.fakes, self.template = program, pathlib.Path(folder), fakes, config
        self.folder.mkdir(exist_ok=True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder),
                            "MESHAI_KEY": KEY, "MESHAI_NEAR_KEY": NEAR_KEY, "PROVIDER_KEY": PROVIDER_KEY}
        self.config, self.log = self.folder / "meshai.toml", self.folder / "log"
        self.config.write_text(config.format(**{name: fake.port for name, fake in fakes.items()}))
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([program, "serve", "--verbose", "--config", str(self.config)],
                                            env=self.environment, stdout=log, stderr=log)
        self.relay = wire.Relay(("127.0.0.1", self._wait()))
        self.owner_relay = wire.Relay(str(next(self.folder.glob("meshai/*.sock"))), owner=True)
        self.port, self.base = self.relay.port, f"http://127.0.0.1:{self.relay.port}"
        self.owner_base = f"http://127.0.0.1:{self.owner_relay.port}"
        self.judge = contract.Judge({**SPEAKS, **{name: fake.speaks for name, fake in fakes.items()}})

    def _wait(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"the node ended: {self.log.read_text()}")
            shown = self.run("status", "--json")
            if shown.returncode == 0:
                return int(json.loads(shown.stdout)["listen"][0].rsplit(":", 1)[1])
            time.sleep(0.02)
        raise RuntimeError("the node does not answer its owner")

    def run(self, *arguments, **more):
        ran = subprocess.run([self.program, *arguments], env=self.environment, capture_output=True, text=True,
                             timeout=60, **more)
        with open(self.folder / "said", "a") as kept:
            kept.write(ran.stdout + ran.stderr)
        return ran

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    @contextlib.contextmanager
    def another(self):
        """A node of the same kind that nothing has gone wrong at yet, for tests after which a provider rests."""
        made = Node(self.program, self.folder / f"beside-{time.monotonic_ns()}", self.fakes, self.template)
        made.judge.seen = self.judge.seen
        try:
            yield made
        finally:
            made.stop()

    def faults(self):
        """What was wrong with what has passed since the last time: by the specification, or by the canary."""
        return [f"{one.method} {one.path} -> {one.status}: {fault}" for relay in (self.relay, self.owner_relay)
                for one in relay.take() for fault in [*self.judge.faults(one), *told_too_much(one)]]

    def stop(self, strict=True):
        """Ends the node and leaves what it told others beside what it wrote itself."""
        if self.process.poll() is None:
            for base, path in ((self.base, "/metrics"), (self.owner_base, "/mesh/status")):
                asked = urllib.request.Request(base + path, headers={"x-api-key": KEY})
                with urllib.request.urlopen(asked, timeout=10) as answer:
                    (self.folder / path.rsplit("/", 1)[1]).write_bytes(answer.read())
            self.process.terminate()
        self.process.wait(20)
        wrong = self.faults()
        for relay in (self.relay, self.owner_relay):
            relay.close()
        assert not wrong or not strict, "\n".join(wrong)


def told_to_clients(node):
    """The environment of tests in other languages."""
    return {**os.environ, "MESHAI_BASE_URL": node.base + "/v1", "MESHAI_KEY": KEY, "MESHAI_WORD": CANARY,
            "MESHAI_FAKES": json.dumps({name: fake.port for name, fake in node.fakes.items()})}


def written():
    """Where what nodes wrote is kept, a folder for each set of tests."""
    return pathlib.Path(os.environ["MESHAI_BUILD"]) / "written"


def keep(node, name):
    """Copies the files of a node, and what the tests of it have met, to where they are searched."""
    there = written() / name
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(node.folder, there, ignore=lambda folder, names: [
        one for one in names if not (pathlib.Path(folder) / one).is_file() and not (pathlib.Path(folder) / one).is_dir()])
    (written() / f"{name}.seen.json").write_text(json.dumps(sorted(map(list, node.judge.seen))))


@contextlib.contextmanager
def world(name, config=CONFIG, providers=PROVIDERS, strict=True):
    """A node and its providers: by name the models of one that speaks so, or (what it speaks, its models, how it is
    started ...). What the node wrote is kept under `name`."""
    build = pathlib.Path(os.environ["MESHAI_BUILD"])
    with contextlib.ExitStack() as ends:
        folder, fakes = ends.enter_context(tempfile.TemporaryDirectory(prefix="meshai-")), {}
        for called, how in providers.items():
            speaks, models, *more = how if isinstance(how, tuple) else (called, how)
            fakes[called] = Fake(str(build / "fake_provider"), speaks, models, *more)
            ends.callback(fakes[called].stop)
        node = Node(str(build / "meshai"), folder, fakes, config)
        ends.callback(keep, node, name)
        ends.callback(node.stop, strict)
        yield node
