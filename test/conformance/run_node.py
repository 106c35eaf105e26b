"""Runs the tests of OpenAI's Node client against a node of ours."""
import os
import pathlib
import subprocess
import sys

import harness

with harness.world("openai_node") as node:
    environment = {**os.environ, "MESHAI_BASE_URL": node.base + "/v1", "MESHAI_KEY": harness.KEY}
    here = pathlib.Path(__file__).parent / "node" / "client.test.mjs"
    there = pathlib.Path(sys.argv[1]) / "node" / "client.test.mjs"
    there.write_text(here.read_text())
    sys.exit(subprocess.run(["node", "--test", str(there)], env=environment).returncode)
