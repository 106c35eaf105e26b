"""Prompts in, classes out: one line for each, in order, whatever comes."""
import json
import os
import subprocess
import time

import pytest

import house
from house import FAILED, OK


def lines_of(ran):
    return [json.loads(line) for line in ran.stdout.splitlines()]


def ask(*prompts):
    return "".join(json.dumps({"prompt": one}) + "\n" for one in prompts)


def test_the_two_that_everybody_asks(home):
    easy, hard = lines_of(home.run("classify", text=ask("What is 2+2?", "Write a business plan for a bakery")))
    assert easy["class"] == "simple" and easy["complexity"] < 1 / 3 and easy["features"]["arithmetic"] is True
    assert hard["class"] == "hard" and hard["complexity"] > 2 / 3 and hard["features"]["hard_words"] > 0
    assert set(easy) == {"complexity", "class", "features"}


def test_the_gain_decides_where_options_are_listed(home):
    quiz, exam, plain = lines_of(home.run("classify", text=ask(
        "Who wrote Hamlet?\nA. Shakespeare\nB. Goethe\nC. Dante\nD. Molière",
        "Statement 1 | Every group of order 4 is abelian. Statement 2 | Every ring has an identity.\n"
        "A. True, True\nB. False, False\nC. True, False\nD. False, True",
        "Who wrote Hamlet?")))
    assert [one["class"] for one in (quiz, exam, plain)] == ["medium", "hard", "simple"]
    assert [one["features"]["options"] for one in (quiz, exam, plain)] == [True, True, False]
    assert quiz["features"]["gain"] < 0.1 <= exam["features"]["gain"] and quiz["complexity"] < exam["complexity"]


def test_care_tells_classes_and_counts_and_nothing_of_what_it_found(home):
    ran = home.run("classify", "--care", text=ask("What is 2+2?", "Write to ann@example.com and bob@example.com",
                                                  "my password is hunter22, card 4111 1111 1111 1111"))
    plain, personal, both = (one["care"] for one in lines_of(ran))
    assert plain == {"classes": [], "kinds": {}}
    assert personal == {"classes": ["personal"], "kinds": {"email": 2}}
    assert both == {"classes": ["secret", "personal"], "kinds": {"password": 1, "card": 1}}
    assert lines_of(home.run("classify", "--care", text=ask(
        "My landlord wants to evict me and I have to appear in court", "Is my chemotherapy the reason for this rash?")))[0][
            "care"] == {"classes": ["legal"], "kinds": {"legal": 1}}
    assert "ann" not in ran.stdout + ran.stderr and "hunter" not in ran.stdout + ran.stderr


def test_a_file_and_standard_input_are_the_same(home):
    text = ask("Hi!", "Explain how photosynthesis works") + '{"prompt": "no end of line"}'
    file = home.write(text, "prompts.jsonl")
    from_file = home.says(OK, "classify", file)
    assert from_file == home.says(OK, "classify", "-", text=text) == home.says(OK, "classify", text=text)
    assert from_file.count("\n") == 3
    assert "cannot read" in home.says(FAILED, "classify", "nowhere.jsonl")
    assert "cannot read" in home.says(FAILED, "classify", home.folder)
    assert home.says(OK, "classify", text="") == ""


def test_many_lines_keep_their_order(home):
    text = "".join(f'{{"prompt": "{"word " * (number % 997)}"}}\n' for number in range(20_000))
    seen = lines_of(home.run("classify", text=text))
    assert [one["features"]["bytes"] for one in seen] == [5 * (number % 997) for number in range(20_000)]


@pytest.mark.parametrize("line, why", [
    ("no json, but a secret", "line 2 is not JSON: column 1"),
    ('{"prompt": "open', "line 2 is not JSON: column 17"),
    ('{"prompt": "a"} {"prompt": "secret"}', "line 2 is not JSON: column 17"),
    ('["secret"]', 'line 2 has no "prompt": it wants {"prompt": "text"}'),
    ('{"question": "secret"}', 'line 2 has no "prompt": it wants {"prompt": "text"}'),
    ('{"prompt": 7}', 'line 2 has no "prompt": it wants {"prompt": "text"}'),
    ('{"prompt": "\\ud800"}', "line 2 is not JSON"),
    ("", "line 2 is empty"),
    ('{"prompt": "' + "secret" * 1_500_000 + '"}', "line 2 is longer than 8 MiB"),
    ("[" * 100_000, "line 2 is not JSON"),
])
def test_a_broken_line_is_told_and_the_others_are_answered(home, line, why):
    ran = home.run("classify", text=ask("Hi!") + line + "\r\n" + ask("Hi!"))
    assert ran.returncode == FAILED
    assert ran.stderr == "meshai: 1 line could not be read, the first is line 2\n"
    first, broken, last = lines_of(ran)
    assert first == last and first["class"] == "simple"
    assert broken["error"]["line"] == 2 and broken["error"]["message"].startswith(why), broken
    assert "secret" not in ran.stdout + ran.stderr


def test_bytes_that_are_no_text(home):
    ran = subprocess.run([house.PROGRAM, "classify"], env=home.environment, capture_output=True, timeout=30,
                         input=b'{"prompt": "\xff\xfe"}\n\x00\n{"prompt": "\xe5\x86\x99"}\n')
    assert ran.returncode == FAILED
    assert [next(iter(json.loads(line))) for line in ran.stdout.splitlines()] == ["error", "error", "complexity"]


def test_each_line_is_answered_before_the_next_one_comes(home):
    asked = subprocess.Popen([house.PROGRAM, "classify"], env=home.environment, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    for prompt in ("Hi!", "Write a business plan"):
        asked.stdin.write(ask(prompt).encode())
        asked.stdin.flush()
        assert b'"class"' in asked.stdout.readline()
    asked.stdin.close()
    assert asked.wait(10) == OK


def test_it_ends_when_nobody_reads(home):
    asked = subprocess.Popen([house.PROGRAM, "classify"], env=home.environment, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    asked.stdout.close()
    with pytest.raises(BrokenPipeError):
        for _ in range(1000):
            asked.stdin.write(ask("Hi!").encode())
            asked.stdin.flush()
            time.sleep(0.005)
    asked.stdin = None
    assert asked.wait(10) != OK


def test_memory_is_bounded_whatever_the_line(home):
    """A line that never ends is read on, and not kept."""
    file = home.folder / "endless"
    with open(file, "wb") as out:
        out.write(b'{"prompt": "' + b"a" * (8 << 20))
        out.truncate(400 << 20)
    asked = subprocess.Popen([house.PROGRAM, "classify", file], env=home.environment, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    told = asked.stdout.read()
    _, status, usage = os.wait4(asked.pid, 0)
    asked.returncode = os.waitstatus_to_exitcode(status)
    assert asked.returncode == FAILED and b"longer than 8 MiB" in told
    assert usage.ru_maxrss < 200 << 10, f"{usage.ru_maxrss} KB"
