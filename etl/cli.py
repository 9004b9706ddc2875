"""`onemap etl`: files into the city's database.

The command line imports this module for every command, so what is heavy is imported where it is needed.
"""

from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.past_cli import replay
from etl.quarantine_cli import app as quarantine
from etl.work_cli import work
from layers.core.clock import Clock
from layers.core.errors import OnemapError
from layers.core.home import database
from layers.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl.pipeline import Result
    from etl.spec import Source
    from layers.catalog.city import City

__all__ = ["app", "replay", "work"]

FAILED = 1
QUARANTINED = 3
_SHOWN = 5

app = typer.Typer(help="Load files into the city's database.", no_args_is_help=True)
app.add_typer(quarantine, name="quarantine")


@app.command()
def run(
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="Ids; none: all.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Ask feeds again from this local time on, not from their watermark.")
    ] = None,
) -> None:
    """Load sources, in the order of their files.

    Exit status 0: every row landed.

    Exit status 1: a source failed, and nothing of the file that failed was loaded.

    Exit status 3: rows are in quarantine, and the others landed.

    A failed source of areas or risk areas ends the run: what follows would be tagged without it.
    """
    from etl import console  # noqa: PLC0415
    from etl.spec import chosen  # noqa: PLC0415

    with _town() as (city, url):
        again = since and since.replace(tzinfo=city.zone)
        results, failed = _load(url, city, chosen(city, sources or []), again)
        console.accounts(results)
        for result in results:
            if result.account.quarantined:
                _show_quarantine(url, result)
    if failed:
        raise typer.Exit(FAILED)
    if any(result.account.quarantined for result in results):
        raise typer.Exit(QUARANTINED)


@app.command()
def runs(limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20) -> None:
    """List past runs with their counts."""
    from etl import console  # noqa: PLC0415
    from etl.runs import recent  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    with database(Settings()) as url, connect(url) as connection:
        console.runs(recent(connection, limit))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The file; it need not lie in the city's folder.")],
    source: Annotated[
        str | None, typer.Option(help="Id of the source that takes it; none: the one it fits.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report there as a page, too.")] = None,
) -> None:
    """Say all that a load would say of a file, and load nothing.

    Exit status 0: every row would land.

    Exit status 1: the file cannot be loaded.

    Exit status 3: rows would go into quarantine.
    """
    from etl import console  # noqa: PLC0415
    from etl.check import check, page, taker  # noqa: PLC0415
    from etl.delivery import Delivery  # noqa: PLC0415
    from etl.spec import sources  # noqa: PLC0415

    with _town() as (city, url):
        taken_by = taker(city, sources(city), file, source)
        with console.bar(taken_by.id) as on_progress:
            report = check(url, city, Delivery.of_file(taken_by, file), Clock(), on_progress)
    console.report(report)
    if html:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(page(report), "utf-8")
    if report.too_many:
        raise typer.Exit(FAILED)
    if report.quarantined:
        raise typer.Exit(QUARANTINED)


@app.command()
def findings(
    run_id: Annotated[int | None, typer.Argument(metavar="RUN", help="None: the last of each source.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 1000,
) -> None:
    """List what loads repaired, masked and found."""
    from etl import console, ledger  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    with database(Settings()) as url, connect(url) as connection:
        console.findings(ledger.listed(connection, run_id, limit))


@app.command()
def lineage(
    name: Annotated[str, typer.Argument(metavar="ID", help="An incident's id, or a layer and an id: areas/12.")],
) -> None:
    """Say where a feature comes from: its states, their runs and their files."""
    from etl import console  # noqa: PLC0415
    from etl.lineage import lineage  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    with database(Settings()) as url, connect(url) as connection:
        console.lineage(lineage(connection, name))


@app.command()
def withdraw(
    source: Annotated[str, typer.Argument(help="Id of the source.")],
) -> None:
    """Take back everything that a source has brought."""
    from etl.withdraw import withdraw  # noqa: PLC0415

    with _town() as (city, url):
        run_id, account = withdraw(url, city, source, Clock())
    typer.echo(f"run {run_id}: {account.deleted:,} of {source} withdrawn")


@app.command()
def retag() -> None:
    """Tag all incidents anew with their areas and zones, after boundaries of the past were mended."""
    from etl.retag import retag  # noqa: PLC0415

    with _town() as (city, url):
        done = retag(url, city, Clock())
    typer.echo(f"run {done.run_id}: {done.account.updated:,} of {done.account.rows_read:,} incidents tagged anew")


@contextmanager
def _town() -> "Iterator[tuple[City, str]]":
    """The city of the settings with its words in its database, and the address of that."""
    from etl import vocabulary  # noqa: PLC0415
    from layers.catalog.city import City  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    settings = Settings()
    city = City.load(settings.city_folder)
    with database(settings) as url:
        with connect(url) as connection:
            vocabulary.write(connection, city)
        yield city, url


def _load(url: str, city: "City", sources: "list[Source]", since: datetime | None) -> "tuple[list[Result], bool]":
    from etl import console, pipeline  # noqa: PLC0415

    results: list[Result] = []
    failed = False
    for source in sources:
        try:
            with console.bar(source.id) as on_progress:
                for delivery in pipeline.deliveries(url, city, source, Clock(), since):
                    done = pipeline.load(url, city, delivery, Clock(), on_progress)
                    results.append(done)  # at once: it has landed, whatever the next one does
        except OnemapError as exc:
            landed = any(result.source == source for result in results)
            before = "but what came before has landed" if landed else "nothing of it was loaded"
            console.say(f"{source.id} failed, {before}: {exc}")
            failed = True
            if source.target in {"areas", "risk_areas"}:
                break
    return results, failed


def _show_quarantine(url: str, result: "Result") -> None:
    from etl import console  # noqa: PLC0415
    from etl.quarantine import listed  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    with connect(url) as connection:
        console.quarantined(listed(connection, result.run_id, _SHOWN))
    rest = result.account.quarantined - _SHOWN
    if rest > 0:
        console.say(f"and {rest:,} more: onemap etl quarantine list {result.run_id}")
