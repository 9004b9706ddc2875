"""Pages of features, as the server tells them."""

import json
from dataclasses import dataclass
from typing import Any

from layers.core.db import Database
from layers.query import features
from layers.query.order import Order, plain
from layers.query.selection import Selection

BY_KEY = Order()


@dataclass(frozen=True)
class Page:
    """Features, how many there are in all where that is told, and the token of the next page where there is one."""

    features: list[dict[str, Any]]
    matched: int | None
    token: str | None

    @property
    def ids(self) -> list[int]:
        """Their ids in their order."""
        return [feature["id"] for feature in self.features]


async def page(
    db: Database, selection: Selection, limit: int = 2000, after: str | None = None, order: Order = BY_KEY
) -> Page:
    """One page, as whoever the selection is for."""
    row = await db.row(selection.audience, features.page(selection, limit, after, order=order))
    assert row is not None
    told = json.loads(f"[{row['features'] or ''}]")
    assert len(told) == row["returned"] <= limit
    if row["last"] is None:
        return Page(told, row["matched"], None)
    assert row["last"] == told[-1]["id"]
    values = [plain(row[f"_{i}"]) for i in range(len(order.by))]
    return Page(told, row["matched"], order.token(values, row["last"]))


async def every(
    db: Database, selection: Selection, limit: int = 400, order: Order = BY_KEY
) -> list[dict[str, Any]]:
    """The features of all pages, one page after the other."""
    found, after = [], None
    while True:
        one = await page(db, selection, limit, after, order)
        found += one.features
        after = one.token
        if after is None:
            return found
