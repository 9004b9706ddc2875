"""The engine's answers against counts by hand, with masks, boxes and what must stay hidden."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.core.audience import SENSITIVE_RES
from layers.core.span import Span
from layers.geo import hexgrid
from layers.geo.bbox import Bbox
from layers.heat.engine import Engine
from layers.heat.question import Mask, Question
from tests import toy
from tests.conftest import heated
from tests.layers.heat.test_exact import WHOLE, counts, questions

SENSITIVE = "domestic"


@pytest.fixture(scope="module")
def engine(shared_toy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("heat")
    heated(shared_toy.url, folder, toy.CITY)
    return Engine(folder, toy.CITY)


def answered(engine, question):
    (answer,) = engine.answers([question])
    assert np.all(np.diff(answer.cells.cell.astype(np.int64)) > 0)
    return dict(zip(answer.cells.cell.tolist(), answer.cells.value.tolist(), strict=True))


def parents(rows, res):
    return hexgrid.parent(np.array([row.cell for row in rows], np.uint64), res).tolist()


def kept_rows(shared_toy, mask):
    """Which rows a mask keeps, each looked at by itself."""
    grids = {shared_toy.area_id(area[0]): area[0] for area in toy.AREAS}
    inside = [True] * len(shared_toy.rows)
    if mask.areas is not None:
        wanted = {grids[area] for area in mask.areas}
        inside = [row.grid in wanted for row in shared_toy.rows]
    if mask.polygon is not None:
        centres = hexgrid.centre(np.array([row.cell for row in shared_toy.rows], np.uint64)).tolist()
        within = [mask.polygon.contains(shapely.Point(centre)) for centre in centres]
        inside = [one and other for one, other in zip(inside, within, strict=True)]
    return inside


def by_hand(shared_toy, question, bit):
    """The whole answer, one row after the other."""
    rows = shared_toy.rows
    inside = kept_rows(shared_toy, question.mask)
    coarse = parents(rows, SENSITIVE_RES)
    cut = {cell for cell, one in zip(coarse, inside, strict=True) if not one}
    sums = Counter()
    for row, one, cell, above in zip(rows, inside, parents(rows, question.res), coarse, strict=True):
        hidden = row.category == SENSITIVE and (not question.with_sensitive or above in cut)
        if one and not hidden and (value := counts(row, question, bit)):
            sums[cell] += value
    if question.bbox is not None:
        box = shapely.box(question.bbox.west, question.bbox.south, question.bbox.east, question.bbox.north)
        shapes = dict(zip(sums, hexgrid.outline(np.array(list(sums), np.uint64)), strict=True))
        sums = Counter({cell: value for cell, value in sums.items() if shapes[cell].intersects(box)})
    return Counter({cell: value for cell, value in sums.items() if value > 1e-12})


def _square(west, south, size):
    return shapely.box(west, south, west + size, south + size * 0.7)


boxes = st.builds(_square, st.floats(9.99, 10.1), st.floats(49.99, 50.06), st.floats(0.001, 0.08))
areas = st.sampled_from([None, ("V1G1",), ("V1G1", "V1G2"), ("V2G1",), ("V1G1", "V1G2", "V2G1", "V2G2")])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=questions,
    layer=st.sampled_from(["all", "school", "market"]),
    res=st.integers(0, 10),
    codes=areas,
    polygon=st.none() | boxes,
    box=st.none() | boxes,
    with_sensitive=st.booleans(),
)
def test_any_question_is_answered_as_a_count_by_hand(
    engine, shared_toy, asked, layer, res, codes, polygon, box, with_sensitive
):
    ids = None if codes is None else frozenset(map(shared_toy.area_id, codes))
    bbox = None if box is None else Bbox(*box.bounds)
    question = replace(
        asked,
        layer=layer,
        res=res,
        mask=Mask(ids, polygon),
        bbox=bbox,
        with_sensitive=with_sensitive and res <= SENSITIVE_RES,
    )
    bit = None if layer == "all" else ["school", "market"].index(layer)
    assert answered(engine, question) == pytest.approx(by_hand(shared_toy, question, bit))


@pytest.mark.parametrize("res", range(11))
def test_heat_at_any_resolution_sums_to_the_heat_at_the_base(engine, shared_toy, res):
    found = answered(engine, Question("all", WHOLE, res, with_sensitive=True))
    assert sum(found.values()) == len(shared_toy.rows)
    base = answered(engine, Question("all", WHOLE, 10, with_sensitive=True))
    rolled = Counter()
    for cell, value in base.items():
        rolled[int(hexgrid.parent(np.array([cell], np.uint64), res)[0])] += value
    assert found == rolled


def test_a_cell_on_the_edge_of_the_box_keeps_its_whole_count(engine):
    everything = answered(engine, Question("all", WHOLE, 8, with_sensitive=True))
    found = answered(engine, Question("all", WHOLE, 8, bbox=Bbox(10.03, 50.02, 10.05, 50.04), with_sensitive=True))
    assert 0 < len(found) < len(everything)
    assert all(everything[cell] == value for cell, value in found.items())


def test_sensitive_incidents_cannot_be_cut_out_of_a_cell_by_two_masks(engine, shared_toy):
    """Whatever the mask, a cell of resolution 8 shows all of its sensitive incidents or none."""
    only = frozenset({SENSITIVE})
    whole = answered(engine, Question("all", WHOLE, SENSITIVE_RES, categories=only, with_sensitive=True))
    shown = 0
    for west in np.linspace(10.0, 10.08, 9):
        mask = Mask(polygon=_square(west, 50.0, 0.03))
        question = Question("all", WHOLE, SENSITIVE_RES, categories=only, mask=mask, with_sensitive=True)
        found = answered(engine, question)
        assert all(whole[cell] == value for cell, value in found.items())
        shown += len(found)
    assert shown > 10


def test_nothing_is_found_outside_the_time_that_a_store_can_count(engine):
    early = Span(toy.FIRST - timedelta(days=100 * 365), toy.FIRST - timedelta(days=50 * 365))
    assert answered(engine, Question("all", early, 8)) == {}
    late = Span(toy.FIRST + timedelta(days=200 * 365), toy.FIRST + timedelta(days=300 * 365))
    assert answered(engine, Question("all", late, 8)) == {}
    assert answered(engine, Question("all", late, 8, half_life=timedelta(days=1))) == {}


def test_a_window_wider_than_a_store_can_count_holds_everything(engine, shared_toy):
    ages = Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    found = answered(engine, Question("all", ages, 8, hours=frozenset(range(24)), with_sensitive=True))
    assert sum(found.values()) == len(shared_toy.rows)


def test_answers_together_are_of_one_moment(engine):
    first, second = engine.answers([Question("all", WHOLE, 8), Question("school", WHOLE, 8)])
    assert first.state == second.state == engine.state()
