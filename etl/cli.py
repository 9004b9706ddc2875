"""`onemap etl`: files into the city's database.

The command line imports this module for every command, so what is heavy is imported where it is needed.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from layers.core.clock import Clock
from layers.core.errors import BadValue, OnemapError
from layers.core.home import database
from layers.core.settings import Settings

if TYPE_CHECKING:
    from etl.pipeline import Result
    from etl.spec import Source
    from layers.catalog.city import City

FAILED = 1
QUARANTINED = 3
_SHOWN = 5

app = typer.Typer(help="Load files into the city's database.", no_args_is_help=True)


@app.command()
def run(
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="Ids; none: all.")] = None,
) -> None:
    """Load sources, in the order of their files.

    Exit status 0: every row landed.

    Exit status 1: a source failed, and nothing of it was loaded.

    Exit status 3: rows are in quarantine, and the others landed.

    A failed source of areas or risk areas ends the run: what follows would be tagged without it.
    """
    from etl import console, vocabulary  # noqa: PLC0415
    from layers.catalog.city import City  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    settings = Settings()
    city = City.load(settings.city_folder)
    chosen = _chosen(city, sources or [])
    with database(settings) as url:
        with connect(url) as connection:
            vocabulary.write(connection, city)
        results, failed = _load(url, city, chosen)
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
def quarantine(
    run_id: Annotated[int | None, typer.Argument(metavar="RUN", help="None: the last of each source.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows at most.")] = 1000,
) -> None:
    """List rows that did not pass, each with its file, its number and its reasons."""
    from etl import console  # noqa: PLC0415
    from etl.runs import quarantined  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    with database(Settings()) as url, connect(url) as connection:
        console.quarantined(quarantined(connection, run_id, limit))


def _chosen(city: "City", ids: list[str]) -> "list[Source]":
    from etl.spec import sources  # noqa: PLC0415

    known = sources(city)
    for wanted in ids:
        if wanted not in {source.id for source in known}:
            has = ", ".join(source.id for source in known) or "none"
            raise BadValue(f"{city.code} has no source '{wanted}'; it has {has}", parameter="source")
    return [source for source in known if not ids or source.id in ids]


def _load(url: str, city: "City", chosen: "list[Source]") -> "tuple[list[Result], bool]":
    from etl import console, pipeline  # noqa: PLC0415

    results: list[Result] = []
    failed = False
    for source in chosen:
        try:
            with console.bar(source.id) as on_progress:
                results += pipeline.run(url, city, source, Clock(), on_progress)
        except OnemapError as exc:
            console.say(f"{source.id} failed, nothing of it was loaded: {exc}")
            failed = True
            if source.target != "incidents":
                break
    return results, failed


def _show_quarantine(url: str, result: "Result") -> None:
    from etl import console  # noqa: PLC0415
    from etl.runs import quarantined  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    with connect(url) as connection:
        console.quarantined(quarantined(connection, result.run_id, _SHOWN))
    rest = result.account.quarantined - _SHOWN
    if rest > 0:
        console.say(f"and {rest:,} more: onemap etl quarantine {result.run_id}")
