"""One question: how it is put, what comes back, and what is said when nobody answers."""
import json
import signal
import subprocess
import time

import house
from house import FAILED, FREE, NODE, NO_ANSWER, OK, USAGE


def scripted(**script):
    return "fake:" + json.dumps(script)


def test_words_are_put_together_as_they_were_typed(running, fake):
    assert running.says(OK, "ask", "What", "is", "2+2?") == "You said: What is 2+2?\n"
    assert running.says(OK, "ask", "What is 2+2?") == "You said: What is 2+2?\n"


def test_standard_input_is_the_question_or_a_part_of_it(running):
    assert running.says(OK, "ask", "-", text="from a file\n") == "You said: from a file\n"
    assert running.says(OK, "ask", text="from a pipe\n") == "You said: from a pipe\n"
    assert running.says(OK, "ask", "Sum", "this", "up:", "-", text="a letter\n") == \
        "You said: Sum this up:\n\na letter\n"
    assert "only once" in running.says(USAGE, "ask", "-", "-", text="x")


def test_no_question_is_a_wrong_line(running):
    for words in (["ask"], ["ask", "-"], ["ask", " "]):
        assert 'type: meshai ask "What is 2+2?"' in running.says(USAGE, *words)
        assert "no question" in running.tells(USAGE, *words)["error"]["message"]


def test_options_reach_the_provider(running, fake):
    running.says(OK, "ask", "--system", "Be brief.", "--temperature", "0.5", "--max-tokens", "7", "--model", "fake-model", "hi")
    body = fake.bodies()[-1]
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["temperature"] == 0.5 and body["max_tokens"] == 7 and body["model"] == "fake-model"
    assert "mesh" not in body


def test_explain_tells_the_route_to_standard_error(running):
    shown = running.run("ask", "--explain", "hi")
    assert shown.stdout == "You said: hi\n"
    assert shown.stderr.startswith("here/fake-model (local), 1 attempt, first token after "), shown.stderr


def test_json_is_one_object(running):
    told = running.tells(OK, "ask", "hi")
    assert told["answer"] == "You said: hi" and told["node"] == "here" and told["model"] == "fake-model"
    assert told["tier"] == "local" and told["attempts"] == 1 and told["finish"] == "stop"
    assert told["usage"]["output_tokens"] > 0 and told["total_ms"] >= told["first_token_ms"]
    assert "error" not in told and "failed" not in told


def test_it_streams(running):
    asked = subprocess.Popen([house.PROGRAM, "ask", scripted(text="one two three four", gap_ms=150)],
                             env=running.environment, stdout=subprocess.PIPE)
    begun = time.monotonic()
    first = asked.stdout.read1(100)
    assert first and b"four" not in first
    assert time.monotonic() - begun < 5
    assert b"four" in asked.stdout.read()
    assert asked.wait(10) == OK


def test_ctrl_c_ends_it_and_the_answer(running, fake):
    before = fake.broken_off()
    asked = subprocess.Popen([house.PROGRAM, "ask", scripted(text="word " * 60, gap_ms=50)], env=running.environment,
                             stdout=subprocess.PIPE)
    asked.stdout.read1(100)
    asked.send_signal(signal.SIGINT)
    assert asked.wait(5) == -signal.SIGINT
    assert fake.wait_broken_off(before + 1)


def test_an_answer_cannot_drive_the_terminal(running):
    assert running.says(OK, "ask", scripted(text="red \x1b[31m and \x07 a bell")) == "red [31m and  a bell\n"


def test_an_answer_cut_at_its_length_says_so(running):
    shown = running.run("ask", scripted(text="cut", finish="length"))
    assert shown.returncode == OK and "--max-tokens" in shown.stderr


def test_a_refusal_comes_with_the_reason_and_what_to_do(running):
    question = scripted(status=400, type="invalid_request_error", message="No poems.")
    shown = running.says(NO_ANSWER, "ask", question)
    assert shown.startswith("meshai: ") and "No poems." in shown, shown
    told = running.tells(NO_ANSWER, "ask", question)
    assert "No poems." in told["error"]["message"] and told["error"]["hint"] and told["answer"] == ""


def test_the_route_names_what_failed_on_the_way(home):
    first, second = house.Fake(), house.Fake()
    try:
        first._call("/fake/rules", [{"text": "one two three four five", "fault": "reset", "at": 2}])
        config = FREE + NODE.format(name="a", port=first.port) + NODE.format(name="b", port=second.port) + \
            '[[model]]\nname = "both"\nroute = ["a", "b"]\n'
        second._call("/fake/rules", [{"text": "one two three four five"}])
        with home.serving(config):
            told = home.tells(OK, "ask", "--model", "both", "count")
            assert told["answer"] == "one two three four five"
            assert told["node"] == "b" and told["attempts"] == 2
            assert told["failed"] == [{"node": "a", "model": "fake-model", "fault": told["failed"][0]["fault"], "streamed": True}]
            first._call("/fake/rules", [{"status": 500, "type": "server_error", "message": "no"}])
            shown = home.run("ask", "--explain", "--model", "both", "count")
            assert shown.stderr.splitlines()[0].startswith("a/fake-model: "), shown.stderr
            assert shown.stderr.splitlines()[1].startswith("b/fake-model (local), 2 attempts"), shown.stderr
    finally:
        first.stop()
        second.stop()


def test_where_everybody_is_down_nobody_answered(home):
    with home.serving(FREE + NODE.format(name="here", port=1)):
        assert "meshai doctor" in home.says(NO_ANSWER, "ask", "hi")
        told = home.tells(NO_ANSWER, "ask", "hi")
        assert told["error"]["hint"] and told["answer"] == ""


def test_a_node_that_is_gone_in_the_meantime_is_a_failure(home, fake):
    with home.serving(FREE + NODE.format(name="here", port=fake.port)) as process:
        asked = subprocess.Popen([house.PROGRAM, "ask", "--json", scripted(text="a b c", gap_ms=3000)],
                                 env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + 10
        while not any("gap_ms" in one for one in fake.questions()[-1:]) and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
        out, _ = asked.communicate(timeout=10)
        assert asked.returncode in (FAILED, NO_ANSWER) and json.loads(out)["error"]["message"]
