"""Which feed is read how, from its watermark on."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from etl.feed_options import FeedOptions
from etl.feeds.arcgis import arcgis
from etl.feeds.client import Client, connect
from etl.feeds.hotline import hotline
from etl.feeds.instalment import Instalment, gather
from etl.feeds.ogcapi import ogcapi
from etl.feeds.open311 import open311
from etl.feeds.page import Feed
from etl.feeds.walk import walk
from etl.feeds.wording import Wording
from etl.spec import Format, Source
from layers.core.errors import BadSource

Open = Callable[[Client, FeedOptions, Wording, Source], Feed]

FEEDS: dict[Format, Open] = {
    "arcgis": lambda client, options, wording, source: arcgis(client, options, wording, source.taken),
    "json": lambda client, options, wording, _: hotline(client, options, wording),
    "ogcapi": lambda client, options, wording, _: ogcapi(client, options, wording),
    "open311": lambda client, options, wording, _: open311(client, options, wording),
}


def instalments(
    source: Source,
    watermark: str | None,
    now: datetime,
    zone: ZoneInfo,
    *,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Iterator[Instalment]:
    """Read the feed of `source` on from the watermark of the last instalment that landed; none is from the start.

    Parameters
    ----------
    now : when the run began, aware; what changes later is for the next run.
    zone : zone of local times in the feed.
    sleep, jitter : how to wait between attempts, in seconds, and by how much to vary it, 0 to 1.

    Raises
    ------
    BadSource : `source` has no feed, or a header of it is not in the environment.
    FeedError : the feed fails or breaks its promise.
    MissingColumn : it says that it lacks a column which the TOML names.
    """
    options = source.feed
    if options is None:
        raise BadSource(
            f"{source.path}: feed: a {source.format} source has none", file=str(source.path), key="feed"
        )
    begin = (
        datetime(options.begin.year, options.begin.month, options.begin.day, tzinfo=zone)
        if options.begin
        else None
    )
    mark = datetime.fromisoformat(watermark) if watermark and begin else None
    with connect(options, sleep, jitter) as client:
        feed = FEEDS[source.format](client, options, Wording(zone, options.times), source)
        yield from gather(
            walk(feed, options, mark, begin and begin.astimezone(UTC), now.astimezone(UTC)), feed, source
        )
