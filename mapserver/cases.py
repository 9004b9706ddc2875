"""The closed loop for one caller: which seats that one holds, and moves that are made or refused as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Self, cast

from fastapi import Depends, Request

from layers.cases import duplicates, intake, store
from layers.cases.case import Case, Step
from layers.cases.overrun import Overrun
from layers.cases.sla import Deadline, Policies, Subject
from layers.cases.workflow import Actor, Move, Workflow, workflows
from layers.cases.worktime import WorkTime
from layers.catalog.city import City
from layers.core.audience import Audience, Role
from layers.core.clock import Clock
from layers.core.db import Database, Transaction
from layers.core.errors import BadValue, Conflict, Forbidden, NotFound
from layers.core.statement import Statement
from layers.query import resources
from mapserver.deps import AnAudience


@dataclass(frozen=True)
class Loop:
    """A city's workflows by code, and its deadlines."""

    workflows: Mapping[str, Workflow]
    policies: Policies

    @cached_property
    def overrun(self) -> Overrun:
        """How long terms are over, in the city's working days."""
        return Overrun(self.policies.work)

    @classmethod
    def of(cls, city: City) -> Self:
        """From the city's folder.

        Raises
        ------
        BadCity : a workflow, the calendar or a policy cannot be followed.
        """
        return cls(workflows(city.folder), Policies.load(city.folder, WorkTime.of(city)))

    def workflow(self, code: str) -> Workflow:
        """The workflow of that code.

        Raises
        ------
        BadValue : there is none; names those that there are.
        """
        if code not in self.workflows:
            known = ", ".join(sorted(self.workflows))
            raise BadValue(f"workflow: '{code[:40]}' is none of {known}", parameter="workflow")
        return self.workflows[code]


def seats(audience: Audience) -> frozenset[Actor]:
    """The seats that a caller holds.

    Whoever dispatches for one area only has the seat of the units there, of them all: it is an area that a token
    is confined to, and no single unit, so that one moves whatever case lies in it, whichever unit that is with.
    """
    if audience.role < Role.DISPATCHER:
        return frozenset()
    if audience.area_id is not None:
        return frozenset({Actor.UNIT})
    own = {Actor.DISPATCHER, Actor.UNIT}
    return frozenset(own | {Actor.SUPERVISOR} if audience.role is Role.ADMIN else own)


@dataclass(frozen=True)
class Kept:
    """A case as it stands, with its workflow, and what its policies are chosen by.

    merged : whether it is merged into another.  merged_into : that one, none also where that is outside the
    caller's area.
    """

    workflow: Workflow
    case: Case
    subject: Subject
    merged: bool = False
    merged_into: int | None = None


@dataclass(frozen=True)
class CaseDesk:
    """Registers and moves cases for one caller."""

    db: Database
    clock: Clock
    audience: Audience
    loop: Loop

    async def register(self, report: store.Report) -> tuple[int, bool]:
        """Register a case: its number, and whether it is new; the same key has the same case.

        Raises
        ------
        BadValue : an unknown workflow.
        Conflict : the key, or the incident, has another case; names it.
        """
        workflow, now = self.loop.workflow(report.workflow), self.clock.now()
        async with self.db.transaction(self.audience) as tx:
            running = await self._first_terms(tx, report, workflow, now)
            row = await tx.row(store.register(report, workflow, running, now)) or {}
            if not row["fresh"] and not await tx.value(store.same(row["case_id"], report)):
                raise Conflict(f"case {row['case_id']} has that key or incident already", case=row["case_id"])
        return row["case_id"], row["fresh"]

    async def kept(self, case_id: int) -> Kept:
        """A case as it stands.

        Raises
        ------
        NotFound : there is none of that number, or none for the caller.
        """
        async with self.db.transaction(self.audience) as tx:
            return await self._kept(tx, case_id)

    async def move(self, case_id: int, code: str, version: int, told: Mapping[str, Any]) -> Kept:
        """Make a move from the version that the caller saw; the case after it.

        Raises
        ------
        NotFound : as `kept` does.
        Conflict : the case has another version by now, or no such move; names the state that it is in.
        Forbidden, BadValue : as `Case.after` does.
        """
        async with self.db.transaction(self.audience) as tx:
            before = await self._kept(tx, case_id)
            case, workflow = before.case, before.workflow
            if before.merged:
                main = before.merged_into
                raise Conflict(f"the case is merged into {main or 'another'}", into=main)
            if case.version != version:
                raise _moved_on(case)
            step = Step(code, self._seat(workflow, code), self._now(case), **told)
            later = case.after(workflow, step)
            if step.unit is not None and await tx.value(resources.unknown_unit(step.unit, step.at)):
                raise BadValue(f"unit: no resource is home to a team '{step.unit[:40]}'", parameter="unit")
            running = self.loop.policies.running(later, workflow, before.subject)
            if not await tx.value(store.add(case_id, step, later, workflow, running)):
                raise _moved_on((await self._kept(tx, case_id)).case)
        return Kept(workflow, later, before.subject)

    async def file(
        self, report: store.Report, answers: Mapping[str, Any], photo: Statement | None = None
    ) -> tuple[int, bool]:
        """Register what a citizen reports: the number of its case, and whether its photo was kept.

        photo : what keeps it, where one came.

        Raises
        ------
        BadValue : an unknown workflow.
        """
        workflow, now = self.loop.workflow(report.workflow), self.clock.now()
        async with self.db.transaction(self.audience) as tx:
            running = await self._first_terms(tx, report, workflow, now)
            case_id = int(await tx.value(intake.file(report, workflow, running, now, answers)))
            return case_id, photo is not None and bool(await tx.value(photo))

    async def ask(self, token: str, code: str, told: Mapping[str, Any]) -> None:
        """Make a move from the seat of the citizen who holds the token of a report.

        Raises
        ------
        NotFound : there is no report of that token.
        Conflict : it is one with another, was moved MOST_ASKED times, has moved on, or has no such move now.
        Forbidden, BadValue : as `Case.after` does.
        """
        async with self.db.transaction(self.audience) as tx:
            row = await tx.row(intake.held(token))
            if row is None:
                raise NotFound("there is no report of that token")
            if row["merged"]:
                raise Conflict("the report is merged into another, which is handled for both")
            if row["asked"] >= intake.MOST_ASKED:
                raise Conflict(
                    f"whoever reported it has moved it {intake.MOST_ASKED} times", most=intake.MOST_ASKED
                )
            flow, case, subject = store.read(row)
            workflow = self.loop.workflow(flow)
            step = Step(code, Actor.CITIZEN, self._now(case), **told)
            later = case.after(workflow, step)
            running = self.loop.policies.running(later, workflow, subject)
            if not await tx.value(intake.move(token, step, later, workflow, running)):
                raise _moved_on(case)

    async def merge(self, case_id: int, main: int) -> None:
        """Merge a case into its main one.

        Raises
        ------
        NotFound : one of them is not there, or not for the caller.
        Conflict : they cannot be one; says why.
        Forbidden : that is for dispatchers.
        """
        self._dispatches()
        async with self.db.transaction(self.audience) as tx:
            refused = await tx.value(duplicates.merge(case_id, main, self.clock.now()))
        if refused == "missing":
            raise NotFound(f"there are no cases {case_id} and {main}", case=case_id, into=main)
        if refused is not None:
            raise Conflict(f"{case_id} cannot be merged into {main}: {_NOT_ONE[refused]}", why=refused)

    async def split(self, case_id: int) -> None:
        """Take a case out of its main one. Raises as `merge` does."""
        self._dispatches()
        async with self.db.transaction(self.audience) as tx:
            if not await tx.value(duplicates.split(case_id, self.clock.now())):
                await self._kept(tx, case_id)
                raise Conflict(f"case {case_id} is merged into no other")

    def moves(self, kept: Kept) -> list[Move]:
        """What the caller can do with a case now."""
        if kept.merged:
            return []
        own = seats(self.audience)
        allowed = [move for move in kept.workflow.moves_from(kept.case.state) if own & set(move.by)]
        return [move for move in allowed if any(move in kept.case.moves(kept.workflow, seat) for seat in move.by)]

    async def rows(self, statement: Statement) -> list[dict[str, Any]]:
        """All rows of a statement, as far as the caller may read them."""
        return await self.db.rows(self.audience, statement)

    async def _first_terms(
        self, tx: Transaction, report: store.Report, workflow: Workflow, now: datetime
    ) -> list[Deadline]:
        areas = await tx.rows(store.areas_of(report.lon, report.lat, report.reported_at))
        subject = Subject(report.category, report.severity, frozenset(row["code"] for row in areas))
        return self.loop.policies.running(Case.registered(workflow, now), workflow, subject)

    def _dispatches(self) -> None:
        if Actor.DISPATCHER not in seats(self.audience):
            raise Forbidden("cases are merged and split by dispatchers of the whole city", needs="dispatcher")

    def _seat(self, workflow: Workflow, code: str) -> Actor:
        """The first of the move's seats that the caller holds; else any of the caller's, to be refused by name."""
        own = seats(self.audience)
        by = [seat for move in workflow.moves if move.code == code for seat in move.by if seat in own]
        return by[0] if by else next(iter(own))

    def _now(self, case: Case) -> datetime:
        """Now, or the moment of the last step where another machine's clock is ahead of this one's."""
        return max(self.clock.now(), case.at)

    async def _kept(self, tx: Transaction, case_id: int) -> Kept:
        row = await tx.row(store.by_id(case_id))
        if row is None:
            raise NotFound(f"there is no case {case_id}", case=case_id)
        code, case, subject = store.read(row)
        return Kept(self.loop.workflow(code), case, subject, row["merged"], row["merged_into"])


_NOT_ONE = {
    "merged": "one of them is merged into another already",
    "main": "others are merged into it; split them off first",
    "closed": "only open cases are merged",
    "workflow": "they follow different workflows",
}
"""Why two cases cannot be one, by the word that the database has for it."""


def _moved_on(case: Case) -> Conflict:
    return Conflict(
        f"the case has moved on: it is {case.state}, version {case.version}",
        state=case.state,
        version=case.version,
    )


async def _desk(request: Request, audience: AnAudience) -> CaseDesk:
    state = request.app.state
    return CaseDesk(state.db, state.clock, audience, cast("Loop", state.loop))


async def _loop(request: Request) -> Loop:
    return cast("Loop", request.app.state.loop)


ALoop = Annotated[Loop, Depends(_loop)]
ACaseDesk = Annotated[CaseDesk, Depends(_desk)]
