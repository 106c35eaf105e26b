"""Runs the tests of OpenAI's Go client against a node of ours."""
import os
import pathlib
import subprocess
import sys

import harness

with harness.world("openai_go") as node:
    environment = {**os.environ, "MESHAI_BASE_URL": node.base + "/v1", "MESHAI_KEY": harness.KEY, "GOFLAGS": "-mod=readonly"}
    folder = pathlib.Path(__file__).parent / "go"
    sys.exit(subprocess.run(["go", "test", "-count=1", "./..."], cwd=folder, env=environment).returncode)
