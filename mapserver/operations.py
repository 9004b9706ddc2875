"""What each operation answers with: its media types by the names that `f` takes, and the shape of its JSON.

The framework knows neither: a route writes its bytes itself, in one of several formats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from layers.push.cap import ATOM_TYPE, CAP_TYPE
from mapserver.formats.registry import FORMATS
from mapserver.models import ogc, open311
from mapserver.negotiate import ARROW, CSV, GEOJSON, HTML, JSON, MVT, SCHEMA, XLSX
from mapserver.styles import STYLE

OAS31 = "application/vnd.oai.openapi+json;version=3.1"
OAS30 = "application/vnd.oai.openapi+json;version=3.0"
TEXT = "text/plain; charset=utf-8"
EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Operation:
    """The good answers of one operation.

    formats : media types by the name that `f` takes, the default first; one alone needs no `f`.
    shape : of the JSON formats, where the route itself declares none.
    private : nobody gets it without a token.
    """

    formats: Mapping[str, str] = field(default_factory=dict)
    shape: type[BaseModel] | None = None
    private: bool = False


_JSON = {"json": JSON}
_PAGE = {"json": JSON, "html": HTML}
_FILES = {name: each.media_type for name, each in FORMATS.items()}
_OPEN311 = {"xml": "text/xml", "json": JSON}
_MVT = Operation({"mvt": MVT})

OPERATIONS: Mapping[str, Operation] = {
    "get_landing": Operation(_PAGE, ogc.LandingShape),
    "get_api": Operation({"oas31": OAS31, "oas30": OAS30, "json": OAS31}),
    "get_docs": Operation({"html": HTML}),
    "get_conformance": Operation(_PAGE, ogc.ConformanceShape),
    "get_city": Operation(_JSON),
    "get_collections": Operation(_PAGE, ogc.CollectionsShape),
    "get_collection": Operation(_PAGE, ogc.CollectionShape),
    "get_queryables": Operation({"json": SCHEMA, "html": HTML}, ogc.NamesShape),
    "get_sortables": Operation({"json": SCHEMA, "html": HTML}, ogc.NamesShape),
    "get_items": Operation({"geojson": GEOJSON, "json": GEOJSON, "html": HTML, **_FILES}, ogc.FeaturesShape),
    "get_item": Operation({"geojson": GEOJSON, "json": GEOJSON, "html": HTML}, ogc.FeatureShape),
    "get_tilejson": Operation(_JSON, ogc.TileJsonShape),
    "get_tile": _MVT,
    "getTileMatrixSetsList": Operation(_PAGE, ogc.MatrixSetsShape),
    "getTileMatrixSet": Operation(_PAGE, ogc.MatrixSetShape),
    "getTileSets": Operation(_PAGE, ogc.TileSetsShape),
    "collections.collection.vector.getTileSetsList": Operation(_PAGE, ogc.TileSetsShape),
    "collections.collection.vector.getTileSet": Operation(_PAGE, ogc.TileSetShape),
    "collections.collection.vector.getTile": _MVT,
    "get_styles": Operation(_PAGE, ogc.StylesShape),
    "get_style": Operation({"json": STYLE, "html": HTML}, ogc.StyleShape),
    "get_legend": Operation(_PAGE, ogc.LegendShape),
    "get_heat": Operation(_JSON),
    "get_cells": Operation({"json": JSON, "csv": CSV, "geojson": GEOJSON, "arrow": ARROW}),
    "get_frames": Operation({"arrow": ARROW}),
    "get_heat_tilejson": Operation(_JSON, ogc.TileJsonShape),
    "get_heat_tile": _MVT,
    "get_place": Operation(_JSON),
    "get_summary": Operation(_JSON),
    "get_cases": Operation(_JSON, private=True),
    "get_case": Operation(_JSON, private=True),
    "get_workflows": Operation(_JSON),
    "get_choices": Operation(_JSON, private=True),
    "get_areas": Operation(_JSON),
    "post_case": Operation(_JSON, private=True),
    "post_move": Operation(_JSON, private=True),
    "get_duplicates": Operation(_JSON, private=True),
    "post_merge": Operation(_JSON, private=True),
    "post_split": Operation(_JSON, private=True),
    "get_photo": Operation({"jpeg": "image/jpeg"}, private=True),
    "delete_photo": Operation(private=True),
    "get_discovery": Operation(_OPEN311, open311.DiscoveryShape),
    "get_services": Operation(_OPEN311, open311.ServicesShape),
    "get_definition": Operation(_OPEN311, open311.DefinitionShape),
    "post_request": Operation(_OPEN311, open311.TakenListShape),
    "get_token": Operation(_OPEN311, open311.TokensShape),
    "get_requests": Operation(_OPEN311, open311.RequestsShape),
    "get_request": Operation(_OPEN311, open311.RequestsShape),
    "post_token_move": Operation(_JSON),
    "get_evaluation": Operation(_JSON, private=True),
    "get_service_load": Operation(_JSON, private=True),
    "get_measures": Operation(_JSON, private=True),
    "get_coverage": Operation(_JSON, private=True),
    "get_campaigns": Operation(_JSON, private=True),
    "post_campaign": Operation(_JSON, private=True),
    "get_measure": Operation(_JSON, private=True),
    "post_measure": Operation(_JSON, private=True),
    "post_evidence": Operation(_JSON, private=True),
    "post_closing": Operation(_JSON, private=True),
    "get_feed": Operation({"atom": ATOM_TYPE}),
    "get_alert": Operation({"cap": CAP_TYPE}),
    "get_ledger": Operation(_JSON | {"csv": CSV, "xlsx": XLSX}, private=True),
    "get_ledger_rows": Operation(_JSON, private=True),
    "get_nearest": Operation(_JSON, private=True),
    "get_handovers": Operation(_JSON, private=True),
    "get_live": Operation({"events": EVENTS}),
    "post_rows": Operation(_JSON, private=True),
    "get_job": Operation(_JSON, private=True),
    "enter": Operation(),
    "leave": Operation(),
    "get_health": Operation({"text": TEXT}),
    "get_readiness": Operation({"text": TEXT}),
    "get_metrics": Operation({"text": TEXT}),
}
"""By operation: the name of the function that answers, or the one that OGC API Tiles demands."""
