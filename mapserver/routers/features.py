"""Collections and their items: OGC API Features."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from layers.catalog.layer import Layer
from layers.catalog.registry import layer_for, layers_for
from layers.core.audience import Audience
from layers.core.errors import UnknownFeature
from layers.query import features
from layers.query.selection import Selection
from mapserver.deps import ACity, AClock, AnAudience, Db
from mapserver.links import ALinks, Link, Links
from mapserver.negotiate import CSV, GEOJSON, JSON, chosen, csv_bytes, json_bytes, respond
from mapserver.params import ABbox, ALimit, AnInterval, Format

router = APIRouter(tags=["features"])

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
MOST_ID = 2**63 - 1

LayerId = Annotated[str, Path(description="id of a collection")]


def _collection(layer: Layer, extent: Sequence[float], moments: Mapping[str, Any] | None, links: Links) -> object:
    at = f"/collections/{layer.id}"
    covers: dict[str, Any] = {"spatial": {"bbox": [extent], "crs": CRS84}}
    if layer.dated:
        covers["temporal"] = {"interval": [[moments["first"], moments["last"]] if moments else [None, None]]}
    return {
        "id": layer.id,
        "title": layer.title.en,
        "title_zh": layer.title.zh,
        "description": layer.description,
        "itemType": "feature",
        "extent": covers,
        "crs": [CRS84],
        "storageCrs": CRS84,
        "links": [
            links.link("self", JSON, layer.title.en, links.href(at)),
            links.link("items", GEOJSON, f"{layer.title.en} as GeoJSON", links.href(f"{at}/items", f="geojson")),
            links.link("items", "text/csv", f"{layer.title.en} as CSV", links.href(f"{at}/items", f="csv")),
            links.link("tiles", JSON, f"{layer.title.en} as tiles", links.href(f"/tiles/{layer.id}.json")),
        ],
    }


@router.get("/collections")
async def get_collections(
    request: Request, db: Db, city: ACity, audience: AnAudience, clock: AClock, links: ALinks
) -> Response:
    """The collections that the caller may read."""
    found = []
    for layer in layers_for(audience):
        moments = await db.row(audience, features.extent(Selection(layer, audience, clock.now())))
        found.append(_collection(layer, city.extent, moments, links))
    self_link = links.link("self", JSON, "Collections", links.href("/collections"))
    return respond(request, audience, json_bytes({"links": [self_link], "collections": found}), JSON)


@router.get("/collections/{layer_id}")
async def get_collection(
    request: Request, layer_id: LayerId, db: Db, city: ACity, audience: AnAudience, clock: AClock, links: ALinks
) -> Response:
    """One collection."""
    layer = layer_for(layer_id, audience)
    moments = await db.row(audience, features.extent(Selection(layer, audience, clock.now())))
    return respond(request, audience, json_bytes(_collection(layer, city.extent, moments, links)), JSON)


@router.get("/collections/{layer_id}/items")
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
    form = chosen(request, f, {"geojson": GEOJSON, "json": GEOJSON, "csv": CSV})
    selection = Selection(layer, audience, clock.now(), interval, bbox)
    rows = await db.rows(audience, features.items(selection, limit, after))
    page = rows[:limit]
    query = dict(request.query_params)
    further = None
    if len(rows) > limit:
        query["after"] = str(page[-1]["id"])
        further = links.link("next", GEOJSON, "Next page", links.href(f"/collections/{layer.id}/items", **query))
    if form == "csv":
        answer = respond(request, audience, _csv(layer, audience, page), CSV)
        if further:
            answer.headers["Link"] = f'<{further["href"]}>; rel="next"'
        return answer
    here = links.href(f"/collections/{layer.id}/items", **dict(request.query_params))
    body = {
        "type": "FeatureCollection",
        "numberReturned": len(page),
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
        "features": [_feature(row) for row in page],
    }
    return respond(request, audience, json_bytes(body), GEOJSON)


@router.get("/collections/{layer_id}/items/{feature_id}")
async def get_item(
    request: Request,
    layer_id: LayerId,
    feature_id: str,
    db: Db,
    audience: AnAudience,
    clock: AClock,
    links: ALinks,
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
        links.link("self", GEOJSON, "This feature", links.href(f"{at}/items/{feature_id}")),
        links.link("collection", JSON, layer.title.en, links.href(at)),
    ]
    return respond(request, audience, json_bytes(_feature(row) | {"links": related}), GEOJSON)


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
