"""`onemap replay`: a city's past as if it were now."""

from typing import Annotated

import typer

from layers.core.clock import Clock
from layers.core.home import database
from layers.core.settings import Settings


def replay(
    speed: Annotated[
        float | None, typer.Option(min=0, max=86_400, help="Seconds of the past in a second; 0 stands still.")
    ] = None,
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from what is loaded, not from what is shown.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Show the present again; nothing is taken back.")] = False,
) -> None:
    """Show the past that city.toml names as if it were now.

    What lies before it is loaded at once; the later rows come in at their own time, by a worker (`onemap work`),
    and every clock of the map shows that time.
    """
    from etl.past import Past, begin  # noqa: PLC0415
    from layers.catalog.city import City  # noqa: PLC0415
    from layers.core import replays  # noqa: PLC0415
    from layers.core.db import connect  # noqa: PLC0415

    settings, moment = Settings(), Clock().now()
    city = City.load(settings.city_folder)
    with database(settings) as url, connect(url) as connection:
        connection.autocommit = True
        if stop:
            replays.end(connection)
            typer.echo("the present is shown")
            return
        shown = replays.read(connection)
        if shown is None:
            shown = begin(url, city, Past.of(city), moment)
        elif resume:
            shown = shown.turned(shown.fed_to, moment)
        else:
            shown = shown.turned(shown.replay.at(moment), moment)
        shown = shown if speed is None else shown.paced(speed)
        replays.show(connection, shown)
    at = shown.replay.shown_from.astimezone(city.zone)
    typer.echo(f"{at:%Y-%m-%d %H:%M} is shown as now, {shown.replay.speed:g} seconds of it in a second")
