"""A conversation at a terminal."""
import json
import re
import time

import house
from house import OK


def scripted(**script):
    return "fake:" + json.dumps(script)


def begin(terminal, running, *words, **environment):
    made = terminal(running, "chat", *words, **environment)
    made.wait("you> ")
    return made


def say(chat, text, answer):
    chat.type(text + "\r")
    chat.wait(answer)
    chat.wait("1 attempt")
    chat.wait("you> ")


def test_a_question_and_its_answer(terminal, running):
    chat = begin(terminal, running)
    say(chat, "hello", "You said: hello")
    chat.type("\x04")
    assert chat.end() == OK


def test_the_conversation_is_remembered_and_cleared(terminal, running, fake):
    chat = begin(terminal, running, "--system", "Be kind.")
    say(chat, "first", "You said: first")
    say(chat, "second", "You said: second")
    assert [one["content"] for one in fake.bodies()[-1]["messages"]] == ["Be kind.", "first", "You said: first", "second"]
    chat.type("/clear\r")
    chat.wait("forgotten")
    say(chat, "third", "You said: third")
    assert [one["content"] for one in fake.bodies()[-1]["messages"]] == ["Be kind.", "third"]
    chat.type("/quit\r")
    assert chat.end() == OK


def test_editing_history_and_completion(terminal, running, fake):
    chat = begin(terminal, running)
    say(chat, "hexlo\x1b[D\x1b[D\x7fl", "You said: hello")  # two to the left, x away, an l there
    say(chat, "kept \x17cut\x01first \x05", "You said: first cut")  # Ctrl-W, Ctrl-A, Ctrl-E
    say(chat, "\x1b[A\x1b[A", "You said: hello")
    chat.type("/he\t\r")
    chat.wait("Alt-Enter")
    chat.type("\x04")
    assert chat.end() == OK


def test_several_lines(terminal, running, fake):
    chat = begin(terminal, running)
    say(chat, "one\ntwo", "You said: one")  # Ctrl-J
    assert fake.questions()[-1] == "one\ntwo"
    say(chat, "three\\\rfour", "You said: three")
    assert fake.questions()[-1] == "three\nfour"
    say(chat, '"""five\rsix"""', "You said: five")
    assert fake.questions()[-1] == "five\nsix"
    say(chat, "\x1b[200~seven\rmore\x1b[201~", "You said: seven")  # pasted: sends nothing by itself
    assert fake.questions()[-1] == "seven\nmore"
    chat.type("\x04")
    assert chat.end() == OK


def test_ctrl_c_stops_the_answer_and_not_the_chat(terminal, running, fake):
    chat = begin(terminal, running)
    before = fake.broken_off()
    fake.play(text="one two three " * 20, gap_ms=50)
    chat.type("a long one\r")
    chat.wait("\n...")  # it was sent
    chat.wait("one two")
    chat.type("\x03")
    chat.wait("(stopped)")
    chat.wait("you> ")
    say(chat, "still there", "You said: still there")
    assert fake.wait_broken_off(before + 1)
    chat.type("half a line\x03")
    chat.wait("you> ")
    chat.type("\x03")
    chat.wait("Ctrl-D or /quit leaves")
    chat.type("\x04")
    assert chat.end() == OK


def test_what_is_typed_during_an_answer_is_the_next_question(terminal, running, fake):
    chat = begin(terminal, running)
    fake.play(text="one two three four", gap_ms=100)
    chat.type("a slow one\r")
    chat.wait("\n...")
    chat.wait("one two")
    chat.type("typed ahead\r")
    chat.wait("four")
    assert "typed ahead" not in chat.raw[:chat.raw.rindex("four")], "not in the middle of the answer"
    chat.wait("You said: typed ahead")
    chat.wait("you> ")
    chat.type("\x04")
    assert chat.end() == OK


def test_commands(terminal, running, fake, tmp_path):
    chat = begin(terminal, running)
    say(chat, "hello", "You said: hello")
    chat.type("/model\r")
    chat.wait("asking auto; there are")
    chat.wait("fake-model")
    chat.type("/model fake-model\r")
    chat.wait("asking fake-model")
    chat.type("/reach moon\r")
    chat.wait("device, site, mesh or cloud")
    chat.type("/reach device\r")
    chat.wait("as far as device")
    chat.type("/system Be brief.\r")
    chat.wait("with this system prompt")
    chat.type("/retry\r")
    chat.wait("You said: hello")
    chat.wait("you> ")
    assert fake.bodies()[-1]["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    chat.type(f"/save {tmp_path}/talk.json\r")
    chat.wait("wrote")
    assert json.loads((tmp_path / "talk.json").read_text())["messages"][-1] == {"role": "assistant", "content": "You said: hello"}
    assert (tmp_path / "talk.json").stat().st_mode & 0o777 == 0o600
    chat.type(f"/save {tmp_path}/talk.md\r")
    chat.wait("wrote")
    assert "## user\n\nhello\n" in (tmp_path / "talk.md").read_text()
    chat.type("/clear\r")
    chat.wait("forgotten")
    chat.type(f"/load {tmp_path}/talk.json\r")
    chat.wait("3 messages")
    chat.type("/nonsense\r")
    chat.wait("/nonsense is no command; /help lists them")
    chat.type("/quit\r")
    assert chat.end() == OK


def test_an_answer_cannot_drive_the_terminal(terminal, running):
    chat = begin(terminal, running, NO_COLOR="1")
    chat.type(scripted(text="x \x1b]0;title\x07 y") + "\r")
    chat.wait("x ]0;title y")
    chat.wait("you> ")
    assert "\x1b]0;title" not in chat.raw
    chat.type("\x04")
    assert chat.end() == OK


def test_no_question_is_kept_on_disk(terminal, running):
    chat = begin(terminal, running)
    say(chat, "a word like ungewitter", "You said: a word like ungewitter")
    chat.type("\x04")
    assert chat.end() == OK
    for file in running.folder.rglob("*"):
        if file.is_file():
            assert b"ungewitter" not in file.read_bytes(), file


def test_through_a_pipe_it_gives_answers_only(running):
    assert running.says(OK, "chat", text="one\ntwo\n") == "You said: one\nYou said: two\n"


# ---- colour and watching

def test_colour_only_at_a_terminal_and_where_it_is_wanted(terminal, running):
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        shown = terminal(running, "status", **environment)
        assert shown.end() == OK
        assert ("\x1b[" in shown.raw) == coloured, environment
    assert "\x1b" not in running.says(OK, "status")
    shown = terminal(running, "status", "--json")
    assert shown.end() == OK and "\x1b" not in shown.raw


def test_status_is_watched_until_ctrl_c(terminal, running):
    shown = terminal(running, "status", "--watch")
    until = time.monotonic() + 10
    while shown.raw.count("\x1b[H\x1b[J") < 2:
        assert time.monotonic() < until
        shown._read(0.1)
    assert len(re.findall("listens at", shown.raw)) >= 1
    shown.type("\x03")
    assert shown.end() == -2


def test_a_watched_node_that_ends_is_told(terminal, home, fake):
    with home.serving(house.FREE + house.NODE.format(name="here", port=fake.port)) as process:
        shown = terminal(home, "status", "--watch")
        shown.wait("listens at")
        process.terminate()
        shown.wait("no node runs; type: meshai up")
        assert shown.end() == house.NOT_RUNNING
