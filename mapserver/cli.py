"""`onemap`: the one command."""

import sys

import typer
from pydantic import ValidationError

from etl.cli import app as etl
from etl.cli import replay, work
from layers.core.errors import OnemapError
from mapserver.commands import api, cases, db, heat, ledger, push, serve, token, up

app = typer.Typer(
    help="One Map: a district's incidents, risk areas and heat on one live map.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(up.up)
app.command()(serve.serve)
app.command()(work)
app.command()(replay)
app.command()(api.api)
app.add_typer(etl, name="etl")
app.add_typer(token.app, name="token")
app.add_typer(db.app, name="db")
app.add_typer(heat.app, name="heat")
app.add_typer(ledger.app, name="ledger")
app.add_typer(cases.app, name="cases")
app.add_typer(push.app, name="push")


def main() -> None:
    """Run the command; what it cannot do is one line and exit status 1."""
    try:
        app()
    except OnemapError as exc:
        _fail(str(exc))
    except ValidationError as exc:
        if exc.title != "Settings":
            raise
        first = exc.errors()[0]
        name = "__".join(str(part) for part in first["loc"]).upper()
        _fail(f"ONEMAP_{name}: {first['msg']}")


def _fail(message: str) -> None:
    typer.echo(f"onemap: {message}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
