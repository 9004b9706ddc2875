"""A feed on the loopback, and a source that it feeds."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from etl.feeds.instalment import Instalment
from etl.feeds.registry import instalments
from etl.spec import Source
from tests.station import Station, serve
from tests.workshop import INCIDENTS, NOW, Workshop


@pytest.fixture
def station() -> Iterator[Station]:
    """A feed's server, on a free port."""
    with serve() as here:
        yield here


@pytest.fixture
def calls(shop: Workshop, station: Station) -> Callable[..., Source]:
    """A source of incidents that is fed by the station."""

    def declare(kind: str, feed: dict[str, Any], **changes: Any) -> Source:
        columns = {"category": "kind", "occurred_at": "at"}
        if kind in {"json", "open311"}:
            columns |= {"lon": "lon", "lat": "lat"}
        base = INCIDENTS | {"file": None, "attributes": {}, "columns": columns}
        return shop.source(base, format=kind, feed={"url": station.url} | feed, **changes)

    return declare


@pytest.fixture
def take() -> Callable[..., list[Instalment]]:
    """Every instalment of a source, without waiting; `landed` keeps those that came before a failure."""

    def taken(
        source: Source,
        watermark: str | None = None,
        now: datetime = NOW,
        zone: str = "UTC",
        landed: list[Instalment] | None = None,
    ) -> list[Instalment]:
        found = [] if landed is None else landed
        for part in instalments(source, watermark, now, ZoneInfo(zone), sleep=lambda _: None):
            found.append(part)
        return found

    return taken
