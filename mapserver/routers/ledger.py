"""The ledger (台账): what the supervision office counts, one line an item, and the chain of what happened."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from layers.cases import items, ledger
from layers.cases.items import Filter, Place, Sort, Standing
from layers.cases.ledger import Chain
from layers.core.errors import BadValue, Forbidden
from layers.core.span import parse_instant
from mapserver.auth import cookie
from mapserver.budget import ASK, EXPORT
from mapserver.cases import ALoop
from mapserver.deps import AClock, AnAudience, AToken, Db, Pusher, TheBudgets
from mapserver.ledger import Book, Language, names
from mapserver.models.ledger import ChainShape, LedgerShape
from mapserver.negotiate import CSV, JSON, XLSX, chosen, json_bytes, respond

router = APIRouter(tags=["cases"])

_FORMATS = {"json": JSON, "csv": CSV, "xlsx": XLSX}
Text = Annotated[str | None, Query(max_length=100)]
Whole = Annotated[int, Query(ge=1, description="most of a page; more is clamped")]
Since = Annotated[str | None, Query(alias="from", max_length=40, description="RFC 3339, included")]
Until = Annotated[str | None, Query(alias="to", max_length=40, description="RFC 3339, not included")]


async def _wanted(  # noqa: PLR0913
    clock: AClock,
    unit: Text = None,
    state: Text = None,
    category: Text = None,
    workflow: Text = None,
    colour: Annotated[Standing | None, Query(description="how the term stands; none is without one")] = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    area: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="id of an area, and all below it")] = None,
    start: Since = None,
    end: Until = None,
) -> Filter:
    return Filter(
        clock.now(),
        unit,
        state,
        is_open,
        colour,
        category,
        workflow,
        area,
        None if start is None else parse_instant(start, "from"),
        None if end is None else parse_instant(end, "to"),
    )


@router.get("/ledger", response_model=LedgerShape)
async def get_ledger(  # noqa: PLR0913
    request: Request,
    audience: AnAudience,
    token: AToken,
    budgets: TheBudgets,
    db: Db,
    loop: ALoop,
    wanted: Annotated[Filter, Depends(_wanted)],
    sort: Annotated[Sort, Query(description="over: by how long the term is over")] = "due",
    limit: Annotated[int | None, Query(ge=1, description="most of a page; more is clamped")] = None,
    after: Annotated[str | None, Query(max_length=160, description="`next` of the page before")] = None,
    f: Annotated[str | None, Query(description="json, or the whole list as csv or xlsx")] = None,
    lang: Annotated[Language | None, Query(description="of a file; else the city's first")] = None,
) -> Response:
    """Items with their terms, offices and days over, for whoever moves them; a file of it is written down.

    Working days over are those after the day of the deadline; calendar days are local dates after it.
    """
    if not audience.policy.pushes:
        raise Forbidden("the ledger is for dispatchers, offices and supervisors", needs="dispatcher")
    name = chosen(request, f, _FORMATS)
    budgets.ask(request.scope, token, ASK if name == "json" else EXPORT)
    book = Book(db, audience, loop, names(loop))
    if name != "json":
        if limit is not None or after is not None:
            raise BadValue("limit, after: a file has the whole list", parameter="limit" if limit else "after")
        language: Language = lang or ("zh" if loop.policies.work.city.languages[0] == "zh" else "en")
        by = "cookie" if cookie.decides(request) else "token"
        return await book.file(wanted, sort, name, language, by)
    place = None if after is None else Place.parse(after, sort)
    if place is not None:
        wanted = wanted.of(place.at)
    most = min(limit or 100, items.MOST)
    rows = await db.rows(audience, items.page(wanted, sort, most, place))
    further = items.next_place(rows[most - 1], wanted.at).text(sort) if len(rows) > most else None
    lines = [book.line(row, wanted.at) for row in rows[:most]]
    return respond(request, audience, json_bytes({"at": wanted.at, "items": lines, "next": further}), JSON)


@router.get("/ledger/rows", response_model=ChainShape)
async def get_ledger_rows(  # noqa: PLR0913
    request: Request,
    audience: Pusher,
    token: AToken,
    budgets: TheBudgets,
    db: Db,
    subject: Annotated[str | None, Query(max_length=100, description="like case:12")] = None,
    kind: Annotated[
        str | None, Query(max_length=40, description="registered, moved, deadline, reminder ...")
    ] = None,
    start: Since = None,
    end: Until = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="`next` of the page before")] = 0,
    limit: Whole = 100,
) -> Response:
    """The chain as it was written, oldest first; whoever has all rows can work out every hash anew."""
    budgets.ask(request.scope, token)
    span = (parse_instant(text, name) if text else None for text, name in ((start, "from"), (end, "to")))
    most = min(limit, items.MOST)
    rows = await db.rows(audience, ledger.rows(Chain(subject, kind, *span), after, most))
    further = rows[most - 1]["seq"] if len(rows) > most else None
    return respond(request, audience, json_bytes({"rows": rows[:most], "next": further}), JSON)
