"""Mixed load for a while, and somebody is killed every few seconds: no answer may be lost.

Three engines (llama-server, a thread each) and three fake providers behind one node. Answers of the fakes must be the
expected text to the byte, those of the engines well-formed and whole, with one finish reason and no doubled seam. At the
end the node's own memory and descriptors, as its /metrics tells them, are compared: the median of the last sixth against
the median of the second one. Nobody is killed who is the last of its kind: then there would be nobody left to answer.

  soak.py --build DIR [--seconds N] [--outages FILE]      prints what happened; exit status 1 when something is wrong
"""
import argparse
import collections
import concurrent.futures
import http.client
import itertools
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ENGINES, FAKES = ["e1", "e2", "e3"], ["f1", "f2", "f3"]
SPEAKS = {"f1": "openai", "f2": "anthropic", "f3": "gemini"}
KINDS = {"f1": "openai-compatible", "f2": "anthropic", "f3": "gemini"}
BASES = {"f1": "/v1", "f2": "/v1", "f3": "/v1beta"}
KILL_EVERY = (2.0, 4.0)  # seconds
BACK_AFTER = 0.7         # of a fake; engines are started again by the node
WORDS = "the quick brown fox jumps over a lazy dog while seven wizards box jovially near quiet rivers".split()
LANDS = ["France", "Japan", "Egypt", "Peru", "Kenya", "Norway", "India", "Chile", "Cuba", "Nepal"]
MEMORY_MARGIN = 2_000_000  # bytes, or 5 %


def config(ports):
    out = ['[api]\nlisten = "127.0.0.1:0"\nworkers = 2\n'
           '[limits]\nfirst_token_timeout = "10s"\nidle_timeout = "5s"\nattempts = 8\n']
    for name in ENGINES:
        out.append(f'[[node]]\nname = "{name}"\ntier = "local"\nkind = "engine"\nmodel = "default"\nthreads = 1\nslots = 1\n')
    for name in FAKES:
        out.append(f'[[node]]\nname = "{name}"\ntier = "local"\nkind = "{KINDS[name]}"\n'
                   f'url = "http://127.0.0.1:{ports[name]}{BASES[name]}"\nmodels = ["m-{name}"]\n')
    out.append(f'[[model]]\nname = "engines"\nroute = {json.dumps(ENGINES)}\n')
    for first in range(len(FAKES)):
        route = [f"{FAKES[(first + i) % 3]}/m-{FAKES[(first + i) % 3]}" for i in range(3)]
        out.append(f'[[model]]\nname = "fakes-{first}"\nroute = {json.dumps(route)}\n')
    return "\n".join(out)


class Fake:
    def __init__(self, program, name):
        self.name, self.command, self.port = name, [program, "--speaks", SPEAKS[name], "--model", f"m-{name}", "--forget"], 0
        self.start()

    def start(self):
        self.process = subprocess.Popen([*self.command, "--port", str(self.port)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def kill(self):
        self.process.kill()
        self.process.wait(10)


class Node:
    def __init__(self, program, folder, text):
        self.program, self.log = program, pathlib.Path(folder) / "log"
        path = pathlib.Path(folder) / "meshai.toml"
        path.write_text(text)
        data = os.environ.get("XDG_DATA_HOME") or str(pathlib.Path.home() / ".local/share")
        self.environment = {"PATH": os.environ["PATH"], "HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_DATA_HOME": data}
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([program, "serve", "--config", str(path)], env=self.environment, stdout=log,
                                            stderr=log)
        self.port = None

    def status(self):
        shown = subprocess.run([self.program, "status", "--json"], env=self.environment, capture_output=True, text=True)
        return json.loads(shown.stdout) if shown.returncode == 0 else None

    def wait(self):
        """Until every engine answers."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise SystemExit(f"the node ended:\n{self.log.read_text()}")
            if self.port is None and (seen := self.status()):
                self.port = int(seen["listen"][0].rsplit(":", 1)[1])
            if self.port and all(self.up(name) for name in ENGINES):
                return
            time.sleep(0.2)
        raise SystemExit("the engines do not come up; type: make up")

    def metrics(self):
        door = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        door.request("GET", "/metrics")
        lines = door.getresponse().read().decode().splitlines()
        door.close()
        return dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))

    def up(self, engine):
        return self.metrics().get(f'meshai_engine_up{{node="{engine}"}}') == "1"

    def engine_processes(self):
        """By node: the engine's socket is named after it."""
        found = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(stat.read_text().rsplit(") ", 1)[1].split()[1]) != self.process.pid:
                    continue
                command = (stat.parent / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except (OSError, IndexError, ValueError):
                continue
            for name in ENGINES:
                if any(f"/engine-{name}-" in word for word in command):
                    found[name] = int(stat.parent.name)
        return found


# ---- callers


def ask(port, path, body):
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    door.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = door.getresponse()
    text = answer.read().decode()
    door.close()
    return answer.status, text


def events(text):
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ") and line != "data: [DONE]"]


def read_openai(status, text, stream):
    """(text, finish reasons, story) or what is wrong."""
    if status != 200:
        return f"status {status}: {text[:300]}"
    if not stream:
        whole = json.loads(text)
        return whole["choices"][0]["message"]["content"], [whole["choices"][0]["finish_reason"]], whole.get("mesh", {})
    if not text.rstrip().endswith("data: [DONE]"):
        return f"no [DONE]: {text[-300:]}"
    out, finishes, story, roles = "", [], {}, 0
    for event in events(text):
        if "error" in event:
            return f"error event: {event['error']}"
        story = event.get("mesh", story)
        for choice in event["choices"]:
            roles += "role" in choice["delta"]
            out += choice["delta"].get("content") or ""
            if choice["finish_reason"]:
                finishes.append(choice["finish_reason"])
    return (out, finishes, story) if roles == 1 else f"{roles} role chunks"


def read_anthropic(status, text):
    if status != 200:
        return f"status {status}: {text[:300]}"
    out, finishes, blocks, stops, story = "", [], 0, 0, {}
    for event in events(text):
        if event["type"] == "error":
            return f"error event: {event['error']}"
        blocks += event["type"] == "content_block_start"
        stops += event["type"] == "message_stop"
        story = event.get("mesh", story)
        if event["type"] == "content_block_delta":
            out += event["delta"].get("text", "")
        if event["type"] == "message_delta" and event["delta"].get("stop_reason"):
            finishes.append(event["delta"]["stop_reason"])
    return (out, finishes, story) if (blocks, stops) == (1, 1) else f"{blocks} blocks, {stops} message_stop"


def ask_fakes(port, dice, number):
    """One question to the fakes; nothing when the answer is as it must be."""
    expected = f"Number {number}: " + " ".join(dice.choice(WORDS) for _ in range(dice.randint(5, 60))) + "."
    script = "fake:" + json.dumps({"text": expected, "gap_ms": dice.choice([0, 5, 20, 40])})
    body = {"model": f"fakes-{dice.randrange(3)}", "messages": [{"role": "user", "content": script}]}
    kind = dice.choice(["stream", "stream", "whole", "anthropic"])
    if kind == "anthropic":
        got = read_anthropic(*ask(port, "/v1/messages", {**body, "max_tokens": 1000, "stream": True}))
    else:
        got = read_openai(*ask(port, "/v1/chat/completions", {**body, "stream": kind == "stream"}), kind == "stream")
    if isinstance(got, str):
        return None, f"{kind}: {got}"
    text, finishes, story = got
    if text != expected:
        return None, f"{kind}: {text!r} for {expected!r}"
    return (story, None) if len(finishes) == 1 else (None, f"{kind}: finish reasons {finishes}")


def doubled(text, least=24):
    """A piece of the text that stands twice, one right behind the other: a seam that was not cut."""
    return any(text[i:i + size] == text[i + size:i + 2 * size]
               for size in range(least, len(text) // 2 + 1) for i in range(len(text) - 2 * size + 1))


def ask_engines(port, dice, number):
    stream = number % 3 != 0
    body = {"model": "engines", "stream": stream, "max_tokens": 40, "temperature": 0,
            "messages": [{"role": "user", "content": f"Tell me about {dice.choice(LANDS)} in one sentence."}]}
    got = read_openai(*ask(port, "/v1/chat/completions", body), stream)
    if isinstance(got, str):
        return None, f"engine: {got}"
    text, finishes, story = got
    if not text.strip() or len(finishes) != 1 or finishes[0] not in ("stop", "length"):
        return None, f"engine: {finishes} {text!r}"
    went_on = any(one.get("streamed") for one in story.get("failed", []))
    return (None, f"engine: a doubled seam in {text!r}") if went_on and doubled(text) else (story, None)


# ---- the soak


class Soak:
    def __init__(self, node, fakes, seconds, seed):
        self.node, self.fakes, self.dice = node, fakes, random.Random(seed)
        self.begun, self.until = time.monotonic(), time.monotonic() + seconds
        self.kills, self.outages = collections.Counter(), []
        self.answers, self.switched, self.went_on = collections.Counter(), 0, 0
        self.wrong, self.samples = [], []
        self.lock = threading.Lock()

    def since(self):
        return round(time.monotonic() - self.begun, 3)

    def call(self, kind, ask_one, seed):
        dice = random.Random(seed)
        for number in itertools.count():
            if time.monotonic() >= self.until:
                return
            try:
                story, wrong = ask_one(self.node.port, dice, number)
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                story, wrong = None, f"{kind}: {type(error).__name__}: {error}"
            with self.lock:
                self.answers[kind] += 1
                if wrong:
                    self.wrong.append((self.since(), wrong))
                    continue
                failed = story.get("failed", [])
                self.switched += bool(failed)
                self.went_on += any(one.get("streamed") for one in failed)

    def kill_fake(self):
        one = self.dice.choice(self.fakes)
        down = self.since()
        one.kill()
        self.kills[one.name] += 1
        time.sleep(BACK_AFTER)
        one.start()
        self.outages.append({"node": one.name, "down": down, "up": self.since()})

    def kill_engine(self):
        there = {name: pid for name, pid in self.node.engine_processes().items() if self.node.up(name)}
        if len(there) < 2:
            return
        name = self.dice.choice(sorted(there))
        down = self.since()
        os.kill(there[name], signal.SIGKILL)
        self.kills[name] += 1
        while time.monotonic() < self.until + 30:
            time.sleep(0.05)
            if self.node.engine_processes().get(name, there[name]) != there[name] and self.node.up(name):
                break
        self.outages.append({"node": name, "down": down, "up": self.since()})

    def kill(self, how):
        while time.monotonic() < self.until - 3:
            time.sleep(self.dice.uniform(*KILL_EVERY) * 2)  # there are two who kill
            how()

    def watch(self):
        while time.monotonic() < self.until:
            seen = self.node.metrics()
            self.samples.append((self.since(), int(seen["process_resident_memory_bytes"]), int(seen["process_open_fds"])))
            time.sleep(min(1, max(0.05, (self.until - self.begun) / 200)))

    def run(self):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            work = [pool.submit(self.call, "fakes", ask_fakes, seed) for seed in range(6)]
            work += [pool.submit(self.call, "engines", ask_engines, seed) for seed in range(100, 102)]
            work += [pool.submit(self.kill, how) for how in (self.kill_fake, self.kill_engine)]
            work.append(pool.submit(self.watch))
            for each in work:
                each.result()

    def growth(self, column):
        """(median of the second sixth, median of the last one)"""
        length = self.until - self.begun
        part = [[one[column] for one in self.samples if k * length / 6 <= one[0] < (k + 1) * length / 6] for k in (1, 5)]
        return tuple(statistics.median(one) for one in part)


def judge(soak, long):
    wrong = [f"{when:8.1f} s  {what}" for when, what in soak.wrong]
    memory, descriptors = soak.growth(1), soak.growth(2)
    if long and memory[1] > max(memory[0] * 1.05, memory[0] + MEMORY_MARGIN):
        wrong.append(f"memory grew from {memory[0]:.0f} to {memory[1]:.0f} bytes")
    if long and descriptors[1] > max(descriptors[0] * 1.05, descriptors[0] + 2):
        wrong.append(f"descriptors grew from {descriptors[0]:.0f} to {descriptors[1]:.0f}")
    if not soak.went_on:
        wrong.append("nobody was killed in mid-stream: this shows nothing")
    if soak.node.process.poll() is not None:
        wrong.append("the node has ended")
    print(f"{soak.answers['fakes']} answers of fakes, {soak.answers['engines']} of engines; "
          f"{sum(soak.kills.values())} kills ({', '.join(f'{k} {v}' for k, v in sorted(soak.kills.items()))})")
    print(f"{soak.switched} answers after a failed attempt, {soak.went_on} of them gone on with in mid-stream")
    print(f"memory {memory[0] / 1e6:.1f} MB, later {memory[1] / 1e6:.1f} MB; descriptors {descriptors[0]:.0f}, "
          f"later {descriptors[1]:.0f}{'' if long else ' (too short to judge)'}")
    print(f"{len(wrong)} wrong" + "".join("\n  " + one for one in wrong[:20]))
    return not wrong


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", required=True, type=pathlib.Path)
    options.add_argument("--seconds", type=float, default=1800 if os.environ.get("MESHAI_TEST_LONG") else 24)
    options.add_argument("--outages", type=pathlib.Path, help="where the times of the kills are written, as JSON lines")
    options.add_argument("--seed", type=int, default=1)
    how = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="meshai-") as folder:
        fakes = [Fake(str(how.build / "fake_provider"), name) for name in FAKES]
        node = Node(str(how.build / "meshai"), folder, config({one.name: one.port for one in fakes}))
        try:
            node.wait()
            soak = Soak(node, fakes, how.seconds, how.seed)
            soak.run()
            good = judge(soak, how.seconds >= 600)
            if how.outages:
                how.outages.write_text("".join(json.dumps(one) + "\n" for one in soak.outages))
        finally:
            node.process.terminate()
            node.process.wait(30)
            for one in fakes:
                one.kill()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
