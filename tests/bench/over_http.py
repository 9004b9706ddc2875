"""The heat of one server worker over HTTP, asked from a process of its own, with windows of which no two are alike."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import numpy as np
import pyarrow as pa

from etl import vocabulary
from layers.core.db import connect
from layers.core.migrate import migrate
from layers.core.span import Span
from layers.geo import hexgrid
from layers.geo.bbox import Bbox
from layers.geo.tiles import Tile
from layers.heat.engine import Cells
from layers.heat.question import Question
from tests.bench.asks import DAY
from tests.bench.marks import Marks
from tests.bench.stored import Stored
from tests.bench.town import RES
from tests.mapserver.process import ROOT, Served, served

CELLS, ZOOM = 10_000, 13
ROUND, ROUNDS, CONNECTIONS, TILES = 300, 6, 4, 200
LEAST_A_S, TILE_MS = 400, 12


class OverHttp:
    """`onemap serve` on a city's stores, and on a database that knows the city but none of its incidents."""

    def __init__(self, stored: Stored, url: str, marks: Marks) -> None:
        self.stored, self.marks = stored, marks
        self.random = np.random.default_rng(11)
        with connect(url) as connection:
            migrate(connection)
            vocabulary.write(connection, stored.city)
        self.env = {
            "ONEMAP_DB__URL": url, "ONEMAP_HOME": str(stored.home), "ONEMAP_CITIES": str(stored.city.folder.parent),
            "ONEMAP_CITY": stored.city.code, "ONEMAP_SERVER__WORKERS": "1",
        }  # fmt: skip
        command = [sys.executable, "-m", "mapserver.cli", "token", "create", "--audience", "room"]
        made = subprocess.run(command, env=os.environ | self.env, cwd=ROOT, check=True, stdout=subprocess.PIPE)
        self.token = made.stdout.decode().strip()

    def run(self) -> None:
        """Cells as Arrow, of the whole city's short windows and of a box's years; then tiles."""
        west, south, east, north = self.stored.town.box
        lon, lat = (west + east) / 2, (south + north) / 2
        with served("serve", env=self.env, log=self.stored.home / "serve.log") as server:
            self._cells(server, "the whole city's short windows", self._length(), None)
            self._cells(server, "a box's windows of a year", 365 * DAY, self._box(lon, lat))
            self._tiles(server, lon, lat)

    def _cells(self, server: Served, what: str, length: int, bbox: Bbox | None) -> None:
        given = {"f": "arrow", "res": RES} | ({} if bbox is None else {"bbox": ",".join(map(str, astuple(bbox)))})
        spans = self._spans(length, (1 + ROUNDS) * ROUND)
        paths = [_path("cells", span, **given) for span in spans]
        cells = self._answer(spans[0], bbox)
        self.marks.same(f"answer equal to the engine's, {what}", self._differs(server, paths[0], cells), 1)
        self._ask(server, paths[:ROUND], CONNECTIONS)
        rates = [
            ROUND / self._ask(server, paths[start : start + ROUND], CONNECTIONS)[1]
            for start in range(ROUND, len(paths), ROUND)
        ]
        self.marks.least(f"answers of {cells.cell.size:,} cells, {what}", max(rates), LEAST_A_S, "/s")
        self.marks.say(f"  {CONNECTIONS} at a time; median of {ROUNDS} rounds", float(np.median(rates)), "/s")

    def _tiles(self, server: Served, lon: float, lat: float) -> None:
        row = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
        tile = Tile(ZOOM, int((lon + 180) / 360 * 2**ZOOM), int(row * 2**ZOOM))
        spans = self._spans(4 * 365 * DAY, TILES)
        count = self._answer(spans[0], tile.bbox).cell.size
        took_ms, _ = self._ask(server, [_path(f"{tile.z}/{tile.x}/{tile.y}.mvt", span) for span in spans], 1)
        self.marks.most(f"an uncached tile of {count:,} cells, median", float(np.median(took_ms)), TILE_MS, "ms")
        self.marks.say("  best", min(took_ms), "ms")

    def _ask(self, server: Served, paths: Sequence[str], connections: int) -> tuple[list[float], float]:
        """Milliseconds of each answer, and seconds for all of them."""
        where = urlsplit(server.url)
        job = {"host": where.hostname, "port": where.port, "token": self.token, "connections": connections}
        client = Path(__file__).with_name("http_client.py")
        done = subprocess.run(
            [sys.executable, client],
            input=json.dumps(job | {"paths": paths}),
            text=True,
            check=True,
            stdout=subprocess.PIPE,
        )
        said = json.loads(done.stdout)
        assert said["statuses"] == {"200": len(paths)}, said["statuses"]
        return said["took_ms"], said["seconds"]

    def _differs(self, server: Served, path: str, cells: Cells) -> bool:
        answer = httpx.get(server.url + path, headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code == httpx.codes.OK, answer.text
        table = pa.ipc.open_stream(answer.content).read_all()
        same = np.array_equal(table["cell"], cells.cell) and np.array_equal(table["value"], cells.value)
        return not same

    def _answer(self, span: Span, bbox: Bbox | None) -> Cells:
        return self.stored.engine.answers([Question("all", span, RES, bbox=bbox)])[0].cells

    def _spans(self, length: int, count: int) -> list[Span]:
        """Different windows of one length."""
        town = self.stored.town
        starts = self.random.choice(town.end - town.start - length, count, replace=False) + town.start
        return [_span(start, length) for start in starts.tolist()]

    def _length(self) -> int:
        """Seconds of a window in the middle of the years in which some 10 000 cells have events."""
        middle = (self.stored.town.start + self.stored.town.end) // 2
        low, high = 1, 365 * DAY
        while high - low > low // 50:
            length = (low + high) // 2
            few = self._answer(_span(middle, length), None).cell.size < CELLS
            low, high = (length, high) if few else (low, length)
        return high

    @staticmethod
    def _box(lon: float, lat: float) -> Bbox:
        """A box with some 10 000 cells."""
        cell = np.array([hexgrid.at(lon, lat, RES)], np.uint64)
        north = math.sqrt(CELLS * float(hexgrid.area_m2(cell)[0])) / 2 / 110_950
        east = north / math.cos(math.radians(lat))
        return Bbox(*(round(value, 5) for value in (lon - east, lat - north, lon + east, lat + north)))


def _span(start: int, length: int) -> Span:
    return Span(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(start + length, UTC))


def _path(what: str, span: Span, **given: object) -> str:
    ask = {"from": f"{span.start:%Y-%m-%dT%H:%M:%SZ}", "to": f"{span.end:%Y-%m-%dT%H:%M:%SZ}", **given}
    return f"/heat/all/{what}?{urlencode(ask)}"
