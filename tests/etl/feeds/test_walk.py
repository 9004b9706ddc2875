from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.feed_options import FeedOptions
from etl.feeds import instalment
from etl.feeds.instalment import gather
from etl.feeds.page import Page, Record, Window
from etl.feeds.walk import walk, windows
from etl.feeds.wording import Wording
from layers.core.errors import FeedError

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
OVERLAP = 6 * HOUR


@dataclass
class Office:
    """A feed in memory: rows by key, each a time and a version; it pages by offset and counts what it has.

    `meddle` is what happens in the office after each page that it answers.
    """

    page: int = 3
    closes: bool = True
    counts: bool = True
    most: int | None = None
    rows: dict[int, tuple[datetime, int]] = field(default_factory=dict)
    meddle: list = field(default_factory=list)
    asked: list[Window] = field(default_factory=list)
    url = "https://office.example/"
    crs = None
    wording = Wording(ZoneInfo("UTC"), {})

    def question(self, window):
        return {"span": f"{window.since:%Y%m%d%H%M%S}/{window.until:%Y%m%d%H%M%S}"}

    def hits(self, window):
        found = [
            (key, at, version)
            for key, (at, version) in self.rows.items()
            if (window.since is None or at >= window.since) and (window.until is None or at <= window.until)
        ]
        return sorted(found, key=lambda row: (row[0] * 7919) % 101)

    def pages(self, window):
        self.asked.append(window)
        read = 0
        while True:
            found = self.hits(window)
            some = found[read : read + self.page]
            if self.most is not None:
                some = found[: self.most]
            records = [{"id": key, "at": at.isoformat(), "v": v} for key, at, v in some]
            full = self.most is not None and len(some) == self.most
            yield Page([Record.of(r, r) for r in records], total=len(found) if self.counts else None, full=full)
            if self.meddle:
                self.meddle.pop(0)()
            read += len(some)
            if not some or read >= len(found) or self.most is not None:
                return

    def touch(self, key, at):
        if key in self.rows:
            self.change(key, at)

    def change(self, key, at):
        self.rows[key] = (at, self.rows[key][1] + 1 if key in self.rows else 1)


def options(**changes):
    values = {"url": Office.url, "watermark": "at", "begin": "2026-01-01", "overlap": "6h", "window": "1d"}
    return FeedOptions.model_validate(values | changes)


@pytest.fixture(scope="module")
def source():
    return SimpleNamespace(mode="append", key=["id"], taken=["id", "v"])


def landed(office, source, watermark, now, crash_after=None, limit=5):
    """One run that dies before its next instalment lands: what landed, and the watermark that stands."""
    mark = datetime.fromisoformat(watermark) if watermark else None
    found = {}
    with patch.object(instalment, "LIMIT_ROWS", limit):
        for number, part in enumerate(gather(walk(office, options(), mark, BEGIN, now), office, source)):
            if number == crash_after:
                break
            found |= dict(zip(*(part.raw.table.column(name).to_pylist() for name in ("id", "v")), strict=True))
            watermark = part.watermark
    return {int(key): int(version) for key, version in found.items()}, watermark


# Each step: hours go by, rows come that are up to an overlap late or ahead of their time, and a run reads on, which may
# die after some instalments, while rows are changed under its hands.
steps = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.lists(st.integers(-6, 30), max_size=8),
        st.none() | st.integers(0, 4),
        st.lists(st.integers(0, 40), max_size=3),
    ),
    min_size=1,
    max_size=6,
)


@given(steps)
def test_any_runs_with_any_late_rows_inside_the_overlap_and_any_changes_meanwhile_end_in_what_the_feed_has(
    source, steps
):
    office, now, watermark, loaded = Office(), BEGIN + OVERLAP, "", {}
    for hours, arrivals, crash_after, changes in steps:
        now += hours * HOUR
        for offset in arrivals:
            office.change(len(office.rows), now + offset * HOUR)
        office.meddle = [partial(office.touch, key, now + timedelta(seconds=1)) for key in changes]
        found, watermark = landed(office, source, watermark, now, crash_after)
        office.meddle = []
        loaded |= found
    # Those ahead of their time come when it is there.
    found, watermark = landed(office, source, watermark, now + 31 * HOUR)
    assert loaded | found == {key: version for key, (_, version) in office.rows.items()}


@given(steps)
def test_a_watermark_never_goes_back_nor_ahead_of_the_clock(source, steps):
    office, now, watermark = Office(), BEGIN + OVERLAP, ""
    for hours, arrivals, crash_after, _ in steps:
        now += hours * HOUR
        for offset in arrivals:
            office.change(len(office.rows), now + offset * HOUR)
        _, reached = landed(office, source, watermark, now, crash_after)
        assert watermark <= reached
        assert not reached or datetime.fromisoformat(reached) <= now
        watermark = reached


def test_a_time_beyond_the_window_or_the_clock_does_not_draw_the_watermark_along(source):
    office = Office()
    office.change(1, BEGIN + HOUR)
    office.change(2, datetime(2099, 1, 1, tzinfo=UTC))
    office.hits = lambda _: [(key, at, v) for key, (at, v) in office.rows.items()]
    _, watermark = landed(office, source, "", BEGIN + 40 * HOUR)
    assert watermark == (BEGIN + 40 * HOUR).isoformat()
    with patch.object(instalment, "LIMIT_ROWS", 1):
        first = next(gather(walk(office, options(), None, BEGIN, BEGIN + 40 * HOUR), office, source))
    assert first.watermark == (BEGIN + 24 * HOUR).isoformat()


def test_a_watermark_stays_when_the_latest_row_is_gone(source):
    office = Office()
    office.change(1, BEGIN + HOUR)
    office.change(2, BEGIN + 5 * HOUR)
    _, watermark = landed(office, source, "", BEGIN + 6 * HOUR)
    del office.rows[2]
    assert landed(office, source, watermark, BEGIN + 7 * HOUR) == ({1: 1}, watermark)


def test_a_row_that_leaves_the_window_while_it_is_paged_hides_no_other(source):
    office = Office()
    for key in range(9):
        office.change(key, BEGIN + HOUR)
    first = office.hits(Window())[0][0]
    office.meddle = [lambda: office.change(first, BEGIN + 48 * HOUR)]
    found, _ = landed(office, source, "", BEGIN + 10 * HOUR)
    assert found.keys() == set(range(9))
    assert len(office.asked) == 2


def test_a_row_that_jumps_to_the_front_while_it_is_paged_is_not_missed(source):
    office = Office(counts=False)
    for key in range(1, 10):
        office.change(key, BEGIN + HOUR)
    order = [key for key, _, _ in office.hits(Window())]
    office.hits = lambda _: [(key, BEGIN + HOUR, 1) for key in order]
    office.meddle = [lambda: order.insert(0, order.pop())]
    found, _ = landed(office, source, "", BEGIN + 10 * HOUR)
    assert found.keys() == set(range(1, 10))


def test_rows_of_one_instant_at_the_border_of_an_instalment_all_come(source):
    office = Office()
    for key in range(40):
        office.change(key, BEGIN + HOUR)
    found, watermark = landed(office, source, "", BEGIN + 10 * HOUR, crash_after=1)
    assert (len(found), watermark) == (3, "")
    again, watermark = landed(office, source, watermark, BEGIN + 10 * HOUR)
    assert again.keys() == set(range(40))
    assert watermark == (BEGIN + HOUR).isoformat()


def test_a_run_that_died_reads_on_from_the_last_window_that_landed(source):
    office = Office()
    for day in range(10):
        for hour in range(5):
            office.change(day * 5 + hour, BEGIN + timedelta(days=day) + (hour + 1) * HOUR)
    now = BEGIN + timedelta(days=10)
    first, watermark = landed(office, source, "", now, crash_after=4)
    assert len(first) == 4 * 5
    assert watermark == (BEGIN + timedelta(days=3, hours=5)).isoformat()
    office.asked.clear()
    rest, _ = landed(office, source, watermark, now)
    assert office.asked[0].since == BEGIN + timedelta(days=3, hours=5) - OVERLAP
    assert (first | rest).keys() == office.rows.keys()


def test_a_window_with_more_than_the_feed_answers_is_split_until_each_part_fits(source):
    office = Office(most=4, counts=False)
    for key in range(30):
        office.change(key, BEGIN + timedelta(minutes=17 * key))
    found, _ = landed(office, source, "", BEGIN + 10 * HOUR)
    assert found.keys() == set(range(30))


def test_more_rows_of_one_instant_than_the_feed_answers_are_told_and_not_left_out(source):
    office = Office(most=4, counts=False)
    for key in range(5):
        office.change(key, BEGIN + HOUR)
    with pytest.raises(
        FeedError, match=r"it answers only 4 of the records of 2026-01-01 00:59:59.*, however it is asked"
    ):
        landed(office, source, "", BEGIN + 10 * HOUR)


def test_a_total_that_the_pages_do_not_reach_is_told(source):
    office = Office()
    office.change(1, BEGIN + HOUR)
    pages = office.pages
    office.pages = lambda window: (Page(page.records, total=2) for page in pages(window))
    with pytest.raises(FeedError, match=r"it answers only \d of the records"):
        landed(office, source, "", BEGIN + 10 * HOUR)


def test_a_feed_that_never_holds_still_is_told(source):
    office = Office()
    for key in range(9):
        office.change(key, BEGIN + HOUR)
    office.meddle = [lambda: office.change(len(office.rows), BEGIN + HOUR)] * 99
    with pytest.raises(FeedError, match=r"it changes faster than .* can be read"):
        landed(office, source, "", BEGIN + 10 * HOUR)


def test_records_without_a_readable_time_are_told_when_no_other_is_there(source):
    office = Office()
    said = [{"id": 1}, {"id": 2, "at": "yesterday"}]
    office.pages = lambda _: iter([Page([Record.of(row, row) for row in said])])
    with pytest.raises(FeedError, match="none of the records of an answer has a time in 'at'"):
        landed(office, source, "", BEGIN + HOUR)


@pytest.mark.parametrize(
    ("mark", "now", "spans"),
    [
        (None, 50, [(0, 24), (24, 48), (48, 50)]),
        (None, 48, [(0, 24), (24, 48)]),
        (40, 41, [(34, 41)]),
        (3, 10, [(0, 10)]),
        (None, -5, [(-5, -5)]),
    ],
)
def test_windows_reach_without_a_gap_from_an_overlap_before_the_watermark_to_now(mark, now, spans):
    found = windows(Office(), options(), None if mark is None else BEGIN + mark * HOUR, BEGIN, BEGIN + now * HOUR)
    assert [(w.since, w.until) for w in found] == [(BEGIN + a * HOUR, BEGIN + b * HOUR) for a, b in spans]


def test_a_feed_that_knows_no_end_is_asked_for_an_open_window():
    found = windows(Office(closes=False), options(), BEGIN + 9 * HOUR, BEGIN, BEGIN + 99 * HOUR)
    assert list(found) == [Window(BEGIN + 3 * HOUR)]
