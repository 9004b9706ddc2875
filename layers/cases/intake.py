"""What is reported, from wherever it comes: a place inside the city, a category, and a text without persons."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from layers.cases import store
from layers.cases.case import Case, Step
from layers.cases.sla import Deadline
from layers.cases.workflow import Workflow
from layers.catalog.city import City
from layers.core.errors import BadValue
from layers.core.statement import Statement
from layers.geo import hexgrid
from layers.records.personal import mask

SOURCE = "open311"
"""Where reports of citizens come from; their key is made of the token that whoever reported holds."""


MOST_ASKED = 5
"""Moves of one report by whoever holds its token."""


def reported(  # noqa: PLR0913
    city: City,
    category: str,
    place: tuple[float, float],
    at: datetime,
    *,
    source: str,
    source_key: str,
    workflow: str,
    origin: str,
    text: str | None,
) -> store.Report:
    """What a case is registered with; `place` is lon and lat in degrees, and persons in the text are masked.

    Raises
    ------
    BadValue : an unknown category, or a place outside the city.
    """
    known = {each.code: each for each in city.categories}
    if category not in known:
        raise BadValue(f"category: '{category}' is none of {', '.join(known)}", parameter="category")
    lon, lat = place
    west, south, east, north = city.extent
    if not (west <= lon <= east and south <= lat <= north):
        raise BadValue(f"lon, lat: {lon}, {lat} lies outside the city", parameter="lon")
    cell = hexgrid.at(lon, lat, city.base_resolution)
    spot_lon, spot_lat = hexgrid.centre(np.array([cell], np.uint64))[0].tolist()
    return store.Report(
        workflow=workflow,
        source=source,
        source_key=source_key,
        category=category,
        severity=known[category].weight,
        origin=origin,
        reported_at=at,
        lon=lon,
        lat=lat,
        cell=cell,
        spot=(spot_lon, spot_lat),
        report=masked(text),
    )


def incident(incident_id: int) -> Statement:
    """What `of_incident` needs of an incident that the caller may see, and `closed_at`: one row, or none."""
    return Statement(
        """select incident_id, category, severity, origin, occurred_at, cell, closed_at, ST_X(geom) as lon,
          ST_Y(geom) as lat, ST_X(spot) as spot_lon, ST_Y(spot) as spot_lat
        from onemap.incident where incident_id = %(id)s""",
        {"id": incident_id},
    )


def of_incident(
    row: Mapping[str, Any], *, source: str, source_key: str, workflow: str, text: str | None
) -> store.Report:
    """What a case is registered with that stands for an incident of the map, which says what and where it is."""
    same = {name: row[name] for name in ("incident_id", "category", "severity", "origin", "lon", "lat", "cell")}
    return store.Report(
        workflow=workflow,
        source=source,
        source_key=source_key,
        reported_at=row["occurred_at"],
        spot=(row["spot_lon"], row["spot_lat"]),
        report=masked(text),
        **same,
    )


def masked(text: str | None) -> str | None:
    """The text without personal spans; none where there is none."""
    return None if text is None else mask(text).text


def new_token() -> str:
    """What a citizen follows a report with: 128 random bits, kept nowhere."""
    return secrets.token_urlsafe(16)


def key_of(token: str) -> str:
    """The key of the report whose token this is; it does not lead back to the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def file(
    report: store.Report,
    workflow: Workflow,
    running: Sequence[Deadline],
    at: datetime,
    answers: Mapping[str, Any],
) -> Statement:
    """Register a citizen's report, with answers to the questions of its category: one value, its case's number."""
    return Statement(
        "select onemap.file_report(%(facts)s, %(running)s, %(answers)s)",
        store.registered(report, workflow, running, at) | {"answers": store.json(answers)},
    )


def held(token: str) -> Statement:
    """What `store.read` needs of the report of a token, for whoever holds it: one row, none where there is none.

    Beside that: case_id, `merged`, and `asked`, how often its holder has moved it.
    """
    return Statement("select * from onemap.report_held(%(key)s)", {"key": key_of(token)})


def move(token: str, step: Step, later: Case, workflow: Workflow, running: Sequence[Deadline]) -> Statement:
    """Make a step for whoever holds a token, MOST_ASKED at most: one value, as `store.add` has it."""
    return Statement(
        "select onemap.move_report(%(key)s, %(step)s, %(later)s, %(running)s, %(most)s)",
        {"key": key_of(token), "most": MOST_ASKED, **store.added(step, later, workflow, running)},
    )


def standing(tokens: Sequence[str]) -> Statement:
    """How the reports of these tokens stand, for whoever holds them.

    Rows: source_key, case_id, category, workflow, state, is_open, reported_at, entered_at, updated_at, due_at, and
    steps (each `at`, `move`, `state`; no texts); of a report whose case was merged, all but the first three and
    reported_at are its main case's. And `merged`, the `rating` of its holder, and `asked` as `held` has it.
    """
    return Statement(
        "select * from onemap.reports_standing(%(keys)s) order by reported_at desc, case_id desc",
        {"keys": [key_of(token) for token in tokens]},
    )
