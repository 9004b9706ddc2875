"""What a row must be to become an area of the city's tree."""

import re
from datetime import datetime
from functools import partial

import numpy as np
import pyarrow as pa
import shapely

from etl.readers.base import RawFrame
from etl.repair import repair
from etl.spec import Source
from etl.validate.checker import Checked, Checker, ewkb
from etl.validate.identity import coded
from layers.catalog.city import City
from layers.records.findings import Mask
from layers.records.personal import excerpt

_POLYGONS = {shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON}


def check(raw: RawFrame, source: Source, city: City, now: datetime) -> Checked:
    """Check the rows of an area file, all but their parents: see `check_parents`.

    Returns
    -------
    Checked with the columns level_rank, code, official_code, local_code, name_zh, name_en, parent_code,
    households, valid_from, valid_to and geom (EWKB MultiPolygon).

    Raises
    ------
    UnknownDatum : the source's datum is none.
    """
    desk = Checker.of(raw, source, city, now)
    ranks = {level.code: rank for rank, level in enumerate(city.levels)}
    level = [ranks.get(code) for code in desk.choice("level", list(ranks)).to_pylist()]
    code = coded(desk)
    parent = desk.text("parent_code")
    patterns = [re.compile(level.pattern, re.ASCII) for level in city.levels]
    codes: list[str | None] = code.to_pylist()
    astray = [
        rank is not None and said is not None and patterns[rank].fullmatch(said) is None
        for rank, said in zip(level, codes, strict=True)
    ]
    desk.findings.add(
        np.array(astray, np.bool_),
        lambda i: f"code '{excerpt(codes[i])}' is not of the form of level {city.levels[level[i] or 0].code}",
    )
    names = {name: desk.text(name, required=True) for name in ("name_zh", "name_en")}
    valid_from, valid_to = desk.validity()
    mended = repair(desk.placed(desk.shapes(_POLYGONS)))
    desk.findings.add(mended.lost, "geometry is broken beyond repair")
    desk.note("repaired", mended.changed & desk.findings.good)
    for entry in mended.of(raw.rows, codes, desk.findings.good):
        desk.record(entry)
    return desk.done(
        {
            "level_rank": pa.array(level, pa.int16()),
            "code": code,
            "official_code": desk.text("official_code"),
            "local_code": desk.text("local_code"),
            **names,
            "parent_code": parent,
            "households": desk.count("households"),
            "valid_from": valid_from,
            "valid_to": valid_to,
            "geom": ewkb(mended.shapes),
        }
    )


def check_parents(checked: Checked, passed: Mask, city: City, known: set[tuple[int, str]]) -> None:
    """Note every area below the top that hangs on nothing.

    `passed`, bool[n], are the rows that will land if their parents do; `known` are the areas that the database
    has, as (level rank, code).
    """
    level: list[int | None] = checked.table.column("level_rank").to_pylist()
    codes: list[str | None] = checked.table.column("code").to_pylist()
    parents: list[str | None] = checked.table.column("parent_code").to_pylist()
    has_parent = np.array([parent is not None for parent in parents], np.bool_)
    there = set(known)
    for rank in range(len(city.levels)):
        mine = np.array([found == rank for found in level], np.bool_)
        if rank == 0:
            checked.findings.add(mine & has_parent, "parent_code is given, but the level is the top")
        else:
            checked.findings.add(mine & ~has_parent, "parent_code is missing")
            orphan = np.array([p is not None and (rank - 1, p) not in there for p in parents], np.bool_)
            reason = partial(_orphaned, parents, city.levels[rank - 1].code)
            checked.findings.add(mine & orphan, reason)
        landing = np.flatnonzero(mine & passed & checked.findings.good).tolist()
        there |= {(rank, code) for code in (codes[i] for i in landing) if code is not None}


def _orphaned(parents: list[str | None], level: str, index: int) -> str:
    return f"parent_code '{excerpt(parents[index])}' is no {level}"
