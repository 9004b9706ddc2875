from pathlib import Path

import pytest

from etl import pipeline
from etl.check import check, page, taker
from etl.delivery import Delivery
from etl.incident_load import IncidentLoad
from etl.readers.base import Reading
from layers.core.db import connect
from layers.core.errors import BadValue, EmptySnapshot, MissingColumn
from tests.workshop import AREAS, INCIDENTS, area, call, pieces, tree


def report(town, source, name="calls.csv"):
    delivery = Delivery.of_file(source, town.folder / name)
    return check(town.url, town.city, delivery, town.clock, lambda *_: None)


def everything(town):
    tables = ("incident", "quarantine", "finding", "run", "outbox", "area_version")
    return {name: town.rows(f"select count(*) as n from onemap.{name}") for name in tables}


def test_a_report_says_what_a_load_would_and_leaves_nothing(town):
    town.load_tree()
    town.load_calls(call(1), call(2))
    before = everything(town)
    town.csv("new.csv", [call(1), call(2, kind="theft"), call(3), call(4, kind="x"), call(5, kind="y"), call(3)])
    found = report(town, town.source(INCIDENTS), "new.csv")
    assert everything(town) == before
    assert (found.rows_read, found.passed, found.superseded, found.quarantined) == (6, 3, 1, 2)
    assert found.against == {"new": 1, "changed": 1, "known": 1}
    assert found.reasons == {"category '…' is not known": 2}
    assert found.examples == [(4, ["category 'x' is not known"]), (5, ["category 'y' is not known"])]
    assert not found.too_many


def test_a_report_says_that_a_load_would_fail_whole(town):
    town.csv("calls.csv", [call(1), call(2, kind="?")])
    assert report(town, town.source(INCIDENTS, max_quarantined=0.4)).too_many
    assert not report(town, town.source(INCIDENTS, max_quarantined=0.5)).too_many


def test_areas_are_checked_too(town):
    town.write_words()
    town.geojson("tree.geojson", [*tree(), area("grid", "V9G1", "V9", (10.0, 50.0, 10.01, 50.01))])
    found = report(town, town.source(AREAS), "tree.geojson")
    assert (found.passed, found.quarantined) == (5, 1)
    assert found.examples == [(6, ["parent_code 'V9' is no village"])]
    assert everything(town)["area_version"] == [{"n": 0}]


def test_a_file_that_cannot_be_read_is_told_and_leaves_nothing(town):
    town.csv("calls.csv", [{"id": "1"}])
    with pytest.raises(MissingColumn, match="there is no column 'at'"):
        report(town, town.source(INCIDENTS))
    assert everything(town)["run"] == [{"n": 0}]


def test_the_page_shows_every_figure_and_escapes_what_a_file_says(town):
    town.csv("calls.csv", [call(1), call(2, kind="<script>alert(1)</script>")])
    shown = page(report(town, town.source(INCIDENTS)))
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "rows would go into quarantine" in shown
    assert "会被隔离" in shown


def test_the_source_of_a_file_is_the_one_that_it_fits_or_the_one_named(shop):
    one, two = shop.source(INCIDENTS, file="calls_*.csv"), shop.source(INCIDENTS, id="other", file="calls_b.csv")
    both = [one, two]
    assert taker(shop.city, both, shop.folder / "elsewhere" / "calls_a.csv", None) is one
    assert taker(shop.city, both, shop.folder / "x.csv", "other") is two
    with pytest.raises(BadValue, match=r"several sources for calls_b\.csv: name one of calls, other"):
        taker(shop.city, both, shop.folder / "calls_b.csv", None)
    with pytest.raises(BadValue, match=r"no sources for x\.csv: name one of calls, other"):
        taker(shop.city, both, shop.folder / "x.csv", None)
    with pytest.raises(BadValue, match="no source 'third'"):
        taker(shop.city, both, shop.folder / "x.csv", "third")


def test_a_report_neither_waits_for_a_load_nor_makes_it_wait(town):
    town.load_calls(call(1))
    town.rows("update onemap.run set state = 'running' returning 1")
    with connect(town.url) as load:
        load.execute("update onemap.run set notes = '{}'")
        assert report(town, town.source(INCIDENTS)).passed == 1


def test_a_snapshot_without_rows_is_told_as_a_load_would(town):
    path = town.csv("calls.csv", [call(1)])
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(EmptySnapshot, match="a snapshot without rows would delete everything"):
        report(town, town.source(INCIDENTS, mode="snapshot"))


def test_a_reason_that_names_rows_is_one_reason(town):
    town.csv("calls.csv", [call(n, kind=kind) for n in (1, 2, 3) for kind in ("noise", "theft")])
    found = report(town, town.source(INCIDENTS))
    assert found.reasons == {"key '…' stands in rows … with different content": 6}


def test_a_large_file_is_checked_without_keeping_its_rows_or_bringing_any_in(town, monkeypatch):
    loads = []
    monkeypatch.setattr(pipeline, "load_of", lambda *given: loads.append(IncidentLoad(*given)) or loads[-1])
    source = town.source(INCIDENTS)
    delivery = Delivery(
        source, "c.csv", lambda: Reading(Path("c.csv"), "0" * 64, pieces([call(n) for n in range(7)]))
    )
    town.write_words()
    found = check(town.url, town.city, delivery, town.clock, lambda *_: None)
    assert found.against == {"new": 7, "changed": 0, "known": 0}
    assert [load._kept for load in loads] == [None]
