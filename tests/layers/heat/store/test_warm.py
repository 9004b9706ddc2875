"""No question waits for a compiler."""

from datetime import timedelta

import pytest

from layers.core.span import Span
from layers.heat.engine import Engine
from layers.heat.question import Question
from layers.heat.store import kernels
from layers.heat.store.warm import warm_up
from tests import toy
from tests.conftest import heated

ASKED = [
    kernels.add_events,
    kernels.add_counts,
    kernels.add_changes,
    kernels.add_decayed,
    kernels.gather,
    kernels.some,
]


@pytest.mark.parametrize("half_life", [None, timedelta(days=3)])
@pytest.mark.parametrize("hours", [None, frozenset({3, 9})])
def test_what_is_warm_compiles_nothing_for_any_question(shared_toy, tmp_path, half_life, hours):
    warm_up()
    known = {kernel: set(kernel.signatures) for kernel in ASKED}
    assert all(known.values())
    heated(shared_toy.url, tmp_path, toy.CITY)
    span = Span(toy.FIRST, toy.FIRST + timedelta(days=50))
    engine = Engine(tmp_path, toy.CITY)
    for layer in toy.CITY.heat_layers:
        engine.answers([Question(layer, span, 8, half_life=half_life, hours=hours, with_sensitive=True)])
    assert {kernel: set(kernel.signatures) for kernel in ASKED} == known
