"""A query is a value: SQL text with its bound parameters, made without a connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql import ClauseElement

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Statement:
    """SQL in psycopg's `%(name)s` style; no value is ever part of the text."""

    sql: str
    params: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, clause: ClauseElement, **given: object) -> "Statement":
        """Compile a SQLAlchemy Core clause for PostgreSQL; `given` are values of what it leaves open by name."""
        compiled = clause.compile(dialect=_DIALECT)
        return cls(str(compiled), dict(compiled.construct_params(given) or {}))

    def about(self, given: Mapping[str, Any]) -> "Statement":
        """The same question with the values of `given` for those of its parameters that are named there."""
        return Statement(self.sql, {name: given.get(name, value) for name, value in self.params.items()})
