"""The one tile matrix set of this server, as OGC's Two Dimensional Tile Matrix Set standard writes it."""

from typing import Any

from layers.geo.tiles import DEEPEST

ID = "WebMercatorQuad"
URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
CRS = "http://www.opengis.net/def/crs/EPSG/0/3857"
TITLE = "Google Maps Compatible for the World"

_EDGE_M = 20037508.3427892
_SCALE = 559082264.028717  # of zoom 0, where a pixel is 0.28 mm
_CELL_M = 156543.033928041
_PIXELS = 256


def web_mercator_quad() -> dict[str, Any]:
    """The whole definition, zoom by zoom, without links."""
    return {
        "id": ID,
        "title": TITLE,
        "uri": URI,
        "crs": CRS,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [
            {
                "id": str(z),
                "scaleDenominator": _SCALE / (1 << z),
                "cellSize": _CELL_M / (1 << z),
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-_EDGE_M, _EDGE_M],
                "tileWidth": _PIXELS,
                "tileHeight": _PIXELS,
                "matrixWidth": 1 << z,
                "matrixHeight": 1 << z,
            }
            for z in range(DEEPEST + 1)
        ],
    }
