"""A running node with fake providers behind it, for tests that speak to it as a caller does."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.request

KEY = "k-conformance"
PROVIDER_KEY = "sk-provider-canary"

CONFIG = """
[api]
listen = "127.0.0.1:0"
workers = 1

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
max_body = 1000000
"""


class Fake:
    """A fake provider; `play` scripts what it does next."""

    def __init__(self, program, speaks, models):
        command = [program, "--speaks", speaks, "--key", PROVIDER_KEY]
        for model in models:
            command += ["--model", model]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

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

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Node:
    """meshai serve in a folder of its own."""

    def __init__(self, program, folder, config, environment):
        self.program, self.folder = program, pathlib.Path(folder)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), **environment}
        self.config = self.folder / "meshai.toml"
        self.config.write_text(config)
        self.log = self.folder / "log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([program, "serve", "--verbose", "--config", str(self.config)],
                                            env=self.environment, stderr=log)
        self.port = self._wait()
        self.base = f"http://127.0.0.1:{self.port}"

    def _wait(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"the node ended: {self.log.read_text()}")
            shown = self.run("status", "--json")
            if shown.returncode == 0:
                return int(json.loads(shown.stdout)["listen"][0].rsplit(":", 1)[1])
            time.sleep(0.05)
        raise RuntimeError("the node does not answer its owner")

    def run(self, *arguments, **more):
        return subprocess.run([self.program, *arguments], env=self.environment, capture_output=True, text=True,
                              timeout=60, **more)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)


@contextlib.contextmanager
def world():
    build = pathlib.Path(os.environ["MESHAI_BUILD"])
    fakes = {}
    with tempfile.TemporaryDirectory(prefix="meshai-") as folder:
        try:
            for speaks, models in [("openai", ["gpt-fake", "gpt-other"]), ("anthropic", ["claude-fake"]),
                                   ("gemini", ["gemini-3-fake"])]:
                fakes[speaks] = Fake(str(build / "fake_provider"), speaks, models)
            config = CONFIG.format(**{name: fake.port for name, fake in fakes.items()})
            node = Node(str(build / "meshai"), folder, config,
                        {"MESHAI_KEY": KEY, "MESHAI_NEAR_KEY": "k-near", "PROVIDER_KEY": PROVIDER_KEY})
            node.fakes = fakes
            try:
                yield node
            finally:
                if node.process.poll() is None:
                    node.stop()
        finally:
            for fake in fakes.values():
                fake.stop()
