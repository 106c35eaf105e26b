"""What is wrong on a device is found, and told with what to do about it."""
import http.server
import json
import threading

import pytest

import house
from house import FAILED, FREE, NODE, OK


def found(home, code, *words, **more):
    told = home.tells(code, "doctor", *words, **more)
    assert told["healthy"] == (code == OK)
    return {one["what"]: one for one in told["findings"]}


def test_an_empty_home_lacks_engine_and_configuration(home):
    seen = found(home, FAILED, PATH="/nowhere")
    for what in ("clock", "disk", "memory"):
        assert seen[what]["grade"] == "good", seen[what]
    assert seen["engine"]["grade"] == "bad" and "make up" in seen["engine"]["mend"]
    assert seen["configuration"]["grade"] == "warning" and "meshai up" in seen["configuration"]["mend"]
    assert seen["meshai"]["grade"] == "warning" and "meshai up" in seen["meshai"]["mend"]
    shown = home.run("doctor", PATH="/nowhere")
    assert shown.returncode == FAILED and "\nbad  engine: " in shown.stdout and "\n     run make up" in shown.stdout


def test_all_is_well(home, fake):
    with home.serving(FREE + NODE.format(name="here", port=fake.port)):
        seen = found(home, OK)
        assert seen['node "here"']["detail"] == "answers, 1 models"
        assert seen["meshai"]["detail"] == "runs and can answer"
        assert all(one["grade"] == "good" for one in seen.values()), seen
        assert all(one["mend"] == "" for one in seen.values() if not one["what"].startswith("a server at")), seen


def test_it_reads_what_the_running_node_was_started_with(home, fake):
    with home.serving(FREE + NODE.format(name="odd-name", port=fake.port)):
        assert 'node "odd-name"' in found(home, OK)


def test_a_node_that_cannot_be_reached(home):
    seen = found(home, FAILED, "--config", home.write(FREE + NODE.format(name="here", port=1)))
    assert seen['node "here"']["grade"] == "bad" and "start it" in seen['node "here"']["mend"]


def test_a_node_without_the_model_that_is_asked_for(home, fake):
    config = FREE + NODE.format(name="here", port=fake.port).replace("fake-model", "absent-model")
    seen = found(home, OK, "--config", home.write(config))
    assert seen['node "here"']["grade"] == "warning" and "absent-model" in seen['node "here"']["detail"]


KEYED = '[[key]]\nname = "me"\nsecret = "env:ME"\n' + FREE + NODE


def test_a_key_that_the_provider_refuses(home):
    locked = house.Fake("--key", "right-key")
    try:
        config = KEYED.format(name="far", port=locked.port) + 'key = "env:FAR_KEY"\n'
        file = home.write(config)
        seen = found(home, FAILED, "--config", file, ME="me", FAR_KEY="wrong-key")
        assert "env:FAR_KEY" in seen['node "far"']["mend"], seen['node "far"']
        assert found(home, OK, "--config", file, ME="me", FAR_KEY="right-key")['node "far"']["grade"] == "good"
    finally:
        locked.stop()


def test_keys_that_are_unset_or_open_to_others(home, fake):
    (home.folder / "secret").write_text("one-word\n")
    (home.folder / "secret").chmod(0o644)
    config = f'[[key]]\nname = "me"\nsecret = "file:{home.folder}/secret"\n' + FREE + \
        NODE.format(name="far", port=fake.port) + 'key = "env:FAR_KEY"\n'
    seen = found(home, OK, "--config", home.write(config))
    assert f"chmod 600 {home.folder}/secret" in seen['[[key]] "me"']["mend"]
    assert seen['key of node "far"']["grade"] == "warning" and "export FAR_KEY=" in seen['key of node "far"']["detail"]
    assert seen['node "far"']["grade"] == "warning"
    assert "one-word" not in json.dumps(seen)


def test_a_key_that_only_the_node_has(home):
    locked = house.Fake("--key", "right-key")
    try:
        home.environment |= {"ME": "me", "FAR_KEY": "right-key"}
        with home.serving(KEYED.format(name="far", port=locked.port) + 'key = "env:FAR_KEY"\n'):
            del home.environment["FAR_KEY"]
            assert "not in this shell" in found(home, OK)['node "far"']["detail"]
    finally:
        locked.stop()


def test_a_broken_configuration_is_told_by_its_line(home):
    file = home.write("[api]\nlisten = 3\n")
    seen = found(home, FAILED, "--config", file)
    assert f"{file}:2" in seen["configuration"]["detail"]


def test_a_broken_model(home):
    models = home.folder / ".local" / "share" / "meshai" / "models"
    models.mkdir(parents=True)
    (models / "broken.gguf").write_bytes(b"GGUF\x03\x00")
    config = FREE + '[[node]]\nname = "here"\ntier = "local"\nkind = "engine"\nmodel = "broken"\n'
    seen = found(home, FAILED, "--config", home.write(config))
    assert seen['model "broken"']["grade"] == "bad" and "meshai models add" in seen['model "broken"']["mend"]


def test_a_certificate_that_is_not_there(home, fake):
    config = FREE + f'tls_cert = "{home.folder}/no.pem"\ntls_key = "{home.folder}/no.key"\n' + \
        NODE.format(name="here", port=fake.port)
    seen = found(home, FAILED, "--config", home.write(config))
    assert seen["certificate"]["grade"] == "bad" and "tls_cert" in seen["certificate"]["mend"]


def test_a_providers_key_that_no_node_uses_is_offered_a_node(home, fake):
    config = '[[key]]\nname = "me"\nsecret = "env:ME"\n' + FREE + NODE.format(name="here", port=fake.port)
    keys = {"ME": "me", "GEMINI_API_KEY": "g-1"}
    offered = found(home, OK, "--config", home.write(config), **keys)["GEMINI_API_KEY"]
    assert offered["detail"] == "set, not used"
    taken = home.write(config + offered["mend"].split("\n", 1)[1])
    assert home.says(OK, "config", "check", taken, **keys).startswith("valid: 2 nodes")


class Ollama(http.server.BaseHTTPRequestHandler):
    """Says what models it has; for a test that no real server can be the subject of, since its port is a fixed one."""

    def do_GET(self):
        body = b'{"object":"list","data":[{"id":"llama3:8b","object":"model"}]}'
        self.send_response(200 if self.path == "/v1/models" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_server_of_the_users_is_found_and_offered_and_not_taken(home, fake):
    try:
        door = http.server.ThreadingHTTPServer(("127.0.0.1", 11434), Ollama)
    except OSError:
        pytest.skip("port 11434 is taken on this machine")
    threading.Thread(target=door.serve_forever, daemon=True).start()
    try:
        config = FREE + NODE.format(name="here", port=fake.port)
        offered = found(home, OK, "--config", home.write(config))["a server at http://127.0.0.1:11434/v1"]
        assert offered["detail"] == "1 models, not used"
        lines = offered["mend"].split("\n", 1)[1]
        taken = home.write(config + lines)
        assert home.says(OK, "config", "check", taken).startswith("valid: 2 nodes")
        assert "a server at http://127.0.0.1:11434/v1" not in found(home, OK, "--config", taken)
    finally:
        door.shutdown()
        door.server_close()
