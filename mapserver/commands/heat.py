"""`onemap heat`: the stores that heat is answered from, by hand."""

import time
from pathlib import Path

import typer

from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import Conflict, HeatNotReady, HeatStoreError
from layers.core.home import database
from layers.core.settings import Settings
from layers.heat.follow.appender import Appender
from layers.heat.follow.deltas import changes
from layers.heat.follow.moment import one_moment
from layers.heat.store.audit import digest
from layers.heat.store.checksum import checksum
from layers.heat.store.reader import Reader
from layers.heat.store.store import Store

_PATIENCE_S = 10.0
_AGAIN_S = 0.5
_MIB = 1 << 20

app = typer.Typer(help="The stores that heat is answered from.", no_args_is_help=True)


@app.command()
def status() -> None:
    """Say how far the stores have followed the database, and what is in them; exit status 1 if there are none."""
    settings = Settings()
    with database(settings) as url:
        folder = settings.heat_folder(url)
        store = _opened(folder)
        behind = _behind(url, store)
    manifest = store.manifest
    age = Clock().now() - manifest.state.at
    lag = "to be built anew" if behind is None else f"{behind} changes behind" if behind else "up to date"
    typer.echo(f"state    {lag}")
    typer.echo(f"version  {manifest.state.seq}, of {manifest.state.at:%Y-%m-%d %H:%M:%S} UTC, {age.days} days ago")
    for name, layer in store.base.layers.items():
        logged = sum(part.events for part in layer.parts)
        signs = store.layer(name).changes[:, 1]
        typer.echo(
            f"layer    {name}: {logged + int(signs.view('int64').sum())} events, {len(signs)} changes not folded"
        )
    size = sum(path.stat().st_size for path in folder.iterdir())
    typer.echo(f"size     {size / _MIB:.1f} MiB in {folder}")


@app.command()
def update() -> None:
    """Bring the stores up to date, once; a worker does so all the time."""
    settings = Settings()
    with database(settings) as url:
        typer.echo(_updated(url, settings.heat_folder(url)))


@app.command()
def rebuild() -> None:
    """Build the stores anew from the database; answers come from the old ones meanwhile."""
    settings = Settings()
    with database(settings) as url:
        with connect(url) as connection:
            connection.execute("select onemap.renew_heat()")
        typer.echo(_updated(url, settings.heat_folder(url)))


@app.command()
def verify() -> None:
    """Hold the stores against the database; exit status 1 if they differ."""
    settings = Settings()
    with database(settings) as url:
        said = _verified(url, settings.heat_folder(url))
    typer.echo(said or "the stores hold what the database holds")
    if said:
        raise typer.Exit(1)


def _opened(folder: Path) -> Store:
    try:
        return Reader(folder).store()
    except HeatNotReady:
        typer.echo(f"there are no stores in {folder} yet: `onemap heat update` builds them")
        raise typer.Exit(1) from None


def _behind(url: str, store: Store) -> int | None:
    """How many changes the store has not taken in; none where it has to be built anew."""
    with connect(url) as connection, one_moment(connection):
        news = changes(connection, store.manifest.state)
    return None if news is None else len(news.changes)


def _updated(url: str, folder: Path) -> str:
    begun = time.monotonic()
    try:
        Appender(url, folder).catch_up()
    except Conflict:
        return "heat: a worker brings it up to date"
    return f"heat: up to date in {time.monotonic() - begun:.1f} s"


def _verified(url: str, folder: Path) -> str | None:
    """What is wrong with the stores, if anything."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        store = _opened(folder)
        with connect(url) as connection, one_moment(connection):
            news = changes(connection, store.manifest.state)
            if news is not None and len(news.changes) == 0:
                return _difference(store, checksum(connection, len(store.base.layers)))
        if time.monotonic() > until:
            return "the stores stay behind: run `onemap work`, or `onemap heat update` once"
        time.sleep(_AGAIN_S)


def _difference(store: Store, expected: int) -> str | None:
    try:
        found = digest(store)
    except HeatStoreError as exc:
        return str(exc)
    return (
        None if found == expected else f"the stores have the checksum {found:016x}, the database {expected:016x}"
    )
