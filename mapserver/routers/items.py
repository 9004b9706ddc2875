"""Items: the features of a collection, page by page, and one by its id."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from layers.catalog.layer import Layer
from layers.catalog.registry import layer_for
from layers.core.audience import Audience
from layers.core.errors import UnknownFeature
from layers.query import features
from layers.query.selection import Selection
from mapserver.deps import AClock, AnAudience, Db
from mapserver.links import ALinks, Link
from mapserver.negotiate import CSV, GEOJSON, HTML, JSON, chosen, csv_bytes, json_bytes, respond
from mapserver.pages import SPOKEN, document, page
from mapserver.params import ABbox, ALimit, AnInterval, Format, LayerId

router = APIRouter(tags=["features"])

MOST_ID = 2**63 - 1


@router.get("/collections/{layer_id}/items", dependencies=[SPOKEN])
async def get_items(  # noqa: PLR0913
    request: Request,
    layer_id: LayerId,
    db: Db,
    audience: AnAudience,
    clock: AClock,
    links: ALinks,
    bbox: ABbox,
    interval: AnInterval,
    limit: ALimit,
    after: Annotated[int | None, Query(ge=0, le=MOST_ID, description="id after which the page begins")] = None,
    f: Format = None,
) -> Response:
    """Features in the order of their ids, page by page; `next` leads on.

    An unknown number of features match; a page does not count what it does not read.
    """
    layer = layer_for(layer_id, audience)
    form = chosen(request, f, {"geojson": GEOJSON, "json": GEOJSON, "csv": CSV, "html": HTML})
    selection = Selection(layer, audience, clock.now(), interval, bbox)
    rows = await db.rows(audience, features.items(selection, limit, after))
    shown = rows[:limit]
    query = dict(request.query_params)
    further = None
    if len(rows) > limit:
        query["after"] = str(shown[-1]["id"])
        further = links.link("next", GEOJSON, "Next page", links.href(f"/collections/{layer.id}/items", **query))
    if form == "csv":
        answer = respond(request, audience, _csv(layer, audience, shown), CSV)
        if further:
            answer.headers["Link"] = f'<{further["href"]}>; rel="next"'
        return answer
    here = links.href(f"/collections/{layer.id}/items", **dict(request.query_params))
    body = {
        "type": "FeatureCollection",
        "numberReturned": len(shown),
        "timeStamp": clock.now(),
        "links": [
            links.link("self", GEOJSON, "This page", here),
            links.link(
                "alternate",
                "text/csv",
                "As CSV",
                links.href(f"/collections/{layer.id}/items", **(query | {"f": "csv"})),
            ),
            *([further] if further else []),
        ],
        "features": [_feature(row) for row in shown],
    }
    if form == "html":
        return page(request, audience, "items", body)
    return respond(request, audience, json_bytes(body), GEOJSON)


@router.get("/collections/{layer_id}/items/{feature_id}", dependencies=[SPOKEN])
async def get_item(  # noqa: PLR0913
    request: Request,
    layer_id: LayerId,
    feature_id: str,
    db: Db,
    audience: AnAudience,
    clock: AClock,
    links: ALinks,
    f: Format = None,
) -> Response:
    """One feature; one outside the caller's scope is not there."""
    layer = layer_for(layer_id, audience)
    unknown = UnknownFeature(f"{layer.id} has no feature '{feature_id[:40]}'", feature=feature_id[:40])
    if not (feature_id.isascii() and feature_id.isdigit()) or int(feature_id) > MOST_ID:
        raise unknown
    row = await db.row(audience, features.item(Selection(layer, audience, clock.now()), int(feature_id)))
    if row is None:
        raise unknown
    at = f"/collections/{layer.id}"
    related: list[Link] = [
        links.link("self", GEOJSON, "This feature", links.href(f"{at}/items/{feature_id}", dependencies=[SPOKEN])),
        links.link("collection", JSON, layer.title.en, links.href(at)),
    ]
    return document(request, audience, f, "item", _feature(row) | {"links": related}, GEOJSON)


def _feature(row: dict[str, Any]) -> dict[str, Any]:
    properties = {name: value for name, value in row.items() if name not in ("id", "geometry")}
    return {
        "type": "Feature",
        "id": row["id"],
        "geometry": orjson.Fragment(row["geometry"]),
        "properties": properties,
    }


def _csv(layer: Layer, audience: Audience, rows: Sequence[dict[str, Any]]) -> bytes:
    names = [field.name for field in layer.fields_for(audience)]
    flat = [name for name in names if name != "attributes"]
    return csv_bytes(
        ["id", *flat, "geometry"], ([row["id"], *(row[name] for name in flat), row["geometry"]] for row in rows)
    )
