"""Figures of groups as they may be told: small ones hidden, and ranked by what was done, never by how much.

There is no rank by a number of cases, by distance or by anything that an office could raise by reporting more.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from layers.core.audience import FEWEST
from layers.records.small import hidden

FEWEST_RANKED = 30
"""A group of fewer has no rank: chance would place it."""

RankBy = Literal["in_time", "handling", "rating", "reopened"]

_BEST = {
    "in_time": ("share", -1),
    "handling": ("median_hours", 1),
    "rating": ("mean", -1),
    "reopened": ("share", 1),
}
"""What a group is ranked by, and whether less of it is better."""

_BLOCKS = ("rating", "reopened", "handling", "in_time")


def told(rows: Sequence[Mapping[str, Any]], rank_by: RankBy) -> list[dict[str, Any]]:
    """Rows of `evaluation.figures`, groups of one whole, ranked first; a figure of fewer than FEWEST is none.

    Where a figure of one group is hidden, that of the next smallest is too, so that the whole does not tell it.
    """
    small = hidden([row["n"] for row in rows], FEWEST)
    every = [figures(row) for row in rows]
    groups = [_hidden(row) if place in small else dict(every[place]) for place, row in enumerate(rows)]
    for block in _BLOCKS:
        counts = [each[block]["n"] if each[block] else 0 for each in every]
        for place in hidden(counts, FEWEST, small):
            groups[place][block] = None
    for place, group in enumerate(_ranked(groups, rank_by), 1):
        group["rank"] = place
    return sorted(groups, key=lambda group: (group["rank"] is None, group["rank"] or 0))


def figures(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row as its figures, each with the n that it rests on; none where that is nought."""
    ratings = [row["ratings"][str(stars)] for stars in range(1, 6)]
    rated = sum(ratings)
    stars = sum(count * value for value, count in enumerate(ratings, 1))
    return _name(row) | {
        "n": row["n"],
        "rank": None,
        "severity": row["severity"],
        "channels": row["channels"],
        "categories": {},
        "rating": {"n": rated, "mean": stars / rated, "counts": ratings} if rated else None,
        "reopened": {
            "n": row["considered"],
            "cases": row["reopened"],
            "share": row["reopened"] / row["considered"],
        }
        if row["considered"]
        else None,
        "handling": {"n": row["timed"], "median_hours": row["hours"][0], "p90_hours": row["hours"][1]}
        if row["timed"]
        else None,
        "in_time": {
            "n": row["termed"],
            "cases": row["in_time"],
            "share": row["in_time"] / row["termed"],
            "usual": float(row["usual"]),
        }
        if row["termed"]
        else None,
        "bounces": {"n": row["n"], "times": row["bounces"], "cases": row["bounced"]} if row["n"] else None,
    }


def whole(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of all groups together, with what rests on fewer than FEWEST hidden."""
    if 0 < row["n"] < FEWEST:
        return _hidden(row)
    found = figures(row)
    return found | {block: None for block in _BLOCKS if found[block] and found[block]["n"] < FEWEST}


def _name(row: Mapping[str, Any]) -> dict[str, Any]:
    name = None if row["code"] is None else {"zh": row["name_zh"], "en": row["name_en"]}
    return {"code": row["code"], "name": name}


def _hidden(row: Mapping[str, Any]) -> dict[str, Any]:
    empty = dict.fromkeys(("n", "rank", "severity", *_BLOCKS, "reopened", "bounces"))
    return _name(row) | empty | {"channels": {}, "categories": {}}


def _ranked(groups: Sequence[dict[str, Any]], rank_by: RankBy) -> list[dict[str, Any]]:
    """The groups that have a rank, the best first; what no office or area is responsible for has none."""
    enough = [
        group
        for group in groups
        if group["code"] is not None and group[rank_by] is not None and group[rank_by]["n"] >= FEWEST_RANKED
    ]
    figure, sign = _BEST[rank_by]
    return sorted(enough, key=lambda group: (sign * group[rank_by][figure], group["code"]))
