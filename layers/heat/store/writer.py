"""The one writer of a folder's heat stores.

Changes are added to the ends of files that a reader looks at only as far as its manifest says; then the manifest
is switched. Nothing is forced to the disk: after a crash of the machine the stores are held against the database,
and built anew where they differ.
"""

import fcntl
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import Conflict, HeatStoreError
from layers.heat.store.audit import digest
from layers.heat.store.build import build, no_changes, write_entries
from layers.heat.store.encode import inside, pack
from layers.heat.store.entries import Entries
from layers.heat.store.events import Changes, Events, Plane, State
from layers.heat.store.fold import fold, settled
from layers.heat.store.kernels import MOST_PLANES, Log
from layers.heat.store.manifest import NAME, Layer, Manifest
from layers.heat.store.store import Store

LOCK = "lock"
FOLD_AT = 1 << 17
"""Changes of a layer that are scanned with every answer at most; more are folded into the log."""


class Writer:
    """Holds a lock on the folder from entry to exit.

    Raises
    ------
    Conflict : another process writes there.
    """

    def __init__(self, folder: Path, layers: Sequence[str]) -> None:
        self._folder = folder
        self._layers = tuple(layers)
        self._lock: IO[bytes] | None = None
        self._store: Store | None = None
        self._before: Store | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self._folder / LOCK).open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            self._lock.close()
            raise Conflict("another process writes the heat store") from exc
        if (self._folder / NAME).exists():
            self._take_up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()

    @property
    def store(self) -> Store | None:
        """What readers see now; none before the first build."""
        return self._store

    @property
    def state(self) -> State | None:
        """How far the stores have followed the database; none before the first build."""
        return self._store.manifest.state if self._store else None

    @property
    def full(self) -> bool:
        """Whether so many changes wait in a layer that they should be folded."""
        changed = self._store.manifest.changed.values() if self._store else ()
        return any(count > FOLD_AT for count in changed)

    def rebuild(self, partitions: Iterable[Events], planes: Sequence[Plane], state: State) -> None:
        """Build all stores anew; readers keep the old ones until the end. Raises as `build` does."""
        self._switch(build(self._folder, _fresh(), self._layers, partitions, planes, state))
        self._clear()

    def append(self, changes: Changes, state: State) -> None:
        """Let events come and go.

        Raises
        ------
        HeatStoreError : there is no store yet, or it has no room: one of them has to be built anew.
        """
        store = self._store
        if store is None:
            raise HeatStoreError("there is no heat store to add to")
        manifest, base = store.manifest, store.base
        planes, place = _with_planes(manifest.planes, changes.planes)
        entries = store.entries.with_new(changes.cell, changes.area)
        known = manifest.entries
        if len(entries) > known:
            added = Entries(entries.cell[known:], entries.area[known:])
            write_entries(self._folder / base.entries, added, at=known)
        packed = pack(changes.t, place[changes.plane], entries.find(changes.cell, changes.area), base.origin)
        signed = np.column_stack([packed, changes.sign.astype(np.int64).view(np.uint64)])
        takes_away = bool(np.any(changes.sign < 0))
        changed = {}
        for number, layer in enumerate(self._layers):
            own = signed[inside(changes.zones, number)]
            # What moves between zone types comes and goes at once in every other layer.
            own = settled(own) if takes_away else own
            self._add(base.layers[layer].changes, manifest.changed[layer], own)
            changed[layer] = manifest.changed[layer] + len(own)
        fresh = {"state": state, "planes": planes, "entries": len(entries), "changed": changed}
        self._switch(manifest.model_copy(update=fresh))

    def fold(self) -> None:
        """Take all changes into the logs. Raises as `fold` of a layer does."""
        store = self._store
        if store is None:
            return
        manifest, base, name = store.manifest, store.base, _fresh()
        shape = (len(manifest.planes), manifest.entries)
        layers = {}
        for layer, known in base.layers.items():
            if manifest.changed[layer] == 0:
                layers[layer] = known
                continue
            file = f"{name}-{layer}"
            parts = fold(self._folder, file, known.parts, store.layer(layer), shape, base.part_events)
            layers[layer] = Layer(parts=parts, changes=no_changes(self._folder, file))
        folded = base.model_copy(update={"layers": layers})
        self._switch(folded.begin(self._folder, name, manifest.state, manifest.planes, manifest.entries))
        self._clear()

    def digest(self) -> int:
        """Checksum of all that is there. Raises as `audit.digest` does; also where there is nothing yet."""
        if self._store is None:
            raise HeatStoreError("there is no heat store to check")
        return digest(self._store)

    def _add(self, file: str, changed: int, signed: Log) -> None:
        """Write changes after those that the manifest knows; what a broken try left there is overwritten."""
        if len(signed):
            with (self._folder / file).open("r+b") as opened:
                opened.seek(16 * changed)
                signed.tofile(opened)

    def _take_up(self) -> None:
        """Go on with what is there; what is broken, of another form or of other layers is built anew."""
        try:
            store = Store.of(Manifest.read(self._folder), self._folder)
            if tuple(store.base.layers) == self._layers:
                self._store = store
        except (HeatStoreError, FileNotFoundError):
            return

    def _switch(self, manifest: Manifest) -> None:
        """Have readers see `manifest` from now on."""
        manifest.write(self._folder)
        self._before, self._store = self._store, Store.of(manifest, self._folder, self._store)

    def _clear(self) -> None:
        """Remove what neither the store of now nor the one just before leans on, which some still read."""
        kept = {NAME, LOCK}
        for store in (self._store, self._before):
            kept |= {store.manifest.base} | store.base.files() if store else set()
        for path in self._folder.iterdir():
            if path.name not in kept and path.is_file():
                path.unlink()


def _fresh() -> str:
    return uuid.uuid4().hex[:12]


def _with_planes(known: Sequence[Plane], given: Sequence[Plane]) -> tuple[tuple[Plane, ...], NDArray[np.int16]]:
    """The known planes and after them the new ones, and the place among them of each of the given."""
    planes = tuple(dict.fromkeys([*known, *given]))
    if len(planes) > MOST_PLANES:
        raise HeatStoreError(f"more than {MOST_PLANES} planes", planes=len(planes))
    place = {plane: number for number, plane in enumerate(planes)}
    return planes, np.array([place[plane] for plane in given], np.int16)
