"""How runs look on a terminal: a bar while they work, a table of counts at the end."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from etl import pipeline
from etl.account import Account
from etl.check import Report
from etl.landing import Progress as Hear
from layers.records.personal import printable

_ENTRIES = 20
_OUTCOMES = [field.name for field in fields(Account) if field.name != "rows_read"]


@contextmanager
def bar(title: str) -> Iterator[Hear]:
    """A bar that says what is being done, how many rows a second, and the time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[step]}"),
    )
    start = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=1.0, rate="", step="reading")

        def hear(step: str, share: float, rows: int) -> None:
            rate = f"{share * rows / max(time.monotonic() - start, 1e-3):,.0f} rows/s"
            progress.update(task, completed=share, step=step, rate=rate)

        yield hear


def say(message: str) -> None:
    """One line about what went wrong."""
    Console(stderr=True).print(printable(message), markup=False, highlight=False, soft_wrap=True)


def accounts(results: Sequence[pipeline.Result]) -> None:
    """The counts of what was loaded, one line a source."""
    table = _table("run", "source", "file", "rows read", "outcome", "notes")
    for result in results:
        counts = vars(result.account)
        table.add_row(
            str(result.run_id),
            result.source.id,
            printable(result.file),
            _number(counts),
            _outcome(counts),
            ", ".join([*filter(None, [_listed(result.notes)]), *_told(result.told)]),
        )
    Console(markup=False, emoji=False).print(table)


def runs(found: Sequence[dict[str, Any]]) -> None:
    """Past runs, one line each."""
    table = _table("run", "started", "source", "state", "rows read", "outcome", "notes")
    for row in found:
        table.add_row(
            str(row["run_id"]),
            f"{row['started_at']:%Y-%m-%d %H:%M:%S}Z",
            row["source"],
            row["state"],
            _number(row),
            _outcome(row),
            row["message"] or _listed(row["notes"]),
        )
    Console(markup=False, emoji=False).print(table)


def quarantined(found: Sequence[dict[str, Any]]) -> None:
    """Rows in quarantine, each with its file, its number and its reasons."""
    for row in found:
        reasons = "; ".join(row["reasons"])
        _plain(
            f"{row['quarantine_id']}  run {row['run_id']}  {row['file_name']} row {row['row_number']}: {reasons}"
        )


def waiting(row: dict[str, Any]) -> None:
    """One row in quarantine, with what may be shown of it."""
    quarantined([row])
    for name, value in row["excerpt"].items():
        _plain(f"  {name}: {value}")
    for column, value in row["fix"].items():
        _plain(f"  fix {column}: {value}")


def findings(found: Sequence[dict[str, Any]]) -> None:
    """What was repaired, masked or found, one line each."""
    for row in found:
        where = f" row {row['row_number']}" if row["row_number"] else ""
        place = f" at {row['lon']:.6f}, {row['lat']:.6f}" if row["lon"] is not None else ""
        amount = f" ({row['amount']:,.6g} {row['unit']})" if row["amount"] is not None else ""
        _plain(
            f"run {row['run_id']}  {row['file_name']}{where}  {row['kind']}  {row['subject'] or ''}:"
            f" {row['message']}{amount}{place}"
        )


def lineage(states: Sequence[dict[str, Any]]) -> None:
    """The states of one feature, the present one first."""
    for row in states:
        until = f"until {row['until']:%Y-%m-%d %H:%M:%S}Z" if row["until"] else "now"
        since = f"{row['since']:%Y-%m-%d %H:%M:%S}Z" if row["since"] else "ever"
        _plain(f"{row['what']}")
        _plain(f"  from {since} {until}")
        _plain(
            f"  run {row['run_id']} ({row['via']}) of {row['started_at']:%Y-%m-%d %H:%M:%S}Z  {row['file_name']}"
        )
        _plain(f"  SHA-256 {row['file_sha256']}")


def report(found: Report) -> None:
    """What a load would say of a file."""
    against = _listed({f"{what}": count for what, count in found.against.items() if count})
    _plain(
        f"{found.file} as {found.source}: {found.rows_read:,} rows, {found.passed:,} pass"
        + f" ({against})" * bool(against)
    )
    for line in [
        *_told(found.told),
        *(f"{count:,} {what.replace('_', ' ')}" for what, count in found.notes.items()),
    ]:
        _plain(f"  {line}")
    if found.superseded:
        _plain(f"  {found.superseded:,} give way to another row of the same key")
    if found.quarantined:
        _plain(f"{found.quarantined:,} rows would go into quarantine:")
    for reason, count in found.reasons.most_common():
        _plain(f"  {count:>9,}  {reason}")
    for row, reasons in found.examples:
        _plain(f"  row {row}: {'; '.join(reasons)}")
    for entry in found.entries[:_ENTRIES]:
        _plain(f"  {entry.kind}  {entry.subject or ''}: {entry.message}")
    if len(found.entries) > _ENTRIES:
        _plain(f"  and {len(found.entries) - _ENTRIES:,} more repairs and findings")
    if found.too_many:
        _plain("More rows do not pass than max_quarantined allows: a load would fail whole.")


def _plain(line: str) -> None:
    Console().print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _told(told: dict[str, str]) -> list[str]:
    return [f"{what} {value}" for what, value in told.items()]


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column == "rows read" else "left")
    return table


def _number(counts: dict[str, Any]) -> str:
    return f"{counts['rows_read']:,}"


def _outcome(counts: dict[str, Any]) -> str:
    return _listed({name: counts[name] for name in _OUTCOMES if counts[name]})


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
