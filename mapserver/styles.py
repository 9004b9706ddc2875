"""How a layer is drawn: a MapLibre style, and the legend that explains it, in the colours of catalog and city."""

from typing import Any

from layers.catalog.areas import AREAS
from layers.catalog.city import City
from layers.catalog.layer import COUNT, Layer, Shade
from mapserver.fonts import FAMILY

STYLE = "application/vnd.mapbox.style+json"

Expression = Any
Part = dict[str, Any]

_GROUND, _LAND, _COAST, _HALO, _TEXT = "#06080c", "#10161f", "#33445a", "#05070b", "#bccadb"
_LEVELS = ("#7f93ad", "#5b6e88", "#46576d", "#3b4a5e")
"""Of the levels of the city's tree, top first; all below have the last one."""

_NAMES_FROM = 12


def shades(layer: Layer, city: City) -> list[Shade]:
    """What the colours of a layer mean."""
    match layer.look.by:
        case "zone_type":
            return [Shade(zone.code, zone.name, zone.colour) for zone in city.zone_types]
        case "level":
            last = len(_LEVELS) - 1
            return [
                Shade(level.code, level.name, _LEVELS[min(rank, last)]) for rank, level in enumerate(city.levels)
            ]
        case "kind" if city.resource_kinds:
            return [Shade(kind.code, kind.name, kind.colour) for kind in city.resource_kinds]
        case "deadline":
            return list(layer.look.shades)
        case _:
            return [Shade(None, layer.title, layer.look.colour)]


def style(layer: Layer, city: City, lang: str, sources: dict[str, str], faces: dict[str, Any]) -> Part:
    """The style of one layer, above the outline of the city.

    Parameters
    ----------
    lang : `zh` or `en`.
    sources : address of the TileJSON by id, of the layer and of the areas.
    faces : the `font-faces` of the style, which MapLibre takes in place of glyphs.
    """
    west, south, east, north = city.extent
    top = city.levels[0].code
    land = _part("land", "fill", AREAS.id, AREAS.id, filter=["==", ["get", "level"], top])
    coast = land | {"id": "coast", "type": "line", "paint": {"line-color": _COAST, "line-width": 1}}
    base = [
        {"id": "ground", "type": "background", "paint": {"background-color": _GROUND}},
        land | {"paint": {"fill-color": _LAND}},
        coast,
    ]
    drawn = _levels(city) if layer.id == AREAS.id else _drawn(layer, city)
    return {
        "version": 8,
        "name": getattr(layer.title, lang),
        "metadata": {"onemap:layer": layer.id, "onemap:attribution": city.attribution},
        "center": [(west + east) / 2, (south + north) / 2],
        "zoom": max(10, layer.zoom.low),
        **({"font-faces": faces} if faces else {}),
        "sources": {name: {"type": "vector", "url": url} for name, url in sources.items()},
        "layers": [*base, *drawn, *_labels(layer, city, lang)],
    }


def legend(layer: Layer, city: City) -> Part:
    """What the colours of a layer mean, for people."""
    return {
        "layer": layer.id,
        "title": layer.title.model_dump(),
        "shape": layer.shape,
        "by": layer.look.by,
        "entries": [
            {"value": shade.value, "name": shade.name.model_dump(), "colour": shade.colour}
            for shade in shades(layer, city)
        ],
    }


def _part(name: str, kind: str, source: str, part: str, **more: Any) -> Part:
    return {"id": name, "type": kind, "source": source, "source-layer": part, **more}


def _colour(layer: Layer, city: City) -> Expression:
    known = [(shade.value, shade.colour) for shade in shades(layer, city) if shade.value is not None]
    if not known:
        return layer.look.colour
    return ["match", ["get", layer.look.by], *(each for pair in known for each in pair), layer.look.colour]


def _zoomed(*stops: tuple[float, Expression]) -> Expression:
    return ["interpolate", ["linear"], ["zoom"], *(each for stop in stops for each in stop)]


def _drawn(layer: Layer, city: City) -> list[Part]:
    colour = _colour(layer, city)
    many: Expression = ["ln", ["coalesce", ["get", COUNT], 1]] if layer.shape == "point" else 0
    radius = _zoomed((10, ["+", 1.2, ["*", 0.5, many]]), (14, ["+", 3.2, ["*", 0.7, many]]), (17, 6))
    fill = {"fill-color": colour, "fill-opacity": 0.14}
    line = {"line-color": colour, "line-width": _zoomed((9, 0.6), (12, 1.2), (16, 2.6))}
    circle = {
        "circle-color": colour,
        "circle-radius": radius,
        "circle-opacity": 0.85,
        "circle-stroke-color": _HALO,
        "circle-stroke-width": _zoomed((12, 0), (14, 1)),
    }
    kinds: dict[str, list[tuple[str, Part, str]]] = {
        "polygon": [("fill", fill, "Polygon"), ("line", line, "Polygon")],
        "line": [("line", line, "LineString")],
        "point": [("circle", circle, "Point")],
    }
    if layer.shape != "any":
        return [_own(layer, kind, kind, paint=paint) for kind, paint, _ in kinds[layer.shape]]
    return [
        _own(layer, f"{shape.lower()}-{kind}", kind, paint=paint, filter=_of(shape))
        for each in kinds.values()
        for kind, paint, shape in each
    ]


def _own(layer: Layer, name: str, kind: str, **more: Any) -> Part:
    return _part(f"{layer.id}-{name}", kind, layer.id, layer.id, minzoom=layer.zoom.low, **more)


def _of(shape: str) -> Expression:
    return ["in", ["geometry-type"], ["literal", [shape, f"Multi{shape}"]]]


def _levels(city: City) -> list[Part]:
    """Borders of each level, from its own zoom on, coarse ones above fine ones."""
    parts = [
        _part(
            f"areas-{level.code}", "line", AREAS.id, AREAS.id,
            minzoom=level.from_zoom,
            filter=["==", ["get", "level"], level.code],
            paint={"line-color": shade.colour, "line-width": _zoomed((9, 0.5), (14, 1.4 if rank <= 1 else 0.9))},
        )
        for rank, (level, shade) in enumerate(zip(city.levels, shades(AREAS, city), strict=True))
    ]  # fmt: skip
    return parts[::-1]


def _labels(layer: Layer, city: City, lang: str) -> list[Part]:
    """Names in one language, or in the other where it has none."""
    if "name_en" not in {field.name for field in layer.fields}:
        return []
    other = "en" if lang == "zh" else "zh"
    layout: Part = {
        "text-field": ["coalesce", ["get", f"name_{lang}"], ["get", f"name_{other}"], ""],
        "text-font": [FAMILY],
        "text-size": _zoomed((9, 11), (15, 14)),
        "text-max-width": 9,
    }
    paint = {"text-color": _TEXT, "text-halo-color": _HALO, "text-halo-width": 1.8}
    part = layer.label_id if layer.label else layer.id
    if layer.look.by == "level":
        return [
            _part(
                f"{layer.id}-{level.code}-name", "symbol", layer.id, part,
                minzoom=level.from_zoom, filter=["==", ["get", "level"], level.code], layout=layout, paint=paint,
            )
            for level in city.levels[1:][::-1]
        ]  # fmt: skip
    if layer.shape == "line":
        layout |= {"symbol-placement": "line"}
    else:
        layout |= {"text-variable-anchor-offset": ["top", [0, 0.6], "left", [0.6, 0], "right", [-0.6, 0]]}
    low = max(_NAMES_FROM, layer.zoom.low)
    return [_part(f"{layer.id}-name", "symbol", layer.id, part, minzoom=low, layout=layout, paint=paint)]
