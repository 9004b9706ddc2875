import json

from tests.workshop import AREAS, area, call


def test_an_excerpt_shows_place_time_and_class_and_masks_texts(town):
    result = town.load_calls(
        call(1, kind="call 13800138000", at="2025-13-01", street="Zhang San, tel 13900139000")
    )
    (row,) = town.rows("select * from onemap.quarantine")
    assert (row["run_id"], row["row_number"], len(row["file_sha256"])) == (result.run_id, 1, 64)
    assert row["excerpt"] == {
        "category": "call ###########",
        "occurred_at": "2025-13-01",
        "lon": "10.02",
        "lat": "50.02",
    }
    assert row["reasons"] == [
        "category 'call ###########' is not known",
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
