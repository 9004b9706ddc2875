"""Cases that tell of one thing: which ones may, and merging them in a way that can be undone.

The main case stands for the terms of both: it is over as soon as either would be, until its work is done or the
two are split. No merge hides that something is late.

Nothing is merged by itself: a dispatcher reads the suggestions, each with what it rests on, and decides.
"""

from datetime import datetime, timedelta

from layers.core.statement import Statement

REACH_M = 200.0
"""Reports that lie further apart are not suggested."""

APART = timedelta(days=7)
"""Reports that were made further apart are not suggested."""

OTHER_CATEGORY = 0.5
"""What the score of a pair is multiplied by where the two are of different categories."""

MOST = 20

_M_PER_DEGREE = 111_195.0  # of latitude, on the sphere that distances are measured on


def suggested(case_id: int) -> Statement:
    """Open cases of the same workflow that may tell of the same thing as an open one, likeliest first.

    Rows: case_id, category, state, reported_at, unit, distance_m, hours (between the two reports), same_category
    and score, which is 1 at the same place and moment in the same category, and falls evenly to 0 at REACH_M
    and at APART: (1 - distance / REACH_M) * (1 - time / APART) * (1, or OTHER_CATEGORY).
    """
    return Statement(
        """with own as materialized (
          select case_id, workflow, category, reported_at, geom, ST_Expand(
            geom, %(reach)s / (%(degree)s * greatest(sin(radians(90 - ST_Y(geom))), 0.01)),
            %(reach)s / %(degree)s) as box
          from onemap.case_file where case_id = %(case_id)s and is_open and merged_into is null
        ), near as (
          select other.*, ST_DistanceSphere(other.geom, own.geom) as distance_m,
            abs(extract(epoch from other.reported_at - own.reported_at))::double precision as apart_s,
            other.category = own.category as same_category
          from onemap.case_file other, own
          -- A value, not a column: else row-level security would not let the index be used.
          where other.geom && (select box from own)
          and other.case_id <> own.case_id and other.workflow = own.workflow
          and other.is_open and other.merged_into is null
          and other.reported_at between own.reported_at - %(apart)s and own.reported_at + %(apart)s
        ), scored as (
          select *, (1 - distance_m / %(reach)s) * (1 - apart_s / extract(epoch from %(apart)s))
            * case when same_category then 1 else %(other)s end as score
          from near
        )
        select case_id, category, state, reported_at, unit,
          round(distance_m::numeric, 1)::double precision as distance_m,
          round(apart_s::numeric / 3600, 2)::double precision as hours, same_category,
          round(score::numeric, 3)::double precision as score
        from scored where distance_m < %(reach)s and score > 0
        order by scored.score desc, case_id limit %(most)s""",
        {
            "case_id": case_id,
            "reach": REACH_M,
            "degree": _M_PER_DEGREE,
            "apart": APART,
            "other": OTHER_CATEGORY,
            "most": MOST,
        },
    )


def merged_into(case_id: int, *, with_sensitive: bool) -> Statement:
    """Numbers of the cases that are merged into one, sensitive ones or not: rows of `case_id`, ascending."""
    return Statement(
        """select case_id from onemap.case_file join onemap.category on category.code = case_file.category
        where merged_into = %(case_id)s and (%(with_sensitive)s or not sensitive) order by case_id""",
        {"case_id": case_id, "with_sensitive": with_sensitive},
    )


def merge(case_id: int, main: int, at: datetime) -> Statement:
    """Merge a case into its main one: one value, none where that is done, else why not.

    `missing`, `merged` (one of them is in another), `main` (others are in it), `closed`, or of another `workflow`.
    """
    return Statement(
        "select onemap.merge_case(%(case_id)s, %(main)s, %(at)s)", {"case_id": case_id, "main": main, "at": at}
    )


def split(case_id: int, at: datetime) -> Statement:
    """Take a case out of its main one, as it was: one value, false where it is in none."""
    return Statement("select onemap.split_case(%(case_id)s, %(at)s)", {"case_id": case_id, "at": at})
