"""The workshop, with and without a database."""

import shutil
from pathlib import Path

import pytest

from tests.workshop import Workshop

pytest.register_assert_rewrite("tests.etl.malformed")  # a failure there says what differs


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A workshop without a database."""
    folder = tmp_path / "toy"
    shutil.copytree(Path(__file__).parents[1] / "cities" / "toy", folder)
    return Workshop(folder)


@pytest.fixture
def shared_town(shop: Workshop, shared_url: str) -> Workshop:
    """A workshop with the database of its module: each source needs an id of its own."""
    shop.url = shared_url
    return shop


@pytest.fixture
def town(shop: Workshop, empty_url: str) -> Workshop:
    """A workshop with an empty database."""
    shop.url = empty_url
    return shop
