"""One source from its files into the database: read, check, tag, copy, merge; every row accounted for.

A run leaves its record whether it goes well or not. What it brings lands in one transaction, with its account, its
quarantine, its ledger, the layer's new version and the outbox: all of it or nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from etl import ledger, runs
from etl.account import Account
from etl.datum import check_declared
from etl.delivery import Delivery
from etl.feeding import feed_deliveries
from etl.incident_load import IncidentLoad
from etl.landing import Intake, Landing, Load, Progress
from etl.load.staging import Connection, Merged
from etl.readers.base import Reading
from etl.spec import Source
from etl.target_fields import Target
from etl.targets import KINDS
from etl.whole_load import WholeLoad
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import EmptySnapshot, TooManyBad, Unavailable

_LOCK = 0x65746C  # "etl"
_TARGETS = ("areas", "risk_areas", "incidents", "roads", "places", "resources", "service_load")
_LEANS_ON = {"incidents": {"areas", "risk_areas"}, "service_load": {"areas"}}


@dataclass(frozen=True)
class Result:
    """What one run did; `told` is what the reader found out about the file."""

    run_id: int
    source: Source
    file: str
    account: Account
    notes: dict[str, int]
    told: dict[str, str]


def _silent(_step: str, _share: float, _rows: int) -> None:
    pass


def run(
    url: str,
    city: City,
    source: Source,
    clock: Clock,
    on_progress: Progress = _silent,
    *,
    path: Path | None = None,
    since: datetime | None = None,
) -> list[Result]:
    """Load one source of `city` into the database at `url`: all that it has, or the one file at `path`.

    A feed is read on from its watermark, or again `since` an instant.

    Raises
    ------
    SourceError : a file, a feed or the TOML broke its promise; nothing of that delivery was loaded, and its run's
        record says why. What was delivered before it has landed.
    Unavailable : nothing answers at `url`.
    """
    if path is not None:
        return [load(url, city, Delivery.of_file(source, path), clock, on_progress)]
    return [load(url, city, each, clock, on_progress) for each in deliveries(url, city, source, clock, since)]


def deliveries(
    url: str, city: City, source: Source, clock: Clock, since: datetime | None = None
) -> Iterator[Delivery]:
    """All that a source has, one after the other; raises as `run` does."""
    if source.feed is not None:
        return feed_deliveries(url, city, source, clock.now(), since)
    return (Delivery.of_file(source, file) for file in source.files(city.folder))


def load(url: str, city: City, delivery: Delivery, clock: Clock, on_progress: Progress = _silent) -> Result:
    """Load one delivery; raises as `run` does."""
    with connect(url) as connection:
        connection.autocommit = True
        lock(connection, delivery.source.target)
        try:
            with runs.recorded(connection, runs.Work.of(delivery), clock) as run_id:
                return _load(connection, city, delivery, clock, run_id, on_progress)
        except psycopg.OperationalError as exc:
            raise Unavailable(f"the database went away: {exc}") from exc


def _load(
    connection: Connection, city: City, delivery: Delivery, clock: Clock, run_id: int, on_progress: Progress
) -> Result:
    source, reading = delivery.source, delivery.open()
    check_declared(source.datum, reading.crs, str(reading.path))
    landing = Landing(connection, city, source, run_id, reading.sha256, clock.now(), on_progress)
    steps = load_of(landing, reading, None if delivery.via == "feed" else delivery.open)
    refused = None
    with connection.transaction():
        intake = steps.take_in()
        require_rows(landing, reading, intake)
        if landing.too_many(intake):
            refused = _refuse(landing, reading, intake, clock)
        else:
            account = _account(intake, steps.merge())
            ledger.write(connection, run_id, [*intake.entries, *ledger.masks(intake.masked)], landing.at)
            runs.finish(connection, run_id, reading.sha256, account, notes(intake), clock.now())
            delivery.settle(connection, run_id)
            if account.changed:
                steps.tell(Merged(account.inserted, account.updated, account.deleted))
    if refused is not None:
        raise refused
    on_progress("done", 1.0, account.rows_read)
    return Result(run_id, source, delivery.name, account, notes(intake), reading.told)


def load_of(landing: Landing, reading: Reading, again: Callable[[], Reading] | None = None) -> Load:
    """The steps that bring in the rows of `reading`, which `again` opens anew."""
    if landing.source.target == "incidents":
        return IncidentLoad(landing, reading, again)
    return WholeLoad(landing, reading, KINDS[landing.source.target])


def require_rows(landing: Landing, reading: Reading, intake: Intake) -> None:
    """Refuse a snapshot that has no rows.

    Raises
    ------
    EmptySnapshot : it has none.
    """
    if landing.source.mode == "snapshot" and not intake.rows_read:
        raise EmptySnapshot(
            f"{reading.path}: it has no rows, and a snapshot without rows would delete everything; if that is"
            f" meant: onemap etl withdraw {landing.source.id}",
            file=str(reading.path),
        )


def _account(intake: Intake, merged: Merged) -> Account:
    return Account(
        rows_read=intake.rows_read,
        inserted=merged.inserted,
        updated=merged.updated,
        unchanged=intake.staged - merged.inserted - merged.updated - merged.superseded,
        superseded=intake.superseded + merged.superseded,
        quarantined=intake.quarantined,
        deleted=merged.deleted,
    )


def _refuse(landing: Landing, reading: Reading, intake: Intake, clock: Clock) -> TooManyBad:
    """Close the run without its rows, but with its quarantine, so that the operator sees what is wrong."""
    share = landing.source.max_quarantined
    message = (
        f"{reading.path}: {intake.quarantined:,} of {intake.rows_read:,} rows did not pass, more than the"
        f" {share:.1%} that max_quarantined allows; nothing was loaded"
    )
    ledger.write(landing.connection, landing.run_id, intake.entries, landing.at)
    runs.refuse(landing.connection, landing.run_id, reading.sha256, intake, message, clock.now())
    return TooManyBad(message, file=str(reading.path), run=landing.run_id)


def notes(intake: Intake) -> dict[str, int]:
    """What was done to rows beyond reading them, counted."""
    masked = intake.masked.total()
    return {what: count for what, count in intake.notes.items() if count} | ({"masked": masked} if masked else {})


def idle(connection: Connection, target: Target) -> bool:
    """Whether no load of this target is under way; none begins before the caller's transaction has ended."""
    found = connection.execute(
        "select pg_try_advisory_xact_lock(%s, %s) as idle", [_LOCK, _TARGETS.index(target)]
    ).fetchone()
    return bool(found and found["idle"])


def lock(connection: Connection, target: Target) -> None:
    """Wait until no other load of this target is under way, nor one of a target that it leans on.

    The locks are the session's, so that they end with it however it ends.
    """
    for place, other in enumerate(_TARGETS):
        if other in _LEANS_ON.get(target, ()):
            connection.execute("select pg_advisory_lock_shared(%s, %s)", [_LOCK, place])
        elif other == target:
            connection.execute("select pg_advisory_lock(%s, %s)", [_LOCK, place])
