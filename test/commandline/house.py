"""A home of its own for the command line: empty folders, a fake provider, and a node where one is wanted."""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import termios
import time
import urllib.request

BUILD = pathlib.Path(os.environ["MESHAI_BUILD"])
PROGRAM = str(BUILD / "meshai")
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "operating"

NODE = """
[[node]]
name = "{name}"
tier = "local"
kind = "openai-compatible"
url = "http://127.0.0.1:{port}/v1"
models = ["fake-model"]
"""
FREE = '[api]\nlisten = "127.0.0.1:0"\nworkers = 1\nunknown_model = "auto"\n'
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z~]")

OK, FAILED, USAGE, NOT_RUNNING, CONFIGURATION, NO_ANSWER = range(6)


class Fake:
    """An OpenAI-compatible server that wants no key."""

    def __init__(self, *more):
        self.process = subprocess.Popen([BUILD / "fake_provider", "--model", "fake-model", *more], stdout=subprocess.PIPE,
                                        text=True)
        self.port = int(self.process.stdout.readline())

    def _call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, timeout=10) as answer:
            return json.load(answer)

    def questions(self):
        """The last message of each chat that was asked."""
        bodies = [json.loads(one["body"]) for one in self._call("/fake/requests") if one["method"] == "POST"]
        return [body["messages"][-1]["content"] for body in bodies if "messages" in body]

    def bodies(self):
        return [json.loads(one["body"]) for one in self._call("/fake/requests") if one["method"] == "POST"]

    def play(self, **script):
        """What it answers next, once."""
        self._call("/fake/rules", [{"times": 1, **script}])

    def broken_off(self):
        return self._call("/fake/broken_off")[0]

    def wait_broken_off(self, count):
        """Whether that many answers were broken off by whoever asked, within a few seconds."""
        until = time.monotonic() + 5
        while self.broken_off() < count and time.monotonic() < until:
            time.sleep(0.01)
        return self.broken_off() == count

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Home:
    """Empty folders; everything that the command line does happens below them."""

    def __init__(self, folder, **environment):
        self.folder = pathlib.Path(folder)
        (self.folder / "run").mkdir(mode=0o700, exist_ok=True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(self.folder / "run"),
                            "LANG": "C.UTF-8", **environment}

    def run(self, *words, text="", **environment):
        return subprocess.run([PROGRAM, *map(str, words)], env={**self.environment, **environment}, input=text,
                              capture_output=True, text=True, timeout=30)

    def says(self, code, *words, **more):
        """What it prints to standard output, or to standard error where it fails; the exit code must be `code`."""
        ran = self.run(*words, **more)
        assert ran.returncode == code, f"{words}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout if code == OK else ran.stderr

    def tells(self, code, *words, **more):
        """The JSON that it prints, on one line of standard output, and nothing else."""
        ran = self.run(*words, "--json", **more)
        assert ran.returncode == code, f"{words}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        assert ran.stderr == "", f"{words} wrote to standard error: {ran.stderr}"
        assert ran.stdout.count("\n") == 1 and ran.stdout.endswith("\n"), ran.stdout
        return json.loads(ran.stdout)

    def write(self, text, name="meshai.toml"):
        file = self.folder / name
        file.write_text(text)
        return file

    @contextlib.contextmanager
    def serving(self, text):
        """A node in the foreground with this configuration."""
        file, log = self.write(text), self.folder / "log"
        with open(log, "w") as out:
            process = subprocess.Popen([PROGRAM, "serve", "--config", file], env=self.environment, stdout=out, stderr=out)
        try:
            until = time.monotonic() + 20
            while self.run("status").returncode != OK:
                assert process.poll() is None and time.monotonic() < until, log.read_text()
                time.sleep(0.01)
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(20)


class Terminal:
    """A command at a terminal: what it shows, and what is typed."""

    def __init__(self, home, *words, **environment):
        self.master, child = pty.openpty()
        self.before = termios.tcgetattr(child)
        self.child = child
        termios.tcsetwinsize(child, (24, 80))
        self.raw, self.at = "", 0
        self.process = subprocess.Popen([PROGRAM, *words], env={**home.environment, "TERM": "xterm", **environment},
                                        stdin=child, stdout=child, stderr=child, preexec_fn=self._own_terminal)

    def _own_terminal(self):
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def type(self, text):
        os.write(self.master, text.encode())

    def _read(self, patience):
        if not select.select([self.master], [], [], patience)[0]:
            return False
        self.raw += os.read(self.master, 65536).decode(errors="replace")
        return True

    def wait(self, text, patience=10):
        """Waits until `text` is shown behind what was waited for last; escape sequences do not count."""
        until = time.monotonic() + patience
        while True:
            shown = ESCAPE.sub("", self.raw)
            found = shown.find(text, self.at)
            if found >= 0:
                self.at = found + len(text)
                return shown
            assert time.monotonic() < until, f"no {text!r} in {shown[self.at:]!r}"
            self._read(0.1)

    def wait_raw(self, text, patience=10):
        until = time.monotonic() + patience
        while text not in self.raw:
            assert time.monotonic() < until, f"no {text!r} in {self.raw!r}"
            self._read(0.1)

    def end(self, patience=10):
        """The exit code, and everything it has shown."""
        until = time.monotonic() + patience
        while self.process.poll() is None:
            assert time.monotonic() < until, self.raw
            self._read(0.05)
        while self._read(0.05):
            pass
        assert termios.tcgetattr(self.child) == self.before, "the terminal is as it was"
        os.close(self.child)
        os.close(self.master)
        return self.process.returncode

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(5)
