#!/usr/bin/env python3
"""Speed, beside bare proxies before the same provider, in interleaved rounds of one run.

In each round every load meets every target, one after the other, so that what the machine does meanwhile meets all of
them. The figures are medians over the rounds; CPU time is the whole process tree's, divided by all answers or chunks.

    test/bench/bench.py --build build/release
    test/bench/bench.py --build build/release --rounds 1 --targets direct,haproxy,meshai --loads whole_16
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import targets

# name: model, connections, seconds (None: each connection asks once). "s40-10000": 40 chunks, 10,000 us apart.
LOADS = {
    "whole_1": ("whole", 1, 1.0),
    "whole_16": ("whole", 16, 1.5),
    "whole_64": ("whole", 64, 1.5),
    "stream_1": ("s4-1000", 1, 1.5),
    "stream_64": ("s40-10000", 64, 2.0),
    "flood_16": ("s100-0", 16, 1.5),
    "stream_512": ("s40-50000", 512, None),
}
ALL = ["direct", "haproxy", "nginx", "meshai", "meshai-1", "envoy", "litellm", "portkey"]

# What is printed: title, load, and where it stands in the result. "+" is what lies above direct.
ROWS = [
    ("whole answers, 1 connection: requests/s", "whole_1", "per_second", "{:,.0f}"),
    ("  added to the answer, us (p50)", "whole_1", "+answer_us.p50", "{:.0f}"),
    ("whole answers, 16 connections: requests/s", "whole_16", "per_second", "{:,.0f}"),
    ("  answer after, us (p50)", "whole_16", "answer_us.p50", "{:,.0f}"),
    ("  answer after, us (p99)", "whole_16", "answer_us.p99", "{:,.0f}"),
    ("  CPU a request, us", "whole_16", "cpu_answer", "{:.1f}"),
    ("whole answers, 64 connections: requests/s", "whole_64", "per_second", "{:,.0f}"),
    ("  answer after, us (p99)", "whole_64", "answer_us.p99", "{:,.0f}"),
    ("  CPU a request, us", "whole_64", "cpu_answer", "{:.1f}"),
    ("1 stream: first token after, us (p50)", "stream_1", "first_us.p50", "{:,.0f}"),
    ("  added, us (p50)", "stream_1", "+first_us.p50", "{:,.0f}"),
    ("64 streams: first token after, us (p50)", "stream_64", "first_us.p50", "{:,.0f}"),
    ("  added, us (p50)", "stream_64", "+first_us.p50", "{:,.0f}"),
    ("  first token after, us (p99)", "stream_64", "first_us.p99", "{:,.0f}"),
    ("  added to each chunk, us (p50)", "stream_64", "+transit_us.p50", "{:,.0f}"),
    ("  CPU a chunk, us", "stream_64", "cpu_chunk", "{:.1f}"),
    ("16 streams without a pause: chunks/s", "flood_16", "chunks_per_second", "{:,.0f}"),
    ("  CPU a chunk, us", "flood_16", "cpu_chunk", "{:.1f}"),
    ("512 streams at once: first token, us (p50)", "stream_512", "first_us.p50", "{:,.0f}"),
    ("  a chunk on its way, us (p99)", "stream_512", "transit_us.p99", "{:,.0f}"),
    ("  CPU a chunk, us", "stream_512", "cpu_chunk", "{:.1f}"),
    ("  memory, MB", "stream_512", "memory", "{:.1f}"),
    ("memory idle, MB", "idle", "memory", "{:.1f}"),
    ("chunks lost, doubled or out of order", "all", "chunks_wrong", "{:.0f}"),
    ("answers failed", "all", "failed", "{:.0f}"),
]
WRONG = ("lost", "doubled", "reordered")


def measure(target, load, program):
    model, connections, seconds = LOADS[load]
    command = [program, "--port", str(target.port), "--connections", str(connections), "--model", model]
    command += ["--once"] if seconds is None else ["--seconds", str(seconds)]
    for header in target.headers:
        command += ["--header", header]
    before = target.cpu() if target.process else 0.0
    memory = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        while seconds is None and target.process and running.poll() is None:
            memory = max(memory, target.memory())
            time.sleep(0.2)
        said = running.communicate(timeout=60)[0]
    if not said:
        sys.exit(f"{target.name} under {load}: bench_load gave up")
    out = json.loads(said)
    out["chunks_per_second"] = out["chunks"] / out["seconds"]
    if target.process:
        spent = (target.cpu() - before) * 1e6
        out["cpu_answer"] = spent / max(1, out["answers"])
        out["cpu_chunk"] = spent / max(1, out["chunks"])
        if seconds is None:
            out["memory"] = memory
    return out


def run(found, loads, rounds, program):
    """results[load][target] = one dictionary per round."""
    results = {load: {target.name: [] for target in found} for load in loads}
    for number in range(rounds):
        for load in loads:
            # Another one begins each time: whoever comes first meets a cooler machine.
            for target in found[number % len(found):] + found[:number % len(found)]:
                results[load][target.name].append(measure(target, load, program))
        print(f"round {number + 1} of {rounds} done", file=sys.stderr, flush=True)
    return results


def value(one, path):
    for name in path.split("."):
        if not isinstance(one, dict) or name not in one:
            return None
        one = one[name]
    return one


def median(rounds, path):
    found = [v for v in (value(one, path) for one in rounds) if v is not None]
    return statistics.median(found) if found else None


def figure(results, target, load, path):
    if load == "all":
        names = WRONG if path == "chunks_wrong" else (path,)
        return sum(one[name] for per in results.values() for one in per.get(target, []) for name in names if name in one)
    rounds = results.get(load, {}).get(target)
    if not rounds:
        return None
    if not path.startswith("+"):
        return median(rounds, path)
    through, bare = median(rounds, path[1:]), median(results[load].get("direct", []), path[1:])
    return None if target == "direct" or through is None or bare is None else through - bare


def table(results, names):
    lines = [" " * 46 + "".join(f"{name:>10}" for name in names) + f"{'/haproxy':>10}"]
    for title, load, path, form in ROWS:
        if load not in results and load != "all":
            continue
        row = {name: figure(results, name, load, path) for name in names}
        cells = "".join(f"{'-' if row[name] is None else form.format(row[name]):>10}" for name in names)
        ours, theirs = row.get("meshai"), row.get("haproxy")
        ratio = f"{ours / theirs:.2f}x" if ours is not None and theirs and load != "all" else ""
        lines.append(f"{title:<46}{cells}{ratio:>10}")
    return "\n".join(lines)


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{os.cpu_count()} cores, {model}, Linux {os.uname().release}"


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--build", required=True)
    ask.add_argument("--rivals", default="build/rivals")
    ask.add_argument("--rounds", type=int, default=int(os.environ.get("MESHAI_BENCH_ROUNDS", "4")))
    ask.add_argument("--targets", default=",".join(ALL))
    ask.add_argument("--loads", default=",".join(LOADS))
    how = ask.parse_args()
    build = pathlib.Path(how.build).resolve()
    rivals = pathlib.Path(how.rivals)
    if not rivals.is_absolute():
        rivals = pathlib.Path(__file__).resolve().parents[2] / rivals
    loads = how.loads.split(",")
    fake = subprocess.Popen([build / "bench_fake"], stdout=subprocess.PIPE, text=True)
    found = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            provider = int(fake.stdout.readline())
            models = sorted({load[0] for load in LOADS.values()})
            for name in how.targets.split(","):
                target = targets.start(name, folder, build, rivals, provider, models)
                if target:
                    found.append(target)
                else:
                    print(f"{name} is not installed", file=sys.stderr)
            time.sleep(0.5)
            idle = {target.name: [{"memory": target.memory()}] for target in found if target.process}
            results = run(found, loads, how.rounds, str(build / "bench_load"))
            results["idle"] = idle
        finally:
            for target in found:
                target.stop()
            fake.kill()
            fake.wait()
    text = f"{machine()}; {how.rounds} rounds, medians\n\n" + table(results, [target.name for target in found])
    into = build.parent / "bench"
    into.mkdir(exist_ok=True)
    (into / "bench.txt").write_text(text + "\n")
    (into / "bench.json").write_text(json.dumps({"machine": machine(), "rounds": how.rounds, "results": results}, indent=1))
    print(text)
    wrong = sum(figure(results, "meshai", "all", path) for path in ("chunks_wrong", "failed"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
