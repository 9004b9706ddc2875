"""What a file must know of its rows before it has any."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from layers.catalog.layer import Shape
    from layers.geo.crs import Crs

Kind = Literal["int16", "int32", "int64", "float32", "float64", "bool", "instant", "text", "json"]


@dataclass(frozen=True)
class Column:
    """One column and what its values are; JSON comes as text, and so do instants for a file that is text."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Table:
    """A name, the columns, and the geometry that stands behind them in each row: its shape and its system."""

    name: str
    columns: tuple[Column, ...]
    shape: "Shape"
    crs: "Crs"
