"""`onemap db`: the private PostGIS cluster, by hand."""

import os
import shutil
import signal
import subprocess
from typing import Annotated

import typer
from psycopg import conninfo
from psycopg.pq import Conninfo

from layers.core.binaries import Binaries
from layers.core.cluster import Cluster
from layers.core.errors import MissingBinaries
from layers.core.settings import Settings

_NOT_RUNNING = 3  # exit status of `status`, as service scripts have it

app = typer.Typer(help="The private PostGIS cluster of this machine.", no_args_is_help=True)

City = Annotated[str | None, typer.Option(help="City whose database is meant; else ONEMAP_CITY.")]


@app.command()
def start() -> None:
    """Start it, and leave it running until `stop`."""
    cluster = _private(Settings())
    started = cluster.start()
    typer.echo(f"{'started' if started else 'already running'}: {cluster.place.data}")


@app.command()
def stop() -> None:
    """Stop it, whoever uses it."""
    cluster = _private(Settings())
    was_running = cluster.status().running
    cluster.stop()
    typer.echo("stopped" if was_running else "not running")


@app.command()
def status() -> None:
    """Say whether it runs, and where; exit status 3 if it does not."""
    found = _private(Settings()).status()
    until = "until `onemap db stop`" if found.pinned else "while it is in use"
    typer.echo(f"state    {f'runs {until}, process {found.pid}' if found.running else 'not running'}")
    typer.echo(f"version  {f'PostgreSQL {found.major}' if found.major else 'no data yet'}")
    typer.echo(f"data     {found.data}")
    typer.echo(f"socket   {found.socket}")
    if not found.running:
        raise typer.Exit(_NOT_RUNNING)


@app.command()
def url(city: City = None) -> None:
    """Print the address of the city's database, for other tools."""
    settings = _of(city)
    typer.echo(settings.db.url or Cluster(settings.home).url(settings.database))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, city: City = None) -> None:
    """Open psql on the city's database; what follows goes to psql."""
    settings = _of(city)
    if settings.db.url is not None:
        program = shutil.which("psql")
        if program is None:
            raise MissingBinaries("psql is not installed: apt-get install postgresql-client")
        code = _psql(program, settings.db.url, context.args)
    else:
        with Cluster(settings.home).use() as cluster:
            program = str(Binaries.find(cluster.status().major).path("psql"))
            code = _psql(program, cluster.url(settings.database), context.args)
    raise typer.Exit(code)


def _of(city: str | None) -> Settings:
    return Settings() if city is None else Settings(city=city)


def _private(settings: Settings) -> Cluster:
    """The cluster; where another database is named there is none to command, and the command ends."""
    if settings.db.url is None:
        return Cluster(settings.home)
    named = conninfo.conninfo_to_dict(settings.db.url)
    where = f"{named.get('dbname', '')} at {named.get('host', 'localhost')}"
    typer.echo(f"ONEMAP_DB__URL names the database {where}: no private cluster is run, nothing to do")
    raise typer.Exit


def _psql(program: str, address: str, arguments: list[str]) -> int:
    """Run psql to its end; its exit status.

    The address goes by the environment: `ps` shows no password then, and a `-d` of the user's still counts.
    """
    said = {o.envvar.decode(): o.val.decode() for o in Conninfo.parse(address.encode()) if o.envvar and o.val}
    ours = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for psql, which cancels a query with it
    try:
        return subprocess.call([program, *arguments], env=os.environ | said)  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, ours)
