"""What a record must be to become an incident, whichever door it comes in by."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from layers.records.desk import Desk, numbers

ORIGINS = ("citizen", "patrol", "sensor", "hotline")


def judge(desk: Desk, weights: Mapping[str, int]) -> dict[str, pa.Array]:
    """Judge the records on the desk; `weights` are the severity of each known category.

    Returns
    -------
    The columns category, origin, occurred_at, recorded_at, state, due_at, closed_at, severity, lon, lat. What did
    not pass is missing, and the desk's findings say why.
    """
    category = desk.choice("category", list(weights))
    found = {
        "category": category,
        "origin": desk.choice("origin", ORIGINS),
        "occurred_at": desk.instant("occurred_at", required=True, past=True),
        "recorded_at": desk.instant("recorded_at", past=True),
        "state": desk.text("state"),
        "due_at": desk.instant("due_at"),
        "closed_at": desk.instant("closed_at", past=True),
        "severity": _severity(category, weights),
    }
    lonlat = desk.points()
    return found | {"lon": numbers(lonlat[:, 0]), "lat": numbers(lonlat[:, 1])}


def tombstones(desk: Desk) -> pa.Array:
    """Which records say only that their key is deleted; nothing else is asked of those."""
    dead = desk.truth("deleted")
    desk.findings.forgive(dead)
    return pa.array(dead)


def _severity(category: pa.StringArray, weights: Mapping[str, int]) -> pa.Array:
    found = pc.index_in(category, pa.array(list(weights), pa.string()))
    return pa.array(np.array(list(weights.values()), np.int32)).take(found)
