import pathlib

import pytest

import harness


@pytest.fixture(scope="module")
def node(request):
    with harness.world(pathlib.Path(request.module.__file__).stem) as running:
        yield running


@pytest.fixture(autouse=True)
def held_to_the_contract(request):
    """Fresh providers before each test; after it, everything that passed must be as the specification says."""
    running = request.getfixturevalue("node") if "node" in request.fixturenames else None
    for fake in running.fakes.values() if running else ():
        fake.clear()
    yield
    wrong = running.faults() if running else []
    assert not wrong, "\n".join(wrong)


def pytest_collection_modifyitems(items):
    """What looks back over everything comes last."""
    items.sort(key=lambda item: pathlib.Path(item.path).stem == "test_afterwards")
