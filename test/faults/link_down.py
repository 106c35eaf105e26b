"""The way to a provider goes away in mid-stream: a link in a network namespace is taken down, and its address with it.

Nothing is reset and nothing closed, the packets are simply gone. The answer goes on from the next candidate after
idle_timeout; new questions do not wait for the lost one again; when the link is back, the provider is asked again.

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
idle_timeout = "1s"
first_token_timeout = "1s"
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

    def set_link(self, state):
        ip("-n", self.name, "link", "set", "v0", state)

    def end(self):
        ip("netns", "del", self.name, check=False)
        ip("link", "del", self.link, check=False)


class There(matrix.Fake):
    """A fake provider in the namespace."""

    def __init__(self, build, space):
        self.process = subprocess.Popen(["ip", "netns", "exec", space.name, build / "fake_provider", "--model", "m",
                                         "--listen", THEIRS], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())


def ask(port, script, each=lambda text: None):
    """(text, story, seconds to the end); `each` sees the text so far."""
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = {"model": "both", "stream": True, "messages": [{"role": "user", "content": "fake:" + json.dumps(script)}]}
    began = time.monotonic()
    door.request("POST", "/v1/chat/completions", json.dumps(body))
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
    def cut(said):
        if len(said) > 20 and not cut.done:
            cut.done = True
            space.set_link("down")
    cut.done = False
    said, story, took = ask(node.port, {"text": matrix.TEXT, "gap_ms": 30}, cut)
    assert said == matrix.TEXT, said
    assert [(one["node"], one["streamed"]) for one in story["failed"]] == [("there", True)], story
    assert took < 5, took
    slow = 0
    for _ in range(8):
        said, story, took = ask(node.port, {"text": matrix.TEXT})
        assert said == matrix.TEXT and story["node"] == "here", (said, story)
        slow += took > 0.3
    assert slow <= 4, "the lost one is asked again and again"
    space.set_link("up")
    until = time.monotonic() + 25
    while ask(node.port, {"text": matrix.TEXT})[1]["node"] != "there":
        assert time.monotonic() < until, "it is not asked again"
        time.sleep(0.2)
    print("the answer went on, the lost one was left alone, and asked again when it was back")


if __name__ == "__main__":
    sys.exit(main())
