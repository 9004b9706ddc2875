from datetime import timedelta

import numpy as np
import shapely

from etl.load.standing import standing
from etl.topology import report
from etl.tree import Tree
from layers.core.db import connect
from tests.workshop import NOW, area, tree


def _standing(town, at=NOW):
    with connect(town.url) as connection:
        return standing(connection, at)


def test_the_areas_that_stand_are_those_of_the_last_load(town):
    town.load_tree()
    rows = {row["code"]: row for row in _standing(town).to_pylist()}
    assert {code: (row["level_rank"], row["parent_code"]) for code, row in rows.items()} == {
        "D": (0, None),
        "V1": (1, "D"),
        "V2": (1, "D"),
        "V1G1": (2, "V1"),
        "V1G2": (2, "V1"),
    }
    assert shapely.from_wkb(rows["V2"]["geom"]).bounds == (10.05, 50.0, 10.1, 50.06)
    assert rows["V2"]["valid_to"] is None


def test_a_later_shape_stands_in_place_of_the_earlier_and_what_ended_does_not(town):
    columns = {name: name for name in ("level", "code", "name_zh", "name_en", "parent_code", "valid_to")}
    ends = (NOW + timedelta(days=1)).isoformat()
    features = [*tree()[:4], area("grid", "V1G2", "V1", (10.0, 50.0, 10.05, 50.03), valid_to=ends)]
    town.load_tree(features, columns=columns)
    features[2] = area("village", "V2", "D", (10.06, 50.0, 10.1, 50.06))
    town.load_tree(features, columns=columns)
    now, later = _standing(town), _standing(town, NOW + timedelta(days=2))
    assert sorted(now.column("code").to_pylist()) == ["D", "V1", "V1G1", "V1G2", "V2"]
    assert sorted(later.column("code").to_pylist()) == ["D", "V1", "V1G1", "V2"]
    wests = {row["code"]: shapely.from_wkb(row["geom"]).bounds[0] for row in now.to_pylist()}
    assert wests["V2"] == 10.06


def test_of_a_tree_that_stands_nothing_is_told_and_of_a_file_held_against_it_is(town):
    town.load_tree()
    table = _standing(town)
    assert report(Tree.of(table.slice(0, 0), np.array([], np.int64), table), town.city) == []
    grids = table.filter(np.array([code == "V1G1" for code in table.column("code").to_pylist()]))
    wide = grids.set_column(
        grids.schema.get_field_index("geom"), "geom", [[shapely.to_wkb(shapely.box(10.0, 50.02, 10.05, 50.06))]]
    )
    (entry,) = report(Tree.of(wide, np.array([4]), table), town.city)
    assert (entry.kind, entry.subject, entry.row_number) == ("sibling_overlap", "V1G1, V1G2", 4)
