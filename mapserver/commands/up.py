"""`onemap up`: database, load, worker and server in one, until Ctrl-C."""

from datetime import timedelta

import typer

from layers.catalog.city import City
from layers.core.audience import Audience, Role
from layers.core.clock import Clock
from layers.core.db import connect
from layers.core.home import database
from layers.core.settings import Settings
from mapserver.auth import tokens
from mapserver.auth.pepper import pepper
from mapserver.commands.loading import build_heat, load
from mapserver.commands.serve import Address, end_tidily, run
from mapserver.commands.working import working

_NOTE = "printed at start"
_LASTS = timedelta(
    hours=24
)  # it stands in terminals and logs; a wall gets one of its own by `onemap token create`


def up() -> None:
    """Start the database, load what is new, serve and work, and print where the map is; Ctrl-C ends all of it."""
    settings = Settings()
    end_tidily()
    city = City.load(settings.city_folder)
    address = Address.of(settings.server)
    with database(settings) as url:
        load(settings, url)
        build_heat(settings, url)
        token = _room_token(settings, url)
        typer.echo(f"{city.name.en} {city.name.zh}")
        typer.echo(f"  for everyone          {address.public_url}/")
        typer.echo(f"  for the command room  {address.public_url}/enter?token={token}&to=/wall.html")
        typer.echo(
            "  The room's link is good for 24 hours; `onemap token create` makes lasting ones. Ctrl-C stops."
        )
        with working(url):
            run(settings, url, address)


def _room_token(settings: Settings, url: str) -> str:
    now = Clock().now()
    with connect(url) as connection:
        return tokens.create(connection, pepper(settings.home), Audience(Role.ROOM), _NOTE, now, now + _LASTS)
