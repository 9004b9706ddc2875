"""`onemap api`: the OpenAPI document without a server, for tools."""

import json

import typer

from layers.core.settings import Settings
from mapserver.app import create_app


def api() -> None:
    """Print the OpenAPI document."""
    typer.echo(json.dumps(create_app(Settings(), "").openapi(), ensure_ascii=False, indent=2))
