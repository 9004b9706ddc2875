"""Files of a store's folder, mapped into memory as arrays."""

import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.core.errors import HeatStoreError
from layers.heat.store.manifest import Place


class Files:
    """Arrays of a folder's files, each file mapped once, read-only."""

    def __init__(self, folder: Path, maps: dict[str, mmap.mmap]) -> None:
        self._folder = folder
        self._maps = maps

    def among(self, names: set[str]) -> "Files":
        """Those of the mapped files that are among `names`, and others as they are asked for."""
        return Files(self._folder, {name: mapped for name, mapped in self._maps.items() if name in names})

    def array(self, place: Place, items: int, dtype: type[Any]) -> NDArray[Any]:
        """`items` items from a place on.

        Raises
        ------
        FileNotFoundError : the file is gone, as after a later switch.
        HeatStoreError : it is shorter than that, as after a crash of the machine.
        """
        if items == 0:
            return np.frombuffer(b"", dtype)
        size = np.dtype(dtype).itemsize
        end = (place.at + items) * size
        mapped = self._maps.get(place.file)
        if mapped is None or len(mapped) < end:
            with (self._folder / place.file).open("rb") as file:
                if os.fstat(file.fileno()).st_size < end:
                    raise HeatStoreError("a file of the heat store is cut short", file=place.file)
                mapped = self._maps[place.file] = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        return np.frombuffer(mapped, dtype, items, place.at * size)
