"""HTML pages: what a route answers as JSON, for a person to browse.

A page is one template over one body, so of the data it can say nothing that the JSON does not. All text is
escaped, and no script or style stands in a page: both are files of the build, as the content policy demands.
"""

from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Annotated, Literal
from urllib.parse import urlencode

import orjson
from fastapi import Depends, Query, Request, Response
from jinja2 import Environment, PackageLoader

from layers.catalog.registry import LAYERS
from layers.core.audience import PUBLIC, Audience
from layers.query.queryable import sortables
from mapserver.negotiate import GEOJSON, HTML, JSON, chosen, json_bytes, respond
from mapserver.phrases import PHRASES

MOST_ROWS = 1000
"""Rows of a table on a page; to write more would keep a server's only thread from others for too long."""

_TYPE = f"{HTML}; charset=utf-8"

_FORMATS = {
    "application/flatgeobuf": "FlatGeobuf",
    "application/geo+json": "GeoJSON",
    "application/geo+json-seq": "GeoJSONSeq",
    "application/json": "JSON",
    "application/schema+json": "JSON Schema",
    "application/vnd.apache.parquet": "GeoParquet",
    "application/vnd.mapbox-vector-tile": "MVT",
    "application/vnd.mapbox.style+json": "MapLibre style",
    "text/csv": "CSV",
}
"""What people call the media types that links have."""


async def _language(
    lang: Annotated[Literal["en", "zh"] | None, Query(description="language of an HTML page")] = None,
) -> None:
    """Declare the parameter; `page` reads it, as no route needs it for anything else."""


SPOKEN = Depends(_language)
"""Dependency of a route that also answers with a page."""


def language_of(request: Request) -> str:
    """`en` or `zh`: `lang=` first, else the earliest of Accept-Language that is one of them, else English."""
    accepted = [part.strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    return next((lang for lang in (request.query_params.get("lang", ""), *accepted) if lang in PHRASES), "en")


def page(request: Request, audience: Audience, template: str, body: Mapping[str, object]) -> Response:
    """The page of `template`, a name in `templates/` without its ending, over the body that JSON would give."""
    answer = respond(request, audience, _written(request, template, json_bytes(body), audience), _TYPE)
    answer.headers["Content-Language"] = language_of(request)
    answer.headers["Vary"] += ", Accept-Language"
    return answer


def document(
    request: Request,
    audience: Audience,
    f: str | None,
    template: str,
    body: Mapping[str, object],
    media: str = JSON,
) -> Response:
    """The body as JSON of the type `media`, or as the page of `template`: what `f` or else Accept says.

    Raises
    ------
    BadValue : `f` names neither.
    """
    named = {"geojson": media, "json": media} if media == GEOJSON else {"json": media}
    if chosen(request, f, named | {"html": HTML}) == "html":
        return page(request, audience, template, body)
    return respond(request, audience, json_bytes(body), media)


def problem(request: Request, answer: Response) -> Response:
    """The answer that is a problem document as a page, where a browser asks for one; else as it is."""
    if HTML not in request.headers.get("accept", "") or request.query_params.get("f", "html") != "html":
        return answer
    answer.body = _written(request, "problem", bytes(answer.body), PUBLIC)
    answer.headers["Content-Type"] = _TYPE
    answer.headers["Content-Length"] = str(len(answer.body))
    return answer


def _written(request: Request, template: str, body: bytes, audience: Audience) -> bytes:
    lang = language_of(request)
    state = request.app.state
    written = _templates().get_template(f"{template}.html")
    return written.render(
        doc=orjson.loads(body),
        audience=audience,
        lang=lang,
        words=SimpleNamespace(**PHRASES[lang]),
        city=state.city,
        assets=state.screens.assets("src/apps/pages/main.ts"),
        view=View(request),
    ).encode()


class View:
    """What a template may know of the request: where it is, and how to get from here to elsewhere."""

    def __init__(self, request: Request) -> None:
        self.path = request.url.path
        self.query = dict(request.query_params)

    def to(self, href: str) -> str:
        """`href` in the language that this page was asked for in; what is called .json is no page."""
        lang = self.query.get("lang")
        if lang not in PHRASES or href.endswith(".json"):
            return href
        return f"{href}{'&' if '?' in href else '?'}lang={lang}"

    def but(self, **changed: object) -> str:
        """Address of the same page with some query parameters changed; none takes one away."""
        query = {name: value for name, value in (self.query | changed).items() if value is not None}
        return f"{self.path}?{urlencode(query)}" if query else self.path


def link(doc: Mapping[str, object], rel: str, media_type: str | None = None) -> str | None:
    """The first link of `doc` whose relation is or ends with `rel`, and that is of the type, if one is given."""
    return next((each["href"] for each in links(doc, rel) if media_type in (None, each.get("type"))), None)


def links(doc: Mapping[str, object], rel: str) -> list[dict[str, str]]:
    """All links of a relation; OGC's are URIs, of which the last part tells them apart."""
    found = doc.get("links", [])
    return [each for each in found if each["rel"].rpartition("/")[2] == rel] if isinstance(found, list) else []


def named(link: Mapping[str, str]) -> str:
    """What people call the format of a link."""
    media_type = link.get("type", "").partition(";")[0]
    return _FORMATS.get(media_type, link.get("title", media_type))


def shown(value: object) -> str:
    """A property's value as text: what JSON would say, without its quotes."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json_bytes(value).decode()


@cache
def _templates() -> Environment:
    made = Environment(loader=PackageLoader("mapserver"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.globals |= {"link": link, "links": links, "layers": LAYERS, "sortables": sortables}
    made.filters |= {"named": named, "shown": shown}
    return made
