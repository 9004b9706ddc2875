"""Answers questions about heat from the stores of one city."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layers.catalog.city import City
from layers.core.span import Span
from layers.heat.hours import slices
from layers.heat.question import Question
from layers.heat.store.events import State
from layers.heat.store.kernels import MOST_PLANES, MOST_SECONDS, Values, some
from layers.heat.store.reader import Reader
from layers.heat.store.rollup import Rollups, Selection
from layers.heat.store.store import Store

_NOTHING = 1e-12
"""What has decayed to less is nothing."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells that have any value, ascending by id; values are whole unless they decay."""

    cell: NDArray[np.uint64]
    value: Values


@dataclass(frozen=True, eq=False)
class Answer:
    """Cells, and how far the store had followed its database."""

    cells: Cells
    state: State


class Engine:
    """Reads the stores in a folder, which may be renewed at any time."""

    def __init__(self, folder: Path, city: City) -> None:
        self._reader = Reader(folder)
        self._city = city
        self._weight = {category.code: category.weight for category in city.categories}
        self._sensitive = frozenset(category.code for category in city.categories if category.sensitive)

    def answers(self, questions: Iterable[Question]) -> list[Answer]:
        """Answers to questions, all of one moment of the stores.

        Raises
        ------
        HeatNotReady : there is no store yet.
        """
        asked = list(questions)

        def of_one_moment(store: Store) -> list[Answer]:
            return [Answer(self._cells(store, question), store.manifest.state) for question in asked]

        return self._reader.ask(of_one_moment)

    def state(self) -> State:
        """How far the newest store has followed its database. Raises as `answers` does."""
        return self._reader.ask(lambda store: store.manifest.state)

    def most_cells(self, question: Question) -> int:
        """How many cells the question's answer has at most, in any span. Raises as `answers` does."""
        return self._reader.ask(lambda store: len(selected(store.rollups, question).cell))

    def _cells(self, store: Store, question: Question) -> Cells:
        windows = self._windows(store, question)
        if len(windows) == 0:
            return Cells(np.empty(0, np.uint64), np.empty(0, np.int64))
        chosen, hidden = selected(store.rollups, question), None
        if question.with_sensitive and question.mask:
            plain = self._sums(store, question, windows, chosen, {False})
            hidden = self._sums(store, question, windows, chosen, {True})
        else:
            plain = self._sums(store, question, windows, chosen, {False, question.with_sensitive})
        return by_cell(chosen, plain, hidden, question)

    def _windows(self, store: Store, question: Question) -> NDArray[np.int64]:
        """int64[n, 2], the wanted slices of time in seconds since the store's origin."""
        first = datetime.fromtimestamp(store.base.origin, UTC)
        last = first + timedelta(seconds=MOST_SECONDS)
        start, end = max(question.span.start, first), min(question.span.end, last)
        if start >= end:
            return np.empty((0, 2), np.int64)
        found = slices(Span(start, end), self._city.zone, question.hours, question.weekdays)
        return found - store.base.origin

    def _sums(
        self, store: Store, question: Question, windows: NDArray[np.int64], chosen: Selection, sensitive: set[bool]
    ) -> Values:
        """Sums by entry of the planes that are sensitive, or are not, as `sensitive` has it."""
        weight = np.zeros(MOST_PLANES, np.int64)
        for number, plane in enumerate(store.manifest.planes):
            code = plane.category
            wanted = question.categories is None or code in question.categories
            if wanted and (question.patrol or not plane.patrol) and (code in self._sensitive) in sensitive:
                weight[number] = 1 if question.weight == "count" else self._weight.get(code, 0)
        layer, blocks = store.layer(question.layer), chosen.blocks
        if question.half_life is None:
            return layer.sums(windows, weight, blocks)
        end = int(question.span.end.timestamp()) - store.base.origin
        return layer.decayed(windows, weight, blocks, end, question.half_life.total_seconds())


def by_cell(chosen: Selection, plain: Values, hidden: Values | None, question: Question) -> Cells:
    """Sums by entry as the question wants them; `hidden` as `Selection.sums` has it."""
    value = chosen.sums(plain, hidden)
    return Cells(*some(chosen.cell, value, _NOTHING if question.half_life else 0))


def selected(rollups: Rollups, question: Question) -> Selection:
    """The entries that count in the question's answer."""
    mask = question.mask
    return rollups.selection(question.res, mask.areas, mask.polygon, question.bbox)
