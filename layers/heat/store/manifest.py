"""The pages that say what the stores of all heat layers are.

A base is written with each build or fold and never changed; it names the files of all layers. One manifest says
how far these have grown since, and a rename switches it for all layers at once. Files are only ever added to
beyond the lengths that it gives. So a reader that holds a manifest holds one moment of every layer, for as long
as it likes, and an event that comes costs one short page.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from layers.core.errors import HeatNotReady, HeatStoreError
from layers.heat.store.events import Plane, State

NAME = "manifest.json"


class _Page(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def of(cls, path: Path) -> Self:
        """As it stands in a file.

        Raises
        ------
        FileNotFoundError : there is none.
        HeatStoreError : it is of another form.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as exc:
            raise HeatStoreError(f"the heat store is of another form: {exc.errors()[0]['msg']}") from exc


class Place(_Page):
    """Where an array begins in a file of the folder, counted in its items."""

    file: str
    at: int


class Part(_Page):
    """One slice of the log, and the counts of everything up to its end; no second lies in two parts.

    log : uint32[blocks + 1], where each block begins and the last one ends; uint32[events], their times, ascending
        within each block; uint32[events], their keys.
    first : second of its first event, since the origin.
    counts : uint32[planes + 1, entries], as many as there were then; first of all planes together.
    """

    log: Place
    blocks: int
    events: int
    first: int
    counts: Place
    planes: int
    entries: int


class Layer(_Page):
    """The log of one heat layer in parts, and the file of the changes that are not folded into it yet."""

    parts: tuple[Part, ...]
    changes: str


class Base(_Page):
    """All heat layers as the last build or fold left them.

    origin : second since 1970 that the stores count from.
    part_events : events of a part, about.
    entries : file of the entries; cells and areas alternate.
    """

    origin: int
    part_events: int
    entries: str
    layers: dict[str, Layer]

    def files(self) -> set[str]:
        """Names of all files that it leans on."""
        named = {self.entries}
        for layer in self.layers.values():
            named.add(layer.changes)
            for part in layer.parts:
                named |= {part.log.file, part.counts.file}
        return named

    def begin(self, folder: Path, name: str, state: State, planes: tuple[Plane, ...], entries: int) -> "Manifest":
        """Write it into a file that begins with `name`; the manifest of nothing changed since."""
        file = f"{name}.base"
        (folder / file).write_text(self.model_dump_json(), "utf-8")
        changed = dict.fromkeys(self.layers, 0)
        return Manifest(base=file, state=state, planes=planes, entries=entries, changed=changed)


class Manifest(_Page):
    """All heat layers at one moment.

    base : file of the base that they have grown from.
    entries : how many there are.
    changed : changes of each layer that are not folded into its log.
    """

    format: Literal[3] = 3
    base: str
    state: State
    planes: tuple[Plane, ...]
    entries: int
    changed: dict[str, int]

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
            return cls.of(folder / NAME)
        except FileNotFoundError as exc:
            raise HeatNotReady("the heat is not built yet; `onemap work` builds it", retry_after_s=5) from exc


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
