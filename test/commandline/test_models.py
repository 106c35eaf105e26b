"""The models on this device."""
import pathlib

import pytest

from house import FAILED, OK

SAMPLES = pathlib.Path(__file__).resolve().parents[1] / "fuzz" / "corpus" / "gguf"


@pytest.fixture
def sample(tmp_path):
    """A file of the corpus under a name of its own."""
    def put(name, called):
        (tmp_path / called).write_bytes((SAMPLES / name).read_bytes())
        return tmp_path / called
    return put


def test_none_yet(home):
    ran = home.run("models")
    assert (ran.returncode, ran.stdout) == (OK, "") and "meshai models add FILE.gguf" in ran.stderr
    assert home.tells(OK, "models") == [] == home.tells(OK, "models", "list")


def test_the_first_becomes_the_default_and_another_may(home, sample):
    assert home.says(OK, "models", "add", sample("whole", "tiny.gguf")) == "added tiny, now the default\n"
    shown = home.says(OK, "models", "add", sample("whole", "other.gguf"))
    assert shown == "added other; to make it the default, type: meshai models use other\n"
    assert home.tells(OK, "models", "use", "other") == {"using": "other", "default": True}
    assert home.tells(OK, "models", "add", sample("whole", "third.gguf"), "--as", "best", "--default") == \
        {"added": "best", "default": True}
    listed = {one["name"]: one for one in home.tells(OK, "models")}
    assert set(listed) == {"tiny", "other", "best"} and [one for one in listed if listed[one]["default"]] == ["best"]
    assert listed["best"]["form"] == "Q4_1" and listed["best"]["context"] == 4096
    assert home.says(OK, "models").count("*") == 1


def test_a_card_is_shown(home, sample):
    home.says(OK, "models", "add", sample("whole", "tiny.gguf"))
    shown = home.says(OK, "models", "show", "tiny")
    assert "- name: tiny (the default)\n" in shown and "\x1b" not in shown
    assert home.tells(OK, "models", "show", "tiny")["card"].startswith("# ")


@pytest.mark.parametrize("name, reason", [("truncated_data", "truncated"), ("web_page", "web page"), ("empty", "empty"),
                                          ("truncated_header", "truncated")])
def test_a_broken_file_is_refused_with_the_reason(home, sample, name, reason):
    file = sample(name, "broken.gguf")
    shown = home.says(FAILED, "models", "add", file)
    assert shown.startswith(f"meshai: {file}: ") and reason in shown, shown
    assert reason in home.tells(FAILED, "models", "add", file)["error"]["message"]
    assert home.tells(OK, "models") == []


@pytest.mark.parametrize("words, said", [
    (["show", "nothing"], "meshai models add FILE.gguf"),
    (["use", "nothing"], "meshai models add FILE.gguf"),
    (["add", "/nowhere/x.gguf"], "/nowhere/x.gguf"),
])
def test_what_is_not_there_says_what_to_do(home, words, said):
    assert said in home.says(FAILED, "models", *words)
    assert said in home.tells(FAILED, "models", *words)["error"]["message"]


def test_a_name_that_is_taken_is_refused(home, sample):
    home.says(OK, "models", "add", sample("whole", "tiny.gguf"))
    other = sample("whole", "tiny2.gguf")
    other.write_bytes(other.read_bytes() + bytes(32))
    assert "tiny" in home.says(FAILED, "models", "add", other, "--as", "tiny")
