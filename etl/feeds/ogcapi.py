"""Features of an OGC API collection: pages by `next` links, shapes in CRS84, the standard's default.

Source: https://docs.ogc.org/is/17-069r4/17-069r4.html (OGC API - Features - Part 1: Core)
"""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely

from etl.feed_options import FeedOptions
from etl.feeds.client import Answer, Client, Params, failure
from etl.feeds.page import Record, Window
from etl.feeds.paging import Paged
from etl.feeds.wording import Wording, pick

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_LONLAT = {CRS84, "http://www.opengis.net/def/crs/OGC/0/CRS84h", "urn:ogc:def:crs:OGC:1.3:CRS84"}


def ogcapi(client: Client, options: FeedOptions, wording: Wording) -> Paged:
    """The items of the collection; a server must refuse parameters that it does not know, so few are sent."""
    asked = {"items": "features", "paging": "next", "size_param": "limit"}
    return Paged(
        client, options.model_copy(update=asked), wording, ask=_span, records=_features, total=_matched,
        onward=_link, closes=True, crs="EPSG:4326",
    )  # fmt: skip


def _span(window: Window) -> Params:
    if window.since is None:
        return {}
    return {"datetime": f"{_written(window.since)}/{_written(window.until)}"}


def _written(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ".."


def _matched(answer: Answer) -> object:
    return pick(answer.value, "numberMatched")


def _link(answer: Answer) -> object:
    links = pick(answer.value, "links")
    links = links if isinstance(links, list) else []
    return next((pick(link, "href") for link in links if pick(link, "rel") == "next"), None)


def _features(answer: Answer, items: list[Any]) -> list[Record]:
    """Features as their properties, with the id beside them.

    Raises
    ------
    FeedError : shapes in another system than CRS84, or one id twice.
    """
    declared = [answer.headers.get("Content-Crs", "").strip(" <>"), pick(answer.value, "crs.properties.name")]
    for crs in declared:
        if crs and crs not in _LONLAT:
            raise failure(answer.url, f"its shapes are in {crs}, not in CRS84")
    ids = Counter(item["id"] for item in items if isinstance(pick(item, "id"), str | int))
    if twice := [name for name, count in ids.items() if count > 1]:
        raise failure(answer.url, f"feature '{twice[0]}' comes {ids[twice[0]]} times in one answer")
    written = [json.dumps(shape) if (shape := pick(item, "geometry")) else None for item in items]
    shapes = shapely.from_geojson(np.array(written, np.object_), on_invalid="ignore")
    return [_record(*parts) for parts in zip(items, written, shapes, strict=True)]


def _record(item: Any, written: str | None, shape: shapely.Geometry | None) -> Record:
    properties = pick(item, "properties")
    said = {"id": pick(item, "id"), **(properties or {})} if isinstance(properties, dict | None) else None
    return Record.of(item, said, shape, "its geometry is no GeoJSON" if written and shape is None else None)
