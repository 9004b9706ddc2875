"""Which areas lay above which, at any time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import psycopg
from psycopg.rows import DictRow

Connection = psycopg.Connection[DictRow]

_VERSIONS = """select area_id, parent_id, lower(valid) as start, upper(valid) as end from onemap.area_version
order by area_id, lower(valid) nulls first"""

_EVER, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Version:
    """The area above one, from `start` up to, without, `end`."""

    above: int | None
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Parents:
    """The versions of all areas, each area's in the order of time."""

    versions: Mapping[int, Sequence[Version]]

    @classmethod
    def read(cls, connection: Connection) -> Self:
        """As the database has them."""
        found: dict[int, list[Version]] = {}
        for row in connection.execute(_VERSIONS):
            version = Version(row["parent_id"], row["start"] or _EVER, row["end"] or _NEVER)
            found.setdefault(row["area_id"], []).append(version)
        return cls(found)

    def during(self, period: tuple[datetime, datetime], areas: Sequence[int]) -> Iterator[list[int | None]]:
        """The tree at each time of a half-open period, and the last one that there is, without repeats in a row.

        Each as the place in `areas` of the nearest area above each of them, none where there is none.
        """
        since, until = period
        edges = {edge for each in self.versions.values() for one in each for edge in (one.start, one.end)}
        moments = [since, *sorted(edge for edge in edges if since < edge < until), None]
        places = {area_id: place for place, area_id in enumerate(areas)}
        before: list[int | None] | None = None
        for moment in moments:
            tree = [self._nearest(area_id, moment, places) for area_id in areas]
            if tree != before:
                yield tree
            before = tree

    def _nearest(self, area_id: int, moment: datetime | None, places: Mapping[int, int]) -> int | None:
        above = self._above(area_id, moment)
        while above is not None and above not in places:
            above = self._above(above, moment)
        return None if above is None else places[above]

    def _above(self, area_id: int, moment: datetime | None) -> int | None:
        """The area above one at a moment, or last of all; of an area that was not there then, as it last was."""
        known = self.versions.get(area_id, ())
        found = [each for each in known if moment is not None and each.start <= moment < each.end] or known[-1:]
        return found[0].above if found else None
