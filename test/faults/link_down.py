"""The way to a provider goes away in the middle of its answer: it lies in a network namespace.

Nothing is reset and nothing closed, the packets are simply gone. Where this machine's own kernel tells (the link has no
carrier, is taken down, or its address is taken away) the answer goes on from the next candidate at once, and the lost
one is not even dialled; where nobody tells (the far end drops everything) after idle_timeout. When the way is back, the
provider is asked again.

  link_down.py --build DIR      exit status 0 also where no namespace can be made (then it says so)
"""
import argparse
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import matrix

OURS, THEIRS = "10.213.77.1", "10.213.77.2"
CONFIG = """
[api]
listen = "127.0.0.1:0"
[limits]
idle_timeout = "4s"
first_token_timeout = "4s"
connect_timeout = "500ms"
hedge_share = 0.0
[[node]]
name = "there"
tier = "neighbour"
kind = "openai-compatible"
url = "http://{theirs}:{there}/v1"
models = ["m"]
[[node]]
name = "here"
tier = "local"
kind = "openai-compatible"
url = "http://127.0.0.1:{here}/v1"
models = ["m"]
[[model]]
name = "both"
route = ["there", "here"]
"""


def ip(*words, check=True):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=check)


class Namespace:
    def __init__(self):
        self.name, self.link = f"meshai{os.getpid()}", f"mv{os.getpid() % 100000}"
        ip("netns", "add", self.name)
        ip("link", "add", self.link, "type", "veth", "peer", "name", "v0", "netns", self.name)
        ip("addr", "add", f"{OURS}/30", "dev", self.link)
        ip("link", "set", self.link, "up")
        for words in (("addr", "add", f"{THEIRS}/30", "dev", "v0"), ("link", "set", "v0", "up"), ("link", "set", "lo", "up")):
            ip("-n", self.name, *words)

    def lose(self, how):
        """Takes the way away; returns what brings it back."""
        if how == "no carrier":
            ip("-n", self.name, "link", "set", "v0", "down")
            return lambda: ip("-n", self.name, "link", "set", "v0", "up")
        if how == "link down":
            ip("link", "set", self.link, "down")
            return lambda: ip("link", "set", self.link, "up")
        if how == "address gone":
            ip("addr", "del", f"{OURS}/30", "dev", self.link)
            return lambda: ip("addr", "add", f"{OURS}/30", "dev", self.link)
        ip("-n", self.name, "addr", "del", f"{THEIRS}/30", "dev", "v0")
        return lambda: ip("-n", self.name, "addr", "add", f"{THEIRS}/30", "dev", "v0")

    def end(self):
        ip("netns", "del", self.name, check=False)
        ip("link", "del", self.link, check=False)


class There(matrix.Fake):
    """A fake provider in the namespace."""

    def __init__(self, build, space):
        self.process = subprocess.Popen(["ip", "netns", "exec", space.name, build / "fake_provider", "--model", "m",
                                         "--listen", THEIRS], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())


def ask(port, script, stream=True, each=lambda text: None):
    """(text, story, seconds to the end); `each` sees the text so far."""
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = {"model": "both", "stream": stream, "messages": [{"role": "user", "content": "fake:" + json.dumps(script)}]}
    began = time.monotonic()
    door.request("POST", "/v1/chat/completions", json.dumps(body))
    if not stream:
        time.sleep(0.3)
        each(matrix.TEXT)
        whole = json.loads(door.getresponse().read())
        assert "error" not in whole, whole
        return whole["choices"][0]["message"]["content"], whole["mesh"], time.monotonic() - began
    answer, said, story = door.getresponse(), "", {}
    for line in answer:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        assert "error" not in event, event
        story = event.get("mesh", story)
        said += "".join(choice["delta"].get("content") or "" for choice in event["choices"])
        each(said)
    door.close()
    return said, story, time.monotonic() - began


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", required=True, type=pathlib.Path)
    build = options.parse_args().build.resolve()
    try:
        space = Namespace()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"skipped: no network namespace can be made here ({getattr(error, 'stderr', '') or error})")
        return 0
    ends = [space.end]
    try:
        there, here = There(build, space), matrix.Fake(build, "--model", "m")
        ends = [there.end, here.end, space.end]
        with tempfile.TemporaryDirectory(prefix="meshai-") as folder:
            node = matrix.Node(build, folder, CONFIG.format(theirs=THEIRS, there=there.port, here=here.port))
            try:
                check(node, space)
            finally:
                node.end()
    finally:
        for end in ends:
            end()
    return 0


def check(node, space):
    for how in ("no carrier", "link down", "address gone", "silence"):
        for stream in (True, False):
            check_one(node, space, how, stream)


def check_one(node, space, how, stream):
    back = []

    def cut(said):
        if len(said) > 20 and not back:
            back.append(space.lose(how))

    try:
        said, story, took = ask(node.port, {"text": matrix.TEXT, "gap_ms": 40}, stream, cut)
        assert back and said == matrix.TEXT, said
        assert [(one["node"], one["streamed"]) for one in story["failed"]] == [("there", True)], story
        known = how != "silence"
        assert (took < 3.5) == known, f"{how}: {took} s"
        slow = 0
        for _ in range(8):
            said, story, again = ask(node.port, {"text": matrix.TEXT})
            assert said == matrix.TEXT and story["node"] == "here", (said, story)
            slow += again > 0.3
        # Without the link's own route another one may lead astray: then it is dialled, until its breaker opens.
        assert slow <= (0 if how == "no carrier" else 4), "the lost one is asked again and again"
    finally:
        for one in back:
            one()
    until = time.monotonic() + 25
    while ask(node.port, {"text": matrix.TEXT})[1]["node"] != "there":
        assert time.monotonic() < until, "it is not asked again"
        time.sleep(0.2)
    print(f"{how}, {'streamed' if stream else 'whole'}: the answer was there after {took:.1f} s, and the lost one was "
          "asked again when it was back")


if __name__ == "__main__":
    sys.exit(main())
