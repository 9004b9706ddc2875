"""`onemap etl quarantine`: rows that did not pass, to be looked at, mended and played again."""

from pathlib import Path
from typing import Annotated

import typer

from layers.core.clock import Clock
from layers.core.errors import BadValue
from layers.core.home import database
from layers.core.settings import Settings

app = typer.Typer(help="Rows that did not pass: list, show, fix, dismiss, replay.", no_args_is_help=True)

_QUARANTINED = 3

Number = Annotated[int, typer.Argument(metavar="ID", help="The row's number in the list.")]


@app.command(name="list")
def list_(
    run_id: Annotated[int | None, typer.Argument(metavar="RUN", help="None: all that wait.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows at most.")] = 1000,
) -> None:
    """List rows that wait, each with its file, its row number and its reasons."""
    from etl import console  # noqa: PLC0415
    from etl.quarantine import listed  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    with database(Settings()) as url, connect(url) as connection:
        console.quarantined(listed(connection, run_id, limit))


@app.command()
def show(quarantine_id: Number) -> None:
    """Show one row: its reasons, and what may be shown of it."""
    from etl import console  # noqa: PLC0415
    from etl.quarantine import one  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    with database(Settings()) as url, connect(url) as connection:
        console.waiting(one(connection, quarantine_id))


@app.command()
def fix(
    quarantine_id: Number,
    values: Annotated[list[str], typer.Argument(metavar="COLUMN=VALUE...", help="By column of the source.")],
) -> None:
    """Give values that stand in for what the file says; `replay` then loads the row with them."""
    from etl.quarantine import fix, one  # noqa: PLC0415
    from etl.spec import chosen  # noqa: PLC0415
    from layers.catalog.city import City  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    settings = Settings()
    given = {}
    for value in values:
        column, equals, said = value.partition("=")
        if not equals:
            raise BadValue(f"'{value}' is not COLUMN=VALUE", parameter="values")
        given[column] = said
    with database(settings) as url, connect(url) as connection:
        (source,) = chosen(City.load(settings.city_folder), [one(connection, quarantine_id)["source"]])
        fix(connection, source, quarantine_id, given)


@app.command()
def dismiss(quarantine_id: Number) -> None:
    """Take a row off the list for good."""
    from etl.quarantine import dismiss  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    with database(Settings()) as url, connect(url) as connection:
        dismiss(connection, quarantine_id, Clock().now())


@app.command()
def replay(
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="The run whose rows wait.")],
    file: Annotated[Path | None, typer.Option(help="Where the file is now, if not where it was.")] = None,
) -> None:
    """Read the rows of a run that wait again from their file, with their fixes, and load them.

    Exit status 3: some are in quarantine again.
    """
    from etl import console, pipeline  # noqa: PLC0415
    from etl.replay import Waiting, delivery  # noqa: PLC0415
    from etl.spec import chosen  # noqa: PLC0415
    from layers.catalog.city import City  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    settings = Settings()
    city = City.load(settings.city_folder)
    with database(settings) as url:
        with connect(url) as connection:
            waiting = Waiting.of(connection, run_id)
        (source,) = chosen(city, [waiting.source])
        result = pipeline.load(url, city, delivery(source, city, waiting, file), Clock())
    console.accounts([result])
    if result.account.quarantined:
        raise typer.Exit(_QUARANTINED)
