"""`onemap ledger`: whether the ledger of the closed loop is as it was written, and what of it is forgotten."""

from typing import Annotated, Any

import typer

from layers.cases import ledger
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import Conflict, NotFound
from layers.core.home import database
from layers.core.settings import Settings
from layers.core.statement import Statement

app = typer.Typer(help="The ledger of the closed loop.", no_args_is_help=True)

_DIGITS = 18  # what a bigint holds for certain


@app.command()
def verify(
    head: Annotated[
        str | None, typer.Option(help="Number and hash that `verify` printed before, like 12:5f3a...")
    ] = None,
) -> None:
    """Hold every row against the hash chain, and print its head; exit status 1 at the first row that breaks it.

    A chain whose end was cut off still holds: note the head where nobody of this machine can change it, and give
    it with --head the next time.
    """
    with database(Settings()) as url, connect(url) as connection:

        def ask(statement: Statement) -> dict[str, Any] | None:
            return connection.execute(statement.sql.encode(), statement.params).fetchone()

        broken, now = ask(ledger.broken()), ask(ledger.head())
        known = None if head is None else ask(ledger.row(_number(head)))
    if broken is not None:
        raise Conflict(f"the ledger breaks at row {broken['seq']}: {broken['why']}", seq=broken["seq"])
    if head is not None and _text(known) != head:
        raise Conflict(f"the ledger does not hold the row {head}: it was cut off, or written anew")
    typer.echo("the ledger is empty" if now is None else f"the ledger holds; head {_text(now)}")


@app.command()
def forget(
    subject: Annotated[str, typer.Argument(help="Whose texts: a case or a measure, like case:12.")],
) -> None:
    """Forget the reasons that were written of a case or a measure; the chain holds without them, and says so."""
    with database(Settings()) as url, connect(url) as connection:
        statement = ledger.forget(subject, Clock().now())
        row = connection.execute(statement.sql.encode(), statement.params).fetchone() or {}
        count = row["forget_texts"]
    if not count:
        raise NotFound(f"there is no text of '{subject[:40]}'", subject=subject[:40])
    typer.echo(f"forgotten: {count} texts of {subject}")


def _text(row: dict[str, Any] | None) -> str | None:
    return None if row is None else f"{row['seq']}:{row['hash']}"


def _number(head: str) -> int:
    number = head.partition(":")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) <= _DIGITS else 0
