"""A city's cases by hand: what a server does for a dispatcher, on one connection."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg

from layers.cases import store
from layers.cases.case import Case, Step
from layers.cases.sla import FILE, Policies
from layers.cases.store import Report
from layers.cases.workflow import workflows
from layers.cases.worktime import WorkTime
from layers.core.statement import Statement
from layers.geo import hexgrid
from tests import toy

LOOP = workflows(Path("/nowhere"))["closed_loop"]
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PLACE = (10.025, 50.025)
POLICIES = """
[[policies]]
stage = "accept"
term = { amount = 1, unit = "urgent_hour" }

[[policies]]
stage = "handle"
term = { amount = 4, unit = "urgent_hour" }
warn = { amount = 3, unit = "urgent_hour" }
red = { amount = 8, unit = "urgent_hour" }

[[policies]]
stage = "arbitrate"
term = { amount = 2, unit = "urgent_hour" }
"""


def policies_in(folder: Path, text: str = POLICIES) -> Policies:
    """POLICIES or others, as a city has them in its folder."""
    (folder / FILE).write_text(text)
    return Policies.load(folder, WorkTime.of(toy.CITY))


def report(key: str = "1", **facts: object) -> Report:
    lon, lat = PLACE
    cell = hexgrid.at(lon, lat, toy.CITY.base_resolution)
    spot = tuple(hexgrid.centre(np.array([cell], np.uint64))[0].tolist())
    given = Report("closed_loop", "test", key, "theft", 2, "hotline", AT, lon, lat, cell, spot)
    return replace(given, **facts)


class Desk:
    """Registers and moves cases, in the transaction of its connection."""

    def __init__(self, connection: psycopg.Connection, policies: Policies) -> None:
        self.connection, self.policies = connection, policies
        connection.execute("select set_config('onemap.area_id', '', false)")

    def run(self, statement: Statement) -> list[dict]:
        return self.connection.execute(statement.sql.encode(), statement.params).fetchall()

    def register(self, given: Report) -> dict:
        areas = frozenset(row["code"] for row in self.run(store.areas_of(given.lon, given.lat, given.reported_at)))
        subject = store.Subject(given.category, given.severity, areas)
        running = self.policies.running(Case.registered(LOOP, AT), LOOP, subject)
        return self.run(store.register(given, LOOP, running, AT))[0]

    def case(self, case_id: int) -> Case:
        return store.read(self.run(store.by_id(case_id))[0])[1]

    def move(self, case_id: int, code: str, minutes: int, before: Case | None = None) -> bool:
        _, now, subject = store.read(self.run(store.by_id(case_id))[0])
        move = next(move for move in LOOP.moves if move.code == code)
        told = {"reason": "because", "unit": "sanitation", "rating": 4}
        step = Step(code, move.by[0], AT + minutes * MINUTE, **{name: told[name] for name in move.needs})
        later = (before or now).after(LOOP, step)
        running = self.policies.running(later, LOOP, subject)
        return next(iter(self.run(store.add(case_id, step, later, LOOP, running))[0].values()))

    def deadlines(self, case_id: int) -> dict[str, tuple]:
        def minutes(at: datetime | None) -> float | None:
            return None if at is None else (at - AT) / MINUTE

        rows = self.run(store.deadlines(case_id))
        return {row["stage"]: (minutes(row["due_at"]), minutes(row["met_at"])) for row in rows}

    def told(self, kind: str) -> list[dict]:
        return self.run(
            Statement("select payload from onemap.ledger where kind = %(k)s order by seq", {"k": kind})
        )
