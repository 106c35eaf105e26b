"""What is left when all of the others have run: the words of callers are in nothing that a node wrote, and what the
specification promises has been met."""
import base64
import json
import urllib.parse

import contract
import harness
import openai
import pytest

WORDS = (harness.CANARY, harness.TOLD)
SETS = ["api", "statuses", "openai_python", "openai_python_faults", "anthropic_python", "anthropic_python_faults"]
FOLDERS = [*(f"test_{name}" for name in SETS), "openai_node", "openai_go"]

# What no test from outside can bring about, and why.
NEVER = {
    **{(path, "post", 500): "a bug of the node's own" for path, item in contract.SPEC["paths"].items()
       if "500" in item.get("post", {}).get("responses", {})},
}


# ---- the canary

def forms(word):
    """The word as it may stand somewhere: as it is, in hexadecimal, in base64 at each offset, escaped, backwards."""
    yield from (word.encode(), word.upper().encode(), word.encode().hex().encode(), word[::-1].encode())
    yield urllib.parse.quote(word, safe="").encode().replace(b"-", b"%2D")
    yield "".join(f"\\u{ord(letter):04x}" for letter in word).encode()
    for before in range(3):
        inside = base64.b64encode(bytes(before) + word.encode())
        yield inside[4 if before else 0:-4]


def leaks(folder):
    """Files below the folder in which one of the words stands."""
    wanted = [form for word in WORDS for form in forms(word)]
    return [str(file) for file in sorted(folder.rglob("*")) if file.is_file()
            and any(form in content for content in [file.read_bytes()] for form in wanted)]


@pytest.mark.parametrize("name", FOLDERS)
def test_no_word_of_a_caller_is_in_what_the_nodes_wrote(name):
    folder = harness.written() / name
    assert folder.is_dir(), "run all of the conformance tests: ctest -R conformance"
    for file in ("log", "metrics", "status", "said"):
        assert (folder / file).stat().st_size > 0, f"{name}/{file} was not kept, so nothing could be found in it"
    assert " debug " in (folder / "log").read_text(), "the log is not at its most talkative level"
    assert leaks(folder) == []


@pytest.mark.parametrize("form", [form for word in WORDS for form in forms(word)])
def test_a_planted_word_is_found(tmp_path, form):
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "log").write_bytes(b"2026 info " + form + b" \xff\n")
    (tmp_path / "log").write_bytes(b"2026 info nothing\n")
    assert leaks(tmp_path) == [str(tmp_path / "beside" / "log")]


def test_a_node_that_leaks_is_found():
    """The node writes the names of its nodes, so a word in such a name is a leak that is known to happen."""
    leaky = harness.CONFIG.replace('name = "openai"', f'name = "{harness.CANARY}"').replace(
        '"openai/gpt-fake"', f'"{harness.CANARY}/gpt-fake"')
    with harness.world("leaky", config=leaky, strict=False) as node:
        client = openai.OpenAI(base_url=node.base + "/v1", api_key=harness.KEY, max_retries=0)
        node.fakes["openai"].play({"status": 500, "message": "no"})
        with pytest.raises(openai.APIError) as told:
            client.chat.completions.create(model="gpt-fake", messages=[{"role": "user", "content": "x"}],
                                           extra_body={"mesh": {"fallback": False}})
        assert harness.CANARY in str(told.value.body)
        assert any("canary is in an error" in fault for fault in node.faults())
    found = {one.rsplit("/", 1)[1] for one in leaks(harness.written() / "leaky")}
    assert {"log", "metrics", "status", "said"} <= found


# ---- the specification

def documented():
    for path, item in contract.SPEC["paths"].items():
        for method in contract.METHODS:
            for status, answer in item.get(method, {}).get("responses", {}).items():
                while "$ref" in answer:
                    _, answer = contract._find(*answer["$ref"].removeprefix("#/").split("/"))
                for media in answer["content"]:
                    yield path, method, int(status), media


def met():
    for name in FOLDERS:
        kept = harness.written() / f"{name}.seen.json"
        assert kept.is_file(), "run all of the conformance tests: ctest -R conformance"
        for path, method, status, media in json.loads(kept.read_text()):
            yield path, method, status, media


def test_what_the_specification_promises_was_met(capsys):
    unmet = set(documented()) - set(met())
    with capsys.disabled():
        for path, method, status, _ in sorted(unmet):
            why = NEVER.get((path, method, status), "and it should have")
            print(f"\nnever met: {method} {path} -> {status}: {why}", end="")
    assert {one[:3] for one in unmet} == set(NEVER)


def test_every_kind_of_event_was_met():
    kinds = {(path, kind) for path, kind, _, media in met() if media == "event"}
    wanted = {("/v1/messages", variant["properties"]["type"]["const"])
              for variant in contract.DOCUMENTS["anthropic.yaml"]["MessageEvent"]["oneOf"]}
    wanted |= {(path, kind) for path in ("/v1/chat/completions", "/v1/completions") for kind in ("chunk", "error")}
    assert wanted - kinds == set()
