"""A hotline's list of calls, as its TOML describes it: 12345 lines have no common form but JSON."""

from datetime import timedelta
from typing import Any

from etl.feed_options import FeedOptions
from etl.feeds.client import Answer, Client, Params
from etl.feeds.page import Record, Window
from etl.feeds.paging import Paged
from etl.feeds.wording import Wording, pick

_MARGIN = timedelta(seconds=1)


def hotline(client: Client, options: FeedOptions, wording: Wording) -> Paged:
    """The feed that the TOML describes."""
    return Paged(
        client,
        options,
        wording,
        ask=lambda window: span(window, options, wording),
        records=plain,
        total=lambda answer: _total(answer, options.total),
        onward=lambda answer: pick(answer.value, options.next or ""),
        closes=options.until_param is not None,
    )


def _total(answer: Answer, path: str | None) -> object:
    if path is None:
        return None
    found = pick(answer.value, path)
    return f"missing at '{path}'" if found is None else found


def span(window: Window, options: FeedOptions, wording: Wording) -> Params:
    """A window as two parameters; it starts a second early, since some leave out the end that is asked for."""
    column = options.watermark or ""
    asked: dict[str, str | int] = {}
    if window.since is not None and options.since_param:
        asked[options.since_param] = wording.asked(window.since - _MARGIN, column)
    if window.until is not None and options.until_param:
        asked[options.until_param] = wording.asked(window.until, column)
    return asked


def plain(_: Answer, items: list[Any]) -> list[Record]:
    """Objects as they are."""
    return [Record.of(item, item) for item in items]
