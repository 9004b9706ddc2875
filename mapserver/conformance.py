"""The conformance classes that this server keeps; each is tested by one module of tests/mapserver/ogc."""

_OGC = "http://www.opengis.net/spec"

_CLASSES: dict[str, tuple[str, ...]] = {
    "ogcapi-common-1/1.0": ("core", "landing-page", "json", "html", "oas30"),
    "ogcapi-common-2/1.0": ("collections",),
    "ogcapi-features-1/1.0": ("core", "geojson", "html", "oas30"),
    "ogcapi-features-2/1.0": ("crs",),
    "ogcapi-features-3/1.0": ("queryables", "queryables-query-parameters", "filter", "features-filter"),
    "ogcapi-features-8/1.0": ("sortables", "sorting", "features-sorting"),
    "ogcapi-tiles-1/1.0": ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30"),
    "cql2/1.0": (
        "cql2-text",
        "cql2-json",
        "basic-cql2",
        "advanced-comparison-operators",
        "case-insensitive-comparison",
        "basic-spatial-functions",
        "basic-spatial-functions-plus",
        "spatial-functions",
        "temporal-functions",
    ),
}

CONFORMANCE = tuple(f"{_OGC}/{standard}/conf/{name}" for standard, names in _CLASSES.items() for name in names)
