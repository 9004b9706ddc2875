from datetime import UTC, datetime, timedelta

import pytest

from tests.workshop import AREAS, NOW, PLACES, TREE, FixedClock, area, tree

LATER = NOW + timedelta(days=10)
DATED = AREAS["columns"] | {"valid_from": "valid_from", "valid_to": "valid_to"}


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spans(town, code):
    """Validity of each version of an area, with its west and its parent."""
    return [
        (row["since"], row["until"], row["west"], row["parent"])
        for row in town.rows(
            """select lower(valid) as since, upper(valid) as until, st_xmin(geom) as west, above.code as parent
            from onemap.area_version join onemap.area using (area_id)
            left join onemap.area above on above.area_id = parent_id
            where area.code = %s order by lower(valid) nulls first""",
            code,
        )
    ]


def moved(code, box, **changes):
    """The tree with one area in another place."""
    return [
        area(level, name, parent, box if name == code else at, **(changes if name == code else {}))
        for level, name, parent, at in TREE
    ]


EAST = (10.03, 50.03, 10.05, 50.06)


def test_a_first_load_makes_identities_with_a_version_that_was_always_valid(town):
    result = town.load_tree()
    assert (result.account.inserted, result.account.balanced) == (5, True)
    assert spans(town, "D") == [(None, None, 10.0, None)]
    assert spans(town, "V1G1") == [(None, None, 10.0, "V1")]
    assert town.rows("select layer, version from onemap.layer_version") == [{"layer": "areas", "version": 1}]


def test_the_same_file_changes_nothing_in_any_order(town):
    town.load_tree()
    before = town.rows("select * from onemap.area_version order by 1")
    account = town.load_tree(tree()[::-1]).account
    assert (account.unchanged, account.changed) == (5, 0)
    assert town.rows("select * from onemap.area_version order by 1") == before
    assert town.rows("select version from onemap.layer_version") == [{"version": 1}]


def test_a_changed_geometry_closes_the_version_and_opens_the_next_at_the_load(town):
    town.load_tree()
    town.clock = FixedClock(LATER)
    account = town.load_tree(moved("V1G1", EAST)).account
    assert (account.updated, account.unchanged) == (1, 4)
    assert spans(town, "V1G1") == [(None, LATER, 10.0, "V1"), (LATER, None, 10.03, "V1")]
    assert town.load_tree(moved("V1G1", EAST)).account.changed == 0


def test_a_changed_parent_is_a_new_version_too(town):
    town.load_tree()
    town.clock = FixedClock(LATER)
    features = tree()
    features[3]["properties"]["parent_code"] = "V2"
    assert town.load_tree(features).account.updated == 1
    assert spans(town, "V1G1") == [(None, LATER, 10.0, "V1"), (LATER, None, 10.0, "V2")]


def test_a_changed_name_belongs_to_the_identity(town):
    town.load_tree()
    account = town.load_tree(moved("V1G1", TREE[3][3], name_en="New name")).account
    assert (account.updated, account.unchanged) == (1, 4)
    assert len(spans(town, "V1G1")) == 1
    assert town.rows("select name_en from onemap.area where code = 'V1G1'") == [{"name_en": "New name"}]


def test_the_next_version_starts_when_the_source_says(town):
    town.load_tree()
    features = moved("V1G1", EAST, valid_from="2025-06-01T00:00:00Z", valid_to=None)
    town.load_tree(features, columns=DATED)
    assert spans(town, "V1G1") == [(None, day("2025-06-01"), 10.0, "V1"), (day("2025-06-01"), None, 10.03, "V1")]
    assert town.load_tree(features, columns=DATED).account.changed == 0


def test_a_version_of_the_past_that_is_mended_is_replaced(town):
    ended = {"valid_from": "2020-01-01T00:00:00Z", "valid_to": "2021-01-01T00:00:00Z"}
    town.load_tree(moved("V1G1", TREE[3][3], **ended), columns=DATED)
    assert town.load_tree(moved("V1G1", EAST, **ended), columns=DATED).account.updated == 1
    assert spans(town, "V1G1") == [(day("2020-01-01"), day("2021-01-01"), 10.03, "V1")]


def test_an_end_that_the_source_sets_later_closes_the_version(town):
    town.load_tree()
    features = moved("V1G1", TREE[3][3], valid_from=None, valid_to="2027-01-01T00:00:00Z")
    assert town.load_tree(features, columns=DATED).account.updated == 1
    assert spans(town, "V1G1") == [(None, day("2027-01-01"), 10.0, "V1")]
    assert town.load_tree(features, columns=DATED).account.changed == 0


def test_what_a_snapshot_no_longer_has_ends_and_may_come_back(town):
    town.load_tree()
    town.clock = FixedClock(LATER)
    account = town.load_tree(tree()[:4]).account
    assert (account.deleted, account.unchanged) == (1, 4)
    assert spans(town, "V1G2") == [(None, LATER, 10.0, "V1")]
    assert town.load_tree(tree()[:4]).account.changed == 0
    again = LATER + timedelta(days=1)
    town.clock = FixedClock(again)
    assert town.load_tree().account.updated == 1
    assert spans(town, "V1G2") == [(None, LATER, 10.0, "V1"), (again, None, 10.0, "V1")]


def test_an_append_ends_nothing(town):
    town.load_tree()
    assert town.load_tree(tree()[:4], mode="append").account.deleted == 0
    assert spans(town, "V1G2") == [(None, None, 10.0, "V1")]


def test_a_snapshot_ends_nothing_of_another_source(town):
    town.load_tree()
    town.load_tree(tree()[:1], id="other")
    assert town.load_tree(tree()[:1], id="other").account.deleted == 0
    assert spans(town, "V1G2") == [(None, None, 10.0, "V1")]


@pytest.mark.parametrize("broken", [{"name_zh": ""}, {"code": ""}])
def test_a_snapshot_does_not_end_what_its_bad_rows_may_be(town, broken):
    town.load_tree()
    features = tree()
    features[4]["properties"] |= broken
    account = town.load_tree(features).account
    assert (account.quarantined, account.deleted, account.balanced) == (1, 0, True)
    assert spans(town, "V1G2") == [(None, None, 10.0, "V1")]


def test_two_shapes_of_one_area_in_a_file_are_both_refused_and_their_children_with_them(town):
    features = [*tree(), area("village", "V1", "D", EAST)]
    result = town.load_tree(features)
    assert result.account.quarantined == 4
    assert result.account.balanced
    said = "key '1/V1' stands in rows 2, 6 with different content"
    assert town.reasons(result.run_id) == {
        2: [said],
        6: [said],
        4: ["parent_code 'V1' is no village"],
        5: ["parent_code 'V1' is no village"],
    }


def test_risk_areas_keep_their_versions_alike(town):
    assert town.load_places().account.inserted == 2
    assert town.load_places().account.changed == 0
    town.clock = FixedClock(LATER)
    wider = [PLACES[0] | {"influence_m": "400"}, PLACES[1] | {"name_en": "Old Market"}]
    assert town.load_places(wider).account.updated == 2
    found = town.rows(
        """select code, name_en, upper(valid) as until, influence_m from onemap.risk_area_version
        join onemap.risk_area using (risk_area_id) order by code, lower(valid) nulls first"""
    )
    assert [tuple(row.values()) for row in found] == [
        ("M1", "Old Market", None, 500),
        ("S1", "First School", LATER, 300),
        ("S1", "First School", None, 400),
    ]
    assert town.load_places(wider[:1]).account.deleted == 1


@pytest.mark.parametrize("changed", [True, False])
def test_a_version_that_ended_before_the_known_one_began_waits_and_the_others_land(town, changed):
    begun = {"valid_from": "2021-01-01T00:00:00Z", "valid_to": None}
    town.load_tree(moved("V1G1", TREE[3][3], **begun), columns=DATED)
    ended = {"valid_from": "2019-01-01T00:00:00Z", "valid_to": "2021-01-01T00:00:00Z"}
    result = town.load_tree(moved("V1G1", EAST if changed else TREE[3][3], **ended), columns=DATED)
    assert town.reasons(result.run_id) == {
        4: ["valid_to is not after 2021-01-01T00:00:00Z, the start of the known version"]
    }
    assert (result.account.unchanged, result.account.balanced) == (4, True)
    assert spans(town, "V1G1") == [(day("2021-01-01"), None, 10.0, "V1")]
