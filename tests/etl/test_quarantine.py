import json

import pytest

from etl import quarantine
from layers.core.db import connect
from layers.core.errors import BadValue
from tests.workshop import AREAS, INCIDENTS, NOW, area, call


def test_an_excerpt_shows_place_time_and_class_and_masks_texts(town):
    result = town.load_calls(
        call(1, kind="call 13800138000", at="2025-13-01", street="Zhang San, tel 13900139000")
    )
    (row,) = town.rows("select * from onemap.quarantine")
    assert (row["run_id"], row["row_number"], len(row["file_sha256"])) == (result.run_id, 1, 64)
    assert row["excerpt"] == {
        "category": "call [phone]",
        "occurred_at": "2025-13-01",
        "lon": "10.02",
        "lat": "50.02",
    }
    assert row["reasons"] == [
        "category 'call [phone]' is not known",
        "occurred_at '2025-13-01' is not an ISO 8601 time",
    ]
    everything = json.dumps(town.rows("select excerpt, reasons from onemap.quarantine"), default=str)
    assert "Zhang" not in everything
    assert "139" not in everything


def test_a_null_character_is_shown_as_replaced(town):
    town.load_calls(call(1, kind="no\0ise"))
    (row,) = town.rows("select excerpt, reasons from onemap.quarantine")
    assert row["excerpt"]["category"] == "no\N{REPLACEMENT CHARACTER}ise"
    assert row["reasons"][0] == "column 'kind' holds a NUL character"


def test_a_bad_area_shows_its_codes(town):
    town.load_tree([area("district", "X", None, (10.0, 50.0, 10.1, 50.06))], columns=AREAS["columns"])
    assert town.rows("select excerpt from onemap.quarantine") == [{"excerpt": {"level": "district", "code": "X"}}]


def test_many_bad_rows_are_kept_in_the_order_of_the_file(town):
    result = town.load_calls(*[call(n, kind="?") for n in range(300)])
    assert list(town.reasons(result.run_id)) == list(range(1, 301))


def test_what_waits_is_listed_by_run_or_in_all(town):
    first = town.load_calls(call(1, kind="?"), call(2, kind="?"))
    town.load_calls(call(3, kind="?"), id="other")
    with connect(town.url) as connection:
        of_run = quarantine.listed(connection, first.run_id, 10)
        everything = quarantine.listed(connection, None, 10)
    assert [(row["source"], row["row_number"]) for row in of_run] == [("calls", 1), ("calls", 2)]
    assert [(row["source"], row["row_number"]) for row in everything] == [("calls", 1), ("calls", 2), ("other", 1)]
    assert everything[2]["reasons"] == ["category '?' is not known"]


def test_a_fix_is_kept_by_column_and_a_dismissed_row_waits_no_more(town):
    town.load_calls(call(1, kind="?", at="?"))
    source = town.source(INCIDENTS)
    with connect(town.url) as connection:
        (row,) = quarantine.listed(connection, None, 10)
        quarantine.fix(connection, source, row["quarantine_id"], {"kind": "noise"})
        quarantine.fix(connection, source, row["quarantine_id"], {"at": "2025-01-01"})
        assert quarantine.one(connection, row["quarantine_id"])["fix"] == {"kind": "noise", "at": "2025-01-01"}
        quarantine.dismiss(connection, row["quarantine_id"], NOW)
        assert quarantine.listed(connection, None, 10) == []
        with pytest.raises(BadValue, match="no row 1 waits"):
            quarantine.one(connection, row["quarantine_id"])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"phone": "x"}, "calls takes no column 'phone'; it takes at, id, kind, lat, lon, state, street"),
        ({"street": "13800138000"}, "street: the value names a person by phone"),
    ],
)
def test_a_fix_that_cannot_be_kept_is_refused(town, values, said):
    town.load_calls(call(1, kind="?"))
    with connect(town.url) as connection, pytest.raises(BadValue, match=said):
        quarantine.fix(connection, town.source(INCIDENTS), 1, values)
