"""Runs the tests of OpenAI's Go client against a node of ours."""
import pathlib
import subprocess
import sys

import harness

with harness.world("openai_go") as node:
    folder = pathlib.Path(__file__).parent / "go"
    ran = subprocess.run(["go", "test", "-count=1", "./..."], cwd=folder,
                         env={**harness.told_to_clients(node), "GOFLAGS": "-mod=readonly"})
sys.exit(ran.returncode)
