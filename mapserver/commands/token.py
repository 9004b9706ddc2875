"""`onemap token`: who may see more than the public."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import psycopg
import typer
from psycopg.rows import DictRow
from rich.console import Console
from rich.table import Table

from layers.core.audience import Audience, Role
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import BadValue
from layers.core.home import database
from layers.core.settings import Settings
from mapserver.auth import tokens
from mapserver.auth.pepper import pepper

app = typer.Typer(help="Tokens: who may see more than the public.", no_args_is_help=True)

_ROLES = {role.slug: role for role in Role if role is not Role.PUBLIC}


def _role(slug: str) -> Role:
    if slug not in _ROLES:
        raise BadValue(f"--audience: '{slug}' is none of {', '.join(_ROLES)}", parameter="audience")
    return _ROLES[slug]


@app.command()
def create(
    audience: Annotated[Role, typer.Option(parser=_role, metavar="|".join(_ROLES), help="Who it is for.")],
    area: Annotated[str | None, typer.Option(help="Code of the area that it is confined to.")] = None,
    level: Annotated[str | None, typer.Option(help="Level of that area, where several use its code.")] = None,
    note: Annotated[str, typer.Option(help="What it is for; shown by `list`.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it lasts.")] = 365,
) -> None:
    """Make a token and print it, this once; /enter?token=... turns it into a browser's cookie."""
    settings = Settings()
    now = Clock().now()
    with _owner(settings) as connection:
        area_id = None if area is None else tokens.area_id(connection, area, level)
        who = Audience(audience, area_id)
        made = tokens.create(connection, pepper(settings.home), who, note, now, now + timedelta(days=days))
    typer.echo(made)


@app.command("list")
def list_() -> None:
    """Show all tokens, but not their texts, which are kept nowhere."""
    now = Clock().now()
    table = Table("id", "audience", "area", "state", "created", "expires", "note", box=None)
    with _owner(Settings()) as connection:
        for token in tokens.listed(connection):
            expires = f"{token.expires_at:%Y-%m-%d %H:%M}" if token.expires_at else "never"
            table.add_row(
                str(token.token_id),
                token.audience,
                token.area or "whole city",
                token.state(now),
                f"{token.created_at:%Y-%m-%d %H:%M}",
                expires,
                token.note,
            )
    Console().print(table)


@app.command()
def revoke(token_id: Annotated[int, typer.Argument(metavar="ID", help="As `list` shows it.")]) -> None:
    """End a token now; servers follow within 5 s, open live streams within 30 s."""
    with _owner(Settings()) as connection:
        tokens.revoke(connection, token_id, Clock().now())
    typer.echo(f"revoked: token {token_id}")


@contextmanager
def _owner(settings: Settings) -> Iterator[psycopg.Connection[DictRow]]:
    """The city's database as its owner: no audience may read or write tokens."""
    with database(settings) as url, connect(url) as connection:
        yield connection
