import tempfile

import pytest

import house


@pytest.fixture
def home():
    with tempfile.TemporaryDirectory(prefix="meshai-") as folder:
        made = house.Home(folder)
        yield made
        made.run("down")


@pytest.fixture(scope="module")
def fake():
    made = house.Fake()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def running(fake):
    """A node with one provider, for the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="meshai-") as folder:
        made = house.Home(folder)
        with made.serving(house.FREE + house.NODE.format(name="here", port=fake.port)):
            yield made


@pytest.fixture
def terminal():
    """Terminal(home, words...), ended with the test."""
    made = []

    def open_one(*arguments, **named):
        made.append(house.Terminal(*arguments, **named))
        return made[-1]

    yield open_one
    for one in made:
        one.stop()
