"""A feed's deliveries: each instalment lands with the watermark that it reaches, so that a crash resumes there."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from etl.delivery import Delivery
from etl.feeds.instalment import Instalment
from etl.feeds.registry import instalments
from etl.load.staging import Connection
from etl.readers.base import Reading
from etl.spec import Source
from layers.catalog.city import City
from layers.core.db import connect


def feed_deliveries(
    url: str, city: City, source: Source, now: datetime, since: datetime | None = None
) -> Iterator[Delivery]:
    """What the feed of `source` has since its watermark, or again `since` then, one delivery an instalment.

    An instalment is fetched when its delivery is opened, so that a feed that is silent fails a run of its own.
    """
    with connect(url) as connection:
        kept = connection.execute("select watermark from onemap.feed where source = %s", [source.id]).fetchone()
    watermark = since.isoformat() if since else kept["watermark"] if kept else None
    coming = _Coming(source, instalments(source, watermark, now, source.zone(city)))
    while not coming.ended:
        yield Delivery(source, source.id, coming.open, via="feed", settle=coming.settle)


class _Coming:
    """The instalments of one feed, each opened and then settled."""

    def __init__(self, source: Source, items: Iterator[Instalment]) -> None:
        self._source = source
        self._items = items
        self._present: Instalment | None = None
        self.ended = False

    def open(self) -> Reading:
        """Fetch the next instalment."""
        self._present = next(self._items)
        self.ended = self._present.last
        return Reading(
            Path(self._source.id), self._present.sha256, iter([self._present.raw]), crs=self._present.crs
        )

    def settle(self, connection: Connection, run_id: int) -> None:
        """Move the watermark to where this instalment reaches; it never goes back."""
        if self._present is None:
            return
        given = {"source": self._source.id, "watermark": self._present.watermark, "run": run_id}
        connection.execute(
            """insert into onemap.feed (source, watermark, run_id) values (%(source)s, %(watermark)s, %(run)s)
            on conflict (source) do update set watermark = excluded.watermark, run_id = excluded.run_id
              where '' in (feed.watermark, excluded.watermark)
                or excluded.watermark::timestamptz >= feed.watermark::timestamptz""",
            given,
        )
        connection.execute("update onemap.run set watermark = %(watermark)s where run_id = %(run)s", given)
