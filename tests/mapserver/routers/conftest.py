"""Who asks."""

import pytest

from layers.core.audience import Role
from tests.mapserver.asked import looped
from tests.mapserver.conftest import bearer, token


@pytest.fixture
def room(toy_settings, shared_toy):
    """Headers of the closed room of the toy city, for tests that only read."""
    return bearer(token(toy_settings, shared_toy.url, Role.ROOM))


@pytest.fixture
async def loop(own_toy, toy_settings, tmp_path):
    """A server of a city with deadlines, and a way to ask it in a role."""
    async with looped(own_toy, toy_settings, tmp_path) as asked:
        yield asked
