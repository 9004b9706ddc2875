import pytest

from etl.spec import Source, sources
from layers.core.errors import BadSource
from tests.workshop import AREAS, INCIDENTS, RISK_AREAS


def test_a_good_source_says_which_columns_enter_each_once(shop):
    source = shop.source(INCIDENTS, columns=INCIDENTS["columns"] | {"recorded_at": "at"})
    assert source.taken == ["at", "id", "kind", "lat", "lon", "state", "street"]


@pytest.mark.parametrize(
    ("base", "changes", "said"),
    [
        (INCIDENTS, {"colour": "red"}, "colour: Extra inputs are not permitted"),
        (INCIDENTS, {"datum": None}, "datum: Field required"),
        (INCIDENTS, {"mode": "replace"}, "mode: Input should be 'append', 'changes' or 'snapshot'"),
        (INCIDENTS, {"time_zone": "Mars/North"}, "time_zone: 'Mars/North' is not a time zone"),
        (INCIDENTS, {"time_zone": "../etc"}, "time_zone: '../etc' is not a time zone"),
        (INCIDENTS, {"columns": {"category": "kind", "occurred_at": "at"}}, "a csv source needs lon and lat"),
        (INCIDENTS, {"columns": {"category": "k", "occurred_at": "a", "lon": "x"}}, "lon and lat go together"),
        (INCIDENTS, {"constants": {}}, "columns: field 'origin' is missing"),
        (INCIDENTS, {"constants": {"origin": "citizen", "state": "x"}}, "constants: 'state' is a column too"),
        (
            INCIDENTS,
            {"constants": {"origin": "citizen", "deleted": True}},
            "constants: 'deleted' tells rows apart",
        ),
        (INCIDENTS, {"constants": {"origin": "citizen", "version": 1}}, "constants: 'version' tells rows apart"),
        (INCIDENTS, {"values": {"colour": {"a": "b"}}}, "values: 'colour' is not among the columns"),
        (AREAS, {"columns": AREAS["columns"] | {"phone": "phone"}}, "columns: areas have no field 'phone'"),
        (AREAS, {"key": ["code"]}, "key: areas are identified by their code"),
        (AREAS, {"format": "csv"}, "a csv source needs lon and lat"),
        (RISK_AREAS, {"attributes": {"a": "b"}}, "attributes: risk_areas keep none"),
    ],
)
def test_a_source_that_cannot_be_followed_is_refused_by_file_and_key(shop, base, changes, said):
    with pytest.raises(BadSource) as caught:
        shop.source(base, **changes)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(shop.folder / "sources" / f"{base['id']}.toml"))


def test_a_source_that_is_missing_or_no_toml_is_refused_by_file(shop):
    with pytest.raises(BadSource, match=r"cannot read .*none\.toml: No such file"):
        Source.load(shop.folder / "none.toml")
    with pytest.raises(BadSource, match=r"broken\.toml is not TOML"):
        Source.load(shop.write("broken.toml", "id = "))


def test_sources_come_in_the_order_of_their_files_and_share_no_id(shop):
    shop.write("sources/20-b.toml", shop.source(AREAS, id="b").path.read_text())
    shop.write("sources/10-c.toml", shop.source(AREAS, id="c").path.read_text())
    (shop.folder / "sources" / "b.toml").unlink()
    (shop.folder / "sources" / "c.toml").unlink()
    assert [source.id for source in sources(shop.city)] == ["c", "b"]
    shop.write("sources/30-d.toml", (shop.folder / "sources" / "10-c.toml").read_text())
    with pytest.raises(BadSource, match=r"30-d\.toml: id: 'c' is already taken by 10-c\.toml"):
        sources(shop.city)
