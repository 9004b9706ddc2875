"""A layer is the noun: what it is called, where its rows are, which fields it has and who may see it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, DateTime, FromClause, bindparam

from layers.catalog.city import Name
from layers.core.audience import Audience, Role
from layers.core.errors import BadValue, Forbidden, ShapeMismatch

Shape = Literal["point", "line", "polygon", "any"]

RANKS = 1 << 22
KEYS = 1 << 40
"""Keys of points are below this, so that one number holds rank and key."""

NOW: ColumnElement[Any] = bindparam("now", type_=DateTime(timezone=True))
"""What counts as now, in the columns of a layer: whoever asks has to give it."""

COUNT = "count"
"""Property of a tile's point that stands for several, see `Zoom`."""


@dataclass(frozen=True)
class Field:
    """One property of a feature: its name, its meaning, the column behind it and the least role that reads it.

    from_zoom : tiles carry it from this zoom on, unless a request chooses otherwise.
    """

    name: str
    what: str
    column: ColumnElement[object]
    unit: str | None = None
    least: Role = Role.PUBLIC
    from_zoom: int = 0

    @property
    def meaning(self) -> str:
        """What it says, with its unit."""
        return f"{self.what} ({self.unit})" if self.unit else self.what


@dataclass(frozen=True)
class Zoom:
    """The zooms at which a layer has tiles, both included.

    whole : from this zoom on a tile has every feature as it is; below it shapes are simplified, and of points that
        crowd together the first by rank stands for all, with their number in `count`.
    """

    low: int
    high: int
    whole: int = 14


@dataclass(frozen=True)
class Shade:
    """One entry of a legend; without a value it stands for all features."""

    value: str | None
    name: Name
    colour: str


@dataclass(frozen=True)
class Look:
    """How a layer is drawn: in one colour, `#rrggbb`, or by the values of a field.

    shades : what those values are, where the layer says it; else the city does.
    """

    colour: str
    by: Literal["zone_type", "level", "kind", "deadline"] | None = None
    shades: tuple[Shade, ...] = ()


@dataclass(frozen=True)
class Layer:
    """The whole definition of one layer.

    rows : what its features are selected from.
    key : bigint identity of a feature.
    shape : what its geometries are.
    geometry : column in lon-lat EPSG:4326; `exact_geometry` replaces it for an audience with exact points.
    moment : when a feature happened, or `valid` : the range in which it holds; neither: it is not dated, and no
        question about a time restricts it.
    level_rank : rank in the city's tree, where a tile shows each level only from a zoom of its own.
    rank : of points that crowd together the one with the greatest stands for all; then the greatest key decides.
        A whole number from 0 on; from RANKS on all are alike.
    label : a tile also carries one point a feature for its label.
    versioned : each change gives it another version; else nobody is told of one, and an answer holds for seconds.
    turns : moments at which the clock alone changes a feature, where it has no `valid` that says so.
    hides_sensitive : features of sensitive categories are only for an audience with sensitive points.
    booked : whoever takes a file of it away is a row of the ledger.
    """

    id: str
    title: Name
    description: str
    rows: FromClause
    key: ColumnElement[int]
    geometry: ColumnElement[object]
    shape: Shape
    fields: tuple[Field, ...]
    zoom: Zoom
    look: Look
    least: Role = Role.PUBLIC
    exact_geometry: ColumnElement[object] | None = None
    moment: ColumnElement[object] | None = None
    valid: ColumnElement[object] | None = None
    level_rank: ColumnElement[int] | None = None
    rank: ColumnElement[int] | None = None
    label: bool = False
    hides_sensitive: ColumnElement[str] | None = None
    versioned: bool = True
    turns: tuple[ColumnElement[object], ...] = ()
    booked: bool = False

    def __post_init__(self) -> None:
        """Refuse a definition that no query could follow.

        Raises
        ------
        ShapeMismatch : both `moment` and `valid`, or a field name that stands twice or means something else.
        """
        if self.moment is not None and self.valid is not None:
            raise ShapeMismatch(f"layer {self.id} has a moment and a validity", layer=self.id)
        names = ["id", "geometry", COUNT, *(field.name for field in self.fields)]
        if len(names) != len(set(names)):
            raise ShapeMismatch(f"layer {self.id} names a field twice", layer=self.id)

    @property
    def dated(self) -> bool:
        """Whether a question about a time restricts it."""
        return self.moment is not None or self.valid is not None

    def check(self, audience: Audience) -> None:
        """Let `audience` pass.

        Raises
        ------
        Forbidden : the layer is not for it.
        """
        if audience.role < self.least:
            raise Forbidden(
                f"layer {self.id} is not for the audience '{audience.role.slug}'",
                layer=self.id,
                needs=self.least.slug,
            )

    def fields_for(self, audience: Audience, chosen: Collection[str] | None = None) -> tuple[Field, ...]:
        """The fields that `audience` may read, or of them the chosen ones.

        Raises
        ------
        BadValue : a chosen one that is not there, or not for `audience`.
        """
        fields = tuple(field for field in self.fields if audience.role >= field.least)
        if chosen is None:
            return fields
        names = [field.name for field in fields]
        for name in chosen:
            if name not in names:
                raise BadValue(f"properties: {self.id} has no '{name[:40]}'", parameter="properties", known=names)
        return tuple(field for field in fields if field.name in chosen)

    def tile_fields(
        self, audience: Audience, zoom: int, chosen: Collection[str] | None = None
    ) -> tuple[Field, ...]:
        """The fields that a tile of `zoom` carries for `audience`: those of that zoom, or the chosen ones.

        Raises as `fields_for` does.
        """
        fields = self.fields_for(audience, chosen)
        return tuple(field for field in fields if field.from_zoom <= zoom) if chosen is None else fields

    @property
    def label_id(self) -> str:
        """Source-layer of the points for labels."""
        return f"{self.id.removesuffix('s')}_labels"

    def geometry_for(self, audience: Audience) -> ColumnElement[object]:
        """The geometry that `audience` may read; filters use it too, or they would give the other away."""
        exact = self.exact_geometry
        return exact if exact is not None and audience.policy.exact_points else self.geometry
