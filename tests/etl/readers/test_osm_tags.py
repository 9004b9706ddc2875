import pytest

from etl.readers.osm_tags import interest, layer, oneway, place, road


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({}, "no"),
        ({"oneway": "yes"}, "forward"),
        ({"oneway": "1"}, "forward"),
        ({"oneway": "-1"}, "backward"),
        ({"oneway": "reverse"}, "backward"),
        ({"oneway": "no"}, "no"),
        ({"oneway": "reversible"}, "no"),
        ({"junction": "roundabout"}, "forward"),
        ({"junction": "circular"}, "forward"),
        ({"junction": "roundabout", "oneway": "-1"}, "backward"),
        ({"highway": "motorway"}, "forward"),
        ({"highway": "motorway", "oneway": "no"}, "no"),
        ({"highway": "motorway_link"}, "no"),
        ({"highway": "motorway", "oneway": "perhaps"}, "forward"),
    ],
)
def test_one_way_is_what_the_tags_say_or_imply(tags, said):
    assert oneway(tags) == said


@pytest.mark.parametrize(
    ("stated", "bridge", "tunnel", "said"),
    [
        ("2", True, False, 2),
        ("-1", False, False, -1),
        ("+1", False, False, 1),
        ("", True, False, 1),
        ("", False, True, -1),
        ("", False, False, 0),
        ("1;2", True, False, 1),
        ("ground", False, False, 0),
        ("100", False, False, 0),
    ],
)
def test_a_layer_is_what_its_tag_says_or_that_of_a_bridge_or_tunnel(stated, bridge, tunnel, said):
    assert layer(stated, bridge=bridge, tunnel=tunnel) == said


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"highway": "construction", "construction": "primary"},
        {"highway": "proposed"},
        {"highway": "bus_stop"},
        {"highway": "pedestrian", "area": "yes"},
    ],
)
def test_what_cannot_be_moved_along_is_no_road(tags):
    assert road(tags) is None


def test_a_bridge_that_is_none_is_none():
    found = road({"highway": "primary", "bridge": "no", "tunnel": "building_passage"})
    assert (found["bridge"], found["tunnel"], found["layer"]) == (False, True, -1)


def test_the_kind_of_a_point_of_interest_is_its_first_tag():
    assert interest({"shop": "bakery", "amenity": "cafe"})["kind"] == "amenity=cafe"
    assert interest({"amenity": "no", "tourism": "hotel"})["kind"] == "tourism=hotel"
    assert interest({"railway": "station", "name": "东站"})["name"] == "东站"
    assert interest({"railway": "signal"}) is None


def test_a_place_is_what_it_is_called():
    assert place({"place": "suburb", "name:zh": "城东"}) == {
        "kind": "suburb", "name": None, "name_zh": "城东", "name_en": None,
    }  # fmt: skip
    assert place({"name": "x"}) is None
