"""The invented incidents: how many, of what, where, when, by whom reported, and how each was dealt with.

A category has a yearly number that grows with the district, a rhythm of the day, of the week and of the year, and
places that draw it. Deadlines are kept mostly; the last weeks are still open. Everything follows from one seed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from data.jiangdong.make.areas import Land, households
from data.jiangdong.make.land import Coordinates, degrees, metric
from data.jiangdong.make.places import Zone
from data.jiangdong.make.roads import Road

SEED = 20260901
ZONE = ZoneInfo("Asia/Shanghai")
SINCE, UNTIL = datetime(2021, 1, 1, tzinfo=ZONE), datetime(2026, 9, 1, tzinfo=ZONE)
GROWTH = 3.0  # times as many a year at the end as at the start
_SPREAD_M = 45.0

# Hours at which the day's rhythm peaks.
_NIGHT, _EVENING, _DAY, _RUSH, _OFFICE = 1.0, 20.5, 14.0, 17.8, 10.5


@dataclass(frozen=True)
class Kind:
    """How a category behaves.

    a_year : number in the first year. peak : hour around which most happen, `width` hours wide. weekend : how many
    times as many as on a working day. summer : share of the year's number that the rains add. zones : share of
    those in each type of key zone; the rest is where people live. origins : shares of citizen, patrol, sensor,
    hotline. days : until it has to be dealt with.
    """

    a_year: int
    peak: float
    width: float
    weekend: float
    summer: float
    zones: dict[str, float]
    origins: tuple[float, float, float, float]
    days: float


KINDS = {
    "theft": Kind(
        420, _NIGHT, 5, 1.1, 0, {"rental": 0.35, "commerce": 0.2, "transport": 0.1}, (0.8, 0.15, 0, 0.05), 7
    ),
    "fraud": Kind(260, _OFFICE, 4, 0.8, 0, {"campus": 0.35, "rental": 0.15}, (0.9, 0, 0, 0.1), 15),
    "fight": Kind(110, _NIGHT, 3, 1.9, 0, {"commerce": 0.55, "rental": 0.15}, (0.7, 0.25, 0, 0.05), 3),
    "domestic": Kind(140, _EVENING, 4, 1.3, 0, {"rental": 0.2}, (0.9, 0.02, 0, 0.08), 3),
    "bullying": Kind(26, _RUSH, 2, 0.2, 0, {"campus": 0.9}, (0.9, 0.05, 0, 0.05), 3),
    "harassment": Kind(30, _EVENING, 4, 1.2, 0, {"commerce": 0.3, "transport": 0.3}, (0.95, 0.05, 0, 0), 3),
    "dispute_land": Kind(120, _OFFICE, 3, 0.4, 0, {"industry": 0.15}, (0.45, 0.05, 0, 0.5), 30),
    "dispute_wages": Kind(90, _OFFICE, 3, 0.5, 0, {"industry": 0.7}, (0.5, 0, 0, 0.5), 15),
    "dispute_neighbours": Kind(170, _EVENING, 5, 1.4, 0, {"rental": 0.25}, (0.4, 0.1, 0, 0.5), 15),
    "traffic": Kind(300, _RUSH, 4, 1.0, 0.1, {"transport": 0.2, "industry": 0.1}, (0.85, 0.15, 0, 0), 1),
    "fire_hazard": Kind(
        210, _DAY, 4, 0.6, 0, {"rental": 0.35, "industry": 0.2, "commerce": 0.15}, (0.2, 0.6, 0.1, 0.1), 7
    ),
    "site_safety": Kind(120, _OFFICE, 4, 0.5, 0.1, {"industry": 0.9}, (0.15, 0.7, 0, 0.15), 7),
    "chemicals": Kind(18, _DAY, 5, 0.7, 0, {"industry": 0.95}, (0.1, 0.5, 0.35, 0.05), 1),
    "water": Kind(60, _DAY, 6, 1.2, 0.85, {"water": 0.9}, (0.35, 0.25, 0.35, 0.05), 1),
    "noise": Kind(
        520, _EVENING, 4, 1.5, 0, {"commerce": 0.3, "industry": 0.15, "rental": 0.15}, (0.2, 0.05, 0, 0.75), 5
    ),
    "waste": Kind(640, _OFFICE, 4, 0.9, 0.1, {"commerce": 0.15, "rental": 0.1}, (0.15, 0.55, 0, 0.3), 3),
    "parking": Kind(
        480, _RUSH, 5, 1.2, 0, {"commerce": 0.3, "transport": 0.25, "campus": 0.15}, (0.1, 0.6, 0.1, 0.2), 3
    ),
    "facility": Kind(360, _OFFICE, 5, 0.8, 0.15, {"transport": 0.1}, (0.2, 0.45, 0.05, 0.3), 10),
}
ORIGINS = np.array(["citizen", "patrol", "sensor", "hotline"])


def _times(rng: np.random.Generator, kind: Kind) -> NDArray[np.float64]:
    """Seconds since SINCE, sorted: a Poisson process thinned by growth, season, weekday and hour."""
    span = (UNTIL - SINCE).total_seconds()
    years = span / (365.25 * 86400)
    most = kind.a_year * GROWTH * max(kind.weekend, 1.0) * (1 + 2 * kind.summer)
    drawn = np.sort(rng.uniform(0, span, rng.poisson(most * years)))
    growth = GROWTH ** (drawn / span) / GROWTH
    days = drawn / 86400
    weekday = (days.astype(np.int64) + SINCE.weekday()) % 7
    week = np.where(weekday >= 5, kind.weekend, 1.0) / max(kind.weekend, 1.0)
    rains = np.clip(np.cos((days % 365.25 / 365.25 - 0.45) * 2 * np.pi), 0, None)  # most in the middle of June
    year = (1 - kind.summer + 3 * kind.summer * rains) / (1 + 2 * kind.summer)
    kept = rng.uniform(size=len(drawn)) < growth * week * year
    hour = (kind.peak + kind.width * rng.standard_normal(kept.sum())) % 24
    restless = rng.uniform(size=len(hour)) < 0.12  # at any hour
    hour[restless] = rng.uniform(0, 24, restless.sum())
    return np.sort(np.floor(drawn[kept] / 86400) * 86400 + np.floor(hour * 60) * 60)


class Spots:
    """Where things happen: in a zone of a type that is open by then, or on the roads where people live."""

    def __init__(self, land: Land, zones: list[Zone], roads: list[Road]) -> None:
        self.district = shapely.buffer(shapely.coverage_union_all(list(land.grids.values())), -60)
        shapely.prepare(self.district)
        self.zones = zones
        joints = np.unique(metric(np.array([xy for road in roads for xy in road.line.coords])), axis=0)
        tree = shapely.STRtree(list(land.grids.values()))
        joint, grid = tree.query(shapely.points(joints), predicate="within")
        codes = list(land.grids)
        homes = np.array([households(land.grids[code], land.owner[code].town_code) for code in codes], float)
        self.joints = joints[joint]
        share = homes[grid] / np.bincount(grid, minlength=len(codes))[grid]
        self.share = share / share.sum()

    def draw(self, rng: np.random.Generator, kind: Kind, years: NDArray[np.float64]) -> Coordinates:
        """Metric points, one for each year (a fraction of it) in `years`."""
        at = self.joints[rng.choice(len(self.joints), len(years), p=self.share)]
        pick = rng.uniform(size=len(years))
        for zone_type, share in kind.zones.items():
            mine = np.flatnonzero((pick >= 0) & (pick < share))
            pick[mine] = -1
            pick -= share
            own = [zone for zone in self.zones if zone.zone_type == zone_type]
            size = np.array([np.sqrt(zone.shape.area) for zone in own])
            since = np.array([zone.since for zone in own])
            for number in mine:
                open_ones = np.where(since <= years[number], size, 0)
                zone = own[rng.choice(len(own), p=open_ones / open_ones.sum())]
                west, south, east, north = zone.shape.bounds
                reach = zone.influence_m * 0.4
                at[number] = rng.uniform([west - reach, south - reach], [east + reach, north + reach])
        at = at + rng.normal(0, _SPREAD_M, at.shape)
        astray = ~shapely.contains_xy(self.district, at)
        near = shapely.shortest_line(shapely.points(at[astray]), self.district)
        at[astray] = shapely.get_coordinates(near)[1::2]
        return at


def table(land: Land, zones: list[Zone], roads: list[Road]) -> pa.Table:
    """All incidents in the order of their time; `synthetic` is true in every row."""
    rng = np.random.default_rng(SEED)
    spots = Spots(land, zones, roads)
    codes, seconds, places, origins, due = [], [], [], [], []
    for code, kind in KINDS.items():
        found = _times(rng, kind)
        codes += [code] * len(found)
        seconds.append(found)
        places.append(spots.draw(rng, kind, SINCE.year + found / (365.25 * 86400)))
        origins.append(ORIGINS[rng.choice(4, len(found), p=np.array(kind.origins) / sum(kind.origins))])
        due.append(np.full(len(found), kind.days * 86400))
    when, term = np.concatenate(seconds), np.concatenate(due)
    order = np.argsort(when, kind="stable")
    when, term = when[order], term[order]
    # Most are closed well before they are due, some late; who closes after the end of the file is still open.
    taken = term * rng.lognormal(np.log(0.45), 0.55, len(when))
    end = (UNTIL - SINCE).total_seconds()
    still = when + taken >= end
    begin = SINCE.astimezone(UTC)

    def instants(offsets: NDArray[np.float64], hidden: NDArray[np.bool_] | None = None) -> pa.Array:
        moments = np.datetime64(begin.replace(tzinfo=None), "s") + offsets.astype(np.int64).astype(
            "timedelta64[s]"
        )
        return pa.array(moments, mask=hidden).cast(pa.timestamp("s", "UTC"))

    lonlat = np.round(degrees(np.concatenate(places)[order]), 6)
    days = [(SINCE + timedelta(seconds=float(each))).strftime("%Y%m%d") for each in when]
    number = np.zeros(len(days), np.int64)
    for at in range(1, len(days)):
        number[at] = number[at - 1] + 1 if days[at] == days[at - 1] else 0
    return pa.table(
        {
            "number": [f"JD{day}{count + 1:04d}" for day, count in zip(days, number, strict=True)],
            "occurred_at": instants(when),
            "category": pa.array(np.array(codes)[order]).dictionary_encode(),
            "origin": pa.array(np.concatenate(origins)[order]).dictionary_encode(),
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "state": pa.array(np.where(still, "open", "closed")).dictionary_encode(),
            "due_at": instants(when + term),
            "closed_at": instants(when + taken, still),
            "synthetic": pa.array(np.ones(len(days), bool)),
        }
    )
