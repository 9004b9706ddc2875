"""What the database knows already and a load leans on: polygons to tag with, areas to hang others on."""

from datetime import datetime
from typing import Any

import numpy as np
import shapely

from etl.load.staging import Connection
from etl.tag import Shapes, Versions
from layers.records.times import Moments

_EVER = np.datetime64("-290000-01-01", "us"), np.datetime64("290000-01-01", "us")


def areas(connection: Connection) -> Versions:
    """All versions of all areas, the deepest level first and within a level by code; `value` is the area's id."""
    return _versions(
        connection.execute(
            """select area_id as value, lower(valid) as start, upper(valid) as end, st_asbinary(geom) as shape
            from onemap.area_version join onemap.area using (area_id)
            order by level_rank desc, code collate "C", lower(valid) nulls first"""
        ).fetchall()
    )


def zones(connection: Connection) -> Versions:
    """All versions of all influences; the value is the zone type's bit."""
    return _versions(
        connection.execute(
            """select bit as value, lower(valid) as start, upper(valid) as end, st_asbinary(influence) as shape
            from onemap.risk_area_version join onemap.risk_area using (risk_area_id)
            join onemap.zone_type on zone_type.code = risk_area.zone_type
            order by risk_area_version_id"""
        ).fetchall()
    )


def ground(connection: Connection) -> tuple[Shapes, Shapes]:
    """What a feed's places are held against: the city's outline of today, its topmost areas, and its roads."""
    areas = connection.execute(
        """select st_asbinary(geom) as shape from onemap.area_version join onemap.area using (area_id)
        where upper_inf(valid) and level_rank = (select min(level_rank) from onemap.area)"""
    ).fetchall()
    roads = connection.execute("select st_asbinary(geom) as shape from onemap.road").fetchall()
    return _shapes(areas), _shapes(roads)


def _shapes(rows: list[dict[str, Any]]) -> Shapes:
    found = np.empty(len(rows), np.object_)
    found[:] = shapely.from_wkb([row["shape"] for row in rows])
    return found


def known_areas(connection: Connection) -> set[tuple[int, str]]:
    """Every area as (level rank, code)."""
    found = connection.execute("select level_rank, code from onemap.area").fetchall()
    return {(row["level_rank"], row["code"]) for row in found}


def _versions(rows: list[dict[str, Any]]) -> Versions:
    return Versions(
        value=np.array([row["value"] for row in rows], np.int64),
        start=_moments([row["start"] for row in rows], _EVER[0]),
        end=_moments([row["end"] for row in rows], _EVER[1]),
        shapes=_shapes(rows),
    )


def _moments(times: list[datetime | None], unbounded: np.datetime64) -> Moments:
    return np.array(
        [unbounded if time is None else np.datetime64(int(time.timestamp() * 1e6), "us") for time in times],
        "datetime64[us]",
    )
