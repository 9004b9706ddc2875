"""A city that has news."""

import pytest

from layers.core.db import connect
from tests.etl.push.street import Street


@pytest.fixture
def street(own_toy, tmp_path):
    with connect(own_toy.url) as connection:
        yield Street(connection, own_toy.url, tmp_path)
