"""The rules of the door and of the way out that only a real process can show: TLS, certificates, keys, protection."""
import contextlib
import json
import os
import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import harness
import pytest

BUILD = pathlib.Path(os.environ["MESHAI_BUILD"])
QUESTION = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hello"}]}).encode()
LOCAL = """
[[node]]
name = "here"
tier = "local"
kind = "openai-compatible"
url = "http://127.0.0.1:{port}/v1"
models = ["gpt-fake"]
"""
ME = '[[key]]\nname = "me"\nsecret = "env:MESHAI_KEY"\n'


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="meshai-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


class Open(harness.Fake):
    """A provider that demands no key."""

    def __init__(self):
        self.command, self.port = [BUILD / "fake_provider", "--model", "gpt-fake"], 0
        self.start()


@pytest.fixture
def fake():
    made = Open()
    yield made
    made.stop()


@pytest.fixture
def locked():
    made = harness.Fake(str(BUILD / "fake_provider"), "openai", ["gpt-fake"])
    yield made
    made.stop()


class Node:
    """meshai serve with this configuration, alone in its folder."""

    def __init__(self, folder, config, user=None, **environment):
        self.folder, self.config, self.log = folder, folder / "meshai.toml", folder / "log"
        self.config.write_text(config)
        (folder / "run").mkdir(mode=0o700, exist_ok=True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run"),
                            **environment}
        if user is not None:
            for one in [folder, folder / "run"]:
                os.chown(one, user, user)
        self.user = user
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([BUILD / "meshai", "serve", "--verbose", "--config", self.config], cwd=folder,
                                            env=self.environment, stdout=log, stderr=log, user=user, group=user)

    def run(self, *arguments):
        return subprocess.run([BUILD / "meshai", *arguments], env=self.environment, capture_output=True, text=True,
                              timeout=60, user=self.user, group=self.user)

    def port(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            shown = self.run("status", "--json")
            if shown.returncode == 0:
                return int(json.loads(shown.stdout)["listen"][0].rsplit(":", 1)[1])
            time.sleep(0.02)
        raise AssertionError("the node does not answer its owner")

    def refused(self):
        """Waits for a start that is refused; what it said."""
        assert self.process.wait(30) == 4, self.log.read_text()
        return self.log.read_text()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)


@contextlib.contextmanager
def running(*arguments, **named):
    node = Node(*arguments, **named)
    try:
        yield node
    finally:
        node.stop()


def exchange(link, raw):
    """The status and body of one answer; 0 where none came."""
    link.sendall(raw)
    got = b""
    while b"\r\n\r\n" not in got:
        piece = link.recv(65536)
        if not piece:
            return 0, b""
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += link.recv(65536)
    return int(head.split()[1]), body


def plain(port, host="127.0.0.1"):
    return socket.create_connection((host, port), timeout=10)


def get(path, key=""):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{key}\r\n".encode()


def ask(key=""):
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(QUESTION)}\r\n{key}\r\n"
            ).encode() + QUESTION


WITH_KEY = f"x-api-key: {harness.KEY}\r\n"


# ---- certificates of our own

def certify(folder, name, alternatives, by=None):
    """NAME.pem and NAME.key, signed by itself or by another of this folder."""
    config = folder / f"{name}.cnf"
    config.write_text(f"[req]\ndistinguished_name=d\n[d]\n[e]\nsubjectAltName={alternatives}\n"
                      f"basicConstraints=CA:{'FALSE' if by else 'TRUE'}\n")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
               "-subj", f"/CN={name}", "-config", config, "-extensions", "e", "-keyout", folder / f"{name}.key.new",
               "-out", folder / f"{name}.pem.new"]
    if by:
        command += ["-CA", folder / f"{by}.pem", "-CAkey", folder / f"{by}.key"]
    subprocess.run(command, check=True, capture_output=True)
    for kind in ("key", "pem"):
        (folder / f"{name}.{kind}.new").replace(folder / f"{name}.{kind}")


def secure(folder, port, authority="root"):
    context = ssl.create_default_context(cafile=folder / f"{authority}.pem")
    return context.wrap_socket(plain(port), server_hostname="localhost")


def shown(folder, port):
    """The certificate that a new connection is shown."""
    with secure(folder, port) as link:
        return link.getpeercert(binary_form=True)


def on_the_lan(folder, more=""):
    return (f'[api]\nlisten = "0.0.0.0:0"\ntls_cert = "{folder}/door.pem"\ntls_key = "{folder}/door.key"\n{more}{ME}')


@pytest.fixture
def doors(folder):
    certify(folder, "root", "DNS:root")
    certify(folder, "door", "DNS:localhost", by="root")
    return folder


def test_beyond_loopback_it_speaks_tls_and_demands_a_key(doors, fake):
    config = on_the_lan(doors) + LOCAL.format(port=fake.port)
    with running(doors, config, MESHAI_KEY=harness.KEY) as node:
        port = node.port()
        with secure(doors, port) as link:
            assert link.version() in ("TLSv1.2", "TLSv1.3")
            assert exchange(link, get("/healthz"))[0] == 200
            assert exchange(link, get("/v1/models"))[0] == 401
            assert exchange(link, ask())[0] == 401
        with secure(doors, port) as link:
            assert exchange(link, ask(WITH_KEY))[0] == 200
        with plain(port) as link:
            assert exchange(link, ask(WITH_KEY))[0] == 0, "no plain word is answered"
    assert len(fake.requests()) == 1


def test_a_certificate_is_read_anew_when_its_files_change(doors, fake):
    config = on_the_lan(doors) + LOCAL.format(port=fake.port)
    with running(doors, config, MESHAI_KEY=harness.KEY) as node:
        port = node.port()
        first = shown(doors, port)
        with secure(doors, port) as kept:
            certify(doors, "door", "DNS:localhost", by="root")
            until = time.monotonic() + 10
            while shown(doors, port) == first and time.monotonic() < until:
                time.sleep(0.1)
            second = shown(doors, port)
            assert second != first
            assert exchange(kept, ask(WITH_KEY))[0] == 200, "connections keep theirs"
        (doors / "door.key").write_text("no key")
        time.sleep(1.5)
        assert shown(doors, port) == second, "the old one serves on"
        until = time.monotonic() + 10
        while "certificate.refused" not in node.log.read_text() and time.monotonic() < until:
            time.sleep(0.1)
        assert "certificate.refused" in node.log.read_text()


# ---- what a start refuses

CLOUD = '[[node]]\nname = "far"\ntier = "cloud"\nkind = "openai"\nmodels = ["m"]\nkey = "env:FAR_KEY"\n'


@pytest.mark.parametrize("config, environment, said", [
    ('[api]\nlisten = "0.0.0.0:0"\n' + LOCAL, {}, "without a key"),
    ('[api]\nlisten = "0.0.0.0:0"\n' + ME + LOCAL, {"MESHAI_KEY": "k"}, "tls_cert"),
    ('[api]\nlisten = "127.0.0.1:0"\n' + ME + LOCAL, {}, "export MESHAI_KEY="),
    ('[api]\nlisten = "127.0.0.1:0"\n' + LOCAL + CLOUD, {}, "export MESHAI_KEY="),
    ('[api]\nlisten = "127.0.0.1:0"\n' + LOCAL.replace("127.0.0.1", "8.8.8.8"), {}, "not on this device"),
])
def test_a_start_that_would_be_open_is_refused_with_what_to_do(folder, config, environment, said):
    with running(folder, config.format(port=1), **environment) as node:
        assert said in node.refused()


def test_insecure_lan_is_the_operators_word_and_still_demands_a_key(folder, fake):
    config = '[api]\nlisten = "0.0.0.0:0"\ninsecure_lan = true\n' + ME + LOCAL.format(port=fake.port)
    with running(folder, config, MESHAI_KEY=harness.KEY) as node:
        with plain(node.port()) as link:
            assert exchange(link, get("/v1/models"))[0] == 401
        with plain(node.port()) as link:
            assert exchange(link, ask(WITH_KEY))[0] == 200


def test_a_node_whose_key_is_unset_is_listed_as_off_with_the_reason(folder, fake):
    config = '[api]\nlisten = "127.0.0.1:0"\n' + ME + LOCAL.format(port=fake.port) + CLOUD
    with running(folder, config, MESHAI_KEY=harness.KEY) as node:
        node.port()
        status = node.run("status", "--json")
        assert status.returncode == 0
        [far] = [one for one in json.loads(status.stdout)["nodes"] if one["name"] == "far"]
        assert "export FAR_KEY=" in json.dumps(far)


# ---- the way out

class Secured:
    """Ends TLS before a fake provider."""

    def __init__(self, folder, name, port):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        self.to, self.door = port, socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                link, _ = self.door.accept()
                threading.Thread(target=self.attend, args=[link], daemon=True).start()

    def attend(self, link):
        with contextlib.suppress(OSError), self.context.wrap_socket(link, server_side=True) as inside, \
                plain(self.to) as behind:
            threading.Thread(target=self.copy, args=[behind, inside], daemon=True).start()
            self.copy(inside, behind)

    @staticmethod
    def copy(one, other):
        with contextlib.suppress(OSError):
            while piece := one.recv(65536):
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)

    def close(self):
        self.door.close()


def test_a_providers_certificate_and_host_name_are_verified_and_ca_adds_one(doors, locked):
    outside = Secured(doors, "door", locked.port)
    way = '[[node]]\nname = "{0}"\ntier = "cloud"\nkind = "openai-compatible"\nmodels = ["gpt-fake"]\nkey = "env:FAR"\n' \
          'url = "https://{1}:{2}/v1"\n{3}\n'
    ca = f'ca = "file:{doors}/root.pem"'
    config = '[api]\nlisten = "127.0.0.1:0"\n' + ME + way.format("stranger", "localhost", outside.port, "") + \
        way.format("elsewhere", "127.0.0.1", outside.port, ca) + way.format("known", "localhost", outside.port, ca)
    with running(doors, config, MESHAI_KEY=harness.KEY, FAR=harness.PROVIDER_KEY) as node:
        port = node.port()

        def at(name):
            body = QUESTION.replace(b"auto", f"{name}/gpt-fake".encode())
            with plain(port) as link:
                return exchange(link, f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n{WITH_KEY}"
                                      f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

        for name in ("stranger", "elsewhere"):
            status, body = at(name)
            assert status == 503, body
            assert json.loads(body)["error"]["code"] == "node_unreachable"
            assert "certificate" in json.loads(body)["error"]["message"], body
        assert locked.requests() == [], "no key left"
        status, body = at("known")
        assert status == 200, body
    [seen] = locked.requests()
    assert seen["headers"]["authorization"] == f"Bearer {harness.PROVIDER_KEY}"
    outside.close()


class Proxy:
    """Notes what it is asked for and refuses it."""

    def __init__(self):
        self.heard, self.door = [], socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                link, _ = self.door.accept()
                with link:
                    self.heard.append(link.recv(65536).split(b"\r\n")[0].decode())
                    link.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("no_proxy, heard", [("", {"CONNECT far.example:443 HTTP/1.1"}), ("example", set())])
def test_the_environments_proxy_carries_far_nodes_only(folder, fake, no_proxy, heard):
    proxy = Proxy()
    config = '[api]\nlisten = "127.0.0.1:0"\n' + LOCAL.format(port=fake.port) + \
        '[[node]]\nname = "far"\ntier = "cloud"\nkind = "openai-compatible"\nmodels = ["big"]\n' \
        'url = "https://far.example/v1"\n[limits]\nattempts = 1\n'
    with running(folder, config, HTTPS_PROXY=proxy.url, http_proxy=proxy.url, NO_PROXY=no_proxy) as node:
        port = node.port()
        with plain(port) as link:
            assert exchange(link, ask())[0] == 200
        far = QUESTION.replace(b"auto", b"far/big")
        with plain(port) as link:
            status, body = exchange(link, f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                                          f"Content-Length: {len(far)}\r\n\r\n".encode() + far)
            assert status == 503, body
    assert set(proxy.heard) == heard
    proxy.door.close()


# ---- what remains

NOBODY = 65534


def test_the_node_keeps_its_memory_to_itself(folder, fake):
    user = NOBODY if os.geteuid() == 0 else None
    config = '[api]\nlisten = "127.0.0.1:0"\n' + LOCAL.format(port=fake.port)
    with running(folder, config, user=user) as node:
        node.port()
        proc = pathlib.Path(f"/proc/{node.process.pid}")
        # What is not dumpable belongs to root in /proc, and its user may not look into it.
        assert (proc / "mem").stat().st_uid == 0
        limits = (proc / "limits").read_text()
        assert "Max core file size        0                    0" in limits
        if os.geteuid() == 0:
            assert int((proc / "coredump_filter").read_text(), 16) == 0
        assert os.stat(folder / "run" / "meshai").st_mode & 0o777 == 0o700
        node.process.kill()
    assert not list(folder.glob("**/core*"))
