"""The words that tables are declared in."""

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Column, DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

metadata = MetaData(schema="onemap")


def whole_key(name: str) -> Column[int]:
    """A whole number that is the primary key."""
    return Column(name, BigInteger, primary_key=True)


def instant(name: str, *, nullable: bool = False) -> Column[object]:
    """A time in UTC."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def geometry(name: str, kind: str) -> Column[object]:
    """A shape in lon-lat EPSG:4326."""
    return Column(name, Geometry(kind, 4326, spatial_index=False), nullable=False)


def texts(*names: str, nullable: bool = False) -> list[Column[str]]:
    """Columns of text."""
    return [Column(name, Text, nullable=nullable) for name in names]


def counts(*names: str, nullable: bool = False) -> list[Column[int]]:
    """Columns of whole numbers."""
    return [Column(name, BigInteger, nullable=nullable) for name in names]


class Xid8(UserDefinedType[str]):
    """The number of a transaction, which never comes again; as text."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Its name in SQL."""
        return "xid8"


ischema_names["xid8"] = Xid8  # so that a database with such columns can be read
