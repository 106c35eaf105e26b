"""The unit for systemd: what it says, and that systemd itself finds nothing wrong with it."""
import configparser
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from house import FAILED

ROOT = os.geteuid() == 0
BOOTED = pathlib.Path("/run/systemd/system").is_dir()


def unit(home, *more):
    return home.says(0, "service", "install", "--print", *more)


def parse(text):
    read = configparser.RawConfigParser(strict=False)
    read.optionxform = str
    read.read_string(text)
    return read


def test_the_unit_keeps_the_supervisor(home):
    config = home.write("")
    read = parse(unit(home, "--config", config))
    assert read["Service"]["ExecStart"].endswith(f' supervise --config "{config}"')
    assert read["Service"]["Restart"] == "always"
    assert read["Service"]["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert read["Install"]["WantedBy"] == ("multi-user.target" if ROOT else "default.target")


def test_odd_names_are_quoted(home):
    read = parse(unit(home, "--config", '/tmp/50% of "it"/my config.toml'))
    assert read["Service"]["ExecStart"].endswith('"/tmp/50%% of \\"it\\"/my config.toml"')


def test_systemd_finds_nothing_wrong(home, tmp_path):
    verify = shutil.which("systemd-analyze")
    if not verify:
        pytest.skip("systemd-analyze is not installed here")
    file = tmp_path / "meshai.service"
    file.write_text(unit(home))
    ran = subprocess.run([verify, *([] if ROOT else ["--user"]), "verify", str(file)], capture_output=True, text=True)
    wrong = [line for line in ran.stderr.splitlines() if "meshai.service" in line]
    assert wrong == []


@pytest.mark.skipif(BOOTED, reason="systemd runs this machine: a test must not install anything there")
def test_where_there_is_no_systemd_it_says_what_else_there_is(home):
    assert "meshai up" in home.says(FAILED, "service", "install")
    told = home.tells(FAILED, "service", "install")
    assert "--print" in told["error"]["message"]


@pytest.mark.skipif(ROOT and pathlib.Path("/etc/systemd/system/meshai.service").exists(), reason="there is one here")
def test_what_is_not_there_cannot_be_removed(home):
    assert "there is no " in home.says(FAILED, "service", "uninstall")
