"""Files that come slowly, or that nobody takes."""

import asyncio
from dataclasses import dataclass, field

import pytest
import shapely

from layers.core.errors import Unavailable
from layers.geo.crs import CRS84
from layers.query.table import Column, Table
from mapserver.formats import download, packing
from mapserver.formats.registry import FORMATS


@dataclass
class Slow:
    """Batches of which the second never comes, for an answer in this process."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def batches(self):
        try:
            yield [(1, shapely.Point(1, 2).wkb)]
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            self.ended.set()

    def answer(self, name):
        table = Table("few", (Column("id", "int64"),), "point", CRS84)
        return download.Download(FORMATS[name].write, table, self.batches(), "text/plain")


@pytest.mark.parametrize("name", ["csv", "fgb"])
async def test_what_nobody_waits_for_is_not_worked_out(name):
    slow = Slow()

    async def receive():
        await slow.begun.wait()
        return {"type": "http.disconnect"}

    async def send(_):
        pass

    async with asyncio.timeout(10):
        await slow.answer(name)({"type": "http"}, receive, send)
    assert slow.ended.is_set()


async def test_a_client_that_takes_nothing_more_is_left(monkeypatch):
    slow = Slow()

    async def send(message):
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    monkeypatch.setattr(download, "STALL_S", 0.1)
    with pytest.raises(TimeoutError):
        await slow.answer("csv")({"type": "http"}, asyncio.Event().wait, send)
    assert slow.ended.is_set()


async def test_no_more_files_are_packed_at_a_time_than_may_be(monkeypatch):
    monkeypatch.setattr(packing, "WAIT_S", 0.2)
    slow = [Slow() for _ in range(packing.MOST)]
    leaves = asyncio.Event()

    async def receive():
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(_):
        pass

    tasks = [asyncio.create_task(each.answer("fgb")({"type": "http"}, receive, send)) for each in slow]
    async with asyncio.timeout(20):
        await asyncio.gather(*(each.begun.wait() for each in slow))
        further = Slow()
        with pytest.raises(Unavailable):
            await further.answer("parquet")({"type": "http"}, receive, send)
        assert not further.begun.is_set()
        leaves.set()
        await asyncio.gather(*tasks)
        leaves.clear()
        again = asyncio.create_task(further.answer("parquet")({"type": "http"}, receive, send))
        await further.begun.wait()
        leaves.set()
        await again
