from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest

from etl.feeds import instalment
from etl.feeds.instalment import gather
from etl.feeds.page import Page, Record
from etl.feeds.wording import Wording

MARKS = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 10)]


class Feed:
    crs = None
    wording = Wording(ZoneInfo("UTC"), {})


def page(*rows, body=b""):
    said = [{"id": key, "v": value} for key, value in rows]
    return Page([Record.of(row, row) for row in said], body)


def gathered(steps, limit=4, mode="append"):
    source = SimpleNamespace(mode=mode, key=["id"], taken=["id", "v"])
    with patch.object(instalment, "LIMIT_ROWS", limit):
        return list(gather(iter(steps), Feed(), source))


def rows(part):
    return [(row["id"], row["v"]) for row in part.raw.table.to_pylist()]


STEPS = [
    (page(("a", "1"), ("b", "1"), ("c", "1")), None),
    (page(("d", "1"), ("e", "1")), MARKS[0]),
    (page(("f", "1"), ("g", "1")), MARKS[1]),
    (page(("h", "1")), MARKS[1]),
    (page(), MARKS[2]),
]


def test_an_instalment_ends_with_the_watermark_of_what_is_in_it_and_before():
    parts = gathered(STEPS)
    assert [[key for key, _ in rows(part)] for part in parts] == [["a", "b", "c"], ["d", "e", "f", "g"], ["h"]]
    assert [part.watermark for part in parts] == [MARKS[0].isoformat(), MARKS[1].isoformat(), MARKS[2].isoformat()]
    assert [part.last for part in parts] == [False, False, True]
    assert [part.raw.rows.tolist() for part in parts] == [[1, 2, 3], [1, 2, 3, 4], [1]]


def test_a_snapshot_is_one_instalment():
    (part,) = gathered(STEPS, mode="snapshot")
    assert len(part.raw) == 8


def test_a_page_larger_than_the_limit_is_an_instalment_of_its_own():
    parts = gathered([(page(*[(str(n), "1") for n in range(9)]), None), *STEPS[1:]])
    assert [len(part.raw) for part in parts] == [9, 4, 1]


def test_the_hash_is_that_of_the_answers():
    one, two, other = (
        gathered([(page(("a", "1"), body=body), None), (page(), MARKS[0])])[0].sha256
        for body in (b"x", b"x", b"y")
    )
    assert one == two != other


@pytest.mark.parametrize(
    ("pages", "kept"),
    [
        ([page(("a", "1"), ("b", "1")), page(("a", "2"))], [("b", "1"), ("a", "2")]),
        ([page(("a", "1"), ("a", "2"))], [("a", "1"), ("a", "2")]),
        ([page((None, "1")), page((None, "2"))], [(None, "1"), (None, "2")]),
    ],
)
def test_a_later_answer_counts_for_a_key_and_two_states_in_one_answer_both_stay(pages, kept):
    (part,) = gathered([(each, None) for each in pages])
    assert rows(part) == kept
