"""Each command, each exit code, each --json."""
import json
import os
import signal
import socket
import subprocess
import urllib.request

import pytest

import house
from house import CONFIGURATION, FAILED, FREE, NODE, NOT_RUNNING, NO_ANSWER, OK, USAGE

COMMANDS = ["serve", "up", "down", "reload", "status", "ask", "chat", "models", "models list", "models add", "models show",
            "models use", "key", "key new", "key list", "key revoke", "usage", "route", "classify", "config", "config check",
            "doctor", "completion", "man", "version"]
WITH_EXAMPLES = [one for one in COMMANDS if " " not in one and one != "version"]


# ---- the line itself

def test_help_lists_every_command_and_the_exit_codes(home):
    shown = home.says(OK, "--help")
    for command in COMMANDS:
        assert f"\n  {command.split()[0]} " in shown, command
    assert "0 done, 1 failed, 2 wrong usage, 3 no node runs, 4 wrong configuration, 5 nobody answered" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(home, command):
    shown = home.says(OK, *command.split(), "--help")
    assert f"Usage: meshai {command} " in shown, shown
    if command in WITH_EXAMPLES:
        assert f"Examples:\n  meshai {command.split()[0]}" in shown, shown


@pytest.mark.parametrize("words, said", [
    (["statsu"], "there is no command meshai statsu; did you mean meshai status?"),
    (["models", "ad"], "there is no command meshai models ad; did you mean meshai models add?"),
    (["qqqqqq"], "there is no command meshai qqqqqq\n"),
    (["config"], "meshai config wants a command behind it"),
    (["config", "chekc"], "did you mean meshai config check?"),
    (["ask", "--reach", "moon", "hi"], "moon not in {device,site,mesh,cloud}"),
    (["ask", "--temperature", "3", "hi"], "3"),
    (["ask", "--max-tokens", "0", "hi"], "0"),
    (["ask", "--nonsense", "hi"], "--nonsense"),
    (["models", "add"], "file is required"),
    (["key", "new"], "--name is required"),
    (["key", "new", "--name", "a", "--budget", "0"], "0"),
    (["key", "new", "--name", "a", "--reach", "moon"], "moon not in {device,site,mesh,cloud}"),
    (["key", "revoke"], "name is required"),
    (["key"], "meshai key wants a command behind it"),
    (["completion", "tcsh"], "tcsh"),
    (["status", "more"], "more"),
])
def test_a_wrong_line_says_what_is_wrong_and_where_the_help_is(home, words, said):
    shown = home.says(USAGE, *words)
    assert shown.startswith("meshai: ") and said in shown, shown
    assert "--help" in shown
    told = home.tells(USAGE, *words)
    assert said.strip() in told["error"]["message"]


def test_no_command_at_all_shows_the_help(home):
    shown = home.run()
    assert shown.returncode == USAGE and shown.stdout == ""
    assert "Start with: meshai up" in shown.stderr


def test_version(home):
    assert home.says(OK, "--version") == home.says(OK, "version")
    told = home.tells(OK, "version")
    assert home.says(OK, "version") == f"meshai {told['version']}\n"
    assert told["openssl"] and told["boost"]


# ---- where no node runs

@pytest.mark.parametrize("words", [["status"], ["ask", "hi"], ["reload"]])
def test_what_needs_a_node_says_how_to_start_one(home, words):
    assert home.says(NOT_RUNNING, *words) == "meshai: no node runs; type: meshai up\n"
    assert home.tells(NOT_RUNNING, *words) == {"error": {"message": "no node runs; type: meshai up"}}


def test_chat_needs_a_node(home):
    assert home.says(NOT_RUNNING, "chat") == "meshai: no node runs; type: meshai up\n"


def test_down_where_nothing_runs_is_no_failure(home):
    assert home.says(OK, "down") == "no node ran\n"
    assert home.tells(OK, "down") == {"stopped": False}


@pytest.mark.parametrize("words", [["status"], ["ask", "hi"], ["models"], ["doctor"], ["up"], ["down"], ["config", "check"]])
def test_without_a_home_it_says_what_to_type(home, words):
    del home.environment["HOME"]
    assert "export HOME=" in home.says(CONFIGURATION, *words)
    assert "export HOME=" in home.tells(CONFIGURATION, *words)["error"]["message"]


# ---- config check

def test_config_check_counts_what_is_right(home):
    file = home.write(FREE + NODE.format(name="here", port=1))
    assert home.says(OK, "config", "check", file) == "valid: 1 nodes, 0 named models, 0 keys\n"
    assert home.tells(OK, "config", "check", file) == {"valid": True}


def test_config_check_names_file_line_and_key(home):
    file = home.write(FREE + '\n[limits]\nattemps = 4\n' + NODE.format(name="here", port=1))
    shown = home.says(CONFIGURATION, "config", "check", file)
    assert f"{file}:7: [limits] attemps: is not a key of this table" in shown, shown
    told = home.tells(CONFIGURATION, "config", "check", file)
    assert told["valid"] is False and "attemps" in told["error"]["message"]


def test_without_a_configuration_the_way_to_one_is_told(home):
    for words in (["config", "check"], ["serve"], ["up", "--config", "nowhere.toml"]):
        assert "type: meshai up" in home.says(CONFIGURATION, *words)


# ---- serve, reload, status, down

def test_serve_runs_in_the_foreground_until_it_is_told_to_stop(home, fake):
    with home.serving(FREE + NODE.format(name="here", port=fake.port)) as process:
        assert home.says(FAILED, "serve", "--config", home.folder / "meshai.toml").startswith(
            "meshai: a node runs already (process ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == OK
    log = (home.folder / "log").read_text()
    assert "node.started" in log and "node.stopping" in log


def test_serve_logs_to_standard_error_as_json_where_asked(home, fake):
    file = home.write(FREE + NODE.format(name="here", port=fake.port))
    process = subprocess.Popen([house.PROGRAM, "serve", "--json-log", "--config", file], env=home.environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = json.loads(process.stderr.readline())
    assert first
    process.terminate()
    out, more = process.communicate(timeout=20)
    assert out == "" and all(json.loads(line) for line in more.splitlines())


def test_a_taken_port_is_told_with_its_owner(home, fake):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        file = home.write(f'[api]\nlisten = "127.0.0.1:{port}"\n' + NODE.format(name="here", port=fake.port))
        assert "meshai doctor" in home.says(FAILED, "serve", "--config", file)
        told = home.tells(FAILED, "doctor", "--config", file)
        [taken] = [one for one in told["findings"] if one["what"] == f"port 127.0.0.1:{port}"]
        assert taken["grade"] == "bad" and f"(process {os.getpid()})" in taken["detail"], taken


def test_reload_swaps_whole_or_not_at_all_and_names_the_key(home, fake):
    with home.serving(FREE + NODE.format(name="here", port=fake.port)):
        home.write(FREE + NODE.format(name="there", port=fake.port))
        assert home.says(OK, "reload") == "reloaded\n"
        assert [one["name"] for one in home.tells(OK, "status")["nodes"]] == ["there"]
        home.write(FREE + NODE.format(name="elsewhere", port=fake.port) + "wieght = 3\n")
        shown = home.says(CONFIGURATION, "reload")
        assert "not reloaded" in shown and "wieght" in shown and "meshai.toml:" in shown, shown
        told = home.tells(CONFIGURATION, "reload")
        assert told["reloaded"] is False and "wieght" in told["error"]["message"]
        assert [one["name"] for one in home.tells(OK, "status")["nodes"]] == ["there"]
        home.write(FREE + NODE.format(name="here", port=fake.port))
        assert home.tells(OK, "reload") == {"reloaded": True}


def test_status_shows_nodes_and_why_one_is_not_asked(home, fake):
    dead = NODE.format(name="far", port=1).replace("local", "cloud").replace("fake-model", "big")
    config = '[[key]]\nname = "me"\nsecret = "env:ME"\n' + FREE + NODE.format(name="here", port=fake.port) + \
        dead + 'key = "env:FAR_KEY"\n'
    home.environment["ME"] = "one-word"
    with home.serving(config):
        told = home.tells(OK, "status")
        assert {one["name"]: one["tier"] for one in told["nodes"]} == {"here": "local", "far": "cloud"}
        shown = home.says(OK, "status")
        assert told["listen"][0] in shown and "\x1b" not in shown
        assert "off: the variable FAR_KEY is not set; type: export FAR_KEY=" in shown, shown


# ---- up and down

def test_up_starts_a_node_asks_it_and_down_ends_it(home, fake):
    file = home.write(FREE + NODE.format(name="here", port=fake.port))
    shown = home.says(OK, "up", "--config", file)
    assert "> What is 2+2?\nYou said: What is 2+2?\nhere/fake-model (local), 1 attempt, " in shown, shown
    assert "key   none: open to programs on this device\n" in shown and "stop  meshai down\n" in shown
    log = shown.split("log   ")[1].split("\n")[0]
    assert os.path.getsize(log) > 0
    told = home.tells(OK, "up", "--config", file)
    assert told["ready"] and told["answer"] == "You said: What is 2+2?" and told["node"] == "here"
    with urllib.request.urlopen(told["url"].replace("/v1", "/readyz"), timeout=10) as answer:
        assert json.load(answer) == {"ready": True}
    assert home.tells(OK, "down") == {"stopped": True}
    assert home.says(NOT_RUNNING, "status")


def test_up_says_which_nodes_are_off(home, fake):
    config = '[[key]]\nname = "me"\nsecret = "env:ME"\n' + FREE + NODE.format(name="here", port=fake.port) + \
        NODE.format(name="far", port=fake.port) + 'key = "env:FAR_KEY"\n'
    ran = home.run("up", "--config", home.write(config), ME="me")
    assert ran.returncode == OK and "You said: What is 2+2?" in ran.stdout
    assert ran.stderr == 'node "far" is off: the variable FAR_KEY is not set; type: export FAR_KEY=...\n'


def test_up_says_why_nobody_answers(home):
    config = FREE + NODE.format(name="here", port=1)
    shown = home.says(NO_ANSWER, "up", "--config", home.write(config))
    assert "nobody answered: " in shown and '"here"' in shown and "meshai doctor" in shown, shown
    for _ in range(5):  # its breaker may have half opened meanwhile; it stays open for longer each time
        told = home.tells(NO_ANSWER, "up", "--config", home.write(config))
        if told["ready"] is False:
            break
    assert told["ready"] is False and 'node "here" is down: unreachable' in told["error"]["message"], told


def test_up_says_why_an_engine_does_not_start(home):
    """No llama-server anywhere: neither five minutes of silence nor a question into the void."""
    config = FREE + '[[node]]\nname = "here"\ntier = "local"\nkind = "engine"\n'
    shown = home.says(NO_ANSWER, "up", "--config", home.write(config), PATH="/nowhere")
    assert 'engine "here" is resting: there is no llama-server' in shown, shown
    assert "engine resting" in home.says(OK, "status")


def test_up_refuses_a_wrong_configuration_by_file_line_and_key(home):
    file = home.write("[api]\nlisten = 3\n")
    assert f"{file}:2: [api] listen" in home.says(CONFIGURATION, "up", "--config", file)
    assert "[api] listen" in home.tells(CONFIGURATION, "up", "--config", file)["error"]["message"]


def test_the_first_up_writes_a_configuration_with_a_node_for_each_key(home):
    """The ports of a real one are fixed, so that only what is written is looked at."""
    home.run("up", "--quiet", "--json", OPENAI_API_KEY="sk-1", GEMINI_API_KEY="g-1", PATH="/nowhere",
             HTTPS_PROXY="http://127.0.0.1:1")
    home.run("down")
    config = home.folder / ".config" / "meshai"
    text = (config / "meshai.toml").read_text()
    for line in ('unknown_model = "auto"', 'kind = "engine"', 'key = "env:OPENAI_API_KEY"', 'key = "env:GEMINI_API_KEY"',
                 f'secret = "file:{config}/key"'):
        assert line in text, text
    assert "ANTHROPIC" not in text and "sk-1" not in text
    for name in ("key", "meshai.toml"):
        assert (config / name).stat().st_mode & 0o777 == 0o600
    assert home.says(OK, "config", "check", OPENAI_API_KEY="sk-1", GEMINI_API_KEY="g-1").startswith("valid: 3 nodes")
