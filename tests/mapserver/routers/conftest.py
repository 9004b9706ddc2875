"""Who asks."""

import pytest

from layers.core.audience import Role
from tests.mapserver.conftest import bearer, token


@pytest.fixture
def room(toy_settings, shared_toy):
    """Headers of the closed room of the toy city, for tests that only read."""
    return bearer(token(toy_settings, shared_toy.url, Role.ROOM))
