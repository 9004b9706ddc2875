from datetime import timedelta

import numpy as np

from etl.load import stored
from layers.core.db import connect
from tests.workshop import NOW, FixedClock, tree


def test_areas_come_deepest_first_then_by_code_with_the_span_of_each_version(town):
    town.load_tree()
    town.clock = FixedClock(NOW + timedelta(days=1))
    town.load_tree(tree()[:4])
    with connect(town.url) as connection:
        found = stored.areas(connection)
        codes = {
            row["area_id"]: row["code"] for row in connection.execute("select area_id, code from onemap.area")
        }
        assert stored.known_areas(connection) == {(0, "D"), (1, "V1"), (1, "V2"), (2, "V1G1"), (2, "V1G2")}
    assert [codes[value] for value in found.value] == ["V1G1", "V1G2", "V1", "V2", "D"]
    assert found.end[1] == np.datetime64("2026-03-02T12:00:00")
    assert (found.start < np.datetime64("0001-01-01")).all()


def test_zones_carry_the_bit_of_their_type(town):
    town.load_places()
    with connect(town.url) as connection:
        found = stored.zones(connection)
    assert sorted(found.value.tolist()) == [0, 1]
    assert {shape.geom_type for shape in found.shapes} == {"MultiPolygon"}


def test_a_database_without_areas_has_none(town):
    with connect(town.url) as connection:
        assert len(stored.areas(connection).value) == 0
        assert len(stored.zones(connection).value) == 0
