"""Runs the tests of OpenAI's Node client against a node of ours."""
import pathlib
import subprocess
import sys

import harness

with harness.world("openai_node") as node:
    here = pathlib.Path(__file__).parent / "node" / "client.test.mjs"
    there = pathlib.Path(sys.argv[1]) / "node" / "client.test.mjs"
    there.write_text(here.read_text())
    ran = subprocess.run(["node", "--test", str(there)], env=harness.told_to_clients(node))
sys.exit(ran.returncode)
