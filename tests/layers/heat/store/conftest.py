"""Small stores."""

import pytest

from layers.heat.store import parts


@pytest.fixture
def short_parts(monkeypatch):
    """Parts so short that a small store has many."""
    monkeypatch.setattr(parts, "_LEAST_EVENTS", 50)
