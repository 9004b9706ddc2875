"""Items: the features of a collection, page by page, and one by its id."""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from layers.catalog.registry import layer_for
from layers.core.errors import UnknownFeature
from layers.geo.crs import Crs
from layers.query import features
from layers.query.features import View
from layers.query.order import MOST_ID, plain
from layers.query.selection import Selection
from mapserver import exports
from mapserver.budget import PAGE
from mapserver.cache.entry import Made
from mapserver.deps import ACaller, AClock, AnAudience, Db, spend
from mapserver.formats.registry import FORMATS as FILES
from mapserver.links import ALinks, Link, Links
from mapserver.negotiate import GEOJSON, HTML, JSON, chosen, json_bytes
from mapserver.pages import MOST_ROWS, SPOKEN, document, page
from mapserver.params import ALimit, Format, LayerId
from mapserver.wanted import ACrs, AWanted, Wanted

router = APIRouter(tags=["features"])

FORMATS = {"geojson": GEOJSON, "html": HTML, **{name: form.media_type for name, form in FILES.items()}}

Row = Mapping[str, Any]


@router.get("/collections/{layer_id}/items", dependencies=[SPOKEN])
async def get_items(  # noqa: PLR0913
    request: Request,
    wanted: AWanted,
    db: Db,
    clock: AClock,
    links: ALinks,
    caller: ACaller,
    limit: ALimit,
    after: Annotated[str | None, Query(description="token of a `next` link", max_length=2000)] = None,
    f: Format = None,
) -> Response:
    """Features page by page; `next` leads on, from wherever the page before ended.

    `numberMatched` is exact. It is left out beyond the first page, and where more match than are counted. Files
    have all that match, unless `limit` is given: then they too come in pages, and `next` stands in a header.
    """
    form = chosen(request, f, FORMATS | {"json": GEOJSON})
    if form == "html":
        limit = min(limit, MOST_ROWS)
    audience, layer = wanted.selection.audience, wanted.layer
    path, query = f"/collections/{layer.id}/items", dict(request.query_params)
    whole = {name: value for name, value in query.items() if name not in ("limit", "after", "f")}

    if form in FILES:
        return await exports.exported(caller, db, wanted, form, limit if "limit" in query else None, after, links)

    async def body() -> dict[str, Any]:
        statement = features.page(wanted.selection, limit, after, order=wanted.order, view=wanted.view)
        found = await db.row(audience, statement) or {}
        return {
            "type": "FeatureCollection",
            **({} if found["matched"] is None else {"numberMatched": found["matched"]}),
            "numberReturned": found["returned"],
            "timeStamp": clock.now(),
            "links": [
                links.link("self", GEOJSON, "This page", links.href(path, **query)),
                *(
                    links.link("alternate", FORMATS[name], f"As {name}", links.href(path, **query | {"f": name}))
                    for name in ("geojson", "html")
                    if name != form
                ),
                *(
                    links.link(
                        "alternate", file.media_type, f"All as {file.title}", links.href(path, **whole, f=name)
                    )
                    for name, file in FILES.items()
                ),
                links.link("collection", JSON, layer.title.en, links.href(f"/collections/{layer.id}")),
                *_further(wanted, found, links, query),
            ],
            "features": orjson.Fragment(f"[{found['features'] or ''}]"),
        }

    async def make() -> Made:
        return Made(json_bytes(await body()), GEOJSON, _content_crs(wanted.view.crs))

    if form == "html":
        caller.budgets.ask(request.scope, caller.token, PAGE)
        answer = page(request, audience, "items", await body())
        answer.headers.update(_content_crs(wanted.view.crs))
        return answer
    return await caller.answer(layer.id, make, form=f"{form} {links.base}", cost=PAGE)


@router.get("/collections/{layer_id}/items/{feature_id}", dependencies=[SPOKEN, Depends(spend)])
async def get_item(  # noqa: PLR0913
    request: Request,
    layer_id: LayerId,
    feature_id: str,
    db: Db,
    audience: AnAudience,
    clock: AClock,
    links: ALinks,
    crs: ACrs,
    f: Format = None,
) -> Response:
    """One feature; one outside the caller's scope is not there."""
    layer, view = layer_for(layer_id, audience), View(crs)
    unknown = UnknownFeature(f"{layer.id} has no feature '{feature_id[:40]}'", feature=feature_id[:40])
    if not (feature_id.isascii() and feature_id.isdigit()) or int(feature_id) > MOST_ID:
        raise unknown
    selection = Selection(layer, audience, clock.now())
    row = await db.row(audience, features.item(selection, int(feature_id), view=view))
    if row is None:
        raise unknown
    at = f"/collections/{layer.id}"
    feature = orjson.loads(row["feature"])
    related: list[Link] = [
        links.link("self", GEOJSON, "This feature", links.href(f"{at}/items/{feature_id}", f="geojson")),
        links.link("alternate", HTML, "This feature as a page", links.href(f"{at}/items/{feature_id}", f="html")),
        links.link("collection", JSON, layer.title.en, links.href(at)),
    ]
    answer = document(request, audience, f, "item", feature | {"links": related}, GEOJSON)
    answer.headers.update(_content_crs(crs))
    return answer


def _content_crs(crs: Crs) -> dict[str, str]:
    return {"Content-Crs": f"<{crs.uri}>"}


def _further(wanted: Wanted, page: Row, links: Links, query: dict[str, str]) -> list[Link]:
    """The link to the next page, where there is one."""
    if page["last"] is None:
        return []
    order = wanted.order
    token = order.token([plain(page[f"_{i}"]) for i in range(len(order.by))], page["last"])
    path = f"/collections/{wanted.layer.id}/items"
    return [links.link("next", GEOJSON, "Next page", links.href(path, **query | {"after": token}))]
