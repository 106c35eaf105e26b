"""A node in the background that is killed, upgraded and stopped under load: real processes, real sockets."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pytest

BUILD = pathlib.Path(os.environ["MESHAI_BUILD"])
CONFIG = """
[api]
listen = "127.0.0.1:{port}"
workers = 2
[[node]]
name = "here"
tier = "local"
kind = "openai-compatible"
url = "http://127.0.0.1:{provider}/v1"
models = ["m"]
"""


class House:
    """A home of its own with a fake provider and the command line."""

    def __init__(self, folder):
        self.folder, self.program = pathlib.Path(folder), BUILD / "meshai"
        (self.folder / "run").mkdir(mode=0o700)
        self.config = self.folder / "meshai.toml"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(self.folder / "run")}
        self.provider = subprocess.Popen([BUILD / "fake_provider", "--model", "m"], stdout=subprocess.PIPE, text=True)
        self.provider_port = int(self.provider.stdout.readline())
        self.write()

    def write(self, more="", port=0):
        self.config.write_text(CONFIG.format(port=port, provider=self.provider_port) + more)

    def run(self, *words, program=None):
        return subprocess.run([program or self.program, *words], env=self.environment, capture_output=True, text=True,
                              timeout=60)

    def up(self, program=None):
        return self.run("up", "--quiet", "--json", "--config", str(self.config), program=program)

    def begin(self):
        ran = self.up()
        assert ran.returncode == 0, ran.stdout + ran.stderr
        self.port = int(json.loads(ran.stdout)["url"].split(":")[2].split("/")[0])
        return self

    def told(self):
        return json.loads((self.folder / "run/meshai/supervisor.json").read_text())

    def log(self):
        return (self.folder / ".local/state/meshai/meshai.log").read_text()

    def end(self):
        self.run("down")
        self.provider.kill()
        self.provider.wait()

    def ask(self, script=None, stream=False, timeout=20):
        content = "hello" if script is None else "fake:" + json.dumps(script)
        door = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        door.request("POST", "/v1/chat/completions",
                     json.dumps({"model": "m", "stream": stream, "messages": [{"role": "user", "content": content}]}))
        answer = door.getresponse()
        text = answer.read().decode()
        door.close()
        return answer.status, text


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def wait_for(what, patience=10):
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if what():
            return
        time.sleep(0.01)
    raise AssertionError("it does not come")


@pytest.fixture
def house():
    with tempfile.TemporaryDirectory(prefix="meshai-") as folder:
        made = House(folder)
        try:
            yield made.begin()
        finally:
            made.end()


class Load:
    """Asks over a new connection each time, and over one that is kept, until it is stopped."""

    def __init__(self, house):
        self.house, self.over, self.asked, self.wrong = house, threading.Event(), 0, []
        self.pool = concurrent.futures.ThreadPoolExecutor(4)
        self.work = [self.pool.submit(one) for one in (self._fresh, self._fresh, self._kept)]

    def _fresh(self):
        while not self.over.is_set():
            self._count(self.house.ask)

    def _kept(self):
        door = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=20)

        def ask():
            try:
                return once()
            except (OSError, http.client.HTTPException):
                door.close()  # the next one is over a new connection
                raise

        def once():
            door.request("POST", "/v1/chat/completions",
                         json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}))
            answer = door.getresponse()
            return answer.status, answer.read().decode()

        while not self.over.is_set():
            self._count(ask)
            time.sleep(0.01)

    def _count(self, ask):
        began = time.monotonic()
        try:
            status, text = ask()
            if status != 200:
                self.wrong.append((began, f"{status} {text}"))
        except (OSError, http.client.HTTPException) as error:
            self.wrong.append((began, repr(error)))
        self.asked += 1

    def stop(self):
        self.over.set()
        for each in self.work:
            each.result(30)
        return self.wrong


def test_a_node_that_is_killed_is_started_again_and_nobody_new_is_turned_away(house):
    load = Load(house)
    time.sleep(0.3)
    for _ in range(2):
        node = house.told()["node"]
        killed = time.monotonic()
        os.kill(node, signal.SIGKILL)
        wait_for(lambda: house.told()["node"] not in (0, node))
        assert house.ask()[0] == 200
        assert time.monotonic() - killed < 1.5
        time.sleep(0.2)
    wrong = load.stop()
    assert load.asked > 50
    # Three ask at a time: at most those whose answer was under way are lost, at each of the two kills.
    assert len(wrong) <= 6, wrong
    assert house.told()["restarts"] == 2 and house.told()["last_end"] == "signal 9"
    shown = json.loads(house.run("status", "--json").stdout)
    assert shown["supervisor"]["restarts"] == 2
    assert "started it again 2 times; it last ended by signal 9" in house.run("status").stdout


def test_one_that_falls_again_and_again_is_waited_for_longer_and_longer(house):
    pauses = []
    for _ in range(6):
        node = house.told()["node"]
        os.kill(node, signal.SIGKILL)
        fell = time.monotonic()
        wait_for(lambda: house.told()["node"] not in (0, node), 20)
        pauses.append(time.monotonic() - fell)
    assert pauses[5] > 0.8 and pauses[5] > 3 * pauses[0], pauses
    os.kill(house.told()["node"], signal.SIGKILL)
    wait_for(lambda: house.told()["node"] == 0)
    shown = house.run("status")
    assert shown.returncode == 1
    assert "the node ended by signal 9 and is started again in" in shown.stderr
    ran = house.run("down")
    assert (ran.returncode, ran.stdout) == (0, "stopped\n"), "also while it waits"


def upgraded(house, long_streams=2, **how):
    """Everything that was answered while `up` ran over it, and the old node's process."""
    old = house.told()["node"]
    words = " ".join(f"word{i}" for i in range(60))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        streams = [pool.submit(house.ask, {"text": words, "gap_ms": 40}, True) for _ in range(long_streams)]
        load = Load(house)
        time.sleep(0.5)
        ran = house.up(**how)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert house.told()["node"] != old
        assert alive(old), "it still has its streams"
        time.sleep(0.3)
        assert load.stop() == []
        for one in streams:
            status, text = one.result(30)
            said = "".join(json.loads(line[6:])["choices"][0]["delta"].get("content") or "" for line in text.splitlines()
                           if line.startswith('data: {"') and json.loads(line[6:])["choices"])
            assert (status, said) == (200, words)
    wait_for(lambda: not alive(old))
    assert load.asked > 50


def test_a_changed_configuration_takes_over_without_a_gap(house):
    house.write('\n[[model]]\nname = "another"\nroute = ["here/m"]\n')
    upgraded(house)
    door = http.client.HTTPConnection("127.0.0.1", house.port, timeout=5)
    door.request("GET", "/v1/models")
    assert "another" in door.getresponse().read().decode()


DATA = pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share")


@pytest.mark.skipif(not (DATA / "meshai/engine/root/usr/bin/llama-server").exists()
                    or not list((DATA / "meshai/models").glob("*.gguf")),
                    reason="the engine or its model is missing; tools/setup/engine and models/fetch install them")
def test_a_node_with_an_engine_takes_callers_once_it_has_loaded(house):
    """Who asks while a model is read waits, or is answered by the node that is being followed."""
    house.run("down")
    house.environment["XDG_DATA_HOME"] = str(DATA)
    text = ('[api]\nlisten = "127.0.0.1:0"\nworkers = 2\n'
            '[[node]]\nname = "here"\ntier = "local"\nkind = "engine"\nmodel = "default"\n')
    house.config.write_text(text)
    house.begin()

    def ask():
        door = http.client.HTTPConnection("127.0.0.1", house.port, timeout=60)
        door.request("POST", "/v1/chat/completions",
                     json.dumps({"model": "auto", "max_tokens": 3, "messages": [{"role": "user", "content": "2+2?"}]}))
        answer = door.getresponse()
        return answer.status, answer.read().decode()

    first, over, came = house.told()["node"], threading.Event(), []

    def keep_asking():
        while not over.is_set():
            came.append(ask())

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asking = pool.submit(keep_asking)
        try:
            house.config.write_text(text + "# changed\n")
            assert house.up().returncode == 0
            time.sleep(0.5)
        finally:
            over.set()
        asking.result(60)
    assert [one for one in came if one[0] != 200] == [] and len(came) > 5
    second = house.told()["node"]
    assert second != first
    os.kill(second, signal.SIGKILL)
    wait_for(lambda: not alive(second))
    status, said = ask()
    assert status == 200, said


def test_a_changed_program_takes_over_without_a_gap(house):
    newer = house.folder / "meshai"
    shutil.copy(BUILD / "meshai", newer)
    upgraded(house, program=newer)
    assert f"{newer}" in os.readlink(f"/proc/{house.told()['node']}/exe") or os.geteuid() != 0


def test_up_over_the_same_changes_nothing(house):
    node = house.told()["node"]
    assert house.up().returncode == 0
    assert house.told()["node"] == node


def test_up_after_a_reload_changes_nothing(house):
    node = house.told()["node"]
    house.write('\n[[model]]\nname = "another"\nroute = ["here/m"]\n')
    assert house.run("reload").stdout == "reloaded\n"
    assert house.up().returncode == 0
    assert house.told()["node"] == node, "it has taken that up already"
    house.write()  # as it was when the node was started, but not what it runs
    assert house.up().returncode == 0
    assert house.told()["node"] != node


def test_a_new_node_gets_the_environment_of_whoever_typed_up(house):
    def environment():
        words = pathlib.Path(f"/proc/{house.told()['node']}/environ").read_bytes().split(b"\0")
        return dict(word.split(b"=", 1) for word in words if word)

    keyed = CONFIG.replace('models = ["m"]', 'models = ["m"]\nkey = "env:PROVIDER_KEY"')
    house.config.write_text(keyed.format(port=0, provider=house.provider_port) + '[[key]]\nname = "me"\n'
                            'secret = "env:CALLERS_KEY"\n')
    ran = house.up()
    assert "CALLERS_KEY" in json.loads(ran.stdout)["error"]["message"], "nobody has told it yet"
    house.environment.update(PROVIDER_KEY="sk-provider", CALLERS_KEY="sk-caller", GONE="1" * 60_000)
    assert house.up().returncode == 0
    door = http.client.HTTPConnection("127.0.0.1", house.port, timeout=5)
    door.request("GET", "/v1/models", headers={"Authorization": "Bearer sk-caller"})
    assert door.getresponse().status == 200
    door.close()
    if os.geteuid() == 0:  # others may not look
        assert environment()[b"GONE"] == b"1" * 60_000
    # Also one that is started again has it, and a variable that is gone is gone.
    node = house.told()["node"]
    os.kill(node, signal.SIGKILL)
    wait_for(lambda: house.told()["node"] not in (0, node))
    wait_for(lambda: house.run("status").returncode == 0)
    del house.environment["GONE"]
    house.config.write_text(house.config.read_text() + "# changed\n")
    assert house.up().returncode == 0
    if os.geteuid() == 0:
        assert b"GONE" not in environment() and environment()[b"PROVIDER_KEY"] == b"sk-provider"
    assert "MESHAI_INHERITED" not in house.log()


def test_what_a_reload_cannot_take_up_it_says(house):
    node = house.told()["node"]
    text = house.config.read_text()
    for change, told in {"workers = 3": "[api] listen and workers take effect at a start; type: meshai down && meshai up",
                         'workers = 2\ntls_cert = "/c"\ntls_key = "/k"': "type: meshai up"}.items():
        house.config.write_text(text.replace("workers = 2", change))
        ran = house.run("reload")
        assert ran.returncode == 4 and told in ran.stderr, ran.stderr
    house.config.write_text(text + "[limits]\nmax_connections = 1\n")
    assert house.run("reload").stdout == "reloaded\n"
    held = http.client.HTTPConnection("127.0.0.1", house.port, timeout=5)
    held.request("GET", "/healthz")
    assert held.getresponse().read()
    with pytest.raises((OSError, http.client.HTTPException)):
        house.ask()
    held.close()
    assert house.told()["node"] == node


@pytest.mark.parametrize("change, why", [
    (lambda house: house.write(port=1), "[api] listen: the node listens at 127.0.0.1:"),
    (lambda house: house.config.write_text(house.config.read_text().replace("workers = 2", "workers = 3")),
     "[api] workers: there are 2 now"),
])
def test_one_that_cannot_take_over_leaves_the_old_one_where_it_is(house, change, why):
    node = house.told()["node"]
    change(house)
    ran = house.up()
    told = json.loads(ran.stdout)["error"]["message"]
    assert ran.returncode == 1 and told.startswith("the node that runs goes on, a new one could not take over")
    assert why in told
    assert house.told()["node"] == node and house.ask()[0] == 200
    house.write()
    assert house.ask()[0] == 200


def test_a_killed_supervisor_leaves_a_node_that_can_be_found(house):
    told = house.told()
    os.kill(told["supervisor"], signal.SIGKILL)
    wait_for(lambda: not alive(told["supervisor"]))
    assert house.ask()[0] == 200, "it goes on"
    assert house.run("status").returncode == 0
    house.begin()
    assert house.told()["supervisor"] != told["supervisor"] and not alive(told["node"])
    assert house.ask()[0] == 200
    told = house.told()
    os.kill(told["supervisor"], signal.SIGKILL)
    wait_for(lambda: not alive(told["supervisor"]))
    assert house.run("down").stdout == "stopped\n"
    assert not alive(told["node"])


def test_down_lets_a_stream_end(house):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stream = pool.submit(house.ask, {"text": "one two three four five six", "gap_ms": 100}, True)
        time.sleep(0.2)
        told = house.told()
        assert house.run("down").returncode == 0
        status, text = stream.result(10)
        assert status == 200 and text.rstrip().endswith("[DONE]")
    wait_for(lambda: not alive(told["supervisor"]) and not alive(told["node"]))  # the lock goes a moment before
    assert house.run("status").returncode == 3


def test_who_asks_twice_does_not_wait(house):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stream = pool.submit(house.ask, {"text": "one two", "gap_ms": 8000}, True)
        time.sleep(0.3)
        told, began = house.told(), time.monotonic()
        for _ in range(2):
            os.kill(told["supervisor"], signal.SIGTERM)
            time.sleep(0.1)
        wait_for(lambda: not alive(told["supervisor"]) and not alive(told["node"]), 5)
        assert time.monotonic() - began < 4
        with contextlib.suppress(OSError, http.client.HTTPException):
            stream.result(10)


def test_up_twice_at_once_is_one_node(house):
    for _ in range(3):
        house.run("down")
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            ran = [one.result() for one in [pool.submit(house.up) for _ in range(3)]]
        assert [one.returncode for one in ran] == [0, 0, 0], ran
        told = house.told()
        assert alive(told["supervisor"]) and alive(told["node"])
        began = time.monotonic()
        assert house.run("down").stdout == "stopped\n"
        assert time.monotonic() - began < 10
        assert not alive(told["supervisor"]) and not alive(told["node"])
    house.begin()
