"""A list of records in JSON answers, paged by number, offset, cursor or link."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from etl.feed_options import FeedOptions
from etl.feeds.client import Answer, Client, Params, explained, failure
from etl.feeds.page import Page, Record, Window
from etl.feeds.wording import Wording, pick

MAX_PAGES = 10_000


@dataclass(frozen=True)
class Paged:
    """A feed of that kind.

    ask : the parameters of a window.
    records : what an answer's list holds.
    total : how many records the feed has in the window, where an answer tells it.
    onward : the next cursor or link that an answer names.
    """

    client: Client
    options: FeedOptions
    wording: Wording
    ask: Callable[[Window], Params]
    records: Callable[[Answer, list[Any]], list[Record]]
    total: Callable[[Answer], object]
    onward: Callable[[Answer], object]
    closes: bool
    crs: str | None = None

    @property
    def url(self) -> str:
        """Where it is asked."""
        return self.options.url

    def question(self, window: Window) -> Params:
        """The parameters of a window and the size of a page."""
        size = self.options.size_param
        return {**self.ask(window), **({size: self.options.page_size} if size else {})}

    def pages(self, window: Window) -> Iterator[Page]:
        """What it answers for a window, once through.

        Raises
        ------
        FeedError : an answer is no list of records, or paging leads round in a circle.
        """
        asked = self.question(window)
        step: _Step | None = self._first()
        before: set[bytes] = set()
        linked = self.options.paging in {"cursor", "next"}
        visited: set[_Step] = set()
        read = 0
        while step is not None:
            if step in visited or len(visited) == MAX_PAGES:
                raise failure(self.url, f"its pages do not end: page {len(visited) + 1} leads back or too far")
            visited.add(step)
            answer = self._answer(step, asked)
            page = self._page(answer, window)
            digests = {record.digest for record in page.records}
            # Links may lead through pages that overlap; numbers may not.
            if digests and (digests == before if linked else digests <= before):
                yield self._repeated(page, len(visited))
                return
            yield page
            before = digests if linked else before | digests
            read += len(page.records)
            step = self._next(step, answer, page, read)

    def _first(self) -> "_Step":
        paging, start = self.options.paging, self.options.first_page
        if paging == "page":
            return _Step(self.url, start)
        return _Step(self.url, 0 if paging == "offset" else None)

    def _next(self, step: "_Step", answer: Answer, page: Page, read: int) -> "_Step | None":
        """Where the next page is; that this one is short proves nothing, since a server may have a lower limit."""
        paging = self.options.paging
        if paging in {"page", "offset"}:
            if not page.records or (page.total is not None and read >= page.total):
                return None
            return _Step(self.url, int(step.place or 0) + 1 if paging == "page" else read)
        onward = self.onward(answer) if paging else None
        if not onward:
            return None
        if not isinstance(onward, str | int):
            raise failure(self.url, "what leads to its next page is neither text nor number")
        return (
            _Step(self.url, onward) if paging == "cursor" else _Step(str(httpx.URL(answer.url).join(str(onward))))
        )

    def _answer(self, step: "_Step", asked: Params) -> Answer:
        if step.url != self.url:  # a link says all that is to be asked
            return self.client.get(step.url)
        place = {self.options.page_param or "": step.place} if step.place is not None else {}
        if self.options.method == "GET":
            return self.client.get(self.url, {**asked, **place})
        return self.client.post(self.url, body=_filled(self.options.body, {**asked, **place}))

    def _page(self, answer: Answer, window: Window) -> Page:
        items = pick(answer.value, self.options.items) if self.options.items else answer.value
        total = self.total(answer)
        if isinstance(total, str) and total.isdecimal():
            total = int(total)
        if items is None and total == 0:  # some write an empty list as null
            items = []
        if not isinstance(items, list):
            place = f"list at '{self.options.items}'" if self.options.items else "list of records"
            said = explained(answer.value)
            raise failure(self.url, f"its answer has no {place}" + (f"; it says {said}" if said else ""))
        if total is not None and (not isinstance(total, int) or total < 0):
            raise failure(self.url, f"its total is {total}, no whole number")
        lone = self.options.paging is None and total is None and window.until is not None
        full = lone and len(items) >= self.options.page_size
        return Page(self.records(answer, items), answer.body, total, full=full)

    def _repeated(self, page: Page, number: int) -> Page:
        """A page that holds nothing new, as the last of its pass."""
        if self.options.paging in {"cursor", "next"}:
            raise failure(self.url, f"page {number} repeats what was before it")
        # Some repeat their last page for ever; but one that repeats its first may not know what a page is.
        if number > 2 or page.total is not None:  # noqa: PLR2004
            return page
        return Page([], page.body, stuck=True, full=len(page.records) >= self.options.page_size)


@dataclass(frozen=True)
class _Step:
    """Where a page is: an address, and the page, offset or cursor in it."""

    url: str
    place: str | int | None = None


def _filled(body: Mapping[str, Any], params: Params) -> dict[str, Any]:
    """The body of a POST with the parameters at their dotted paths."""
    filled: dict[str, Any] = dict(body)
    for path, value in params.items():
        head, _, rest = path.partition(".")
        filled[head] = _filled(filled.get(head) or {}, {rest: value}) if rest else value
    return filled
