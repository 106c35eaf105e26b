"""Completion scripts in the shells they are for, and the manual page in the programs that show it."""
import pathlib
import re
import shutil
import subprocess

import pytest

from house import OK, PROGRAM

SAMPLE = pathlib.Path(__file__).resolve().parents[1] / "fuzz" / "corpus" / "gguf" / "whole"


def shell(name):
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


BASH = """
source /dev/stdin <<<"$({program} completion bash)"
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _meshai; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
autoload -U compinit; compinit -D -u
source <({program} completion zsh)
[[ $_comps[meshai] == _meshai ]] || exit 3
compadd() {{ shift; (( $# )) && print -l -- "$@"; }}
_files() {{ print files; }}
words=({words}); CURRENT=$#words; _meshai
"""


def offered(name, words, environment=None):
    """What is offered for the last of `words`."""
    if name == "fish":
        script = f"{PROGRAM} completion fish | source; complete -C '{words}'"
        ran = subprocess.run([shell("fish"), "--no-config", "-c", script], capture_output=True, text=True, timeout=20,
                             env=environment)
    else:
        script = (BASH if name == "bash" else ZSH).format(program=PROGRAM, words=words if not words.endswith(" ") else words + "''")
        options = ["--norc", "--noprofile"] if name == "bash" else ["-f"]
        ran = subprocess.run([shell(name), *options, "-c", script], capture_output=True, text=True, timeout=20,
                             env=environment)
    assert ran.returncode == OK and ran.stderr == "", ran.stderr
    return {line.split("\t")[0] for line in ran.stdout.splitlines()}


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("words, some", [
    ("meshai ", {"up", "ask", "status", "doctor"}),
    ("meshai models ", {"add", "use", "show", "list"}),
    ("meshai config ", {"check"}),
    ("meshai completion ", {"bash", "zsh", "fish"}),
    ("meshai ask --reach ", {"device", "site", "mesh", "cloud"}),
    ("meshai ask --", {"--explain", "--json", "--model"}),
    ("meshai ask --reach device --", {"--explain"}),
])
def test_completion(name, words, some):
    seen = offered(name, words)
    assert some <= seen, seen
    assert name != "bash" or "statsu" not in seen


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_files_are_offered_where_one_is_wanted(name, tmp_path, monkeypatch):
    (tmp_path / "some.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    seen = offered(name, "meshai serve --config ")
    assert seen & {"some.toml", "files"}, seen


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_models_are_offered_where_one_is_wanted(name, home):
    for called in ("tiny", "other"):
        home.says(OK, "models", "add", SAMPLE, "--as", called)
    assert home.says(OK, "models", "list", "--names").split() == ["other", "tiny"]
    path = f"{pathlib.Path(PROGRAM).parent}:{home.environment['PATH']}"
    for verb in ("use", "show"):
        seen = offered(name, f"meshai models {verb} ", {**home.environment, "PATH": path})
        assert {"tiny", "other"} <= seen, seen


def test_the_manual_page_is_shown_without_a_complaint(home):
    page = home.says(OK, "man")
    for program in (["man", "--warnings", "-l", "-"], ["mandoc", "-T", "utf8"]):
        if not shutil.which(program[0]):
            continue
        shown = subprocess.run(program, input=page, capture_output=True, text=True, timeout=20,
                               env={**home.environment, "MANWIDTH": "80", "MANPAGER": "cat"})
        assert shown.returncode == OK and shown.stderr == "", shown.stderr
        for word in ("EXIT STATUS", "meshai models add", "--explain", "OPENAI_API_KEY"):
            assert word in re.sub(".\b", "", shown.stdout), word  # bold is a letter over itself


def test_the_manual_page_pleases_mandoc(home):
    checker = shell("mandoc")
    page = home.says(OK, "man")
    shown = subprocess.run([checker, "-T", "lint", "-W", "warning"], input=page, capture_output=True, text=True, timeout=20)
    assert shown.returncode == OK, shown.stdout
