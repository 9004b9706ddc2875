"""Tiles and pages against tipg on the same PostGIS, and a cached tile against nginx, in one run on one machine.

The city is the sample city that ships. Peers are asked in turns, round by round, and the best round of each counts, as
machines are shared; the ratios of the medians and of the processors' time stand beside. tipg reads a flat copy of what
ours joins from several tables under rules of who may see what. Exits with 1 when a mark is missed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import numpy as np

from etl import pipeline, vocabulary
from etl.spec import chosen
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.cluster import Cluster
from layers.core.db import connect
from layers.core.migrate import migrate
from layers.core.settings import LimitSettings
from tests.bench.api_peers import Peer, nginx, per_second, tipg
from tests.bench.cpu import cpu_s
from tests.bench.marks import Marks
from tests.bench.place import place
from tests.mapserver.process import ROOT, Served, served
from tests.tiles import read_tile

ZOOM, WHOLE_ZOOM, FEW, MANY, DENSEST, PAGE = 12, 14, 5_000, 10_000, 10, 1000
TILE_LEAST, PAGE_LEAST, CACHED_LEAST = 3.0, 5.0, 0.4
WHOLE_LEAST = 1.5  # fewer properties, the same points
ALIKE_LEAST = 1.0  # both have PostGIS write the same features, which is nearly all that there is to do
ALL = "category,occurred_at,origin,severity,state,due_at,closed_at,area,source"
ROUNDS, TILES, PAGES, CONNECTIONS = 5, 40, 25, 2
WRK_S, WRK_CONNECTIONS = 4, 32
BODY_BYTES = 30_000

# What the map shows of an incident to the command room, as a table with names of its own, for tipg.
_TABLE = """create schema bench; create table bench.incident as
select incident.incident_id as id, incident.category, incident.occurred_at, incident.origin, incident.severity,
  incident.state, incident.due_at, incident.closed_at, area.code as area, incident.source,
  incident.spot::geometry(Point, 4326) as geom
from onemap.incident incident left join onemap.area area using (area_id);
alter table bench.incident add primary key (id);
create index on bench.incident using gist (geom); create index on bench.incident (occurred_at);
vacuum analyze bench.incident"""
_TILES = """select z, x, y, count(*) as points from (
  select %(z)s as z, floor((ST_X(spot::geometry) + 180) / 360 * 2 ^ %(z)s)::integer as x,
    floor((1 - asinh(tan(radians(ST_Y(spot::geometry)))) / pi()) / 2 * 2 ^ %(z)s)::integer as y
  from onemap.incident) found
group by z, x, y having count(*) between %(few)s and %(many)s order by points desc"""


class Bench:
    """The sample city in a private cluster, our server and its peers."""

    def __init__(self, home: Path, cluster: Cluster, marks: Marks) -> None:
        self.home, self.marks, self.cluster = home, marks, cluster
        cluster.create_database("bench")
        self.url = cluster.url("bench")
        city = City.load(ROOT / "data" / "toronto")
        with connect(self.url) as connection:
            migrate(connection)
            vocabulary.write(connection, city)
        for source in chosen(city, []):
            pipeline.run(self.url, city, source, Clock())
        with connect(self.url) as connection:
            connection.autocommit = True
            for statement in _TABLE.split(";"):
                connection.execute(statement.encode())
            bounds = {"few": FEW, "many": MANY}
            self.merged = [row for z in (ZOOM, ZOOM + 1) for row in connection.execute(_TILES, bounds | {"z": z})]
            bounds = {"few": 1, "many": MANY, "z": WHOLE_ZOOM}
            self.whole = connection.execute(_TILES, bounds).fetchmany(DENSEST)
        self.env = {"ONEMAP_DB__URL": self.url, "ONEMAP_HOME": str(home), "ONEMAP_SERVER__WORKERS": "1"}
        self.env |= {f"ONEMAP_LIMITS__{name.upper()}": "1000000" for name in LimitSettings.model_fields}
        command = [sys.executable, "-m", "mapserver.cli", "token", "create", "--audience", "room"]
        made = subprocess.run(command, env=os.environ | self.env, cwd=ROOT, check=True, stdout=subprocess.PIPE)
        self.token = made.stdout.decode().strip()

    def run(self) -> None:
        """All marks."""
        log = self.home / "tipg.log"
        with (
            served("serve", env=self.env, log=self.home / "serve.log") as ours,
            tipg(self.url, ["bench.incident"], log) as theirs,
        ):
            self._tiles(ours, theirs, "ours merges points that lie together", self.merged, TILE_LEAST)
            self._tiles(ours, theirs, "each point on its own, with what this zoom shows", self.whole, WHOLE_LEAST)
            self._tiles(
                ours, theirs, "each point on its own, with all that theirs has", self.whole, ALIKE_LEAST, ALL
            )
            self._pages(ours, theirs)
            self._cached(ours)

    def _tiles(
        self, ours: Served, theirs: Peer, how: str, tiles: Sequence[dict[str, Any]], least: float, chosen: str = ""
    ) -> None:
        points = [tile["points"] for tile in tiles]
        self.marks.section(f"{len(tiles)} uncached tiles of {min(points):,} to {max(points):,} points: {how}")
        places = [(tile["z"], tile["x"], tile["y"]) for tile in tiles]
        turn = iter(range(10**9))

        more = f"&properties={chosen}" if chosen else ""

        # A `v` that is not the present one answers current data uncached.
        def our_path(z: int, x: int, y: int) -> str:
            return f"/tiles/incidents/{z}/{x}/{y}.mvt?v=bench{next(turn)}{more}"

        def their_path(z: int, x: int, y: int) -> str:
            return f"/collections/bench.incident/tiles/WebMercatorQuad/{z}/{x}/{y}?limit={MANY}"

        self._check("tipg", [theirs.url + their_path(*each) for each in places], points)
        if tiles is self.whole:
            self._check("ours", [ours.url + our_path(*each) for each in places], points)
        self._compare(
            "tiles", ours, theirs, TILES, least,
            lambda number: our_path(*places[number % len(places)]),
            lambda number: their_path(*places[number % len(places)]),
        )  # fmt: skip

    def _check(self, whose: str, urls: Sequence[str], points: Sequence[int]) -> None:
        """Whether each tile has a feature for every point."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}
        found = [len(read_tile(httpx.get(url, headers=headers).content)[1]) for url in urls]
        wrong = sum(has != wanted for has, wanted in zip(found, points, strict=True))
        self.marks.same(f"{whose}: tiles that have every point", wrong, len(urls))

    def _pages(self, ours: Served, theirs: Peer) -> None:
        self.marks.section(f"items, pages of {PAGE:,} features")
        turn = iter(range(10**9))

        def query(number: int, **given: object) -> str:
            # No two spans are alike, so that no answer is kept.
            start = f"2016-{1 + number % 12:02}-01T00:00:00.{next(turn):06}Z"
            return urlencode({"datetime": f"{start}/..", "limit": PAGE, **given})

        self._compare(
            "pages", ours, theirs, PAGES, PAGE_LEAST,
            lambda number: f"/collections/incidents/items?{query(number)}",
            lambda number: f"/collections/bench.incident/items?{query(number, **{'datetime-column': 'occurred_at'})}",
        )  # fmt: skip

    def _compare(
        self, what: str, ours: Served, theirs: Peer, count: int, least: float,
        our_path: Callable[[int], str], their_path: Callable[[int], str],
    ) -> None:  # fmt: skip
        """Rates of both in turns."""
        rates: dict[str, list[float]] = {"ours": [], "tipg": []}
        spent_ms: dict[str, list[float]] = {"ours": [], "tipg": []}
        database = self.cluster.status().pid
        for _ in range(ROUNDS):
            for name, peer, path in (("ours", ours, our_path), ("tipg", theirs, their_path)):
                paths = [path(number) for number in range(count)]
                before = cpu_s(peer.process.pid) + cpu_s(database)
                rates[name].append(count / self._ask(peer.url, paths))
                spent_ms[name].append((cpu_s(peer.process.pid) + cpu_s(database) - before) / count * 1000)
        for name, found in rates.items():
            self.marks.say(f"{name}, {what}: best of {ROUNDS} rounds", max(found), "/s")
            self.marks.say("  median", float(np.median(found)), "/s")
            self.marks.say(
                "  processors' time of server and database, median", float(np.median(spent_ms[name])), "ms"
            )
        self.marks.say("ratio of the medians", float(np.median(rates["ours"]) / np.median(rates["tipg"])), "x")
        self.marks.say(
            "ratio of the processors' times", float(np.median(spent_ms["tipg"]) / np.median(spent_ms["ours"])), "x"
        )
        self.marks.least(f"uncached {what} against tipg", max(rates["ours"]) / max(rates["tipg"]), least, "x")

    def _ask(self, base: str, paths: Sequence[str]) -> float:
        """Seconds for all answers."""
        where = urlsplit(base)
        job = {
            "host": where.hostname,
            "port": where.port,
            "token": self.token,
            "connections": CONNECTIONS,
            "paths": paths,
        }
        client = Path(__file__).with_name("http_client.py")
        done = subprocess.run(
            [sys.executable, client], input=json.dumps(job), text=True, check=True, stdout=subprocess.PIPE
        )
        said = json.loads(done.stdout)
        assert said["statuses"] == {"200": len(paths)}, said["statuses"]
        return float(said["seconds"])

    def _cached(self, ours: Served) -> None:
        auth = f"Authorization: Bearer {self.token}"
        path = self._tile_of(ours.url, BODY_BYTES)
        body = httpx.get(
            ours.url + path, headers={"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}
        ).content
        self.marks.section(f"a cached tile of {len(body):,} bytes, one worker, {WRK_CONNECTIONS} connections")
        rates: dict[str, list[float]] = {"ours": [], "nginx": []}
        with nginx(body, self.home / "nginx") as file:
            for _ in range(ROUNDS):
                rates["ours"].append(per_second(ours.url + path, WRK_CONNECTIONS, WRK_S, auth))
                rates["nginx"].append(per_second(f"{file.url}/tile.mvt", WRK_CONNECTIONS, WRK_S))
        for name, found in rates.items():
            self.marks.say(f"{name}: best of {ROUNDS} rounds", max(found), "/s")
            self.marks.say("  median", float(np.median(found)), "/s")
        self.marks.least("cached tile against nginx", max(rates["ours"]) / max(rates["nginx"]), CACHED_LEAST, "x")

    def _tile_of(self, ours: str, size: int) -> str:
        """Path of the tile whose body is nearest to `size` bytes, as its TileJSON has it."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}
        template = httpx.get(f"{ours}/tiles/incidents.json", headers=headers).json()["tiles"][0]
        path = template.removeprefix(ours)
        with connect(self.url) as connection:
            found = connection.execute(_TILES, {"few": 300, "many": 3000, "z": ZOOM + 2}).fetchall()
        paths = [path.format(**{key: row[key] for key in "zxy"}) for row in found[:: max(1, len(found) // 60)]]
        sizes = {each: len(httpx.get(ours + each, headers=headers).content) for each in paths}
        return min(sizes, key=lambda each: abs(sizes[each] - size))


def main() -> int:
    """Measure in a folder of its own, and print."""
    marks = Marks()
    with place() as (home, cluster):
        Bench(home, cluster, marks).run()
    return marks.verdict()


if __name__ == "__main__":
    sys.exit(main())
