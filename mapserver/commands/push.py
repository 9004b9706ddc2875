"""`onemap push`: which offices are sent news of the loop, and what became of it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import psycopg
import typer
from psycopg.rows import DictRow
from rich.console import Console
from rich.table import Table

from layers.catalog.city import City
from layers.core.audience import Role
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.errors import BadValue, NotFound
from layers.core.home import database
from layers.core.settings import Settings
from layers.core.statement import Statement
from layers.push import news, subscription
from layers.push.news import TOPICS
from layers.push.subscription import Quiet
from layers.records.personal import mask
from mapserver.auth import tokens

app = typer.Typer(help="News of the loop for other offices.", no_args_is_help=True)

_KINDS = ("webhook", "mail", "cap")
_DAY_MIN = 1440
_LONGEST_NOTE = 200


@app.command()
def add(  # noqa: PLR0913
    kind: Annotated[str, typer.Argument(help="webhook, mail or cap, which is shown at /cap/feed.")],
    address: Annotated[
        str | None, typer.Argument(help="URL or mailbox of an office, never a person's; none for cap.")
    ] = None,
    audience: Annotated[str, typer.Option(help="Whose view of the news it is.")] = "room",
    area: Annotated[str | None, typer.Option(help="Code of the area that it is confined to.")] = None,
    level: Annotated[str | None, typer.Option(help="Level of that area, where several use its code.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="Only these categories.")] = None,
    zone: Annotated[list[str] | None, typer.Option(help="Only inside these zone types.")] = None,
    on: Annotated[list[str] | None, typer.Option(help=f"Only these news: {', '.join(TOPICS)}.")] = None,
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    quiet: Annotated[str | None, typer.Option(help="Local hours in which news waits, like 22:00-07:00.")] = None,
    red_passes: Annotated[  # noqa: FBT002
        bool, typer.Option("--red-passes", help="Red terms are told at once also then.")
    ] = False,
    digest_min: Annotated[int, typer.Option(min=0, max=_DAY_MIN, help="Minutes that a mail gathers.")] = 15,
    note: Annotated[str, typer.Option(help="What it is for; shown by `list`.")] = "",
) -> None:
    """Add a subscription. The secret that a webhook's bodies are signed with is printed this once."""
    settings, now = Settings(), Clock().now()
    city = City.load(settings.city_folder)
    _one_of("kind", kind, _KINDS)
    if audience == Role.PUBLIC.slug:
        raise BadValue(
            "--audience: news is of single events, and the public is told of none", parameter="audience"
        )
    _one_of("--audience", audience, [role.slug for role in Role if role is not Role.PUBLIC])
    _one_of("--lang", lang, ("zh", "en"))
    for name, given, known in (
        ("--category", category, [each.code for each in city.categories]),
        ("--zone", zone, [each.code for each in city.zone_types]),
        ("--on", on, TOPICS),
    ):
        for each in given or ():
            _one_of(name, each, known)
    _check(kind, address, audience, settings, city)
    if len(note) > _LONGEST_NOTE or mask(note).text != note:
        raise BadValue("--note: it is long, or names a person", parameter="note")
    hours = None if quiet is None else Quiet.parse(quiet)
    secret = secrets.token_urlsafe(32) if kind == "webhook" else None
    with _owner(settings) as connection:
        wish = {
            "kind": kind,
            "address": address,
            "secret": secret,
            "audience": audience,
            "area_id": None if area is None else tokens.area_id(connection, area, level),
            "categories": category or [],
            "zone_types": zone or [],
            "topics": on or list(TOPICS),
            "language": lang,
            "quiet_from": hours and hours.start,
            "quiet_to": hours and hours.end,
            "red_passes": red_passes,
            "digest_min": digest_min if kind == "mail" else 0,
            "note": note,
            "at": now,
        }
        _run(connection, news.begin())
        (made,) = _rows(connection, subscription.add(wish))
    typer.echo(f"subscription {made['subscription_id']}")
    if secret is not None:
        typer.echo(f"secret {secret}")


@app.command("list")
def list_() -> None:
    """Show all subscriptions, but not their secrets."""
    table = Table(
        "id", "kind", "address", "audience", "area", "on", "quiet", "waiting", "sent", "dead", "note", box=None
    )
    with _owner(Settings()) as connection:
        for row in _rows(connection, subscription.listed()):
            quiet = "" if row["quiet_from"] is None else f"{row['quiet_from']:%H:%M}-{row['quiet_to']:%H:%M}"
            ended = "ended" if row["ended_at"] else row["address"] or "/cap/feed"
            only = ", ".join([*row["topics"], *row["categories"], *row["zone_types"]])
            counts = (str(row[name]) for name in ("waiting", "sent", "dead"))
            where = row["area"] or "whole city"
            table.add_row(
                str(row["subscription_id"]),
                row["kind"],
                ended,
                row["audience"],
                where,
                only,
                quiet,
                *counts,
                row["note"],
            )
    Console(markup=False).print(table)


@app.command()
def remove(subscription_id: Annotated[int, typer.Argument(metavar="ID", help="As `list` shows it.")]) -> None:
    """End a subscription and forget its address and secret; what waits for it is not sent."""
    with _owner(Settings()) as connection:
        if not _rows(connection, subscription.end(subscription_id, Clock().now())):
            raise NotFound(f"there is no subscription {subscription_id}", subscription=subscription_id)
    typer.echo(f"ended: subscription {subscription_id}")


@app.command()
def log(
    subscription_id: Annotated[int | None, typer.Argument(metavar="[ID]", help="Of one subscription.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 50,
) -> None:
    """Show the last attempts to send, the newest first."""
    with _owner(Settings()) as connection:
        for row in _rows(connection, subscription.logged(subscription_id, limit)):
            typer.echo(
                f"{row['at']:%Y-%m-%d %H:%M:%S}Z  subscription {row['subscription_id']}  delivery"
                f" {row['delivery_id']}  {row['key']}  attempt {row['attempt']}  {row['outcome']}: {row['detail']}"
            )


def _check(kind: str, address: str | None, audience: str, settings: Settings, city: City) -> None:
    if kind == "cap":
        if address is not None:
            raise BadValue("address: a feed has none", parameter="address")
        _one_of("--audience", audience, (Role.ROOM.slug,))
    elif address is None:
        raise BadValue(f"address: a {kind} needs one", parameter="address")
    elif kind == "webhook":
        subscription.check_url(address, private=settings.push.private_targets)
    else:
        subscription.check_mailbox(address, city.office_mail)
        if settings.push.smtp_url is None:
            raise BadValue("mails need ONEMAP_PUSH__SMTP_URL", parameter="kind")


def _one_of(name: str, given: str, known: list[str] | tuple[str, ...]) -> None:
    if given not in known:
        raise BadValue(f"{name}: '{given[:40]}' is none of {', '.join(known)}", parameter=name.lstrip("-"))


def _rows(connection: psycopg.Connection[DictRow], statement: Statement) -> list[dict[str, Any]]:
    return connection.execute(statement.sql.encode(), statement.params).fetchall()


def _run(connection: psycopg.Connection[DictRow], statement: Statement) -> None:
    connection.execute(statement.sql.encode(), statement.params)


@contextmanager
def _owner(settings: Settings) -> Iterator[psycopg.Connection[DictRow]]:
    """The city's database as its owner: no audience may read or write subscriptions."""
    with database(settings) as url, connect(url) as connection:
        yield connection
