#!/usr/bin/env python3
"""How fast an answer goes on when its provider fails: detected, switched, next token, by class of fault.

Each fault is made in the middle of a stream (an error status: before its first token) by bench_switch, once with a free
core and once with every core kept busy. Writes failover.txt, failover.json and failover.svg beside the build folder.

    test/bench/failover.py --build build/release
    test/bench/failover.py --build build/release --count 100 --faults reset,kill --engine 0
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import plot
import targets

LONG = bool(os.environ.get("MESHAI_TEST_LONG"))
FAULTS = {
    "reset": "connection reset",
    "close": "connection closed",
    "garbage": "malformed event",
    "error": "error event",
    "status": "error status",
    "kill": "small process, kill -9",
    "engine": "llama-server, kill -9",
    "stall": "silence (hedge)",
}
CONFIG = """
[api]
listen = "127.0.0.1:{port}"

[limits]
hedge_share = 1.0

[[key]]
name = "bench"
secret = "env:MESHAI_KEY"
"""
NODE = """
[[node]]
name = "{name}"
tier = "cloud"
kind = "openai"
url = "http://127.0.0.1:{port}/v1"
key = "env:PROVIDER_KEY"
models = [{models}]
"""
ROUTE = """
[[model]]
name = "{name}"
route = ["{first}/{name}", "helper/{name}"]
"""


def engine_command():
    """llama-server and the default model, as the node's own engine is started; None where they are not installed."""
    data = pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share") / "meshai"
    root = data / "engine/root"
    server, models = root / "usr/bin/llama-server", sorted((data / "models").glob("*.gguf"))
    linkers = [*root.glob("lib64/ld-linux-*.so.2"), *root.glob("usr/lib*/ld-linux-*"), *root.glob("lib/ld-linux-*")]
    libraries = next(root.glob("usr/lib/*-linux-gnu"), None)
    if not (server.exists() and models and linkers and libraries):
        return None
    backends = libraries / "ggml/backends0"
    return backends, [str(linkers[0]), "--library-path", f"{libraries}:{libraries}/llama:{backends}", str(server),
                      "--model", str(models[0]), "--host", "127.0.0.1", "--parallel", "1", "--ctx-size", "2048",
                      "--threads", "1", "--offline", "--log-disable"]


class Bench:
    """The injector and the node it asks."""

    def __init__(self, build, folder):
        self.engine = engine_command()
        backends, command = self.engine or (None, [])
        self.injector = subprocess.Popen([build / "bench_switch", *command], cwd=backends, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        weak, killable, engine, helper = (int(port) for port in self.injector.stdout.readline().split())
        names = [*FAULTS]
        quoted = ", ".join(f'"{name}"' for name in names)
        port = targets.free_port()
        text = CONFIG.format(port=port)
        for name, at in {"weak": weak, "killable": killable, "engine": engine, "helper": helper}.items():
            text += NODE.format(name=name, port=at, models=quoted)
        for name in names:
            text += ROUTE.format(name=name, first={"kill": "killable", "engine": "engine"}.get(name, "weak"))
        log = pathlib.Path(folder) / "log"
        os.mkfifo(log)
        into = os.open(log, os.O_RDWR)
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder),
                       "MESHAI_KEY": targets.KEY, "PROVIDER_KEY": targets.PROVIDER_KEY}
        self.node = subprocess.Popen([build / "meshai", "serve", "--config", targets.written(folder, "config", text)],
                                     env=environment, stdout=into, stderr=into)
        os.close(into)
        wait_for(port, self.node)
        self.injector.stdin.write(f"node {port} {log}\n")

    def run(self, fault, count):
        self.injector.stdin.write(f"run {fault} {count}\n")
        self.injector.stdin.flush()
        line = self.injector.stdout.readline()
        return json.loads(line) if line else None

    def stop(self):
        for process in (self.injector, self.node):
            process.terminate()
            process.wait(20)


def wait_for(port, process):
    for _ in range(400):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    sys.exit("meshai does not come up")


class Busy:
    """Every core has something else to do."""

    def __enter__(self):
        self.spinners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count())]
        time.sleep(0.3)

    def __exit__(self, *_):
        for one in self.spinners:
            one.kill()
            one.wait()


class Others:
    """What everything but this bench takes of the cores meanwhile: a pause of theirs is in the figures."""

    def __init__(self, *pids):
        self.pids = pids
        self.before, self.began = self._spent(), time.monotonic()

    def _spent(self):
        machine = [int(field) for field in open("/proc/stat").readline().split()[1:9]]
        busy = sum(machine) - machine[3] - machine[4]  # idle, waiting for a disk
        ours = 0
        for pid in [os.getpid(), *self.pids]:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ours += sum(int(field) for field in fields[11:15])
        return busy - ours

    def share(self):
        span = (time.monotonic() - self.began) * os.sysconf("SC_CLK_TCK") * os.cpu_count()
        return max(0.0, (self._spent() - self.before) / span)


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def columns(shots):
    """Microseconds by name. A process's fault is there when the kernel has closed its sockets, `closed` after kill()."""
    out = {}
    for closed, verdict, switched, token in shots:
        zero = max(closed, 0)
        if closed >= 0:
            out.setdefault("closed", []).append(closed)
        if verdict >= 0:
            out.setdefault("detected", []).append(verdict - zero)
        out.setdefault("switched", []).append(switched - zero)
        out.setdefault("token", []).append(token - zero)
    return out


WORDS = {"closed": "kill() to closed sockets", "detected": "T1-T0 detected", "switched": "T2-T0 switched",
         "token": "T3-T0 next token"}


def table(results):
    lines = [f"{'microseconds':<56}{'N':>7}{'p50':>9}{'p90':>9}{'p99':>9}{'p99.9':>9}{'max':>10}"]
    for load, by_fault in results.items():
        for fault, got in by_fault.items():
            for name, values in columns(got["shots"]).items():
                tail = f"{quantile(values, 0.999):>9,.0f}" if len(values) >= 10_000 else f"{'-':>9}"
                cells = "".join(f"{quantile(values, share):>9,.0f}" for share in (0.5, 0.9, 0.99))
                lines.append(f"{load + ': ' + FAULTS[fault]:<32}{WORDS[name]:<24}{len(values):>7}{cells}{tail}"
                             f"{max(values):>10,.0f}")
    return "\n".join(lines)


def suspicions(build, folder, seconds):
    """Hedges of healthy traffic: 64 streams, a token every 10 ms, for so long. (hedges, streams answered)"""
    model, folder = "s100-10000", tempfile.mkdtemp(dir=folder)  # a node keeps others out of its runtime folder
    fakes = [subprocess.Popen([build / "bench_fake"], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    port = targets.free_port()
    text = CONFIG.format(port=port).replace("hedge_share = 1.0", "")
    for name, fake in zip(("first", "helper"), fakes):
        text += NODE.format(name=name, port=int(fake.stdout.readline()), models=f'"{model}"')
    text += ROUTE.format(name=model, first="first")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder),
                   "MESHAI_KEY": targets.KEY, "PROVIDER_KEY": targets.PROVIDER_KEY}
    node = subprocess.Popen([build / "meshai", "serve", "--config", targets.written(folder, "healthy", text)],
                            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, node)
        bearer = f"Authorization: Bearer {targets.KEY}"
        said = subprocess.run([build / "bench_load", "--port", str(port), "--connections", "64", "--model", model,
                               "--seconds", str(seconds), "--header", bearer], stdout=subprocess.PIPE, text=True).stdout
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/metrics",
                                       headers={"Authorization": f"Bearer {targets.KEY}"})
        with urllib.request.urlopen(asked) as metrics:
            found = re.search(r'meshai_attempts_total\{[^}]*node="helper"[^}]*\} (\d+)', metrics.read().decode())
        return (int(found[1]) if found else 0), json.loads(said)["answers"]
    finally:
        for process in (node, *fakes):
            process.kill()
            process.wait()


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--build", required=True)
    ask.add_argument("--count", type=int, default=10_000 if LONG else 1_000)
    ask.add_argument("--engine", type=int, default=100 if LONG else 10)
    ask.add_argument("--stalls", type=int, default=200 if LONG else 20)
    ask.add_argument("--healthy", type=float, default=300 if LONG else 20, help="seconds of healthy traffic")
    ask.add_argument("--loads", default="free,busy")
    ask.add_argument("--faults", default=",".join(FAULTS))
    how = ask.parse_args()
    build = pathlib.Path(how.build).resolve()
    counts = {fault: how.count for fault in FAULTS} | {"engine": how.engine, "stall": how.stalls}
    results, wrong, notes = {}, 0, []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(build, folder)
        try:
            for load in how.loads.split(","):
                with Busy() if load == "busy" else contextlib.nullcontext():
                    results[load] = {}
                    others = Others(bench.injector.pid, bench.node.pid)
                    for fault in how.faults.split(","):
                        if fault == "engine" and not bench.engine:
                            notes.append("no llama-server: it is not installed")
                            continue
                        if counts[fault] == 0:
                            continue
                        got = bench.run(fault, counts[fault])
                        if not got or not got["shots"]:
                            sys.exit(f"{fault}: bench_switch gave up")
                        results[load][fault] = got
                        wrong += got["wrong"] + got["failed"]
                        print(f"{load}: {fault} done", file=sys.stderr, flush=True)
                    if load == "free":
                        notes.append(f"free: other programs took {others.share():.0%} of the cores meanwhile")
                    if how.healthy > 0:
                        hedges, answers = suspicions(build, folder, how.healthy)
                        notes.append(f"{load}: {hedges} false suspicions in {how.healthy:.0f} s of 64 healthy streams "
                                     f"({answers} answers), {hedges * 3600 / how.healthy:.0f} an hour")
        finally:
            bench.stop()
    text = "\n".join([table(results), "", *dict.fromkeys(notes), f"answers wrong or missing: {wrong}"])
    into = build.parent / "bench"
    into.mkdir(exist_ok=True)
    (into / "failover.txt").write_text(text + "\n")
    (into / "failover.json").write_text(json.dumps(results))
    curves = {load: {FAULTS[fault]: columns(got["shots"])["switched"] for fault, got in by_fault.items()}
              for load, by_fault in results.items()}
    (into / "failover.svg").write_text(plot.tails(curves, "From the fault to the next question (T2-T0)", 750))
    print(text)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
