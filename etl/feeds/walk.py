"""The way through a feed's time, so that nothing is lost from one run to the next.

Time is walked in windows, oldest first, each read to its end before the watermark moves past it. The watermark is
the latest time that was seen, never beyond the window nor the start of the run: what changes while a run is under
way is for the next one. The next run starts an overlap before it. Reading twice does no harm, so all doubts end in
reading again:

- A window whose pages may have shifted while they were read is read again until that brings nothing new.
- A window that holds more than the feed answers is split in two.
"""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from etl.feed_options import FeedOptions
from etl.feeds.client import failure
from etl.feeds.page import Feed, Page, Record, Window

_PASSES = 5
_BLIND = "none of the records of an answer has a time in '{}', by which it is read on"

Step = tuple[Page, datetime | None]
"""A page, and how far everything was read before it."""


@dataclass
class _Pass:
    """What one time through a window's pages showed."""

    digests: set[bytes] = field(default_factory=set)
    totals: set[int] = field(default_factory=set)
    rows: int = 0
    fresh: int = 0
    moved: bool = False
    stuck: bool = False
    full: bool = False
    total: int | None = None

    def take(self, page: Page, seen: set[bytes]) -> list[Record]:
        """Note a page, and give the records that were not seen before it."""
        digests = {record.digest for record in page.records}
        again = sum(record.digest in self.digests for record in page.records)
        fresh = [record for record in page.records if record.digest not in seen]
        if page.total is not None:
            self.total = page.total
            self.totals.add(page.total)
        self.moved |= again > 0 or len(self.totals) > 1
        self.stuck |= page.stuck
        self.full |= page.full
        self.rows += len(page.records) - again
        self.fresh += len(fresh)
        self.digests |= digests
        seen |= digests
        return fresh

    @property
    def short(self) -> bool:
        """Whether there is more in the window than was answered."""
        return self.full or (self.total is not None and self.rows < self.total)


def walk(
    feed: Feed, options: FeedOptions, mark: datetime | None, begin: datetime | None, now: datetime
) -> Iterator[Step]:
    """Read on from `mark`, or from `begin`, up to `now`; the last page is empty, and everything is before it.

    Raises
    ------
    FeedError : the feed fails, keeps changing while it is read, or holds more at one time than it answers.
    """
    pending: deque[tuple[Window, set[bytes]]] = deque(
        (window, set()) for window in windows(feed, options, mark, begin, now)
    )
    most = 0
    while pending:
        window, seen = pending.popleft()
        latest, last = yield from _scan(feed, options, window, seen, mark)
        # The most that came in an answer without a second page may be all that such an answer holds.
        doubtful = last.stuck and last.rows >= most
        most = max(most, last.rows) if last.stuck else most
        if last.short or doubtful:
            halves = _halves(feed, window)
            if halves:
                pending.extendleft((half, seen) for half in reversed(halves))
                continue
            if last.short:
                raise failure(
                    feed.url, f"it answers only {last.rows} of the records of {window}, however it is asked"
                )
        if latest is not None:
            reached = min(latest, window.until or now, now)
            mark = reached if mark is None else max(mark, reached)
    yield Page([]), mark


def windows(
    feed: Feed, options: FeedOptions, mark: datetime | None, begin: datetime | None, now: datetime
) -> Iterator[Window]:
    """The windows from an overlap before `mark`, or from `begin`, to `now`, oldest first; at least one."""
    if begin is None:
        yield Window()
        return
    since = min(begin if mark is None else max(mark - options.overlap, begin), now)
    if not feed.closes:
        yield Window(since)
        return
    while now - since > options.window:
        yield Window(since, since + options.window)
        since += options.window
    yield Window(since, now)


def _scan(
    feed: Feed, options: FeedOptions, window: Window, seen: set[bytes], mark: datetime | None
) -> Generator[Step, None, tuple[datetime | None, _Pass]]:
    """Read a window until nothing in it is left unread; gives the latest time seen and the last pass."""
    latest: datetime | None = None
    for _ in range(_PASSES):
        now_seen = _Pass()
        for page in feed.pages(window):
            fresh = now_seen.take(page, seen)
            if options.watermark is not None and page.records:
                times = [feed.wording.moment(record.said, options.watermark) for record in page.records]
                known = [time for time in times if time is not None]
                if not known:
                    raise failure(feed.url, _BLIND.format(options.watermark))
                latest = max(known if latest is None else [*known, latest])
            yield replace(page, records=fresh), mark
        if not now_seen.moved or not now_seen.fresh:
            return latest, now_seen
    raise failure(
        feed.url, f"it changes faster than {window} can be read; ask for larger pages or smaller windows"
    )


def _halves(feed: Feed, window: Window) -> list[Window]:
    """The two halves of a window; none if the feed cannot tell them apart."""
    if window.since is None or window.until is None:
        return []
    middle = window.since + (window.until - window.since) / 2
    halves = [Window(window.since, middle), Window(middle, window.until)]
    whole = feed.question(window)
    return [] if whole in [feed.question(half) for half in halves] else halves
