"""`onemap cases`: the closed loop from the command line."""

from typing import Annotated

import typer

from layers.cases import adoption, figures
from layers.cases.workflow import workflows
from layers.catalog.city import City
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import BadValue, NotFound
from layers.core.home import database
from layers.core.settings import Settings

app = typer.Typer(help="Cases of the closed loop.", no_args_is_help=True)


@app.command()
def adopt(
    source: Annotated[str, typer.Argument(help="Id of a source whose rows have states.")],
    workflow: Annotated[str, typer.Option(help="Code of the workflow that they follow.")] = "closed_loop",
) -> None:
    """Make cases of a source's rows; those that nobody has moved here follow what the source says now."""
    settings, now = Settings(), Clock().now()
    known = workflows(City.load(settings.city_folder).folder)
    if workflow not in known:
        raise BadValue(f"--workflow: '{workflow}' is none of {', '.join(sorted(known))}", parameter="workflow")
    with database(settings) as url, connect(url) as connection:
        stated = connection.execute(
            "select from onemap.incident where source = %s and state is not null limit 1", [source]
        ).fetchone()
        if stated is None:
            raise NotFound(f"no row of '{source}' has a state", source=source)
        adopted, standing = (
            connection.execute(each.sql.encode(), each.params).fetchall()[0]
            for each in (adoption.adopt(source, known[workflow], now, known.values()), figures.counts(now))
        )
    typer.echo(f"{adopted['adopted']} new cases")
    typer.echo(f"{standing['open']} open, {standing['closed']} closed, {standing['late']} late")
