"""How cases were handled: ratings, times, terms kept, cases taken up again, by office, category or area."""

from collections import defaultdict
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from layers.cases import evaluation, ranking
from layers.cases.evaluation import Asked, By
from layers.cases.ranking import RankBy
from layers.core.audience import FEWEST
from layers.core.errors import BadValue, Forbidden
from layers.core.span import Span, parse_instant
from mapserver.cases import ACaseDesk, CaseDesk
from mapserver.deps import ACity, spend
from mapserver.models.evaluation import EvaluationShape
from mapserver.negotiate import JSON, json_bytes, respond
from mapserver.params import From, To
from mapserver.scope import area_in_scope, level_rank

router = APIRouter(tags=["cases"], dependencies=[Depends(spend)])

_USUAL = timedelta(days=90)

NOTES = (
    {
        "zh": "数字只统计已办结的案件和这里记录的办理过程，不反映问题的多少、难易，也不反映办理人员的努力。",
        "en": "Figures are of cases that ended, as recorded here: not of how many troubles there were.",
    },
    {
        "zh": "评价由愿意评价的人给出，样本小且有偏，请连同样本量 n 一起看；指挥大屏不显示评价。",
        "en": "Ratings are of those who chose to rate: few, and not everybody alike. The room is shown none.",
    },
    {
        "zh": "各组的案件类别与来源渠道不同：in_time.usual 是同类案件在全部案件中的按时率，请先与之对照。",
        "en": "Groups differ in categories and channels: in_time.usual is that of like cases in the whole answer.",
    },
    {
        "zh": f"样本少于 {FEWEST} 的数字不显示，少于 {ranking.FEWEST_RANKED} 的不排名。",
        "en": f"Figures of fewer than {FEWEST} cases are hidden, below {ranking.FEWEST_RANKED} not ranked.",
    },
    {
        "zh": "从不按行走距离、上报数量或案件数量排名。",
        "en": "Nothing is ever ranked by distance walked, by events reported, or by the number of cases.",
    },
)


@router.get("/cases/evaluation", response_model=EvaluationShape)
async def get_evaluation(  # noqa: PLR0913
    request: Request,
    desk: ACaseDesk,
    city: ACity,
    start: From = None,
    to: To = None,
    by: Annotated[By, Query(description="what to group by")] = "unit",
    rank_by: Annotated[RankBy, Query(description="the figure that groups are ranked by")] = "in_time",
    level: Annotated[
        str | None, Query(max_length=40, description="code of the level of areas to group by")
    ] = None,
    area_id: Annotated[
        int | None, Query(alias="area", ge=1, le=2**63 - 1, description="id of an area, and all below it")
    ] = None,
) -> Response:
    """How cases that ended in a span were handled; the last 90 days, if none is given."""
    audience = desk.audience
    if not audience.policy.incidents:
        raise Forbidden("cases are not for the public", needs="room")
    if level is not None and by != "area":
        raise BadValue("level: only areas have one", parameter="level")
    rank = level_rank(city, level)
    if area_id is not None:
        await area_in_scope(desk.db, audience, area_id)
    policy = audience.policy
    asked = Asked(_span(desk, start, to), by, rank, area_id, policy.sensitive_points, policy.small_counts)
    groups, total = await _evaluated(desk, asked, rank_by)
    body = {
        "from": asked.span.start,
        "to": asked.span.end,
        "by": by,
        "level": city.levels[rank].code if by == "area" else None,
        "rank_by": rank_by,
        "fewest": FEWEST,
        "fewest_ranked": ranking.FEWEST_RANKED,
        "groups": groups,
        "total": total,
        "notes": NOTES,
    }
    return respond(request, audience, json_bytes(body), JSON)


async def _evaluated(desk: CaseDesk, asked: Asked, rank_by: RankBy) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The groups, ranked first, and all of them together."""
    again = evaluation.reopening(desk.loop.workflows.values())
    async with desk.db.transaction(desk.audience) as tx:
        since = await tx.value(evaluation.earliest(asked, again))
        work = [] if since is None else desk.loop.policies.work.opening(since, asked.span.end)
        *rows, whole = await tx.rows(evaluation.figures(asked, again, work))
        mixes: dict[str | None, dict[str, int]] = defaultdict(dict)
        for row in await tx.rows(evaluation.mix(asked, again)):
            mixes[row["code"]][row["category"]] = row["n"]
    groups = ranking.told(rows, rank_by)
    for group in groups:
        group["categories"] = {} if group["n"] is None else mixes[group["code"]]
    return groups, ranking.whole(whole)


def _span(desk: CaseDesk, start: str | None, to: str | None) -> Span:
    end = desk.clock.now() if to is None else parse_instant(to, "to")
    try:
        begin = end - _USUAL if start is None else parse_instant(start, "from")
    except OverflowError as exc:
        raise BadValue("to: there are no 90 days before it", parameter="to") from exc
    if begin >= end:
        raise BadValue("from: it is not before to", parameter="from")
    return Span(begin, end)
