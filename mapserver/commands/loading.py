"""Loading a city before it is served, in a process of its own: the server never imports a frame library."""

import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import typer

from layers.catalog.city import City
from layers.core import replays
from layers.core.db import connect
from layers.core.parent import die_with
from layers.core.settings import Settings
from layers.heat.store.manifest import Signature

_LAST_RUNS = """select distinct on (source) source, finished_at
from onemap.run where state = 'done' order by source, run_id desc"""

# A file that a snapshot has replaced since is to be loaded again; what was withdrawn stays away.
_LOADED = """select source, file_sha256 from onemap.run
where state = 'done' and via = 'file'
  and (mode <> 'snapshot' or run_id = (
    select max(run_id) from onemap.run later
    where later.source = run.source and later.state = 'done' and later.via = 'file'
  ))"""


def load(settings: Settings, url: str) -> None:
    """Load what of the city never was, or has changed since; what cannot be loaded is told."""
    past = City.load(settings.city_folder).past if settings.replay else None
    changed = [
        path
        for path in _changed(settings.city_folder, url)
        if past is None or _declared(path).get("id") != past.source
    ]
    if changed:
        typer.echo(f"loading {settings.city}: {', '.join(path.name for path in changed)}")
        ids = [str(_declared(path).get("id", path.stem)) for path in changed]
        if _onemap(url, "etl", "run", *ids):
            typer.echo("not everything was loaded, as is said above; what landed is served", err=True)
    if past is None:
        with connect(url) as connection:
            replays.end(connection)
    elif _onemap(url, "replay", "--resume"):
        typer.echo("the past is not replayed, as is said above; what is loaded is served", err=True)


def build_heat(settings: Settings, url: str) -> None:
    """Have heat stores where there are none yet; a worker brings them up to date."""
    if Signature.of(settings.heat_folder(url)) is None and _onemap(url, "heat", "update"):
        typer.echo("the heat is not built, as is said above; a worker tries again", err=True)


def _onemap(url: str, *words: str) -> int:
    """Run another command of this house on the same database; its exit status."""
    return subprocess.run(  # noqa: S603 - ids of the city's own sources, no shell
        [sys.executable, "-m", "mapserver.cli", *words],
        env={**os.environ, "ONEMAP_DB__URL": url},
        preexec_fn=partial(die_with, os.getpid()),
        check=False,
    ).returncode


def _changed(folder: Path, url: str) -> Iterator[Path]:
    """Declarations of files that are newer than the last load of their source, or whose files are others now.

    Feeds are read by the worker, when they are due, and pushes come by themselves.
    """
    with connect(url) as connection:
        last = {row["source"]: row for row in connection.execute(_LAST_RUNS)}
        loaded = {(row["source"], row["file_sha256"]) for row in connection.execute(_LOADED)}
    shared = max(_written_at(path) for path in folder.glob("*.toml"))
    for path in sorted((folder / "sources").glob("*.toml")):
        source = _declared(path)
        if source and "file" not in source:
            continue
        name, run = source.get("id"), last.get(source.get("id"))
        files = _files(folder, str(source.get("file")))
        if (
            run is None
            or max(shared, _written_at(path)) > run["finished_at"]
            or not files
            or any((name, _sha256(file)) not in loaded for file in files)
        ):
            yield path


def _declared(path: Path) -> dict[str, Any]:
    """What a source declares; nothing where that cannot be read, which the loader tells."""
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}


def _files(folder: Path, pattern: str) -> list[Path]:
    """The files of a source; none where there are none, or the pattern cannot be followed."""
    if (folder / pattern).is_file():
        return [folder / pattern]
    try:
        return sorted(file for file in folder.glob(pattern) if file.is_file())
    except (ValueError, NotImplementedError):
        return []


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
