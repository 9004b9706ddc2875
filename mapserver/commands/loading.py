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

import typer

from layers.core.db import connect
from layers.core.settings import Settings
from mapserver.worker import die_with

_LAST_RUNS = """select distinct on (source) source, file_sha256, finished_at
from onemap.run where state = 'done' order by source, run_id desc"""


def load(settings: Settings, url: str) -> None:
    """Load the city if it never was, or if one of its files has changed since; what cannot be loaded is told."""
    changed = [path.name for path in _changed(settings.city_folder, url)]
    if not changed:
        return
    typer.echo(f"loading {settings.city}: {', '.join(changed)}")
    done = subprocess.run(
        [sys.executable, "-m", "mapserver.cli", "etl", "run"],
        env={**os.environ, "ONEMAP_DB__URL": url},
        preexec_fn=partial(die_with, os.getpid()),
        check=False,
    )
    if done.returncode:
        typer.echo("not everything was loaded, as is said above; what landed is served", err=True)


def _changed(folder: Path, url: str) -> Iterator[Path]:
    """Declarations that are newer than the last load of their source, or whose file has other content now."""
    with connect(url) as connection:
        last = {row["source"]: row for row in connection.execute(_LAST_RUNS)}
    shared = max(_written_at(path) for path in folder.glob("*.toml"))
    for path in sorted((folder / "sources").glob("*.toml")):
        source = tomllib.loads(path.read_text("utf-8"))
        run = last.get(source.get("id"))
        file = folder / str(source.get("file"))
        if (
            run is None
            or max(shared, _written_at(path)) > run["finished_at"]
            or not file.is_file()
            or _sha256(file) != run["file_sha256"]
        ):
            yield path


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
