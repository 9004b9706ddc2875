"""The OGC landing page, the conformance declaration, and the hub page for a browser."""

from fastapi import APIRouter, Request, Response

from mapserver.conformance import CONFORMANCE
from mapserver.deps import ACity, AnAudience, TheScreens
from mapserver.links import OGC, ALinks
from mapserver.negotiate import HTML, JSON, chosen, json_bytes, respond
from mapserver.operations import OAS30, OAS31
from mapserver.pages import SPOKEN, document, page
from mapserver.params import Format

router = APIRouter(tags=["capabilities"])


@router.get("/")
async def get_landing(
    request: Request, city: ACity, audience: AnAudience, links: ALinks, screens: TheScreens, f: Format = None
) -> Response:
    """Where everything is; a browser gets the hub page of the screens."""
    if chosen(request, f, {"json": JSON, "html": HTML}) == "html":
        return await screens.hub(request)
    body = {
        "title": f"One Map: {city.name.en} ({city.name.zh})",
        "description": "Areas, risk areas, incidents and heat of one city on one map.",
        "attribution": city.attribution,
        "links": [
            links.link("self", JSON, "This document", links.href("/", f="json")),
            links.link("alternate", HTML, "The screens", links.href("/", f="html")),
            links.link("service-desc", OAS30, "The API as OpenAPI 3.0", links.href("/api", f="oas30")),
            links.link("service-desc", OAS31, "The API", links.href("/api")),
            links.link("service-doc", HTML, "The API, to read and to try", links.href("/docs")),
            links.link("conformance", JSON, "Conformance classes", links.href("/conformance")),
            links.link("data", JSON, "Collections", links.href("/collections")),
            links.link(f"{OGC}/tilesets-vector", JSON, "Vector tiles", links.href("/tiles")),
            links.link(f"{OGC}/tiling-schemes", JSON, "Tile matrix sets", links.href("/tileMatrixSets")),
            links.link(f"{OGC}/styles", JSON, "Styles", links.href("/styles")),
            links.link("related", JSON, "Heat layers", links.href("/heat")),
            links.link("related", JSON, "Key figures", links.href("/summary")),
        ],
    }
    return respond(request, audience, json_bytes(body), JSON)


@router.get("/conformance", dependencies=[SPOKEN])
async def get_conformance(request: Request, audience: AnAudience, f: Format = None) -> Response:
    """The conformance classes that this server keeps."""
    return document(request, audience, f, "conformance", {"conformsTo": CONFORMANCE})


@router.get("/docs", dependencies=[SPOKEN])
async def get_docs(request: Request, audience: AnAudience) -> Response:
    """A page to read and to try the API with."""
    return page(request, audience, "docs", {})
