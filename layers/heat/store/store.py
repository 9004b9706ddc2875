"""One moment of the stores, mapped into memory.

The files behind it are only added to, so it stays as it is while a writer goes on; nothing is locked.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from layers.core.errors import HeatNotReady
from layers.heat.store.entries import Entries
from layers.heat.store.files import Files
from layers.heat.store.layer import LayerStore
from layers.heat.store.logged import Logged
from layers.heat.store.manifest import Base, Manifest, Place
from layers.heat.store.rollup import Rollups


@dataclass(frozen=True, eq=False)
class Store:
    """All heat layers at one moment.

    logged : those logs of the base that were asked for.
    """

    manifest: Manifest
    base: Base
    files: Files
    logged: dict[str, Logged]
    rollups: Rollups
    _layers: dict[str, LayerStore] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Manifest, folder: Path, previous: Self | None = None) -> Self:
        """What the manifest says; what is mapped or worked out already is taken from the `previous` moment.

        Raises
        ------
        FileNotFoundError : a file is gone, as after a later switch.
        HeatStoreError : a file is not what the manifest says.
        """
        if previous and previous.manifest.base == manifest.base:
            base, files, logged = previous.base, previous.files, previous.logged
        else:
            base, logged = Base.of(folder / manifest.base), {}
            files = previous.files.among(base.files()) if previous else Files(folder, {})
        if previous and _same_entries(previous, base, manifest):
            rollups = previous.rollups
        else:
            pairs = files.array(Place(file=base.entries, at=0), 2 * manifest.entries, np.uint64).reshape(-1, 2)
            cell, area = (np.ascontiguousarray(column) for column in pairs.T)
            rollups = Rollups(Entries(cell, area.view(np.int64)))
        return cls(manifest, base, files, logged, rollups)

    @property
    def entries(self) -> Entries:
        """The pairs of base cell and finest area that events stand in."""
        return self.rollups.entries

    def layer(self, layer: str) -> LayerStore:
        """One heat layer; its files are opened when it is first asked for.

        Raises
        ------
        HeatNotReady : the stores were built before the city had it.
        """
        found = self._layers.get(layer)
        if found is None:
            known = self.base.layers.get(layer)
            if known is None:
                raise HeatNotReady(f"the heat of '{layer}' is not built yet", layer=layer, retry_after_s=5)
            if layer not in self.logged:
                self.logged[layer] = Logged.of(known, self.files)
            changed = self.manifest.changed[layer]
            changes = self.files.array(Place(file=known.changes, at=0), 2 * changed, np.uint64).reshape(-1, 2)
            found = LayerStore(self.logged[layer], changes, self.manifest.entries)
            self._layers[layer] = found
        return found


def _same_entries(previous: Store, base: Base, manifest: Manifest) -> bool:
    return (previous.base.entries, previous.manifest.entries) == (base.entries, manifest.entries)
