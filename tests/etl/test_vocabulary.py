import pytest

from etl import vocabulary
from layers.core.db import connect
from layers.core.errors import BadCity
from tests.workshop import call

WORDS = """select 'level' as kind, rank as place, code, name_en from onemap.level
union all select 'zone', bit, code, name_en from onemap.zone_type
union all select 'category', rank, code, name_en from onemap.category order by kind, place"""


def write(town):
    with connect(town.url) as connection:
        vocabulary.write(connection, town.city)


def change(town, name, old, new):
    path = town.folder / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_the_words_of_the_city_are_written_and_written_again(town):
    write(town)
    write(town)
    assert [(row["kind"], row["place"], row["code"]) for row in town.rows(WORDS)] == [
        ("category", 0, "noise"),
        ("category", 1, "theft"),
        ("category", 2, "domestic"),
        ("level", 0, "district"),
        ("level", 1, "village"),
        ("level", 2, "grid"),
        ("zone", 0, "school"),
        ("zone", 1, "market"),
    ]


def test_names_weights_and_the_order_of_categories_may_change(town):
    town.load_calls(call(1))
    change(town, "city.toml", '"Grid"', '"Cell"')
    change(town, "zones.toml", '"School"', '"Campus"')
    blocks = (town.folder / "categories.toml").read_text().split("[[categories]]")[1:]
    town.write("categories.toml", "".join(f"[[categories]]{block}" for block in blocks[::-1]))
    write(town)
    names = [row["name_en"] for row in town.rows(WORDS)]
    assert names == ["Domestic", "Theft", "Noise", "District", "Village", "Cell", "Campus", "Market"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("city.toml", "village"), ("city.toml", "grid"), ("zones.toml", "school"), ("zones.toml", "market")],
)
def test_a_level_or_zone_type_that_rows_depend_on_cannot_be_replaced(town, name, code):
    write(town)
    change(town, name, f'"{code}"', '"other"')
    with pytest.raises(BadCity, match=f"'{code}' was moved or removed") as caught:
        write(town)
    assert str(town.folder) in str(caught.value)


def test_a_category_can_go_only_while_it_has_no_incidents(town):
    town.load_calls(call(1))
    change(town, "categories.toml", 'code = "theft"', 'code = "fraud"')
    write(town)
    assert "fraud" in {row["code"] for row in town.rows(WORDS)}
    change(town, "categories.toml", 'code = "noise"', 'code = "din"')
    with pytest.raises(BadCity, match="category 'noise' was removed, but it has incidents"):
        write(town)


def test_what_becomes_sensitive_leaves_the_publics_product_with_the_next_load(town):
    town.load_calls(*[call(n) for n in range(12)])
    assert town.rows("select layer, total from onemap.released_bin") == [{"layer": "all", "total": 10}]
    categories = town.folder / "categories.toml"
    text = categories.read_text()
    categories.write_text(text.replace('code = "noise"', 'code = "noise"\nsensitive = true', 1))
    town.load_calls(call(99, at="2025-06-01T00:00:00", kind="theft"))
    assert town.rows("select layer, total from onemap.released_bin") == []
    categories.write_text(text)
    town.load_calls(call(98, at="2025-06-01T00:00:00", kind="theft"))
    assert town.rows("select layer, total from onemap.released_bin") == [{"layer": "all", "total": 10}]
