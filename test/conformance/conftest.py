import pytest

import harness


@pytest.fixture(scope="session")
def node():
    with harness.world() as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(request):
    if "node" in request.fixturenames:
        for fake in request.getfixturevalue("node").fakes.values():
            fake.clear()
