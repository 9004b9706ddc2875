"""Answers questions about heat from the stores of one city."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layers.catalog.city import City
from layers.core.audience import SENSITIVE_RES
from layers.core.span import Span
from layers.geo.bbox import Bbox
from layers.heat.hours import slices
from layers.heat.question import Mask, Question
from layers.heat.store.events import State
from layers.heat.store.kernels import MOST_PLANES, MOST_SECONDS, Values, some
from layers.heat.store.reader import Reader
from layers.heat.store.rollup import Rollups
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
        return self._reader.store().manifest.state

    def most_cells(self, res: int, bbox: Bbox | None) -> int:
        """How many cells an answer at `res` has at most, whatever else is asked. Raises as `answers` does."""
        rolled = self._reader.store().rollups.at(res)
        return len(rolled.cell) if bbox is None else int(rolled.touching(bbox).sum())

    def _cells(self, store: Store, question: Question) -> Cells:
        windows = self._windows(store, question)
        if len(windows) == 0:
            return Cells(np.empty(0, np.uint64), np.empty(0, np.int64))
        if question.with_sensitive and question.mask:
            hidden = self._sums(store, question, windows, {True})
            return by_cell(store.rollups, self._sums(store, question, windows, {False}), hidden, question)
        counted = {False, question.with_sensitive}
        return by_cell(store.rollups, self._sums(store, question, windows, counted), None, question)

    def _windows(self, store: Store, question: Question) -> NDArray[np.int64]:
        """int64[n, 2], the wanted slices of time in seconds since the store's origin."""
        first = datetime.fromtimestamp(store.manifest.origin, UTC)
        last = first + timedelta(seconds=MOST_SECONDS)
        start, end = max(question.span.start, first), min(question.span.end, last)
        if start >= end:
            return np.empty((0, 2), np.int64)
        found = slices(Span(start, end), self._city.zone, question.hours, question.weekdays)
        return found - store.manifest.origin

    def _sums(self, store: Store, question: Question, windows: NDArray[np.int64], sensitive: set[bool]) -> Values:
        """Sums by entry of the planes that are sensitive, or are not, as `sensitive` has it."""
        weight = np.zeros(MOST_PLANES, np.int64)
        for number, plane in enumerate(store.manifest.planes):
            code = plane.category
            wanted = question.categories is None or code in question.categories
            if wanted and (question.patrol or not plane.patrol) and (code in self._sensitive) in sensitive:
                weight[number] = 1 if question.weight == "count" else self._weight.get(code, 0)
        layer = store.layer(question.layer)
        if question.half_life is None:
            return layer.sums(windows, weight)
        end = int(question.span.end.timestamp()) - store.manifest.origin
        return layer.decayed(windows, weight, end, question.half_life.total_seconds())


def by_cell(rollups: Rollups, plain: Values, hidden: Values | None, question: Question) -> Cells:
    """Sums by entry as the question wants them: masked, rolled up to its resolution and cut to its box.

    Parameters
    ----------
    hidden : sums of what may only be counted in whole cells of SENSITIVE_RES, so that no mask cuts smaller pieces
        out of them; none where there is nothing to hide.
    """
    kept = entries_inside(rollups, question.mask)
    rolled = rollups.at(question.res)
    value = rolled.sums(plain, kept)
    if hidden is not None:
        value = value + rolled.sums(hidden, _whole(rollups, kept))
    if question.bbox is not None:
        value[~rolled.touching(question.bbox)] = 0
    return Cells(*some(rolled.cell, value, _NOTHING if question.half_life else 0))


def entries_inside(rollups: Rollups, mask: Mask) -> NDArray[np.bool_]:
    """Which entries a mask keeps; of a polygon those whose base cell has its centre inside."""
    entries = rollups.entries
    kept = rollups.everything
    if mask.areas is not None:
        kept = np.isin(entries.areas, list(mask.areas))[entries.area_rank]
    if mask.polygon is not None:
        base = rollups.base
        kept = kept & base.within(mask.polygon)[base.rank]
    return kept


def _whole(rollups: Rollups, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The kept entries of those cells of SENSITIVE_RES of which every entry is kept."""
    coarse = rollups.at(min(SENSITIVE_RES, rollups.base_res))
    cut = np.zeros(len(coarse.cell), bool)
    cut[coarse.rank[~kept]] = True
    return ~cut[coarse.rank]
