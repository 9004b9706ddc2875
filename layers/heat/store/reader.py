"""The stores of a folder as they are now, for any number of readers while one writer goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from layers.core.errors import HeatNotReady
from layers.heat.store.manifest import Manifest, Signature
from layers.heat.store.store import Store

T = TypeVar("T")

_TRIES = 5


class Reader:
    """Keeps the newest moment of a folder mapped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._signature: Signature | None = None
        self._store: Store | None = None

    def store(self) -> Store:
        """The newest moment.

        Raises
        ------
        HeatNotReady : there is none yet.
        HeatStoreError : it is of another form.
        """
        signature = Signature.of(self._folder)
        if self._store is None or signature != self._signature:
            manifest = Manifest.read(self._folder)
            self._store = Store.of(manifest, self._folder, self._store)
            self._signature = signature
        return self._store

    def ask(self, question: Callable[[Store], T]) -> T:
        """Answer from the newest moment, or from the next where its files have been cleared away meanwhile."""
        for _ in range(_TRIES):
            try:
                return question(self.store())
            except FileNotFoundError:
                self._store = None
        raise HeatNotReady("the heat store is being changed too fast to be read", retry_after_s=1)
