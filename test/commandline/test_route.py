"""Who would be asked, and why: the same words from a running node and from a file."""
import pytest

from house import CONFIGURATION, FREE, NO_ANSWER, NODE, NOT_RUNNING, OK, USAGE

TWO = FREE + NODE.format(name="here", port=9) + """
[[node]]
name = "far"
tier = "cloud"
kind = "openai-compatible"
url = "https://far.example/v1"
models = ["big", "small"]
images = false
"""
HARD = "Write a business plan for a bakery"


def names(told, what="candidates"):
    return [f"{one['node']}/{one['model']}" for one in told[what]]


def test_a_file_is_enough(home):
    file = home.write(TWO)
    easy = home.tells(OK, "route", "--config", file, "What is 2+2?")
    assert names(easy) == ["here/fake-model", "far/big", "far/small"] and easy["complexity"]["class"] == "simple"
    hard = home.tells(OK, "route", "--config", file, HARD)
    assert names(hard) == ["far/big", "far/small", "here/fake-model"] and hard["complexity"]["class"] == "hard"
    scores = [one["score"] for one in hard["candidates"]]
    assert scores == sorted(scores, reverse=True) and scores[0] == 1


def test_what_matters_most(home):
    file = home.write(TWO)
    told = home.tells(OK, "route", "--config", file, "--prefer", "quality", "What is 2+2?")
    assert names(told)[0] == "far/big" and told["prefer"] == "quality"
    shown = home.says(OK, "route", "--config", file, "--prefer", "price", "What is 2+2?")
    assert "\nprefer      price\n" in shown and "nobody knows what it costs" in shown
    assert "cheap not in {speed,quality,price,private}" in home.says(USAGE, "route", "--prefer", "cheap", "hi")


def test_what_a_node_cannot_do(home):
    file = home.write(TWO + 'languages = ["en"]\ncontext = 1000\n')
    told = home.tells(OK, "route", "--config", file, "Was ist die Hauptstadt von Frankreich?")
    assert names(told) == ["here/fake-model"] and told["language"] == "de"
    assert {(one["rule"], one["why"]) for one in told["excluded"]} == {
        ("no_language", "it does not speak the question's language (de)")}
    told = home.tells(OK, "route", "--config", file, "word " * 2000)
    assert [one["why"] for one in told["excluded"]] == [
        "the prompt has at least 1250 tokens (by its length), and it takes 1000"] * 2
    wrong = home.write(TWO + 'languages = ["english"]\n')
    assert 'languages: cannot hold "english": it takes ar, de, ' in home.says(CONFIGURATION, "config", "check", wrong)


def test_what_a_person_reads(home):
    shown = home.says(OK, "route", "--config", home.write(TWO), "--reach", "device", "Write a", "business plan")
    lines = shown.splitlines()
    assert lines[0].startswith("complexity  hard, ") and lines[1] == "reach       device, by mesh.reach"
    assert lines[3].split()[:4] == ["1", "here/fake-model", "local", "0.25"], lines
    assert lines[5].split()[:2] == ["far/big", "reach"] and "as far as \"device\" only" in lines[5]


def test_a_care_rule_keeps_a_question_near_and_is_named(home):
    file = home.write(TWO + '[[care]]\nclass = "personal"\nreach = "device"\n')
    told = home.tells(OK, "route", "--config", file, HARD + " for ann@example.com")
    assert names(told) == ["here/fake-model"] and told["care"] == ["personal"]
    assert told["reach"] == "device" and told["reach_by"] == '[[care]] class = "personal"'
    assert "care" not in home.tells(OK, "route", "--config", file, HARD)
    shown = home.says(OK, "route", "--config", file, "I am ann@example.com")
    assert 'reach       device, by [[care]] class = "personal"\ncare        personal\n' in shown
    assert "ann" not in shown


def test_nobody_to_ask_is_told_and_is_no_success(home):
    file = home.write(FREE + NODE.format(name="far", port=9).replace('"local"', '"cloud"').replace("http:", "https:"))
    told = home.tells(NO_ANSWER, "route", "--config", file, "--reach", "device", "hi")
    assert told["candidates"] == [] and told["refused"]["code"] == "reach_excludes_all"
    ran = home.run("route", "--config", file, "--reach", "device", "hi")
    assert "\nrefused     the query may travel as far as \"device\"" in ran.stdout


def test_a_name_that_nobody_knows(home):
    told = home.tells(NO_ANSWER, "route", "--config", home.write(TWO.replace('unknown_model = "auto"', "")), "--model", "bigg", "hi")
    assert "Did you mean big?" in told["refused"]["hint"]


def test_wrong_lines(home):
    assert 'type: meshai route "What is 2+2?"' in home.says(USAGE, "route", "--config", home.write(TWO))
    assert home.says(NOT_RUNNING, "route", "hi") == "meshai: no node runs; type: meshai up\n"
    home.says(CONFIGURATION, "route", "--config", home.write("nonsense = 1\n"), "hi")
    assert "moon" in home.says(USAGE, "route", "--reach", "moon", "hi")


def test_a_running_node_says_the_same_and_asks_nobody(running, fake):
    before = len(fake.bodies())
    told = running.tells(OK, "route", text="What is 2+2?")
    assert names(told) == ["here/fake-model"] and told["candidates"][0]["score"] == 1
    assert len(fake.bodies()) == before
    shown = running.says(OK, "route", "--system", "Be brief.", "What is 2+2?")
    assert "asked, in this order\n  1  here/fake-model " in shown


def test_ask_tells_it_after_the_answer(running):
    shown = running.run("ask", "--explain", "What is 2+2?")
    assert shown.stdout == "You said: What is 2+2?\n" and "\ncomplexity  simple, " in shown.stderr
    told = running.tells(OK, "ask", "--explain", "What is 2+2?")
    assert names(told["route"]) == ["here/fake-model"] and told["route"]["excluded"] == []
    assert "route" not in running.tells(OK, "ask", "hi")
