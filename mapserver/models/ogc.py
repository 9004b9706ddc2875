"""The JSON of the OGC API documents and of TileJSON, as the OpenAPI document describes it.

These shapes only describe: the routes write their bodies themselves, and an answer may have further members.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Open(BaseModel):
    """Base: what has to be there; more may be."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class LinkShape(Open):
    """A link to something else."""

    href: str
    rel: str
    type: str | None = Field(None, description="media type of what it leads to")
    title: str | None = None


class LinkedShape(Open):
    """Anything that has links."""

    links: list[LinkShape]


class LandingShape(LinkedShape):
    """Where everything is."""

    title: str
    description: str


class ConformanceShape(Open):
    """The conformance classes that the server keeps."""

    conforms_to: list[str] = Field(alias="conformsTo")


class CollectionShape(LinkedShape):
    """One collection."""

    id: str
    title: str
    description: str
    item_type: str = Field(alias="itemType")
    extent: dict[str, Any]
    crs: list[str]
    storage_crs: str = Field(alias="storageCrs")


class CollectionsShape(LinkedShape):
    """The collections that the caller may read."""

    collections: list[CollectionShape]


class NamesShape(Open):
    """JSON Schema of what can be asked by name."""

    title: str
    properties: dict[str, Any]


class FeatureShape(Open):
    """One feature, as RFC 7946 has it."""

    type: Literal["Feature"]
    id: int | str
    geometry: dict[str, Any] | None
    properties: dict[str, Any] | None


class FeaturesShape(LinkedShape):
    """A page of features; `numberMatched` is exact or not there."""

    type: Literal["FeatureCollection"]
    features: list[FeatureShape]
    time_stamp: str = Field(alias="timeStamp", json_schema_extra={"format": "date-time"})
    number_returned: int = Field(alias="numberReturned", ge=0)
    number_matched: int | None = Field(None, alias="numberMatched", ge=0)


class TileJsonShape(Open):
    """TileJSON 3.0."""

    tilejson: Literal["3.0.0"]
    tiles: list[str]
    vector_layers: list[dict[str, Any]]
    version: str
    bounds: list[float] = Field(min_length=4, max_length=4)
    minzoom: int
    maxzoom: int


class MatrixSetsShape(LinkedShape):
    """The tile matrix sets that tiles come in."""

    tile_matrix_sets: list[dict[str, Any]] = Field(alias="tileMatrixSets")


class MatrixSetShape(LinkedShape):
    """One tile matrix set, of the standard Two Dimensional Tile Matrix Set 2.0."""

    id: str
    uri: str
    crs: str
    tile_matrices: list[dict[str, Any]] = Field(alias="tileMatrices")


class TileSetEntryShape(LinkedShape):
    """One tile set, as a list of them has it."""

    title: str
    data_type: Literal["vector"] = Field(alias="dataType")
    crs: str
    tile_matrix_set_uri: str = Field(alias="tileMatrixSetURI")


class TileSetsShape(LinkedShape):
    """Tile sets."""

    tilesets: list[TileSetEntryShape]


class TileSetShape(TileSetEntryShape):
    """Which tiles there are, and what is in them."""

    tile_matrix_set_limits: list[dict[str, Any]] = Field(alias="tileMatrixSetLimits")
    bounding_box: dict[str, Any] = Field(alias="boundingBox")
    layers: list[dict[str, Any]]


class StyleEntryShape(LinkedShape):
    """One style, as the list of them has it."""

    id: str
    title: str


class StylesShape(LinkedShape):
    """The styles of the layers."""

    styles: list[StyleEntryShape]


class StyleShape(Open):
    """A MapLibre style."""

    version: Literal[8]
    sources: dict[str, Any]
    layers: list[dict[str, Any]]


class LegendShape(LinkedShape):
    """What the colours of a layer mean; an entry without a value stands for all features."""

    layer: str
    title: dict[str, str]
    shape: Literal["point", "line", "polygon", "any"]
    by: str | None = Field(description="property that the colours follow")
    entries: list[dict[str, Any]]
