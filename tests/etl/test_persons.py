"""Whatever a hotline's texts say, no person enters the database: by file, by quarantine or by a run's record."""

import re
import subprocess
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl import pipeline, quarantine
from layers.core.binaries import Binaries
from layers.core.db import connect
from layers.core.errors import BadValue, TooManyBad, UnreadableFile
from tests.hotline import CATEGORIES, feed
from tests.workshop import INCIDENTS, call

HOTLINE = {
    "key": ["ticket"],
    "columns": {"category": "category", "occurred_at": "at", "lon": "lon", "lat": "lat"},
    "attributes": {"content": "content"},
    "values": {"category": dict.fromkeys(CATEGORIES, "noise")},
    "constants": {"origin": "hotline"},
}
TOY = (10.001, 50.001, 10.099, 50.059)


def dump(url):
    """Every row of the database, as text."""
    line = [Binaries.find().path("pg_dump"), "--data-only", url]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return done.stdout


def holds(stored, word):
    """Whether `word` stands there; seven digits inside a longer number are a chance, not a telephone."""
    if not word.isdecimal():
        return word in stored
    return re.search(rf"(?<![0-9A-Fa-f.]){word}(?![0-9A-Fa-f])", stored) is not None


def test_of_a_hotline_feed_99_rows_in_100_land_and_a_dump_holds_nobody(town):
    rows, planted = feed(10_000, seed=7, bbox=TOY)
    bad = {"category": "热线转办 联系人张建国 13812345678 441602199003074515", "at": "昨天", "lon": "x"}
    rows[17], rows[18] = rows[17] | bad, rows[18] | {"ticket": "13987654321"}
    town.csv("calls.csv", rows)
    result = town.run(town.source(INCIDENTS, **HOTLINE))
    assert result.account.inserted + result.account.quarantined == 10_000
    assert result.account.inserted >= 9_900
    assert result.account.quarantined == 2
    assert result.notes["masked"] >= len(planted) * 0.9
    stored = dump(town.url)
    assert "路灯不亮" in stored
    named = {"13812345678", "441602199003074515", "张建国", "13987654321"}
    assert [word for word in planted | named if holds(stored, word)] == []


def test_what_was_masked_is_counted_in_the_ledger_by_column_and_kind(town):
    text = "联系人张建国 13812345678，车牌粤P12345"
    town.load_calls(call(1, street=text), call(2, street=text), call(3))
    found = town.rows(
        "select kind, changed, subject, message, amount, unit, row_number, place from onemap.finding"
    )
    assert {(row["message"], row["amount"]) for row in found} == {
        ("2 spans that look like a name masked", 2),
        ("2 spans that look like a phone masked", 2),
        ("2 spans that look like a plate masked", 2),
    }
    assert {(row["kind"], row["changed"], row["subject"], row["unit"]) for row in found} == {
        ("masked", True, "street", "spans")
    }
    assert {(row["row_number"], row["place"]) for row in found} == {(None, None)}
    (row, *_) = town.rows("select attributes from onemap.incident order by source_key")
    assert row["attributes"] == {"street": "联系人[name] [phone]，车牌[plate]"}


@pytest.mark.parametrize("key", ["13812345678", "441602199003074515", "zhang@example.com"])
def test_a_row_is_refused_only_where_its_key_is_a_person(town, key):
    result = town.load_calls(call(1, id=key), call(2, state="回访 13812345678"))
    assert town.reasons(result.run_id) == {1: ["key id names a person"]}
    assert town.rows("select source_key, state from onemap.incident") == [
        {"source_key": "c2", "state": "回访 [phone]"}
    ]
    assert key not in dump(town.url)


def test_a_ticket_of_twelve_digits_is_no_person(town):
    ticket = f"{date(2025, 1, 2):%Y%m%d}0001"
    assert town.load_calls(call(1, id=ticket)).account.inserted == 1


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
def test_a_number_that_is_a_telephone_does_not_land_whatever_type_its_column_has(town, kind):
    rows = pa.Table.from_pylist([call(n) for n in (1, 2, 3)])
    numbers = pa.array([13812345678, 42, None], pa.int64()).cast(kind)
    pq.write_table(rows.append_column("back", numbers), town.folder / "calls.parquet")
    result = town.run(town.source(INCIDENTS, file="calls.parquet", format="parquet", attributes={"back": "back"}))
    assert result.notes["masked"] == 1
    found = town.rows("select attributes from onemap.incident order by source_key")
    assert found == [{"attributes": {}}, {"attributes": {"back": 42}}, {"attributes": {}}]


def test_a_number_that_is_a_telephone_is_not_in_the_quarantine(town):
    row = call(1, lon="13812345678", kind="?")
    columns = {name: pa.array([value]) for name, value in row.items()}
    columns |= {"kind": pa.array([13987654321]), "lat": pa.array([13987654321.0])}
    pq.write_table(pa.table(columns), town.folder / "calls.parquet")
    town.run(town.source(INCIDENTS, file="calls.parquet", format="parquet"))
    town.load_calls(call(1, lon="13812345678"))
    assert len(town.rows("select 1 from onemap.quarantine")) == 2
    stored = dump(town.url)
    assert [number for number in ("13812345678", "13987654321") if number in stored] == []


def test_a_fix_that_holds_a_telephone_anywhere_is_refused(town):
    town.load_calls(call(1, kind="?"))
    source = town.source(INCIDENTS)
    with connect(town.url) as connection:
        (row,) = quarantine.listed(connection, None, 9)
        with pytest.raises(BadValue, match="street: the value names a person by name, phone"):
            quarantine.fix(connection, source, row["quarantine_id"], {"street": "联系人张建国 13812345678，北街"})


def test_a_files_name_brings_nobody_into_a_runs_record(town):
    name = "投诉人张建国13812345678.csv"
    town.csv(name, [call(1, kind="?")])
    with pytest.raises(TooManyBad):
        town.run(town.source(INCIDENTS, file=name, max_quarantined=0))
    with pytest.raises(UnreadableFile):
        pipeline.run(town.url, town.city, town.source(INCIDENTS), town.clock, path=town.folder / f"2{name}")
    assert "13812345678" not in dump(town.url)
