"""A real llama-server is killed by SIGKILL in the middle of its answer, again and again: another one goes on with it.

What the caller has stays, the rest comes once, with one finish reason and no doubled seam; the story says who fell; and the
one that was killed answers again. For callers of both dialects, streamed and whole.

  engine_killed.py --build DIR [--times N]      prints what happened; exit status 1 when something is wrong
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time

import soak

CONFIG = """
[api]
listen = "127.0.0.1:0"
[limits]
hedge_share = 0.0
""" + "".join(f"""
[[node]]
name = "{name}"
tier = "local"
kind = "engine"
model = "default"
threads = 1
slots = 1
""" for name in soak.ENGINES) + "".join(f"""
[[model]]
name = "{name}-first"
route = {json.dumps(soak.ENGINES[i:] + soak.ENGINES[:i])}
""" for i, name in enumerate(soak.ENGINES))
KINDS = ["openai streamed", "anthropic streamed", "openai whole", "anthropic whole"]
LEAST, SHORT = 20, 200  # bytes of the answer before the kill; of one that may be over by then
STREAMED, WHOLE = 60, 200  # tokens: longer than the question, LEAST or WHOLE_AFTER and the kill take
WHOLE_AFTER = 0.15  # seconds until the kill, where nothing is seen of the answer before its end


class Round:
    """One question, and the death of whoever answers it."""

    def __init__(self, node, kind, number):
        self.node, self.kind, self.stream = node, kind, "streamed" in kind
        self.killed = soak.ENGINES[number % len(soak.ENGINES)]
        self.pid = node.engine_processes()[self.killed]
        self.body = {"model": f"{self.killed}-first", "max_tokens": STREAMED if self.stream else WHOLE, "temperature": 0,
                     "stream": self.stream, "messages": [
            {"role": "user", "content": f"Tell me a long story about a river in {soak.LANDS[number % len(soak.LANDS)]}."}]}
        self.path = "/v1/messages" if "anthropic" in kind else "/v1/chat/completions"
        self.before, self.struck, self.fell = "", False, False

    def strike(self):
        self.struck = True
        os.kill(self.pid, signal.SIGKILL)

    def text_of(self, line):
        event = json.loads(line[6:]) if line.startswith(b"data: {") else {}
        if "anthropic" in self.kind:
            return event.get("delta", {}).get("text") or ""
        return "".join(choice["delta"].get("content") or "" for choice in event.get("choices", []))

    def ask(self):
        door = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=120)
        door.request("POST", self.path, json.dumps(self.body), {"Content-Type": "application/json"})
        if not self.stream:
            threading.Timer(WHOLE_AFTER, self.strike).start()
        answer, lines = door.getresponse(), []
        for line in answer:
            lines.append(line)
            if self.stream and not self.struck:
                self.before += self.text_of(line)
                if len(self.before) >= LEAST:
                    self.strike()
        door.close()
        return answer.status, b"".join(lines).decode()

    def read(self, status, text):
        if self.stream:
            return soak.read_anthropic(status, text) if "anthropic" in self.kind else soak.read_openai(status, text, True)
        if "anthropic" not in self.kind or status != 200:
            return soak.read_openai(status, text, False)
        whole = json.loads(text)
        if [part["type"] for part in whole["content"]] != ["text"]:
            return f"content {whole['content']}"
        return whole["content"][0]["text"], [whole["stop_reason"]], whole.get("mesh", {})

    def judge(self):
        """What is wrong with it."""
        got = self.read(*self.ask())
        if isinstance(got, str):
            return got
        text, finishes, story = got
        fell = [(one["node"], one["streamed"]) for one in story.get("failed", [])]
        # A short answer may be over before the engine is dead, and a whole one may not have begun.
        over = not fell and len(text) < SHORT
        if fell != [(self.killed, True)] and not over and (self.stream or fell not in ([], [(self.killed, False)])):
            return f"the story tells of {fell}: {story}, {text!r}"
        self.fell = bool(fell)
        if not text.startswith(self.before) or len(text) <= len(self.before):
            return f"{self.before!r} became {text!r}"
        # So small a model repeats itself when it goes on for long.
        if len(finishes) != 1 or (self.stream and soak.doubled(text)):
            return f"{finishes} {text!r}"
        return None


def wait_for(holds, patience=90):
    until = time.monotonic() + patience
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", required=True, type=pathlib.Path)
    options.add_argument("--times", type=int, default=100 if os.environ.get("MESHAI_TEST_LONG") else 6)
    how = options.parse_args()
    wrong, answered, fell = [], collections.Counter(), {}
    with tempfile.TemporaryDirectory(prefix="meshai-") as folder:
        node = soak.Node(str(how.build / "meshai"), folder, CONFIG)
        try:
            node.wait()
            for number in range(how.times + len(soak.ENGINES)):  # at last, all of them shall be back
                name = soak.ENGINES[number % len(soak.ENGINES)]
                if not wait_for(lambda: node.up(name) and node.engine_processes().get(name) not in (None, fell.get(name))):
                    wrong.append(f"{number}: {name} does not come back")
                    break
                if number >= how.times:
                    continue
                kind = KINDS[number % len(KINDS)]
                one = Round(node, kind, number)
                if complaint := one.judge():
                    wrong.append(f"{number}, {kind}: {complaint}")
                answered[kind] += one.fell
                if one.struck:
                    fell[name] = one.pid
            if sum(answered.values()) < how.times / 2:
                wrong.append("most answers were over too soon: this shows little")
            if node.process.poll() is not None:
                wrong.append("the node has ended")
        finally:
            node.process.terminate()
            node.process.wait(30)
        if wrong:
            print(node.log.read_text()[-4000:])
    print("gone on with: " + ", ".join(f"{count} {kind}" for kind, count in answered.items()))
    print(f"{len(wrong)} wrong" + "".join("\n  " + one for one in wrong[:20]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
