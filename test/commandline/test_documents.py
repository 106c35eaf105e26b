"""What is written for operators holds: every key of the configuration stands there, and every example is valid."""
import pathlib
import re

import pytest

from house import CONFIGURATION, DOCS, OK

ROOT = DOCS.parents[1]
TABLES = {
    "[api]": "[api]\n",
    "[[key]]": '[[key]]\nname = "me"\nsecret = "env:ME"\n',
    "[[node]]": '[[node]]\nname = "here"\ntier = "local"\nkind = "engine"\n',
    "[[model]]": '[[model]]\nname = "m"\nroute = ["here"]\n',
    "[[care]]": '[[care]]\nclass = "secret"\nreach = "device"\n',
    "[limits]": "[limits]\n",
}
HEADER = ["key", "type", "default", "range", "meaning"]


def described(table):
    """The rows of a table of the configuration, by key."""
    text = (DOCS / "configuration.md").read_text().split(f"\n## `{table}`\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == HEADER
    return {row[0].strip("`"): row for row in rows[2:]}


@pytest.mark.parametrize("table", TABLES)
def test_every_key_is_described_and_every_described_key_exists(home, table):
    """The program itself lists the keys it knows when it meets one that it does not."""
    file = home.write(TABLES[table] + "nobody-knows-this = 1\n")
    said = home.says(CONFIGURATION, "config", "check", file)
    known = set(said.split("it knows ")[1].strip().split(", "))
    assert known == set(described(table))


@pytest.mark.parametrize("table", TABLES)
def test_every_row_says_type_default_and_meaning(table):
    for key, row in described(table).items():
        assert len(row) == len(HEADER) and row[1] and row[2] and row[4].endswith("."), row


def test_the_tables_themselves_are_all_described(home):
    said = home.says(CONFIGURATION, "config", "check", home.write("nothing = 1\n"))
    assert set(said.split("it knows ")[1].strip().split(", ")) == {one.strip("[]") for one in TABLES}


def blocks(language):
    for file in sorted([ROOT / "README.md", *DOCS.glob("*.md")]):
        for number, block in enumerate(re.findall(rf"```{language}\n(.*?)```", file.read_text(), re.S)):
            yield pytest.param(block, id=f"{file.name}-{number}")


@pytest.mark.parametrize("block", list(blocks("toml")))
def test_every_example_is_valid(home, block):
    if "[[node]]" not in block:
        block += '\n[[node]]\nname = "here"\ntier = "local"\nkind = "engine"\n'
    for path in re.findall(r'"([^"]*\.pem)"', block):
        assert pathlib.Path(path).suffix == ".pem"
    names = {name: "one-word" for name in re.findall(r'"env:(\w+)"', block)}
    file = home.write(block)
    if "[[key]]" not in block and names:
        file = home.write('[[key]]\nname = "test"\nsecret = "env:TEST_KEY"\n' + block)
        names["TEST_KEY"] = "one-word"
    assert home.says(OK, "config", "check", file, **names).startswith("valid: ")


def test_every_command_that_is_written_down_exists(home):
    """`meshai word` in a document, and its --options."""
    for file in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for line in re.findall(r"^(?:    |\$ )meshai ([^\n]*)|`meshai ([^`]*)`", file.read_text(), re.M):
            words = [one for one in " ".join(line).split("#")[0].split() if re.fullmatch(r"-{0,2}[a-z][a-z-]*", one)]
            if not words:
                continue
            commands = words[:2] if words[0] in ("models", "config", "service", "key") else words[:1]
            shown = home.says(OK, *commands, "--help")
            assert f"Usage: meshai {' '.join(commands)}" in shown, f"{file.name}: {words}"
            for option in [one for one in words if one.startswith("--")]:
                assert option in shown, f"{file.name}: {words}"


@pytest.mark.parametrize("file", [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")]
                         + sorted((ROOT / "docs").rglob("*.md")), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file):
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)|src=\"([^\"]*)\"|srcset=\"([^\"]*)\"", file.read_text()):
        name = "".join(target)
        if name and "://" not in name:
            assert (file.parent / name).exists(), name
