"""Whatever a hotline's texts say, no person enters the database: by file, by quarantine or by a run's record."""

import re
import subprocess
from datetime import date

import pytest

from layers.core.binaries import Binaries
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
