"""meshai key and meshai usage: what is made, shown once, revoked, and what was used."""
import re
import stat

from house import CONFIGURATION, FAILED, FREE, NODE, OK, USAGE


def test_a_key_is_printed_once_and_listed_without_it(home):
    made = home.run("key", "new", "--name", "phone", "--reach", "site", "--rate", "60", "--budget", "2.5")
    assert made.returncode == OK and re.fullmatch(r"sk-mesh-[0-9a-f]{48}\n", made.stdout), made.stderr
    assert '"phone", reach site, 2.5 a day, 60 requests a minute: shown this once' in made.stderr
    assert "from now on no program comes in without a key" in made.stderr
    secret = made.stdout.strip()
    shown = home.says(OK, "key", "list")
    assert "phone" in shown and f"...{secret[-4:]}" in shown and secret not in shown
    [told] = home.tells(OK, "key", "list")
    assert told["requests_a_minute"] == 60 and told["budget_money"] == 2.5 and told["reach"] == "site"
    assert told["revoked"] is None and "key" not in told
    file = home.folder / ".local/state/meshai/ledger.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret.encode() not in file.read_bytes()


def test_a_name_is_in_use_until_it_is_revoked(home):
    home.says(OK, "key", "new", "--name", "phone")
    assert "meshai key revoke phone" in home.says(FAILED, "key", "new", "--name", "phone")
    assert home.says(OK, "key", "revoke", "phone") == "revoked phone\n"
    assert "meshai key list" in home.says(FAILED, "key", "revoke", "phone")
    home.says(OK, "key", "new", "--name", "phone")
    assert [bool(one["revoked"]) for one in home.tells(OK, "key", "list")] == [True, False]


def test_what_is_wrong_with_a_key_is_said(home):
    assert "letters, digits" in home.says(USAGE, "key", "new", "--name", "my phone")
    assert "control characters" in home.says(USAGE, "key", "new", "--name", "a", "--models", "a\tb")
    assert home.tells(OK, "key", "list") == []
    assert "meshai key new" in home.run("key", "list").stderr


def test_a_name_of_the_configuration_is_not_made_again(home):
    config = home.folder / ".config/meshai/meshai.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[[key]]\nname = "me"\nsecret = "env:ME"\n' + NODE.format(name="here", port=1))
    assert "choose another name" in home.says(FAILED, "key", "new", "--name", "me")


def test_where_money_buys_nothing_is_said(home):
    config = home.folder / ".config/meshai/meshai.toml"
    config.parent.mkdir(parents=True)
    config.write_text(NODE.format(name="here", port=1) + NODE.format(name="dear", port=2) + "price = { input = 1, output = 2 }\n")
    said = home.run("key", "new", "--name", "paid", "--budget", "1").stderr
    assert "nodes without a price are not asked for it: here; give them one" in said
    assert "a price" not in home.run("key", "new", "--name", "both", "--budget", "1", "--budget-tokens", "9").stderr


def test_an_api_beyond_the_device_starts_with_keys_that_were_made(home):
    """As with a [[key]]: the same start is refused where there is none of either."""
    paid = FREE + NODE.format(name="far", port=1).replace('"local"', '"cloud"') + 'key = "env:FAR"\n'
    file = home.write(paid)
    assert "meshai key new" in home.says(CONFIGURATION, "serve", "--config", file, FAR="one-word")
    home.says(OK, "key", "new", "--name", "me")
    home.environment["FAR"] = "one-word"
    with home.serving(paid):
        assert home.says(OK, "status")


def test_usage_is_by_day_key_and_node(home, fake):
    assert home.says(OK, "usage").startswith("nothing was used from ")
    with home.serving(FREE + NODE.format(name="here", port=fake.port)):
        home.says(OK, "ask", "hello")
    [row] = home.tells(OK, "usage")["rows"]
    assert row["key"] == "-" and row["node"] == "here" and row["answers"] == row["attempts"] == 1
    assert row["input_tokens"] > 0 and row["output_tokens"] > 0 and row["money"] == 0
    shown = home.says(OK, "usage")
    assert shown.splitlines()[0].split() == ["day", "key", "node", "answers", "fallbacks", "faults", "input", "output", "money"]
    assert shown.splitlines()[1].split()[1:4] == ["-", "here", "1"]
    assert home.tells(OK, "usage", "--day", "2020-02-29")["rows"] == []
    assert home.tells(OK, "usage", "--since", "2020-02-29")["rows"] == [row]


def test_a_day_that_is_none_is_refused(home):
    for day in ("2025-02-29", "today", "2025-1-1"):
        assert "is no day; write it as 20" in home.says(USAGE, "usage", "--day", day)


def test_a_damaged_ledger_says_what_to_do(home, fake):
    home.says(OK, "key", "new", "--name", "phone")
    file = home.folder / ".local/state/meshai/ledger.db"
    for beside in file.parent.glob("ledger.db-*"):
        beside.unlink()
    file.write_bytes(b"x" * 8192)
    for words in (["usage"], ["key", "list"], ["key", "new", "--name", "more"]):
        assert f"mv {file} {file}.damaged" in home.says(FAILED, *words)
    with home.serving(FREE + NODE.format(name="here", port=fake.port)):
        found = home.run("doctor").stdout
        assert "ledger" in found and f"mv {file}" in found
