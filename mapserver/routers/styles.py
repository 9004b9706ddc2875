"""How layers are drawn: MapLibre styles and legends."""

from fastapi import APIRouter, Request, Response

from layers.catalog.areas import AREAS
from layers.catalog.layer import Layer
from layers.catalog.registry import layer_for, layers_for
from mapserver import fonts, styles
from mapserver.deps import ACity, AnAudience, ASettings
from mapserver.links import ALinks, Link, Links
from mapserver.negotiate import JSON
from mapserver.pages import SPOKEN, document, language_of
from mapserver.params import Format, LayerId
from mapserver.styles import STYLE

router = APIRouter(tags=["styles"])


@router.get("/styles", dependencies=[SPOKEN])
async def get_styles(request: Request, audience: AnAudience, links: ALinks, f: Format = None) -> Response:
    """The styles of the layers that the caller may read."""
    body = {
        "links": [links.link("self", JSON, "Styles", links.href("/styles"))],
        "styles": [
            {
                "id": layer.id,
                "title": layer.title.en,
                "title_zh": layer.title.zh,
                "description": layer.description,
                "links": _links(layer, links),
            }
            for layer in layers_for(audience)
        ],
    }
    return document(request, audience, f, "styles", body)


@router.get("/styles/{layer_id}", dependencies=[SPOKEN])
async def get_style(
    request: Request,
    layer_id: LayerId,
    city: ACity,
    audience: AnAudience,
    links: ALinks,
    settings: ASettings,
    f: Format = None,
) -> Response:
    """The MapLibre style of a layer, with its names in the language of `lang` or Accept-Language."""
    layer = layer_for(layer_id, audience)
    sources = {each: links.href(f"/tiles/{each}.json") for each in (AREAS.id, layer.id)}
    faces = fonts.faces(settings.screens, links.base)
    body = styles.style(layer, city, language_of(request), sources, faces)
    answer = document(request, audience, f, "style", body, STYLE)
    answer.headers["Vary"] = "Accept, Accept-Language, Authorization, Cookie"
    return answer


@router.get("/legend/{layer_id}", dependencies=[SPOKEN])
async def get_legend(
    request: Request, layer_id: LayerId, city: ACity, audience: AnAudience, links: ALinks, f: Format = None
) -> Response:
    """What the colours of a layer mean."""
    layer = layer_for(layer_id, audience)
    self_link = links.link("self", JSON, f"{layer.title.en}: legend", links.href(f"/legend/{layer.id}"))
    return document(request, audience, f, "legend", styles.legend(layer, city) | {"links": [self_link]})


def _links(layer: Layer, links: Links) -> list[Link]:
    return [
        links.link("stylesheet", STYLE, f"{layer.title.en}: style", links.href(f"/styles/{layer.id}", f="json")),
        links.link("describedby", JSON, f"{layer.title.en}: legend", links.href(f"/legend/{layer.id}")),
    ]
