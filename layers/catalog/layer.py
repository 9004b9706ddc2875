"""A layer is the noun: what it is called, where its rows are, which fields it has and who may see it."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause

from layers.catalog.city import Name
from layers.core.audience import Audience, Role
from layers.core.errors import Forbidden, ShapeMismatch


@dataclass(frozen=True)
class Field:
    """One property of a feature: its name, its meaning, the column behind it and the least role that reads it."""

    name: str
    what: str
    column: ColumnElement[object]
    unit: str | None = None
    least: Role = Role.PUBLIC


@dataclass(frozen=True)
class Zoom:
    """The zooms at which a layer has tiles, both included."""

    low: int
    high: int


@dataclass(frozen=True)
class Layer:
    """The whole definition of one layer.

    rows : what its features are selected from.
    key : bigint identity of a feature.
    geometry : column in lon-lat EPSG:4326; `exact_geometry` replaces it for an audience with exact points.
    moment : when a feature happened, or `valid` : the range in which it holds; neither: it is not dated, and no
        question about a time restricts it.
    level_rank : rank in the city's tree, where a tile shows each level only from a zoom of its own.
    label : a tile also carries one point a feature for its label.
    hides_sensitive : features of sensitive categories are only for an audience with sensitive points.
    """

    id: str
    title: Name
    description: str
    rows: FromClause
    key: ColumnElement[int]
    geometry: ColumnElement[object]
    fields: tuple[Field, ...]
    zoom: Zoom
    least: Role = Role.PUBLIC
    exact_geometry: ColumnElement[object] | None = None
    moment: ColumnElement[object] | None = None
    valid: ColumnElement[object] | None = None
    level_rank: ColumnElement[int] | None = None
    label: bool = False
    hides_sensitive: ColumnElement[str] | None = None

    def __post_init__(self) -> None:
        """Refuse a definition that no query could follow.

        Raises
        ------
        ShapeMismatch : both `moment` and `valid`, or a field name that stands twice.
        """
        if self.moment is not None and self.valid is not None:
            raise ShapeMismatch(f"layer {self.id} has a moment and a validity", layer=self.id)
        names = [field.name for field in self.fields]
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

    def fields_for(self, audience: Audience) -> tuple[Field, ...]:
        """The fields that `audience` may read."""
        return tuple(field for field in self.fields if audience.role >= field.least)

    def geometry_for(self, audience: Audience) -> ColumnElement[object]:
        """The geometry that `audience` may read; filters use it too, or they would give the other away."""
        exact = self.exact_geometry
        return exact if exact is not None and audience.policy.exact_points else self.geometry
