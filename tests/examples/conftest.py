import pytest

import example
from world import World


@pytest.fixture(scope="session")
def surroundings():
    world = World(example.hosts(*map(example.read, example.names())))
    yield world
    unwanted = world.close()
    assert not unwanted, "\n".join(unwanted)


@pytest.fixture
def world(surroundings):
    surroundings.reset()
    return surroundings


@pytest.fixture
def run(world):
    """run(NAME, ...) starts an example, as example.Example says. When the
    test ends, none may have logged an error."""
    running = []

    def start(name, **options):
        running.append(example.Example(name, world, **options))
        return running[-1]

    yield start
    unwanted = [line for one in running for line in one.stop()]
    assert not unwanted, "\n".join(unwanted)
