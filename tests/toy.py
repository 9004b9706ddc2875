"""A small made-up city whose every number can be counted by hand: no source files, rows are written directly.

A district of two villages, west and east of 10.05 E, with two grids each; a school and a market; three
categories, of which one is sensitive; incidents from a seeded generator, kept here as a plain list.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from layers.catalog.city import City
from layers.core import events
from layers.geo import hexgrid
from layers.heat import public

WEST, SOUTH, EAST, NORTH = 10.0, 50.0, 10.1, 50.06
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 120

CITY = City.load(Path(__file__).parent / "cities" / "toy")

WEIGHT = {category.code: category.weight for category in CITY.categories}

# code, parent, west, south, east, north
AREAS = [
    ("D", None, WEST, SOUTH, EAST, NORTH),
    ("V1", "D", WEST, SOUTH, 10.05, NORTH),
    ("V2", "D", 10.05, SOUTH, EAST, NORTH),
    ("V1G1", "V1", WEST, 50.03, 10.05, NORTH),
    ("V1G2", "V1", WEST, SOUTH, 10.05, 50.03),
    ("V2G1", "V2", 10.05, 50.03, EAST, NORTH),
    ("V2G2", "V2", 10.05, SOUTH, EAST, 50.03),
]

# code, zone type, west, south, east, north of the influence
RISK_AREAS = [
    ("S1", "school", 10.01, 50.01, 10.03, 50.03),
    ("M1", "market", 10.02, 50.02, 10.06, 50.04),
]


@dataclass(frozen=True)
class Incident:
    """One incident as the tests count it."""

    key: str
    lon: float
    lat: float
    category: str
    at: datetime
    grid: str
    zones: int
    cell: int
    state: str | None
    due_at: datetime | None
    origin: str


def _within(box: tuple[Any, ...], lon: float, lat: float) -> bool:
    west, south, east, north = box[2:]
    return west <= lon <= east and south <= lat <= north


def incidents(n: int = 1500, seed: int = 7) -> list[Incident]:
    """`n` incidents in clumps, the same for the same seed."""
    rng = np.random.default_rng(seed)
    clump = rng.uniform([WEST, SOUTH], [EAST, NORTH], size=(25, 2))
    points = clump[rng.integers(0, 25, n)] + rng.normal(0, 0.003, size=(n, 2))
    points = np.clip(points, [WEST + 1e-4, SOUTH + 1e-4], [EAST - 1e-4, NORTH - 1e-4])
    cells = hexgrid.index(points, CITY.base_resolution).tolist()
    categories = rng.choice(["noise", "theft", "domestic"], n, p=[0.6, 0.3, 0.1]).tolist()
    seconds = rng.integers(0, DAYS * 86400, n).tolist()
    grids = [area for area in AREAS if area[0].count("G")]
    made = []
    for i, (lon, lat) in enumerate(points.tolist()):
        grid = next(area[0] for area in grids if _within(area, lon, lat))
        zones = sum(1 << bit for bit, risk in enumerate(RISK_AREAS) if _within(risk, lon, lat))
        at = FIRST + timedelta(seconds=seconds[i])
        is_open = i % 10 == 0
        due = at + timedelta(days=3) if is_open and i % 20 == 0 else None
        state, origin = "new" if is_open else None, "patrol" if i % 7 == 3 else "citizen"
        made.append(Incident(f"k{i}", lon, lat, categories[i], at, grid, zones, cells[i], state, due, origin))
    return made


def fill(connection: psycopg.Connection[DictRow], rows: list[Incident]) -> None:
    """Write the city and `rows` into a migrated, empty database, with versions, outbox and the public product."""
    for rank, level in enumerate(CITY.levels):
        connection.execute(
            "insert into onemap.level values (%s, %s, %s, %s)", [rank, level.code, level.name.zh, level.name.en]
        )
    for bit, zone in enumerate(CITY.zone_types):
        connection.execute(
            "insert into onemap.zone_type values (%s, %s, %s, %s, %s)",
            [zone.code, bit, zone.name.zh, zone.name.en, zone.colour],
        )
    for rank, category in enumerate(CITY.categories):
        connection.execute(
            "insert into onemap.category values (%s, %s, %s, %s, %s, %s)",
            [category.code, rank, category.name.zh, category.name.en, category.weight, category.sensitive],
        )
    run = _id(
        connection,
        """insert into onemap.run (source, target, mode, file_name, file_sha256, started_at, state)
        values ('toy', 'incidents', 'append', 'toy', '', now(), 'done') returning run_id as id""",
        [],
    )
    area_ids: dict[str, int] = {}
    for code, parent, *box in AREAS:
        area_ids[code] = _id(
            connection,
            """insert into onemap.area (level_rank, code, local_code, name_zh, name_en, source)
            values (%s, %s, %s, %s, %s, 'toy') returning area_id as id""",
            [len(code) // 2, code, code, f"区{code}", f"Area {code}"],
        )
        connection.execute(
            """insert into onemap.area_version (area_id, parent_id, valid, geom, run_id)
            values (%s, %s, tstzrange(null, null), ST_Multi(ST_MakeEnvelope(%s, %s, %s, %s, 4326)), %s)""",
            [area_ids[code], area_ids.get(parent or ""), *box, run],
        )
    for code, zone, *box in RISK_AREAS:
        risk = _id(
            connection,
            """insert into onemap.risk_area (code, zone_type, name_zh, name_en, source)
            values (%s, %s, %s, %s, 'toy') returning risk_area_id as id""",
            [code, zone, f"点{code}", f"Place {code}"],
        )
        connection.execute(
            """insert into onemap.risk_area_version (risk_area_id, valid, influence_m, geom, influence, run_id)
            values (%s, tstzrange(null, null), 500, ST_Centroid(ST_MakeEnvelope(%s, %s, %s, %s, 4326)),
              ST_Multi(ST_MakeEnvelope(%s, %s, %s, %s, 4326)), %s)""",
            [risk, *box, *box, run],
        )
    spots = hexgrid.centre(np.array([row.cell for row in rows], dtype=np.uint64)).tolist()
    with connection.cursor() as cursor:
        cursor.executemany(
            """insert into onemap.incident (source, source_key, category, origin, occurred_at, state, due_at,
              severity, cell, area_id, zones, spot, geom, attributes, content_hash, run_id)
            values ('toy', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
              ST_SetSRID(ST_MakePoint(%s, %s), 4326), ST_SetSRID(ST_MakePoint(%s, %s), 4326), %s, '', %s)""",
            [
                [
                    *(row.key, row.category, row.origin, row.at, row.state, row.due_at, WEIGHT[row.category]),
                    *(row.cell, area_ids[row.grid], row.zones, *spot, row.lon, row.lat),
                    *(Jsonb({"note": f"=note {row.key}"}), run),
                ]
                for row, spot in zip(rows, spots, strict=True)
            ],
        )
    public.mark(connection, {row.at.astimezone(UTC).date() for row in rows})
    public.release(connection, CITY)
    events.begin(connection)
    for layer in ("areas", "risk_areas", "incidents", public.LAYER):
        events.bump(connection, layer, FIRST)


def station(
    connection: psycopg.Connection[DictRow],
    code: str,
    lon: float,
    lat: float,
    *,
    kind: str = "team",
    unit: str | None = None,
    device_id: str | None = None,
    valid: str = "(,)",
) -> int:
    """Add a resource; its id."""
    resource = _id(
        connection,
        """insert into onemap.resource (code, name_en, device_id, link, source)
        values (%s, %s, %s, 'https://video.test/' || %s, 'toy') returning resource_id as id""",
        [code, f"Station {code}", device_id, device_id],
    )
    connection.execute(
        """insert into onemap.resource_version (resource_id, valid, kind, unit, geom, run_id)
        values (%s, %s, %s, %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), (select min(run_id) from onemap.run))""",
        [resource, valid, kind, unit, lon, lat],
    )
    return resource


def _id(connection: psycopg.Connection[DictRow], sql: str, params: list[Any]) -> int:
    found = connection.execute(sql.encode(), params).fetchone()
    assert found is not None
    return int(found["id"])
