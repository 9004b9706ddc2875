"""A dry run: all that a load would say of a file, and nothing of it stays."""

import re
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from etl import ledger, pipeline, quarantine, runs
from etl.datum import check_declared
from etl.delivery import Delivery
from etl.landing import Landing, Progress
from etl.ledger import Entry
from etl.load.staging import Connection
from etl.spec import Source
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import BadValue

_EXAMPLES = 20
_PARTICULAR = (
    (re.compile(r"\d{4}-\d\d-\d\dT\S+"), "…"),
    (re.compile(r"'.*?'"), "'…'"),
    (re.compile(r"-?\d+\.\d+"), "…"),
    (re.compile(r"rows \d+(, \d+)*( \.\.\.)?"), "rows …"),
)
"""Words of a reason that differ from row to row, and what stands for them."""

_AGAINST_KNOWN = """
select count(*) filter (where known.source_key is null) as new,
  count(*) filter (where known.content_hash <> stated.content_hash) as changed,
  count(*) filter (where known.content_hash = stated.content_hash) as known
from stated left join onemap.incident known
  on known.source = %s and known.source_key = stated.source_key"""


@dataclass(frozen=True)
class Report:
    """What a load would say.

    against : rows that are new, changed or known already; only for incidents.
    reasons : how many rows each reason stands against, the words that differ from row to row left out.
    examples : the first rows that did not pass: row number and reasons.
    """

    source: str
    file: str
    sha256: str
    told: dict[str, str]
    rows_read: int
    passed: int
    superseded: int
    quarantined: int
    too_many: bool
    against: dict[str, int]
    notes: dict[str, int]
    entries: list[Entry]
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, list[str]]] = field(default_factory=list)


def check(url: str, city: City, delivery: Delivery, clock: Clock, on_progress: Progress) -> Report:
    """Read, check and tag one delivery against the database at `url`, and roll everything back.

    Raises
    ------
    SourceError : the file or its TOML broke its promise.
    Unavailable : nothing answers at `url`.
    """
    source = delivery.source
    reading = delivery.open()
    check_declared(source.datum, reading.crs, str(reading.path))
    with connect(url) as connection:
        run_id = runs.start(connection, runs.Work.of(delivery), clock.now())
        landing = Landing(connection, city, source, run_id, reading.sha256, clock.now(), on_progress, dry=True)
        steps = pipeline.load_of(landing, reading, delivery.open)
        intake = steps.take_in()
        pipeline.require_rows(landing, reading, intake)
        if source.target == "areas":  # how they fit together shows once they are in
            steps.merge()
        report = Report(
            source=source.id,
            file=delivery.name,
            sha256=reading.sha256,
            told=reading.told,
            rows_read=intake.rows_read,
            passed=intake.staged,
            superseded=intake.superseded,
            quarantined=intake.quarantined,
            too_many=landing.too_many(intake),
            against=_against(connection, source.id) if source.target == "incidents" else {},
            notes=pipeline.notes(intake),
            entries=[*intake.entries, *ledger.masks(intake.masked)],
            reasons=_reasons(connection, run_id),
            examples=[
                (row["row_number"], row["reasons"]) for row in quarantine.listed(connection, run_id, _EXAMPLES)
            ],
        )
        connection.rollback()
    return report


def page(report: Report) -> str:
    """The report as one HTML page, in Chinese and English."""
    from jinja2 import Environment, PackageLoader  # noqa: PLC0415 - only here

    environment = Environment(loader=PackageLoader("etl"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("check.html").render(report=report)


def taker(city: City, known: list[Source], path: Path, source_id: str | None) -> Source:
    """The source that would take the file at `path`: the one named, or the only one whose `file` fits its name.

    Raises
    ------
    BadValue : none or several would.
    """
    fits = [
        source
        for source in known
        if source.id == source_id
        or (source_id is None and source.file and fnmatch(path.name, Path(source.file).name))
    ]
    if len(fits) != 1:
        has = ", ".join(source.id for source in fits or known) or "none"
        which = (
            f"no source '{source_id}'" if source_id else f"{'several' if fits else 'no'} sources for {path.name}"
        )
        raise BadValue(f"{city.code} has {which}: name one of {has}", parameter="source")
    return fits[0]


def _against(connection: Connection, source: str) -> dict[str, int]:
    return connection.execute(_AGAINST_KNOWN, [source]).fetchone() or {}


def _reasons(connection: Connection, run_id: int) -> Counter[str]:
    rows = connection.cursor().stream("select reasons from onemap.quarantine where run_id = %s", [run_id])
    return Counter(_general(reason) for row in rows for reason in row["reasons"])


def _general(reason: str) -> str:
    for words, general in _PARTICULAR:
        reason = words.sub(general, reason)
    return reason
