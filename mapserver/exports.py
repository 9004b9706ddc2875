"""Features as files: a whole selection, or a page of it where the request has a limit."""

from typing import Any

from layers.cases import ledger
from layers.core.db import Database
from layers.core.errors import BadValue
from layers.query import export, features
from layers.query.features import MOST_COUNTED
from layers.query.order import plain
from layers.records.personal import excerpt
from mapserver.auth import cookie
from mapserver.budget import EXPORT, PAGE
from mapserver.cache.caller import Caller
from mapserver.formats import batches
from mapserver.formats.batches import Batches, Rows
from mapserver.formats.download import Download
from mapserver.formats.registry import FORMATS
from mapserver.links import Links
from mapserver.methods import HEAD_ONLY
from mapserver.negotiate import privacy
from mapserver.wanted import Wanted

MOST = MOST_COUNTED
"""Features of one file; more are refused, never cut."""


async def exported(
    caller: Caller, db: Database, wanted: Wanted, name: str, limit: int | None, after: str | None, links: Links
) -> Download:
    """The answer in the format of that name. Without a limit it has everything, beginning after the place `after`.

    Raises
    ------
    TooMany : the caller has spent its budget.
    BadValue : more than MOST match.
    Unavailable : the database does not answer in time.
    """
    caller.budgets.ask(caller.request.scope, caller.token, EXPORT if limit is None else PAGE)
    form, audience = FORMATS[name], wanted.selection.audience
    table = export.table(wanted.selection, wanted.view)
    most = MOST if limit is None else limit + 1
    statement = export.rows(wanted.selection, wanted.view, form.form, wanted.order, most, after)
    found = db.stream(audience, statement, batches.SIZE)
    headers = {
        **privacy(audience),
        "Content-Crs": f"<{wanted.view.crs.uri}>",
        "Content-Disposition": f'attachment; filename="{wanted.layer.id}.{name}"',
    }
    if limit is None:
        count = await _count(db, wanted)
    else:
        rows = [row async for batch in found for row in batch]
        count = min(limit, len(rows))
        if len(rows) > limit:
            token = _token(wanted, rows[limit - 1], len(table.columns) + 1)
            query = dict(caller.request.query_params) | {"f": name, "after": token}
            href = links.href(f"/collections/{wanted.layer.id}/items", **query)
            headers["Link"] = f'<{href}>; rel="next"'
        found = _one(rows[:limit])
    if wanted.layer.booked and HEAD_ONLY not in caller.request.scope:
        await _write_down(caller, db, wanted, name, count)
    answer = Download(form.write, table, found, form.media_type)
    answer.headers.update(headers)
    return answer


async def _count(db: Database, wanted: Wanted) -> int:
    count = int(await db.value(wanted.selection.audience, features.matched(wanted.selection, MOST)))
    if count > MOST:
        raise BadValue(
            f"more than {MOST} features match: narrow the question, or take them in pages with `limit`",
            parameter="limit",
            most=MOST,
        )
    return count


async def _write_down(caller: Caller, db: Database, wanted: Wanted, name: str, count: int) -> None:
    """That a file of a layer of the closed loop is taken, before the first of it leaves."""
    audience, query = wanted.selection.audience, caller.request.query_params
    told = {
        "layer": wanted.layer.id,
        "role": audience.role.slug,
        "area_id": audience.area_id,
        "by": "cookie" if cookie.decides(caller.request) else "token",
        "format": name,
        "filter": {key: excerpt(value) for key, value in query.items() if key != "f"},
        "count": count,
    }
    await db.value(audience, ledger.exported(wanted.selection.at, told))


def _token(wanted: Wanted, row: tuple[Any, ...], sorted_from: int) -> str:
    """The place after a row, which has the values that it is sorted by at its end."""
    return wanted.order.token([plain(value) for value in row[sorted_from:]], row[0])


async def _one(rows: Rows) -> Batches:
    if rows:
        yield rows
