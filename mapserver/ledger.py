"""The supervision office's list as lines that people read, and as a file whose taking is written down."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from layers.cases import items, ledger
from layers.cases.items import Filter, Sort
from layers.cases.sla import is_over
from layers.catalog.city import Name
from layers.core.audience import Audience
from layers.core.db import Database
from layers.core.errors import BadValue
from layers.core.statement import Statement
from layers.query.features import MOST_COUNTED
from mapserver.cases import Loop
from mapserver.formats import batches, packing
from mapserver.formats.batches import Batches, Rows
from mapserver.formats.download import Download
from mapserver.formats.sheet import Sheet, csv_lines
from mapserver.negotiate import CSV, XLSX, privacy

MOST = MOST_COUNTED
"""Items of one file; more are refused, never cut."""

Language = Literal["zh", "en"]

_COLUMNS = (
    (10, "类型", "Item"),
    (10, "编号", "Number"),
    (16, "流程", "Workflow"),
    (16, "类别", "Category"),
    (12, "区域编码", "Area code"),
    (18, "区域", "Area"),
    (18, "责任单位", "Owner unit"),
    (14, "状态", "State"),
    (17, "登记时间", "Registered"),
    (17, "时限", "Deadline"),
    (17, "办结时间", "Met"),
    (10, "亮灯", "Colour"),
    (14, "超期工作日", "Working days over"),
    (14, "超期自然日", "Calendar days over"),
)
_WORDS = {
    "case": ("事项", "Case"),
    "measure": ("措施", "Measure"),
    "green": ("绿灯", "Green"),
    "warn": ("黄灯", "Warning"),
    "overdue": ("超期", "Overdue"),
    "red": ("红灯", "Red"),
    "none": ("无时限", "No term"),
}
_OF_MEASURES = {
    "workflow measure": Name(zh="措施", en="Measure"),
    "state measure open": Name(zh="进行中", en="Open"),
    "state measure closed": Name(zh="已结束", en="Closed"),
}
_TITLE = ("台账", "Ledger")


@dataclass(frozen=True)
class Book:
    """Reads the list for one caller, in the words of its city."""

    db: Database
    audience: Audience
    loop: Loop
    names: Mapping[str, tuple[str, str]]

    def line(self, row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        """What a row of the list says, with how long its term is over at `at`."""
        working, calendar = self._over(row["due_at"], row["met_at"] or at)
        same = (
            "item",
            "workflow",
            "category",
            "area",
            "unit",
            "state",
            "reported_at",
            "due_at",
            "met_at",
            "colour",
        )
        return {name: row[name] for name in same} | {
            "id": row["item_id"],
            "open": row["is_open"],
            "working_days_over": working,
            "calendar_days_over": calendar,
        }

    async def file(self, wanted: Filter, sort: Sort, name: str, language: Language, by: str) -> Download:
        """The list as a file, once it is written down that it is taken.

        Parameters
        ----------
        name : csv or xlsx.  by : what kind of token asks.

        Raises
        ------
        BadValue : more than MOST match.
        Unavailable : the database does not answer in time.
        """
        count = await self.db.value(self.audience, items.count(wanted, MOST))
        if count > MOST:
            raise BadValue(f"more than {MOST} items match: narrow the question", parameter="f", most=MOST)
        told = {"role": self.audience.role.slug, "area_id": self.audience.area_id, "by": by, "format": name,
                "filter": wanted.told(), "count": count}  # fmt: skip
        await self.db.value(self.audience, ledger.exported(wanted.at, told))
        place = ("zh", "en").index(language)
        headings = tuple((zh, en)[place] for _, zh, en in _COLUMNS)
        sheet = Sheet(_TITLE[place], headings, tuple(each[0] for each in _COLUMNS))
        lines = self._lines(items.every(wanted, sort, MOST), wanted.at, place)
        if name == "csv":
            answer = Download(csv_lines, sheet, lines, CSV)
        else:
            answer = Download(packing.xlsx, sheet, lines, XLSX)
        answer.headers.update(privacy(self.audience))
        answer.headers["Content-Disposition"] = f'attachment; filename="ledger.{name}"'
        return answer

    async def _lines(self, statement: Statement, at: datetime, place: int) -> Batches:
        found: AsyncGenerator[Rows] = self.db.stream(self.audience, statement, batches.SIZE)
        async for rows in found:
            yield [self._cells(dict(zip(items.COLUMNS, row, strict=True)), at, place) for row in rows]

    def _cells(self, row: Mapping[str, Any], at: datetime, place: int) -> tuple[Any, ...]:
        over = self._over(row["due_at"], row["met_at"] or at)
        return (
            _WORDS[row["item"]][place],
            row["item_id"],
            self._named(f"workflow {row['workflow']}", row["workflow"], place),
            self._named(f"category {row['category']}", row["category"], place),
            row["area"],
            row["area_zh" if place == 0 else "area_en"],
            row["unit"],
            self._named(f"state {row['workflow']} {row['state']}", row["state"], place),
            *(self._local(row[name]) for name in ("reported_at", "due_at", "met_at")),
            _WORDS[row["colour"]][place],
            *over,
        )

    def _named(self, what: str, code: str | None, place: int) -> str | None:
        return None if code is None else self.names.get(what, (code, code))[place]

    def _local(self, at: datetime | None) -> datetime | None:
        """Whole seconds of local time, as spreadsheets have times."""
        zone = self.loop.policies.work.city.zone
        return None if at is None else at.astimezone(zone).replace(tzinfo=None, microsecond=0)

    def _over(self, due: datetime | None, end: datetime) -> tuple[int | None, int | None]:
        if due is None or not is_over(due, end):
            return None, None
        over = self.loop.overrun
        return over.working_days(due, end), over.calendar_days(due, end)


def names(loop: Loop) -> dict[str, tuple[str, str]]:
    """What a city calls its categories, workflows and states."""
    found = {f"category {each.code}": each.name for each in loop.policies.work.city.categories} | _OF_MEASURES
    for flow in loop.workflows.values():
        found[f"workflow {flow.code}"] = flow.name
        found |= {f"state {flow.code} {state.code}": state.name for state in flow.states}
    return {what: (name.zh, name.en) for what, name in found.items()}
