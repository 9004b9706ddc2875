"""The one page that says what the stores of all heat layers are; a rename switches them all at once.

Whatever it names is never changed, only added to beyond the lengths that it gives. So a reader that holds a
manifest holds one moment of every layer, for as long as it likes.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from layers.core.errors import HeatNotReady, HeatStoreError
from layers.heat.store.events import Plane, State

NAME = "manifest.json"
FORMAT = 2


class _Page(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(_Page):
    """Where an array begins in a file of the folder, counted in its items."""

    file: str
    at: int


class Part(_Page):
    """One slice of the sorted log, and the counts of everything up to its end.

    first : second of its first event, since the origin.
    counts : uint32[planes + 1, entries], as many as there were then; first of all planes together.
    """

    log: Place
    events: int
    first: int
    counts: Place
    planes: int
    entries: int


class Layer(_Page):
    """The log of one heat layer in parts, and the changes that are not folded into it yet."""

    parts: tuple[Part, ...]
    changes: Place
    changed: int


class Manifest(_Page):
    """All heat layers at one moment.

    origin : second since 1970 that the stores count from.
    part_events : events of a part, about.
    entries_at : where the entries stand; cells and areas alternate.
    """

    format: int = FORMAT
    state: State
    origin: int
    part_events: int
    planes: tuple[Plane, ...]
    entries_at: Place
    entries: int
    layers: dict[str, Layer]

    def files(self) -> set[str]:
        """Names of all files that it leans on."""
        named = {self.entries_at.file}
        for layer in self.layers.values():
            named.add(layer.changes.file)
            for part in layer.parts:
                named |= {part.log.file, part.counts.file}
        return named

    def write(self, folder: Path) -> None:
        """Make it the folder's present one."""
        fresh = folder / f".{NAME}"
        fresh.write_text(self.model_dump_json(), "utf-8")
        fresh.replace(folder / NAME)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The present one of the folder.

        Raises
        ------
        HeatNotReady : there is none.
        HeatStoreError : it is of another form.
        """
        try:
            return cls.model_validate_json((folder / NAME).read_bytes())
        except FileNotFoundError as exc:
            raise HeatNotReady("the heat is not built yet; `onemap work` builds it", retry_after_s=5) from exc
        except ValidationError as exc:
            raise HeatStoreError(f"the heat store is of another form: {exc.errors()[0]['msg']}") from exc


@dataclass(frozen=True)
class Signature:
    """What tells one manifest of a folder from the next without reading it."""

    inode: int
    modified_ns: int

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """Of the present manifest; none while there is none."""
        try:
            found = os.stat(folder / NAME)  # noqa: PTH116 (asked before every answer; a Path's own is slower)
        except FileNotFoundError:
            return None
        return cls(found.st_ino, found.st_mtime_ns)
